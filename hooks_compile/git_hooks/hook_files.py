"""Our hooks as files: beside, in front of, and behind those of others.

There is one file for each event. A foreign hook is moved aside, in the same folder, and ours goes
on to it. pre-commit's and prek's stay where they are, since they look for their own place and go
on to ``NAME.legacy`` themselves: there ours is put. What git tracks is not touched.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from hooks_compile import git
from hooks_compile.git_hooks.hook_script import EVENTS, KEPT, Kind, kind, text
from hooks_compile.git_hooks.steps import Do, Step, read

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from hooks_compile.git import Repository

LEGACY = ".legacy"
"""What pre-commit and prek add to the name of a hook that they go on to."""

# lefthook renames the hook that it finds to NAME.old, and never runs it again.
_ASIDE = (LEGACY, ".old")
_EXCLUDED = b"# hooks-compile git-hooks: this machine's own, in a folder of the work tree\n"


def beside(hook: Path, suffix: str) -> Path:
    """Return the file in the same folder whose name is that of ``hook``, and ``suffix``."""
    return hook.with_name(f"{hook.name}{suffix}")


def installing(folder: Path, tool: Path, tracked: Collection[Path] = ()) -> Iterator[Step]:
    """Give the steps that put our hooks into ``folder``; none where all is in place."""
    for event in EVENTS:
        yield from _install(folder / event, text(tool, event), tracked)


def _install(hook: Path, content: bytes, tracked: Collection[Path]) -> Iterator[Step]:
    place, why = hook, ""
    if kind(hook) is Kind.MANAGER:
        place, why = beside(hook, LEGACY), f"{hook.name} goes on to it by itself"
    else:
        for copy in (beside(hook, suffix) for suffix in _ASIDE):
            if kind(copy) is Kind.OURS:
                yield Step(Do.REMOVE, copy, "ours, moved aside by somebody")
    found = kind(place)
    if place in tracked:
        why = "git tracks it; have it run: hooks-compile sync --git-hook || :"
        yield Step(Do.LEAVE, place, why)
    elif found is Kind.EDITED:
        yield Step(Do.LEAVE, place, "ours, but somebody has edited it")
    elif found is Kind.OURS:
        if read(place) != content or not os.access(place, os.X_OK):
            yield Step(Do.WRITE, place, "replaces an older one", content=content)
    else:
        if found is not Kind.MISSING:
            yield from _keep(place, beside(hook, KEPT))
        yield Step(Do.WRITE, place, why, content=content)


def _keep(place: Path, kept: Path) -> Iterator[Step]:
    if _same(place, kept):  # its owner has put it there once more
        yield Step(Do.REMOVE, kept, "the same as the one in front")
    elif os.path.lexists(kept):  # from an earlier time; somebody has put another in front since
        number = 1
        while os.path.lexists(beside(kept, f".{number}")):
            number += 1
        yield Step(Do.MOVE, kept, "nothing runs it any more", beside(kept, f".{number}"))
    yield Step(Do.MOVE, place, "kept: ours goes on to it", kept)


def _same(first: Path, second: Path) -> bool:
    files = first.is_file() and second.is_file()
    return files and not first.is_symlink() and read(first) == read(second)


def removing(folder: Path, why: str = "") -> Iterator[Step]:
    """Give the steps that take our hooks out of ``folder`` and put back those that were there."""
    for event in EVENTS:
        yield from _remove(folder / event, why)


def _remove(hook: Path, why: str) -> Iterator[Step]:
    kept = beside(hook, KEPT)
    waiting = os.path.lexists(kept)
    free = not os.path.lexists(hook)
    if _same(hook, kept):
        yield Step(Do.REMOVE, kept, f"the same as {hook.name}")
        waiting = False
    for place in (hook, *(beside(hook, suffix) for suffix in _ASIDE)):
        found = kind(place)
        if found is Kind.EDITED:
            yield Step(Do.LEAVE, place, "ours, but somebody has edited it")
            waiting = False
        elif found is Kind.OURS:
            yield Step(Do.REMOVE, place, why)
            if waiting:
                yield Step(Do.MOVE, kept, "was here before", place)
                waiting = False
    if waiting and free:
        yield Step(Do.MOVE, kept, "was here before", hook)
    elif waiting:
        yield Step(Do.LEAVE, kept, f"was here before; {hook.name} is somebody else's now")


def tracked_in(repository: Repository, folder: Path) -> frozenset[Path]:
    """Return the files in ``folder`` that git tracks."""
    if not _is_content(repository, folder):
        return frozenset()
    tree = repository.work_tree
    name = folder.relative_to(tree).as_posix()
    return frozenset(tree / each for each in git.tracked_matching(tree, [f":(literal){name}"]))


def excluding(repository: Repository, folder: Path, tracked: Collection[Path]) -> Iterator[Step]:
    """Give the step that keeps our files in ``folder`` out of git's sight, where that is needed."""
    if not _is_content(repository, folder):
        return
    ours = [folder / event for event in EVENTS if folder / event not in tracked]
    ours += [beside(hook, KEPT) for hook in ours]
    ignored = git.ignored(repository.work_tree, ours)
    names = [os.fsencode(each.relative_to(repository.work_tree).as_posix()) for each in ours]
    if set(ours) != ignored:
        path = repository.common_dir / "info" / "exclude"
        old = without_excluded(read(path) or b"")
        start = old if not old or old.endswith(b"\n") else old + b"\n"
        block = _EXCLUDED + b"".join(b"/%s\n" % name for name in names)
        yield Step(
            Do.WRITE, path, "our hooks are not for commits", content=start + block, mode=0o644
        )


def without_excluded(content: bytes) -> bytes:
    """Return the lines of ``info/exclude`` that :func:`excluding` did not add."""
    head, mark, rest = content.partition(_EXCLUDED)
    if not mark:
        return content
    lines = rest.splitlines(keepends=True)
    names = tuple(f"/{event}{suffix}\n".encode() for event in EVENTS for suffix in ("", KEPT))
    while lines and lines[0].endswith(names):
        del lines[0]
    return head + b"".join(lines)


def _is_content(repository: Repository, folder: Path) -> bool:
    """Tell whether the folder is part of the work tree, and not of git's own."""
    in_tree = folder.is_relative_to(repository.work_tree)
    return in_tree and not folder.is_relative_to(repository.common_dir)
