"""The single changes of ``git-hooks install`` and ``uninstall``: data first, done afterwards."""

from __future__ import annotations

import os
import shlex
import shutil
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from hooks_compile import git
from hooks_compile.errors import HooksCompileError

if TYPE_CHECKING:
    from collections.abc import Iterable

ANYWHERE = Path("/")
"""Where git is asked about what concerns no repository."""


class Do(StrEnum):
    """What a step does to a file or a setting."""

    WRITE = "write"
    MOVE = "move"
    REMOVE = "remove"
    COPY = "copy"  # a whole folder
    CONFIG = "git config"
    LEAVE = "leave"  # nothing; the reason says why


@dataclass(frozen=True, slots=True)
class Step:
    """One change, or why there is none; ``str()`` of it is a line for a person.

    ``path`` is the file concerned (for CONFIG the work tree, or ANYWHERE), ``target`` where it is
    moved to or copied from, ``content`` and ``mode`` are those of a written file, ``arguments``
    what ``git config`` is given.
    """

    do: Do
    path: Path
    why: str = ""
    target: Path | None = None
    content: bytes = b""
    mode: int = 0o755
    arguments: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return ``write /.../hooks/post-merge (why)``."""
        words = [str(self.do), *map(shlex.quote, self.arguments)]
        if self.do is not Do.CONFIG:
            words.append(str(self.path))
        if self.target is not None:
            words += ["from" if self.do is Do.COPY else "to", str(self.target)]
        return " ".join(words) + (f" ({self.why})" if self.why else "")

    def as_json(self) -> dict[str, object]:
        """Return the step as JSON values."""
        return {
            "do": str(self.do),
            "path": str(self.path),
            "target": None if self.target is None else str(self.target),
            "arguments": list(self.arguments),
            "why": self.why,
        }

    def take(self) -> None:
        """Do it. Raises GitError, or HooksCompileError where a file can't be changed."""
        try:
            self._take()
        except OSError as error:
            raise HooksCompileError(
                f"can't {self.do}: {error.strerror}",
                path=self.path,
                remedy=f"ls -ld {shlex.quote(str(self.path.parent))}",
            ) from error

    def _take(self) -> None:
        match self.do, self.target:
            case Do.WRITE, _:
                _write(self.path, self.content, self.mode)
            case Do.MOVE, Path() as target:
                self.path.rename(target)
            case Do.COPY, Path() as target:
                shutil.copytree(target, self.path)
            case Do.REMOVE, _ if self.path.is_dir():
                shutil.rmtree(self.path)
            case Do.REMOVE, _:
                self.path.unlink(missing_ok=True)
            case Do.CONFIG, _:
                git.run(["config", *self.arguments], cwd=self.path)


def take(steps: Iterable[Step], *, dry_run: bool) -> list[Step]:
    """Take all steps unless ``dry_run``, and return them. The plan is made before the first."""
    plan = list(steps)
    if not dry_run:
        for step in plan:
            step.take()
    return plan


def configure(where: Path, *arguments: str, why: str = "") -> Step:
    """Return the step ``git config ARGUMENTS`` in the work tree ``where``."""
    return Step(Do.CONFIG, where, why, arguments=arguments)


def settings(where: Path, name: str, *scope: str) -> list[str]:
    """Return the values of a setting, in order. Raises GitError."""
    answer = git.run(["config", *scope, "-z", "--get-all", name], cwd=where, accept=(0, 1))
    return [value for value in os.fsdecode(answer).split("\0") if value]


def read(path: Path) -> bytes | None:
    """Return a file's content, None where there is none. Raises OSError."""
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _write(path: Path, content: bytes, mode: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_bytes(content)
        draft.chmod(mode)
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
