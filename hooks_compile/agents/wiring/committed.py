"""Commands that name a wrapper which is not there: a colleague's clone could not run its hooks.

``sh`` ends with 2 or 127 if its script is missing: the one blocks every tool call, the other lets
everything pass.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from hooks_compile import git
from hooks_compile.agents.clients.places import AGENTS, config_files
from hooks_compile.agents.shell.launches import WRAPPER_NAME, find_launches
from hooks_compile.agents.shell.mentions import mentioned_words
from hooks_compile.agents.wiring import tracking
from hooks_compile.agents.wiring.command import named_wrappers
from hooks_compile.agents.wiring.documents import read_settings
from hooks_compile.agents.wiring.rewrite import surroundings
from hooks_compile.errors import AgentConfigError, GitError, pasted
from hooks_compile.files import LARGEST_SETTINGS, read_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hooks_compile.agents.clients.base import ConfigFile, Found

Place = Literal["work tree", "index", "HEAD"]
"""Whose configuration and wrappers count: those on disk, of the next commit, or of the last."""

_PLACES: dict[Place, str] = {
    "work tree": "the work tree",
    "index": "the index",
    "HEAD": "HEAD",
}

_GITLINK = b"160000"
"""The mode of a submodule in a tree of git's."""

_PATHSPECS = tuple(
    f":(glob){'**/' if agent.below else ''}{name}"
    for agent in AGENTS
    for name in (*agent.names, *agent.plugin_names)
)


class MissingWrapper(NamedTuple):
    """A configuration file with a command whose wrapper is missing, and what to do."""

    path: Path
    named: str
    place: Place
    remedy: str

    @property
    def cause(self) -> str:
        """What is wrong, on one line."""
        return f"{self.named}, which is not in {_PLACES[self.place]}"


class _Named(NamedTuple):
    """A command that names a wrapper, and the paths where that may be."""

    config: ConfigFile
    found: Found
    paths: list[Path]


class _Submodule(NamedTuple):
    """The root of a submodule, and the commit that clones of the outer repository get of it."""

    root: Path
    commit: str

    def holds(self, path: Path) -> bool:
        """Return whether that commit has the file ``path``."""
        real = Path(os.path.realpath(path.parent)) / path.name
        name = real.relative_to(self.root).as_posix()
        return bool(git.contents(self.root, [name], revision=self.commit).get(name))


def missing_wrappers(root: Path, place: Place, *, index_file: str = "") -> list[MissingWrapper]:
    """Return the commands in the configuration of ``root`` whose wrapper is not in ``place``.

    ``root`` is the root of a work tree. ``index_file`` is the index of a commit that git is making
    (``GIT_INDEX_FILE`` of its hooks), "" for the repository's own. A wrapper in a submodule is
    looked for in the commit that is recorded there. One outside of the work tree, or in another
    repository inside of it, is looked for on disk. In the index and in HEAD there is nothing if
    ``root`` has no ``.git``. Raises GitError if git refuses.
    """
    if place == "work tree":
        named = list(_named_on_disk(root))
        inside: dict[Path, str] = {}
        there: set[str] = set()
    elif os.path.lexists(root / ".git"):
        named = list(_named_in_git(root, place, index_file))
        inside = {
            path: name for each in named for path in each.paths if (name := _name(root, path))
        }
        revision = "HEAD" if place == "HEAD" else ""
        contents = git.contents(root, set(inside.values()), revision=revision, index=index_file)
        there = {name for name, content in contents.items() if content}
    else:
        return []

    def submodule(path: Path) -> _Submodule | None:
        if place == "work tree" or path in inside:
            return None
        return _submodule(root, path, place, index_file)

    def exists(path: Path) -> bool:
        if path in inside:
            return inside[path] in there
        module = submodule(path)
        return module.holds(path) if module else path.is_file()

    return [
        MissingWrapper(
            each.config.path,
            f"{each.found.where} names {_shown(root, each.paths[0])}",
            place,
            _remedy(root, each.paths[0], place, submodule(each.paths[0])),
        )
        for each in named
        if each.paths and not any(map(exists, each.paths))
    ]


def _named_on_disk(root: Path) -> Iterator[_Named]:
    for config in config_files(root):
        try:
            text = read_bytes(config.path)
        except OSError:  # missing, or reported by those who wire it
            continue
        yield from _named(config, text)


def _named_in_git(root: Path, place: Place, index_file: str) -> Iterator[_Named]:
    also = ["--with-tree=HEAD"] if place == "HEAD" else []
    words = ["ls-files", "-z", "--cached", *also, "--", *_PATHSPECS]
    try:
        listed = git.run(words, cwd=root, index=index_file)
    except GitError:
        if also and not git.contents(root, ["."], revision="HEAD"):  # no commit yet
            return
        raise
    names = [name for name in os.fsdecode(listed).split("\0") if name]
    revision = "HEAD" if place == "HEAD" else ""
    for name, text in git.contents(root, names, revision=revision, index=index_file).items():
        for agent in AGENTS:
            if config := agent.file_at(root, root / name):
                yield from _named(config, text)


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


def _name(root: Path, path: Path) -> str:
    """Return the name that git has for a path, "" if it is not a file of this very repository."""
    real = Path(os.path.realpath(path.parent)) / path.name
    if not real.is_relative_to(root):
        return ""
    around = next(d for d in real.parents if d == root or os.path.lexists(d / ".git"))
    return real.relative_to(root).as_posix() if around == root else ""


def _submodule(root: Path, path: Path, place: Place, index_file: str) -> _Submodule | None:
    """Return the submodule of ``root`` that ``path`` is in, None if there is none."""
    real = Path(os.path.realpath(path.parent))
    around = [each for each in (real, *real.parents) if os.path.lexists(each / ".git")]
    if len(around) < 2 or around[1] != root:
        return None
    name = around[0].relative_to(root).as_posix()
    words = ["ls-files", "--stage"] if place == "index" else ["ls-tree", "HEAD"]
    answer = git.run([*words, "--", name], cwd=root, index=index_file).split(maxsplit=3)
    if not answer or answer[0] != _GITLINK:
        return None
    return _Submodule(around[0], answer[1 if place == "index" else 2].decode())


def _shown(root: Path, path: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def _remedy(root: Path, path: Path, place: Place, module: _Submodule | None) -> str:
    name, directory = (pasted(Path(_shown(root, each))) for each in (path, path.parent))
    steps = [] if path.is_file() else [f"hooks-compile wrapper {directory}"]
    if module:
        inner = pasted(Path(_shown(root, module.root)))
        file = pasted(Path(_shown(module.root, Path(os.path.realpath(path.parent)) / path.name)))
        steps += [f"git -C {inner} add {file}", f"git -C {inner} commit", f"git add {inner}"]
    elif place != "work tree":
        steps.append(f"git add {name}")
    if place == "HEAD":
        steps.append("git commit")
    # The rule may be in a .gitignore, in .git/info/exclude or in the user's own file.
    shows = f"take out the rule that ignores it (git check-ignore -v {name}), then: "
    hidden = shows if tracking.ignored([path]) else ""
    return hidden + " && ".join(steps)


def describe_missing(found: Iterable[MissingWrapper], root: Path) -> list[str]:
    """Return two lines for each missing wrapper: file and cause, and the remedy."""
    lines: list[str] = []
    for each in found:
        lines += [f"{_shown(root, each.path)}: {each.cause}", f"  to fix it: {each.remedy}"]
    return lines
