"""The only module that runs git.

Every call strips ``GIT_*`` from the environment: inside a git hook these variables point at the
repository, the index or the stash that git is busy with, not at the tree that we ask about.
Names are the file system's bytes (``os.fsdecode``), requested with ``-z``.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from hooks_compile import trust
from hooks_compile.errors import GitError, pasted

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping, Sequence

ANYWHERE = Path("/")  # for questions that concern no repository

# They say which configuration is the user's and where to stop looking, not which repository.
_KEPT = ("GIT_CEILING_DIRECTORIES", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM", "GIT_CONFIG_SYSTEM")
_OWN = {
    "GIT_OPTIONAL_LOCKS": "0",  # a `git status` of ours then fires no post-index-change hook
    "HOOKS_COMPILE_GIT_HOOK": "1",  # our own git hook has nothing to do
    "LC_ALL": "C",
}
# A bare repository can be committed, configuration and all; only a .git directory can't.
_SAFE = ("-c", "safe.bareRepository=explicit", "-c", "core.fsmonitor=false")
# What git says, under LC_ALL=C, of a directory in no work tree (128 is its only status).
_OUTSIDE = ("not a git repository", "must be run in a work tree", "cannot use bare repository")


class Repository(NamedTuple):
    """One work tree and the parts of its repository; all paths are absolute."""

    work_tree: Path
    git_dir: Path  # the work tree's own: .git/worktrees/NAME of a linked one
    common_dir: Path  # that of all work trees
    hooks_path: Path  # where git takes hooks from


class Setting(NamedTuple):
    """One value in git's configuration."""

    scope: str  # system, global, local or worktree
    name: str  # section and variable are in lower case
    value: str


def environment(env: Mapping[str, str], cwd: Path) -> dict[str, str]:
    """Return ``env`` for a git that starts in ``cwd``; its PATH leads into no work tree."""
    users = trust.environment(env, trust.tree_around(cwd))
    kept = {k: v for k, v in users.items() if not k.startswith("GIT_") or k in _KEPT}
    return kept | _OWN


def run(
    arguments: Sequence[str],
    *,
    cwd: Path,
    stdin: bytes = b"",
    accept: Container[int] = (0,),
    index: str = "",
) -> bytes:
    """Run ``git ARGUMENTS`` in ``cwd`` and return its stdout.

    ``index`` is another index file than the repository's: a commit that git is making has its own.
    Raises GitError if git is missing, ``cwd`` is no directory, or the exit status is not one of
    ``accept``. Our own stdin, which is a hook's protocol, is never passed on.
    """
    try:
        done = subprocess.run(
            ["git", *_SAFE, *arguments],
            cwd=cwd,
            input=stdin,
            capture_output=True,
            env=environment(os.environ, cwd) | ({"GIT_INDEX_FILE": index} if index else {}),
            check=False,
        )
    except OSError as error:
        if not cwd.is_dir():
            raise GitError("is not a directory that can be entered", path=cwd) from error
        raise GitError(
            f"git can't be started: {error.strerror}",
            remedy="install git (https://git-scm.com/downloads) and put it on PATH",
        ) from error
    if done.returncode not in accept:
        raise _refusal(arguments, cwd, done.returncode, done.stderr)
    return done.stdout


def version() -> tuple[int, int]:
    """Return the first two numbers of git's version. Raises GitError if git is missing."""
    answer = os.fsdecode(run(["version"], cwd=ANYWHERE))
    major, minor, *_ = [*re.findall(r"\d+", answer), "0", "0"]
    return int(major), int(minor)


def open_repository(path: Path) -> Repository | None:
    """Return the repository whose work tree holds the directory ``path``, None if there is none.

    None also for a bare repository and inside ``.git``. Raises GitError if git refuses the
    repository, for example because another user owns it.
    """
    try:
        found = _ask_repository(path)
        # Older versions of git leave a relative core.hooksPath as it is: it counts from the root.
        is_root = found.work_tree == Path(os.path.realpath(path))
        return found if is_root else _ask_repository(found.work_tree)
    except GitError as error:
        if any(text in error.cause for text in _OUTSIDE):
            return None
        raise


def require_repository(path: Path) -> Repository:
    """Return the repository whose work tree holds ``path``; raise GitError if there is none."""
    found = open_repository(path)
    if found is None:
        # Not `git init`: the .git of dotfiles may be elsewhere, and a bare repository has no tree.
        remedy = "run it in a work tree; without one: hooks-compile sync, after each change"
        raise GitError("is not in a git work tree", path=path, remedy=remedy)
    return found


def work_tree(path: Path) -> Path | None:
    """Return the root of the work tree that holds ``path`` (a file or directory), or None."""
    found = open_repository(path if path.is_dir() else path.parent)
    return found.work_tree if found else None


def _ask_repository(path: Path) -> Repository:
    # rev-parse has no -z and a directory's name may hold a newline: a line that is always "true"
    # separates the answers.
    fence = "--is-inside-work-tree"
    questions = ["--show-toplevel", fence, "--absolute-git-dir", fence, "--git-common-dir", fence]
    answer = run(["rev-parse", *questions, "--git-path", "hooks"], cwd=path)
    parts = os.fsdecode(answer).removesuffix("\n").split("\ntrue\n")
    return Repository(*(Path(os.path.normpath(path / part)) for part in parts))


def settings(where: Path, pattern: str) -> list[Setting]:
    """Return the settings whose name matches the regular expression, the weakest scope first.

    ``where`` is a directory of the work tree that is asked about, or ANYWHERE. Raises GitError.
    """
    words = ["config", "--show-scope", "-z", "--get-regexp", pattern]
    scopes_and_items = iter(os.fsdecode(run(words, cwd=where, accept=(0, 1))).split("\0"))
    found = []
    for scope, item in zip(scopes_and_items, scopes_and_items, strict=False):
        name, has_value, value = item.partition("\n")
        found.append(Setting(scope, name, value if has_value else "true"))
    return found


def ignored(root: Path, paths: Iterable[Path]) -> set[Path]:
    """Return those of ``paths`` (absolute, below ``root``, free of symlinks) that git ignores.

    A tracked file is not ignored. Raises GitError if a path lies inside of a submodule: ask there.
    """
    # "./" keeps a name such as ":(top)x" from being read as a pathspec.
    names = {os.fsencode(f"./{path.relative_to(root).as_posix()}"): path for path in paths}
    if not names:
        return set()
    words = ["check-ignore", "-z", "--stdin"]
    answer = run(words, cwd=root, stdin=b"\0".join([*names, b""]), accept=(0, 1))
    return {names[name] for name in answer.split(b"\0") if name}


def tracked_matching(root: Path, pathspecs: Sequence[str], *, untracked: bool = False) -> list[str]:
    """Return the matching names that git tracks, relative to ``root`` with ``/`` between.

    With ``untracked`` also those that it neither tracks nor ignores. A tracked file may be missing
    on disk, and a name may be a symlink, a submodule, or with a trailing ``/`` another repository.
    """
    others = ["--others", "--exclude-standard"] if untracked else []
    names = run(["ls-files", "-z", "--cached", *others, "--", *pathspecs], cwd=root)
    return [name for name in os.fsdecode(names).split("\0") if name]


def add(root: Path, paths: Iterable[Path]) -> None:
    """Stage the files ``paths``, absolute and below ``root``. Raises GitError if git refuses."""
    _change_index(root, ["add"], paths)


def unstage(root: Path, paths: Iterable[Path]) -> None:
    """Make the index entries of ``paths`` what they are in HEAD. Raises GitError if git refuses."""
    _change_index(root, ["reset", "--quiet"], paths)


def _change_index(root: Path, command: Sequence[str], paths: Iterable[Path]) -> None:
    names = [os.fspath(path.relative_to(root)) for path in paths]
    if names:
        run(["--literal-pathspecs", *command, "--", *names], cwd=root)


def contents(
    root: Path, names: Iterable[str], *, revision: str = "", index: str = ""
) -> dict[str, bytes]:
    """Return the contents that the files have in ``revision``, in the index for ``""``.

    ``names`` are relative to ``root`` with ``/`` between. A name without a file there is left out,
    as is every name in a repository without a commit and one that holds a newline.
    """
    wanted = [name for name in names if "\n" not in name]
    stdin = b"".join(os.fsencode(f"{revision or ':0'}:{name}\n") for name in wanted)
    answer = run(["cat-file", "--batch"], cwd=root, stdin=stdin, index=index) if wanted else b""
    found = {}
    for name in wanted:
        head, _, answer = answer.partition(b"\n")
        if head.endswith((b" missing", b" ambiguous")):
            continue
        _, kind, size = head.rsplit(b" ", 2)
        if kind == b"blob":
            found[name] = answer[: int(size)]
        answer = answer[int(size) + 1 :]
    return found


def _refusal(arguments: Sequence[str], cwd: Path, status: int, stderr: bytes) -> GitError:
    lines = [line.strip() for line in stderr.decode(errors="replace").splitlines() if line.strip()]
    said = lines[0] if lines else f"exit status {status}, and no message"
    # git ends its refusal of a foreign owner with the command that allows it.
    remedy = next((line for line in lines if line.startswith("git config ")), None)
    name = next(word for word in arguments if not word.startswith("-"))
    if lock := re.search(r"'(/.+\.lock)': (.+)", said):
        path, cause = Path(lock[1]), lock[2]
        remedy = f"make {pasted(path.parent)} writable, or run this outside of the sandbox"
        if cause.startswith("File exists"):
            remedy = f"wait for the other git; if none runs: rm {pasted(path)}"
    return GitError(
        f"git {name} failed: {said}",
        path=cwd,
        remedy=remedy or f"see what git says to: git -C {pasted(cwd)} status",
    )
