"""The scripts that the agents' configuration files name."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from hooks_compile.agents.clients.places import config_files
from hooks_compile.agents.shell.launches import mentioned_words
from hooks_compile.agents.wiring.hooks import readable_hooks
from hooks_compile.files import read_bytes
from hooks_compile.project import shebang

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hooks_compile.agents.clients.base import ConfigFile
    from hooks_compile.agents.wiring.hooks import Hook


class NamedScript(NamedTuple):
    """A script, absolute and without symlinks, and why it counts: ``named by FILE``.

    ``pythons`` are the interpreters that the commands with it name, as written.
    """

    path: Path
    origin: str
    pythons: tuple[str, ...] = ()


class HookEvent(NamedTuple):
    """A script, one event on which an agent runs it, and the arguments that it gets then.

    ``matcher`` limits the event to some tools, as the agent's configuration says.
    """

    script: Path
    event: str
    matcher: str
    arguments: tuple[str, ...]


def hook_events(root: Path, *, listed: Iterable[str] | None = None) -> list[HookEvent]:
    """Return the events on which agents run the scripts of :func:`named_scripts`."""
    return [
        HookEvent(script, hook.found.event, hook.found.matcher, hook.arguments)
        for config in config_files(root, None, None, listed)
        for hook in _hooks(config, None)
        for script in _scripts(hook)
    ]


def named_scripts(
    root: Path,
    *,
    home: Path | None = None,
    cwd: Path | None = None,
    listed: Iterable[str] | None = None,
) -> list[NamedScript]:
    """Return the existing Python scripts that hook and status line commands name, each once.

    ``root`` is a project; ``home`` adds the user's own configuration; ``cwd`` and ``listed`` are
    as for :func:`~hooks_compile.agents.clients.places.config_files`. Only scripts in the project
    count (for the user's files: inside the home directory), after all symlinks are resolved. A
    configuration file that can't be read names nothing: ``init`` and ``doctor`` report it.
    """
    scripts: dict[Path, NamedScript] = {}
    for config in config_files(root, home, cwd, listed):
        for hook in _hooks(config, home):
            for path in _scripts(hook):
                known = scripts.setdefault(path, NamedScript(path, f"named by {config.origin}"))
                scripts[path] = known._replace(pythons=(*known.pythons, *hook.pythons))
    return list(scripts.values())


def _hooks(config: ConfigFile, home: Path | None) -> list[Hook]:
    try:
        content = read_bytes(config.path)
    except OSError:  # missing
        return []
    return readable_hooks(config, content, {} if home is None else {"HOME": str(home)})


def _scripts(hook: Hook) -> Iterator[Path]:
    root, paths = hook.config.root, hook.scripts
    if not any(map(_is_python, paths)):
        # The launch is not understood: whatever looks like a Python file is named.
        words = list(mentioned_words(hook.found.texts, hook.around.variables, root))
        starts = hook.around.starts or (root,)
        entered = [start / word for start in starts for word in words if (start / word).is_dir()]
        paths = [start / word for word in words for start in (*starts, *entered)]
    inside = root.resolve()
    for path in map(Path, dict.fromkeys(map(os.path.normpath, paths))):
        if _is_python(path) and (real := path.resolve()).is_relative_to(inside):
            yield real


def _is_python(path: Path) -> bool:
    try:
        if not path.is_file():
            return False
        if path.suffix in (".py", ".pyw"):
            return True
        with path.open("rb") as stream:
            return shebang.is_python(stream.read(shebang.HEAD))
    except (OSError, ValueError):  # ValueError: a name with a NUL
        return False
