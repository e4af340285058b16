"""Our git hooks as files, for a git before 2.54: what a newer git never needs.

A hook of somebody else's is left alone. Where one has an event already, ours for another event
does the work: post-index-change tells of all changes but those of ``git restore --source``.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from hooks_compile import files, git
from hooks_compile.git_hooks.hook_script import EVENTS, has_block, text, with_block, without_block
from hooks_compile.git_hooks.steps import Do, Step, read

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from hooks_compile.git import Repository, Setting

INDEX = "post-index-change"

UNCONTESTED = ("post-rewrite", "post-applypatch", INDEX)
"""git-lfs, git-annex and DVC use none of these. They refuse to install a hook if one is there."""

# What other tools add to the name of a hook that they find. pre-commit and prek run it then.
_MOVED = (".legacy", ".old")
_ADVICE = {INDEX: "to have it sync, add to it: hooks-compile sync --git-hook || :"}
_EXCLUSION = (
    b"# hooks-compile git-hooks: this machine's own, in a directory of the work tree\n"
    b"post-index-change\n"
)


def exclusive_tool(root: Path, settings: Sequence[Setting]) -> str:
    """Return which tool in the work tree ``root`` tolerates no hook beside its own, "" for none."""
    names = [each.name for each in settings]
    has_filter = any(name.startswith("filter.lfs.") for name in names)
    if has_filter or b"filter=lfs" in _content(root / ".gitattributes"):
        return "git-lfs"
    if "annex.uuid" in names:
        return "git-annex"
    return "DVC" if (root / ".dvc").is_dir() else ""


def installing(
    directory: Path, tool: Path, events: Sequence[str] = EVENTS, left_to: str = ""
) -> Iterator[Step]:
    """Give the steps that put our hooks into ``directory``; none but LEAVE if all is in place.

    ``tool`` is the command ``hooks-compile``, ``left_to`` is who gets the other events.
    """
    for hook in (directory / event for event in EVENTS):
        content = _content(hook)
        if hook.name not in events:
            yield from _removing(hook)
            yield Step(Do.LEAVE, hook, f"left to {left_to}")
        elif has_block(content):
            new = with_block(content, tool)
            if new != content or not os.access(hook, os.X_OK):
                yield Step(Do.WRITE, hook, "replaces an older one", content=new)
        elif os.path.lexists(hook):
            advice = _ADVICE.get(hook.name, f"ours for {INDEX} does its work")
            yield Step(Do.LEAVE, hook, f"somebody else's; {advice}")
        else:
            yield Step(Do.WRITE, hook, content=text(tool))


def is_run(hook: Path) -> bool:
    """Return whether git runs our block in the file ``hook``."""
    return has_block(_content(hook)) and os.access(hook, os.X_OK)


def removing(directory: Path, why: str = "") -> Iterator[Step]:
    """Give the steps that take our block out of the hooks in ``directory``."""
    for event in EVENTS:
        yield from _removing(directory / event, why)


def _removing(hook: Path, why: str = "") -> Iterator[Step]:
    for place in (hook, *(hook.with_name(f"{hook.name}{suffix}") for suffix in _MOVED)):
        content = _content(place)
        others = without_block(content)
        if has_block(content) and others:
            mode = stat.S_IMODE(place.stat().st_mode)
            yield Step(Do.WRITE, place, "without our lines", content=others, mode=mode)
        elif has_block(content):
            yield Step(Do.REMOVE, place, why)


def _content(hook: Path) -> bytes:
    """Return what a hook file holds; empty for a symlink and for what is no readable file."""
    try:
        return files.read_bytes(hook, follow=False)
    except OSError:
        return b""


# A directory of hooks in the work tree


def excluding(repository: Repository, directory: Path) -> Iterator[Step]:
    """Give the step that keeps our hook in ``directory``, of the work tree, out of commits.

    It needs none if git ignores the hook anyway.
    """
    path = repository.common_dir / "info" / "exclude"
    old = read(path)
    if _EXCLUSION not in old and not git.ignored(repository.work_tree, [directory / INDEX]):
        start = old if not old or old.endswith(b"\n") else old + b"\n"
        why = "our hook is not for commits"
        yield Step(Do.WRITE, path, why, content=start + _EXCLUSION, mode=0o644)


def including(repository: Repository) -> Iterator[Step]:
    """Give the step that takes back :func:`excluding`, if one is needed."""
    path = repository.common_dir / "info" / "exclude"
    old = read(path)
    new = old.replace(_EXCLUSION, b"")
    if new != old:
        yield Step(Do.WRITE, path, "without our lines", content=new, mode=0o644)
