"""The only module that runs git.

Every call strips ``GIT_*`` from the environment: inside a git hook these variables point at the
repository, the index or the stash that git is busy with, not at the tree we were asked about.
Names are the file system's bytes (``os.fsdecode``), asked for with ``-z``.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hooks_compile import trust as outside
from hooks_compile.errors import GitError

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping, Sequence

# They say which configuration is the user's and where to stop looking, not which repository.
_KEPT = frozenset(
    {"GIT_CEILING_DIRECTORIES", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM", "GIT_CONFIG_SYSTEM"}
)
_SETTINGS = {
    # A bare repository can be committed, configuration and all; only a .git folder can't.
    "safe.bareRepository": "explicit",
    "core.fsmonitor": "false",
}
_OWN = {
    # Without locks a `git status` or `ls-files` of ours fires no post-index-change hook.
    "GIT_OPTIONAL_LOCKS": "0",
    "LC_ALL": "C",
    "GIT_CONFIG_COUNT": str(len(_SETTINGS)),
    **{f"GIT_CONFIG_KEY_{number}": name for number, name in enumerate(_SETTINGS)},
    **{f"GIT_CONFIG_VALUE_{number}": value for number, value in enumerate(_SETTINGS.values())},
}
# What git says, under LC_ALL=C, of a folder that belongs to no work tree (128 is its only status).
_OUTSIDE = (
    "not a git repository",
    "must be run in a work tree",
    "cannot use bare repository",
)


@dataclass(frozen=True, slots=True)
class Repository:
    """Where the parts of a repository are; all paths absolute.

    ``git_dir`` is the work tree's own (``.git/worktrees/NAME`` of a linked worktree),
    ``common_dir`` the one that worktrees share, and ``hooks_path`` the folder that git takes
    hooks from: ``core.hooksPath`` where it is set.
    """

    work_tree: Path
    git_dir: Path
    common_dir: Path
    hooks_path: Path

    @property
    def own_hooks(self) -> bool:
        """Whether git takes hooks from its own folder: ``core.hooksPath`` is not set elsewhere."""
        return self.hooks_path == self.common_dir / "hooks"


def environment(env: Mapping[str, str], cwd: Path) -> dict[str, str]:
    """``env`` as a git that we start in ``cwd`` shall see it: it is not one that a clone brings."""
    users = outside.environment(env, outside.tree_around(cwd))
    kept = {k: v for k, v in users.items() if not k.startswith("GIT_") or k in _KEPT}
    return kept | _OWN


def run(
    arguments: Sequence[str],
    *,
    cwd: Path,
    stdin: bytes = b"",
    accept: Container[int] = (0,),
) -> bytes:
    """Run ``git ARGUMENTS`` in ``cwd`` and return its stdout.

    Raises GitError where git is missing, ``cwd`` is no folder, or the exit status is not one of
    ``accept``. Our own stdin, which is a hook's protocol, is never passed on.
    """
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=cwd,
            input=stdin,
            capture_output=True,
            env=environment(os.environ, cwd),
            check=False,
        )
    except OSError as error:
        if not cwd.is_dir():
            raise GitError("is not a folder that can be entered", path=cwd) from error
        raise GitError(
            f"git can't be started: {error.strerror}",
            remedy="install git (https://git-scm.com/downloads) and put it on PATH",
        ) from error
    if done.returncode not in accept:
        raise _refusal(arguments, cwd, done.returncode, done.stderr)
    return done.stdout


def repository(path: Path) -> Repository | None:
    """The repository whose work tree holds ``path`` (a folder), or None where there is none.

    None also for a bare repository and inside ``.git``. Raises GitError where git refuses the
    repository, for example because another user owns it. One process where ``path`` is the work
    tree's root, which is the common case.
    """
    answer = _parse_repository(path)
    if answer is not None and answer.work_tree != Path(os.path.realpath(path)):
        # Older versions of git leave a relative core.hooksPath as it is: it counts from the root.
        return _parse_repository(answer.work_tree)
    return answer


def work_tree(path: Path) -> Path | None:
    """The root of the work tree that holds ``path`` (a file or folder), or None."""
    found = repository(path if path.is_dir() else path.parent)
    return found.work_tree if found else None


def git_dir(root: Path) -> Path:
    """The git folder of this very work tree; raises GitError where ``root`` is in none."""
    return _required(root).git_dir


def hooks_path(root: Path) -> Path:
    """Where git takes hooks from: ``core.hooksPath`` (``~`` expanded, relative to the root), or
    the hooks folder that all worktrees share; raises GitError where ``root`` is in none."""
    return _required(root).hooks_path


def ignored(root: Path, paths: Iterable[Path]) -> set[Path]:
    """Those of ``paths`` (absolute, below ``root``, free of symlinks) that git ignores.

    What is tracked is not ignored. Raises GitError where a path lies inside of a submodule: ask
    there.
    """
    # "./" keeps a name such as ":(top)x" from being read as a pathspec.
    names = {os.fsencode(f"./{path.relative_to(root).as_posix()}"): path for path in paths}
    if not names:
        return set()
    stdin = b"\0".join(names) + b"\0"
    answer = run(["check-ignore", "-z", "--stdin"], cwd=root, stdin=stdin, accept=(0, 1))
    return {names[name] for name in answer.split(b"\0") if name}


def tracked_matching(root: Path, pathspecs: Sequence[str], *, untracked: bool = False) -> list[str]:
    """The names that git tracks and that match, relative to ``root`` with ``/`` between.

    With ``untracked`` also those that it neither tracks nor ignores. A tracked name may be gone
    from disk, and a name may be a symlink, a submodule, or with a trailing ``/`` another
    repository.
    """
    others = ["--others", "--exclude-standard"] if untracked else []
    names = run(["ls-files", "-z", "--cached", *others, "--", *pathspecs], cwd=root)
    return [name for name in os.fsdecode(names).split("\0") if name]


def _required(root: Path) -> Repository:
    found = repository(root)
    if found is None:
        raise GitError("is not in a git work tree", path=root, remedy=f"git -C '{root}' init")
    return found


def _parse_repository(path: Path) -> Repository | None:
    # rev-parse has no -z and a folder's name may hold a newline: a line that is always "true"
    # stands between the answers.
    fence = "--is-inside-work-tree"
    questions = ["--show-toplevel", fence, "--absolute-git-dir", fence]
    questions += ["--git-common-dir", fence, "--git-path", "hooks"]
    try:
        answer = run(["rev-parse", *questions], cwd=path)
    except GitError as error:
        if any(text in error.cause for text in _OUTSIDE):
            return None
        raise
    parts = os.fsdecode(answer).removesuffix("\n").split("\ntrue\n")
    top, own, common, hooks = (Path(os.path.normpath(path / part)) for part in parts)
    return Repository(top, own, common, hooks)


def _refusal(arguments: Sequence[str], cwd: Path, status: int, stderr: bytes) -> GitError:
    lines = [line.strip() for line in stderr.decode(errors="replace").splitlines() if line.strip()]
    said = lines[0] if lines else f"exit status {status}, without a word"
    # git ends its refusal of a foreign owner with the command that allows it.
    mend = next((line for line in lines if line.startswith("git config ")), None)
    return GitError(
        f"git {arguments[0]} failed: {said}",
        path=cwd,
        remedy=mend or f"see what git says to: git -C '{cwd}' status",
    )
