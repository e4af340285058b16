"""Our git hook: a block of lines in a shell script, with what others put around it.

git 2.54 and later runs it by its configuration, and an older git from the directory of its hooks.
A hook of somebody else's there is left alone, and ours for another event does the work:
post-index-change tells of all changes but those of ``git restore --source``.
"""

from __future__ import annotations

import os
import re
import shlex
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from hooks_compile import files, git
from hooks_compile.errors import GitError
from hooks_compile.git_hooks.steps import Do, Place, Step

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

EVENTS = (
    *("post-checkout", "post-merge", "post-rewrite", "post-commit", "post-applypatch"),
    "post-index-change",
)
"""What git runs our hook for."""

INDEX = "post-index-change"
ADVICE = "to have it sync, add to it: hooks-compile sync --git-hook || :"
UNCONTESTED = ("post-rewrite", "post-applypatch", INDEX)
"""git-lfs, git-annex and DVC use none of these. They refuse to install a hook if one is there."""

# What other tools add to the name of a hook that they find. pre-commit and prek run it then.
_MOVED = (".legacy", ".old")
_BLOCK = re.compile(
    rb"(?ms)^# hooks-compile git hook \d+:.*?^# end of the lines of hooks-compile\n"
)
_SHEBANG = re.compile(rb"\A#!.*\n?")


def text(tool: Path) -> bytes:
    """Return a hook that fits every event; ``tool`` is the command ``hooks-compile``."""
    directory = tool.parent.resolve()  # a branch may replace a link
    trees = (each for each in (directory, *directory.parents) if (each / ".git").exists())
    content = Path(__file__).with_name("git_hook.sh").read_bytes()
    for name, value in ((b"@TOOL@", directory / tool.name), (b"@TREE@", next(trees, ""))):
        content = content.replace(name, shlex.quote(str(value)).encode(errors="surrogateescape"))
    return content


def has_block(content: bytes) -> bool:
    """Return whether our whole block is in a hook file, in any version."""
    return _BLOCK.search(content) is not None


def with_block(content: bytes, tool: Path) -> bytes:
    """Return a hook file with our block in this version in place of that in ``content``."""
    block = _SHEBANG.sub(b"", text(tool))
    return _BLOCK.sub(lambda _: block, content)


def without_block(content: bytes) -> bytes:
    """Return a hook file without our block; empty if a shebang at most is left."""
    left = _BLOCK.sub(b"", content)
    return left if _SHEBANG.sub(b"", left).strip() else b""


def config_command(script: Path) -> str:
    """Return the shell command for git's configuration; without the script it does nothing.

    git adds the hook's arguments behind it; a sourced script sees the same ones as its caller.
    """
    quoted = shlex.quote(str(script))
    return f"[ ! -r {quoted} ] || . {quoted}"


def install_steps(place: Place, template: Path, tool: Path) -> Iterator[Step]:
    """Give the steps by which a git before 2.54 runs our hooks; none but LEAVE if all is in place.

    ``template`` is what new clones are made from if the user has no such directory. Raises GitError
    if the place of hooks is not for us.
    """
    repository, directory = place.repository, place.directories[0]
    is_template = directory == template / "hooks"
    left_to = "other tools"  # any may want its hook in a clone
    if repository:
        tree, common_dir = repository.work_tree, repository.common_dir
        if directory != Path(os.path.realpath(repository.hooks_path)):
            cause = f"its hooks are in {repository.hooks_path}, which your repositories share"
            remedy = "hooks-compile git-hooks install --global"
            raise GitError(cause, path=tree, remedy=remedy)
        in_tree = directory.is_relative_to(tree) and not directory.is_relative_to(common_dir)
        if in_tree and not git.ignored(tree, [directory / INDEX]):
            # A commit must not take ours, which names paths of this machine.
            yield Step(Do.LEAVE, directory / INDEX, f"this directory is for commits; {ADVICE}")
            return
        left_to = _exclusive_tool(tree, [each.name for each in place.settings])
    elif not directory.is_absolute():
        cause = f"core.hooksPath is {directory}, which is another directory in each repository"
        raise GitError(cause, remedy="hooks-compile git-hooks install, in each repository")
    elif is_template and not template.exists():
        # As in git's own template: people append to it.
        yield Step(Do.WRITE, template / "info" / "exclude", mode=0o644)
    yield from _steps_in(directory, tool, left_to)
    if is_template and not place.paths("init.templatedir"):
        why = "new clones are made from it"
        yield place.write("init.templateDir", str(template), why=why)


def _exclusive_tool(tree: Path, settings: Sequence[str]) -> str:
    """Return which tool tolerates no hook beside its own, "" for none; ``settings`` are names."""
    if any(name.startswith("filter.lfs.") for name in settings):
        return "git-lfs"
    if b"filter=lfs" in _content(tree / ".gitattributes"):
        return "git-lfs"
    if "annex.uuid" in settings:
        return "git-annex"
    return "DVC" if (tree / ".dvc").is_dir() else ""


def _steps_in(directory: Path, tool: Path, left_to: str) -> Iterator[Step]:
    """Give the steps for ``directory``; ``left_to`` is who gets all but the UNCONTESTED events."""
    index = directory / INDEX  # which may be somebody else's
    has_index = not os.path.lexists(index) or has_block(_content(index))
    for hook in (directory / event for event in EVENTS):
        content = _content(hook)
        if left_to and hook.name not in UNCONTESTED:
            yield from _steps_to_remove_block(hook)
            yield Step(Do.LEAVE, hook, f"left to {left_to}")
        elif has_block(content):
            new = with_block(content, tool)
            if new != content or not os.access(hook, os.X_OK):
                yield Step(Do.WRITE, hook, "replaces an older one", content=new)
        elif os.path.lexists(hook):
            is_needless = has_index and hook != index
            advice = f"ours for {INDEX} does its work" if is_needless else ADVICE
            yield Step(Do.LEAVE, hook, f"somebody else's; {advice}")
        else:
            yield Step(Do.WRITE, hook, content=text(tool))


def is_run(hook: Path) -> bool:
    """Return whether git runs our block in the file ``hook``."""
    return has_block(_content(hook)) and os.access(hook, os.X_OK)


def removal_steps(directory: Path, why: str = "") -> Iterator[Step]:
    """Give the steps that take our block out of the hooks in ``directory``."""
    for event in EVENTS:
        yield from _steps_to_remove_block(directory / event, why)


def _steps_to_remove_block(hook: Path, why: str = "") -> Iterator[Step]:
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
