"""What an agent's module says about its configuration files, and the records made from it."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

Json = dict[str, "Json"] | list["Json"] | str | float | bool | None
"""What a JSON or TOML file holds, as Python objects."""

KeyPath = tuple[str | int, ...]

_WINDOWS_KEYS = ("commandWindows", "command_windows", "powershell", "windows")


class Found(NamedTuple):
    """A command in a configuration file, reached through ``path``.

    ``cwd`` is the working directory that the entry sets, as written; ``arguments`` are those of an
    entry that no shell reads (None if a shell does); ``foreign`` names another shell that reads
    it; ``environment`` are the variables that the entry sets; ``has_windows_command`` says that
    the entry has a field of its own for Windows; ``matcher`` limits an event to some tools.
    """

    path: KeyPath
    command: str
    cwd: str | None = None
    arguments: tuple[str, ...] | None = None
    foreign: str = ""
    environment: frozenset[str] = frozenset()
    has_windows_command: bool = False
    matcher: str = ""

    @property
    def event(self) -> str:
        """The event that starts the command, or the name of its place, such as ``statusLine``."""
        return str(self.path[1] if self.path[0] == "hooks" else self.path[0])

    @property
    def texts(self) -> tuple[str, ...]:
        """The command and its arguments."""
        return (self.command, *(self.arguments or ()))

    @property
    def where(self) -> str:
        """``hooks.PreToolUse[0].hooks[0].command``: the place, for a person."""
        text = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in self.path)
        return text.lstrip(".")


class ConfigFile(NamedTuple):
    """A configuration file that may exist.

    ``root`` is the directory that it belongs to (the project, the home directory, the plugin):
    only scripts inside are wired. ``starts`` are the directories that its commands may start in
    (none if that depends on the session), ``variables`` what the agent sets for them. ``origin``
    is the path as a person sees it.
    """

    agent: Agent
    path: Path
    root: Path
    origin: str
    starts: tuple[Path, ...] = ()
    variables: Mapping[str, str] = MappingProxyType({})


class Agent(NamedTuple):
    """A coding agent: where its hooks are configured, and how it runs them.

    ``names`` and ``user_names`` are its files in a project and in the home directory, patterns
    included. ``plugin_names`` are those of plugins, whose directory (two levels up)
    ``plugin_variable`` names. ``variables`` hold the project's directory when a command runs;
    ``starts`` and ``user_starts`` are the directories that commands start in, from the project or
    from home.

    ``pastes`` are variables whose ``$NAME`` the agent itself replaces by the quoted path before a
    shell reads the command: in quotes it would break. ``below`` says that it reads its files in
    any directory that it is started in, ``trust`` what it does about a changed command until the
    user trusts that once more ("" if it does not ask), and ``windows_shell`` which shell reads a
    command on Windows if that has no ``sh``. ``ran`` says that the client itself was run with
    rewired files; the files of others are wired only if the agent is named.
    """

    name: str
    title: str
    names: tuple[str, ...]
    commands: Callable[[Json], Iterator[Found]]
    user_names: tuple[str, ...] = ()
    plugin_names: tuple[str, ...] = ()
    plugin_variable: str = ""
    variables: tuple[str, ...] = ()
    starts: tuple[str, ...] = (".",)
    user_starts: tuple[str, ...] = ()
    pastes: frozenset[str] = frozenset()
    below: bool = True
    trust: str = ""
    windows_shell: str = ""
    ran: bool = True

    def files(self, root: Path, home: Path | None) -> list[ConfigFile]:
        """Return the files of a project that may exist; with ``home`` the user's own as well."""
        found = [self._of_project(root, path) for path in _matching(root, self.names)]
        found += [self._of_plugin(root, path) for path in _matching(root, self.plugin_names)]
        if home is not None:
            starts = tuple(home / start for start in self.user_starts)
            found += [
                ConfigFile(self, path, home, f"~/{path.relative_to(home).as_posix()}", starts)
                for path in _matching(home, self.user_names)
            ]
        return found

    def _of_project(self, root: Path, path: Path) -> ConfigFile:
        starts = tuple(root / start for start in self.starts)
        variables = dict.fromkeys(self.variables, str(root))
        origin = path.relative_to(root).as_posix()
        return ConfigFile(self, path, root, origin, starts, variables)

    def _of_plugin(self, root: Path, path: Path) -> ConfigFile:
        # A plugin's commands start in the project that uses it, which is not known here.
        plugin = path.parent.parent
        variables = {self.plugin_variable: str(plugin)}
        origin = path.relative_to(root).as_posix()
        return ConfigFile(self, path, plugin, origin, variables=variables)


def member(value: Json, key: str) -> Json:
    """Return a member of an object, None if there is none."""
    return value.get(key) if isinstance(value, dict) else None


def children(value: Json) -> list[tuple[str | int, Json]]:
    """Return the members of an object or the items of an array, each with its key."""
    if isinstance(value, dict):
        return list(value.items())
    return list(enumerate(value)) if isinstance(value, list) else []


def event_entries(settings: Json) -> Iterator[tuple[KeyPath, Json]]:
    """Yield the entries of ``hooks.EVENT[]`` with their paths."""
    for event, entries in children(member(settings, "hooks")):
        for number, entry in children(entries):
            yield ("hooks", event, number), entry


def nested_commands(settings: Json) -> Iterator[Found]:
    """Yield the commands of ``hooks.EVENT[].hooks[].command``, as several agents nest them."""
    for at, group in event_entries(settings):
        matcher = member(group, "matcher")
        for number, entry in children(member(group, "hooks")):
            for found in entry_command(entry, (*at, "hooks", number)):
                yield found._replace(matcher=matcher if isinstance(matcher, str) else "")


def flat_commands(settings: Json) -> Iterator[Found]:
    """Yield the commands of ``hooks.EVENT[].command``."""
    for at, entry in event_entries(settings):
        yield from entry_command(entry, at)


def entry_command(entry: Json, at: KeyPath, key: str = "command") -> Iterator[Found]:
    """Yield the command of one entry, if its type is ``command`` or not given."""
    command = member(entry, key)
    if not isinstance(command, str) or member(entry, "type") not in (None, "command"):
        return
    cwd, shell, arguments = (member(entry, name) for name in ("cwd", "shell", "args"))
    yield Found(
        (*at, key),
        command,
        cwd=cwd if isinstance(cwd, str) else None,
        arguments=tuple(map(str, arguments)) if isinstance(arguments, list) else None,
        foreign=shell if isinstance(shell, str) and shell not in ("bash", "sh") else "",
        environment=frozenset(str(name) for name, _ in children(member(entry, "env"))),
        has_windows_command=any(isinstance(member(entry, name), str) for name in _WINDOWS_KEYS),
    )


def _matching(root: Path, names: Iterable[str]) -> list[Path]:
    """Return the paths of ``names``, there or not, and what is there for patterns."""
    groups = (sorted(root.glob(name)) if "*" in name else [root / name] for name in names)
    return [path for group in groups for path in group]
