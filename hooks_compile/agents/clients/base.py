"""What is known of an agent's configuration files, and the records made from them."""

from __future__ import annotations

from contextlib import suppress
from itertools import pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

Json = dict[str, "Json"] | list["Json"] | str | float | bool | None
"""What a JSON or TOML file holds, as Python objects."""

KeyPath = tuple[str | int, ...]

NESTED = "hooks.*.*.hooks.*"
"""The entries of ``hooks.EVENT[].hooks[]``, as most agents nest them."""
FLAT = "hooks.*.*"
_WINDOWS_KEYS = ("commandWindows", "command_windows", "powershell", "windows")


class Found(NamedTuple):
    """A command in a configuration file, reached through ``path``.

    ``cwd`` is the working directory that the entry sets, as written; ``arguments`` are those of an
    entry that no shell reads (None if a shell does); ``foreign`` names another shell that reads
    it; ``environment`` are the variables that the entry sets; ``has_windows_command`` says that
    the entry has a field of its own for Windows; ``windows_twin`` is what the agent's field for
    Windows holds if it is directly behind; ``matcher`` limits an event to some tools.
    """

    path: KeyPath
    command: str
    cwd: str | None = None
    arguments: tuple[str, ...] | None = None
    foreign: str = ""
    environment: frozenset[str] = frozenset()
    has_windows_command: bool = False
    windows_twin: str = ""
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

    ``names`` are its files in a project, patterns included, ``user_names`` those in the home
    directory (None: the same), ``plugin_names`` those of plugins, whose directory (two levels up)
    ``plugin_variable`` names. ``entries`` are the places of the hooks in a file (``*`` is each key
    or item), ``keys`` the fields that may hold the command: the first that is there counts.
    ``variables`` hold the project's directory when a command runs; ``starts`` and ``user_starts``
    are the directories that commands start in, from the project or from home.

    ``pastes`` are variables whose ``$NAME`` the agent itself replaces by the quoted path before a
    shell reads the command: in quotes it would break. ``below`` says that it reads its files in
    any directory that it is started in, ``trust`` what it does about a changed command until the
    user trusts that once more ("" if it does not ask). ``windows_shell`` is the shell that reads a
    command on Windows if that has no ``sh``, ``windows_field`` the field of an entry whose command
    counts there instead, ``foreign`` a shell that reads ``command`` everywhere.
    ``ran`` says that the client itself was run with rewired files; the files of others are wired
    only if the agent is named. ``advice`` is the reason why nothing is changed in these files.
    """

    name: str
    title: str
    names: tuple[str, ...]
    user_names: tuple[str, ...] | None = None
    plugin_names: tuple[str, ...] = ()
    plugin_variable: str = ""
    entries: tuple[str, ...] = (NESTED,)
    keys: tuple[str, ...] = ("command",)
    variables: tuple[str, ...] = ()
    starts: tuple[str, ...] = (".",)
    user_starts: tuple[str, ...] = ()
    pastes: frozenset[str] = frozenset()
    below: bool = True
    trust: str = ""
    windows_shell: str = ""
    windows_field: str = ""
    foreign: str = ""
    ran: bool = True
    advice: str = ""

    def files(self, root: Path, home: Path | None) -> Iterator[ConfigFile]:
        """Yield the files of a project that may exist; with ``home`` the user's own as well."""
        variables = dict.fromkeys(self.variables, str(root))
        starts = tuple(root / start for start in self.starts)
        for path in _matching(root, self.names):
            yield ConfigFile(self, path, root, _origin(path, root), starts, variables)
        for path in _matching(root, self.plugin_names):
            # A plugin's commands start in the project that uses it, which is not known here.
            plugin = path.parent.parent
            own = {self.plugin_variable: str(plugin)}
            yield ConfigFile(self, path, plugin, _origin(path, root), variables=own)
        if home is not None:
            starts = tuple(home / start for start in self.user_starts)
            names = self.names if self.user_names is None else self.user_names
            for path in _matching(home, names):
                yield ConfigFile(self, path, home, f"~/{_origin(path, home)}", starts)

    def commands(self, settings: Json) -> Iterator[Found]:
        """Yield the commands of the entries whose type is ``command`` or not given."""
        for entries in self.entries:
            for at, entry in _places(settings, entries.split(".")):
                key = next((key for key in self.keys if member(entry, key) is not None), "")
                text = member(entry, key)
                if isinstance(text, str) and member(entry, "type") in (None, "command"):
                    group = value_at(settings, at[:3])
                    yield self._found((*at, key), text, entry, member(group, "matcher"))

    def _found(self, path: KeyPath, command: str, entry: Json, matcher: Json) -> Found:
        cwd = member(entry, "cwd") or member(entry, "working_directory")
        shell, arguments = member(entry, "shell"), member(entry, "args")
        if path[-1] == "exec" and not isinstance(arguments, list):  # no shell reads it
            arguments = []
        other_shell = self.foreign if path[-1] == "command" else ""
        if isinstance(shell, str) and shell not in ("", "bash", "sh"):
            other_shell = shell
        twin = member(entry, self.windows_field)
        names = [name for name, _ in children(entry)]
        has_twin = not isinstance(arguments, list) and (path[-1], self.windows_field) in pairwise(
            names
        )
        return Found(
            path,
            command,
            cwd=cwd if isinstance(cwd, str) else None,
            arguments=tuple(map(str, arguments)) if isinstance(arguments, list) else None,
            foreign=other_shell,
            environment=frozenset(str(name) for name, _ in children(member(entry, "env"))),
            has_windows_command=any(isinstance(member(entry, name), str) for name in _WINDOWS_KEYS),
            windows_twin=twin if isinstance(twin, str) and has_twin else "",
            matcher=matcher if isinstance(matcher, str) else "",
        )


def member(value: Json, key: str) -> Json:
    """Return a member of an object, None if there is none."""
    return value.get(key) if isinstance(value, dict) else None


def children(value: Json) -> list[tuple[str | int, Json]]:
    """Return the members of an object or the items of an array, each with its key."""
    if isinstance(value, dict):
        return list(value.items())
    return list(enumerate(value)) if isinstance(value, list) else []


def value_at(value: Any, path: KeyPath) -> Any:
    """Return what is at a place, None if there is none."""
    with suppress(KeyError, IndexError, TypeError):
        for key in path:
            value = value[key]
        return value
    return None


def _places(value: Json, names: Sequence[str], at: KeyPath = ()) -> Iterator[tuple[KeyPath, Json]]:
    """Yield what is at the places of ``names``, each with its path."""
    if not names:
        yield at, value
        return
    for key, inner in children(value):
        if names[0] in ("*", key):
            yield from _places(inner, names[1:], (*at, key))


def _origin(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()


def _matching(root: Path, names: Iterable[str]) -> Iterator[Path]:
    """Yield the paths of ``names``, there or not, and what is there for patterns."""
    for name in names:
        yield from sorted(root.glob(name)) if "*" in name else [root / name]
