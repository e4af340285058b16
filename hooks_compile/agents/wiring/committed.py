"""Commands that name a wrapper which is not there: a colleague's clone could not run its hooks.

``sh`` ends with 2 or 127 if its script is missing: the one blocks every tool call, the other lets
everything pass.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from hooks_compile import git
from hooks_compile.agents.clients.places import config_files
from hooks_compile.agents.shell.launches import WRAPPER_NAME, find_launches, mentioned_words
from hooks_compile.agents.wiring.hooks import readable_hooks
from hooks_compile.errors import pasted
from hooks_compile.files import LARGEST_SETTINGS, read_bytes
from hooks_compile.printable import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hooks_compile.agents.clients.base import ConfigFile
    from hooks_compile.agents.wiring.hooks import Hook

Place = Literal["work tree", "index", "HEAD"]
"""Whose configuration and wrappers count: those on disk, of the next commit, or of the last."""


class MissingWrapper(NamedTuple):
    """A configuration file, a command that names a wrapper, where that is missing, what to do."""

    path: Path
    named: str
    place: Place
    remedy: str

    def __str__(self) -> str:
        """``FILE: CAUSE`` and, on a second line, the remedy."""
        where = "HEAD" if self.place == "HEAD" else f"the {self.place}"
        return f"{self.path}: {self.named}, which is not in {where}\n  to fix it: {self.remedy}"


class _Tree(NamedTuple):
    """The files of a project in one place; ``index_file`` is as for missing_wrappers."""

    root: Path
    place: Place
    index_file: str

    def contents(self, names: Iterable[str]) -> dict[str, bytes]:
        """Return the contents of those files that are there. Raises GitError if git refuses."""
        if self.place != "work tree":
            revision = "HEAD" if self.place == "HEAD" else ""
            return git.contents(self.root, names, revision=revision, index=self.index_file)
        found = {}
        for name in names:
            with suppress(OSError):  # missing, or reported by those who wire it
                found[name] = read_bytes(self.root / name)
        return found

    def name(self, path: Path) -> str:
        """Return the name of a file in this repository, "" if it is in none or in another one."""
        real = Path(os.path.realpath(path.parent)) / path.name
        if not real.is_relative_to(self.root):
            return ""
        around = next(d for d in real.parents if d == self.root or os.path.lexists(d / ".git"))
        return real.relative_to(self.root).as_posix() if around == self.root else ""


def missing_wrappers(root: Path, place: Place, *, index_file: str = "") -> list[MissingWrapper]:
    """Return the commands in the configuration of ``root`` whose wrapper is not in ``place``.

    ``root`` is the root of a work tree. ``index_file`` is the index of a commit that git is making
    (``GIT_INDEX_FILE`` of its hooks), "" for the repository's own. A wrapper outside of the work
    tree, or in another repository inside of it, is looked for on disk. In the index and in HEAD
    there is nothing if ``root`` has no ``.git``. Raises GitError if git refuses.
    """
    if place != "work tree" and not os.path.lexists(root / ".git"):
        return []
    tree = _Tree(root, place, index_file)
    configs = {config.path.relative_to(root).as_posix(): config for config in config_files(root)}
    texts = tree.contents(configs)
    named = [each for name, text in texts.items() for each in _named(configs[name], text)]
    inside = {path: name for _, paths in named for path in paths if (name := tree.name(path))}
    there = {name for name, content in tree.contents(set(inside.values())).items() if content}

    def exists(path: Path) -> bool:
        return inside[path] in there if path in inside else path.is_file()

    return [
        MissingWrapper(
            hook.config.path.relative_to(root),
            f"{hook.found.where} names {shown(paths[0], root)}",
            place,
            _remedy(tree, paths[0]),
        )
        for hook, paths in named
        if paths and not any(map(exists, paths))
    ]


def _named(config: ConfigFile, content: bytes) -> Iterator[tuple[Hook, list[Path]]]:
    """Yield the commands that name a wrapper, and the paths where that may be."""
    if WRAPPER_NAME.encode() not in content or len(content) > LARGEST_SETTINGS:
        return
    for hook in readable_hooks(config, content):
        around, launches = hook.around, find_launches(hook.line).wired
        known = [each for it in launches if (each := around.possible_paths(it.wrapper, it))]
        if not known:  # a line that was written by hand: what looks like the wrapper's path counts
            words = mentioned_words(hook.found.texts, around.variables, config.root)
            names = [word for word in dict.fromkeys(words) if word.endswith(f"/{WRAPPER_NAME}")]
            known = [[start / name for start in around.starts] for name in names]
        yield from ((hook, paths) for paths in known)


def _remedy(tree: _Tree, path: Path) -> str:
    name, directory = (pasted(Path(shown(each, tree.root))) for each in (path, path.parent))
    steps = [] if path.is_file() else [f"hooks-compile wrapper {directory}"]
    if tree.place != "work tree" and tree.name(path):
        steps += [f"git add {name}", "git commit"][: 2 if tree.place == "HEAD" else 1]
    return " && ".join(steps)
