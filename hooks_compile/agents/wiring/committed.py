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
from hooks_compile.agents.shell.launches import WRAPPER_NAME, find_launches
from hooks_compile.agents.shell.mentions import mentioned_words
from hooks_compile.agents.wiring import tracking
from hooks_compile.agents.wiring.command import named_wrappers
from hooks_compile.agents.wiring.documents import read_settings
from hooks_compile.agents.wiring.rewrite import surroundings
from hooks_compile.errors import AgentConfigError, pasted
from hooks_compile.files import LARGEST_SETTINGS, read_bytes
from hooks_compile.printable import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hooks_compile.agents.clients.base import ConfigFile, Found

Place = Literal["work tree", "index", "HEAD"]
"""Whose configuration and wrappers count: those on disk, of the next commit, or of the last."""


class MissingWrapper(NamedTuple):
    """A configuration file with a command whose wrapper is missing, and what to do."""

    path: Path
    cause: str
    remedy: str


class _Named(NamedTuple):
    """A command that names a wrapper, and the paths where that may be."""

    config: ConfigFile
    found: Found
    paths: list[Path]


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
    inside = {path: name for each in named for path in each.paths if (name := tree.name(path))}
    there = {name for name, content in tree.contents(set(inside.values())).items() if content}

    def exists(path: Path) -> bool:
        return inside[path] in there if path in inside else path.is_file()

    return [
        MissingWrapper(
            each.config.path,
            f"{each.found.where} names {shown(each.paths[0], root)}, which is not in "
            + (place if place == "HEAD" else f"the {place}"),
            _remedy(tree, each.paths[0]),
        )
        for each in named
        if each.paths and not any(map(exists, each.paths))
    ]


def _named(config: ConfigFile, content: bytes) -> Iterator[_Named]:
    if WRAPPER_NAME.encode() not in content or len(content) > LARGEST_SETTINGS:
        return
    try:
        settings = read_settings(content.decode(), config.path)
    except (AgentConfigError, UnicodeDecodeError):  # reported by those who wire it
        return
    for found in config.agent.commands(settings):
        if WRAPPER_NAME in " ".join([found.command, *(found.arguments or ())]):
            yield from _of_command(config, found)


def _of_command(config: ConfigFile, found: Found) -> Iterator[_Named]:
    around = surroundings(found, config, lambda _: None)
    launches = find_launches(found.command).wired if found.arguments is None else []
    known = [paths for launch in launches if (paths := named_wrappers(launch, around))]
    for paths in known:
        yield _Named(config, found, paths)
    if not known:  # such a line was written by hand: what looks like the wrapper's path counts
        texts = (found.command, *(found.arguments or ()))
        words = [w for text in texts for w in mentioned_words(text, around.variables, config.root)]
        for word in dict.fromkeys(w for w in words if w.endswith(f"/{WRAPPER_NAME}")):
            paths = [Path(os.path.normpath(start / word)) for start in around.starts]
            yield _Named(config, found, paths)


def _remedy(tree: _Tree, path: Path) -> str:
    name, directory = (pasted(Path(shown(each, tree.root))) for each in (path, path.parent))
    steps = [] if path.is_file() else [f"hooks-compile wrapper {directory}"]
    if tree.place != "work tree" and tree.name(path):
        steps += [f"git add {name}", "git commit"][: 2 if tree.place == "HEAD" else 1]
    # The rule may be in a .gitignore, in .git/info/exclude or in the user's own file.
    shows = f"take out the rule that ignores it (git check-ignore -v {name}), then: "
    hidden = shows if tracking.ignored([path]) else ""
    return hidden + " && ".join(steps)


def describe_missing(found: Iterable[MissingWrapper], root: Path) -> list[str]:
    """Return two lines for each missing wrapper: file and cause, and the remedy."""
    lines: list[str] = []
    for each in found:
        lines += [f"{shown(each.path, root)}: {each.cause}", f"  to fix it: {each.remedy}"]
    return lines
