"""What every agent's module tells about its configuration files."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

Json = dict[str, "Json"] | list["Json"] | str | float | bool | None
"""What a JSON or TOML file holds, as Python objects."""

KeyPath = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """A command in a configuration file, reached through ``path``.

    ``cwd`` is the working directory that the entry asks for, as written; ``arguments`` are those
    of an entry that no shell reads (None where a shell does); ``foreign`` names another shell that
    reads it, where the entry says so; ``environment`` are the variables that the entry sets.
    """

    path: KeyPath
    command: str
    cwd: str | None = None
    arguments: tuple[str, ...] | None = None
    foreign: str = ""
    environment: frozenset[str] = frozenset()

    @property
    def where(self) -> str:
        """``hooks.PreToolUse[0].hooks[0].command``: the place, for a person."""
        text = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in self.path)
        return text.lstrip(".")


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """A configuration file that may exist.

    ``root`` is the folder that it belongs to (the project, the home folder, the plugin): only
    scripts inside are wired. ``starts`` are the folders that its commands may start in (none where
    that depends on the session), ``variables`` what the agent sets for them. ``origin`` is the
    path as shown to a person.
    """

    agent: Agent
    path: Path
    root: Path
    origin: str
    starts: tuple[Path, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Agent:
    """A coding agent: where its hooks are configured and how it runs them.

    ``shell`` is the command line that the hook command is appended to. ``pastes`` are variables
    whose ``$NAME`` the agent itself replaces by the quoted path before a shell reads the command:
    quoting them again would break it. ``strict_json`` tells that it reads no comments.
    """

    name: str
    title: str
    shell: tuple[str, ...]
    files: Callable[[Path, Path | None], list[ConfigFile]]
    commands: Callable[[Json], Iterator[Found]]
    pastes: frozenset[str] = frozenset()
    strict_json: bool = False


def member(value: Json, key: str) -> Json:
    """A member of an object, None where there is none."""
    return value.get(key) if isinstance(value, dict) else None


def items(value: Json) -> list[Json]:
    """The items of an array, none for anything else."""
    return value if isinstance(value, list) else []


def members(value: Json) -> list[tuple[str, Json]]:
    """The members of an object, none for anything else."""
    return list(value.items()) if isinstance(value, dict) else []


def nested_commands(hooks: Json, at: KeyPath = ("hooks",)) -> Iterator[Found]:
    """The commands of ``EVENT[].hooks[].command``, the nesting that several agents share."""
    for event, groups in members(hooks):
        for i, group in enumerate(items(groups)):
            for j, entry in enumerate(items(member(group, "hooks"))):
                yield from entry_command(entry, (*at, event, i, "hooks", j))


def entry_command(entry: Json, at: KeyPath, key: str = "command") -> Iterator[Found]:
    """The command of one entry, where its type is ``command`` or not given."""
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
        environment=frozenset(name for name, _ in members(member(entry, "env"))),
    )
