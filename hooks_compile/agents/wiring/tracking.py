"""What git knows of the wrappers and of the files that name them.

Each path is asked about in the repository around it, which may be a submodule. A repository that
git refuses counts as none.
"""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from hooks_compile import git
from hooks_compile.errors import AgentConfigError, GitError
from hooks_compile.project.search import repository_above

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_WAIT_S = 5.0


def ignored(paths: Iterable[Path]) -> set[Path]:
    """Return those of ``paths`` that git ignores."""
    found: set[Path] = set()
    for root, names in _by_repository(paths).items():
        with suppress(GitError):
            found.update(names[real] for real in git.ignored(root, names))
    return found


def in_index(paths: Iterable[Path]) -> dict[Path, bool]:
    """Return for each of ``paths`` that is in a repository whether its index has it; sorted."""
    found: dict[Path, bool] = {}
    for root, names in _by_repository(paths).items():
        pathspecs = [f":(literal){real.relative_to(root).as_posix()}" for real in names]
        with suppress(GitError):
            known = {root / name for name in git.tracked_matching(root, pathspecs)}
            found |= {path: real in known for real, path in names.items()}
    return dict(sorted(found.items()))


def stage(paths: Iterable[Path]) -> None:
    """Put ``paths`` into the index.

    Raises GitError if git refuses, AgentConfigError if a file was removed since it was written.
    """
    try:
        _change_index(git.add, paths)
    except GitError as error:
        for gone in (path for path in paths if not path.exists()):
            cause = "another init or uninit has removed it"
            raise AgentConfigError(cause, path=gone, remedy="run this again") from error
        raise


def unstage(paths: Iterable[Path]) -> None:
    """Make the index entries of ``paths`` those of HEAD. Raises GitError if git refuses."""
    _change_index(git.unstage, paths)


def _change_index(act: Callable[[Path, Iterable[Path]], None], paths: Iterable[Path]) -> None:
    """Change the index; wait for another git that has it, such as an editor's."""
    deadline = time.monotonic() + _WAIT_S
    for root, names in _by_repository(paths).items():
        while True:
            try:
                act(root, names)
                break
            except GitError as error:
                if "index.lock': File exists" not in error.cause or time.monotonic() > deadline:
                    raise
                time.sleep(0.05)


def _by_repository(paths: Iterable[Path]) -> dict[Path, dict[Path, Path]]:
    """Group paths by the repository around them: real path and path as given."""
    groups: dict[Path, dict[Path, Path]] = {}
    for path in paths:
        real = path.parent.resolve() / path.name
        if root := repository_above(str(real.parent)):
            groups.setdefault(Path(root), {})[real] = path
    return groups
