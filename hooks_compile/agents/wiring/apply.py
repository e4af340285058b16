"""Carrying a plan of ``init`` or ``uninit`` out, whole or not at all.

Wrappers are written and staged before the files that name them change, and removed after: a
command finds its wrapper at any moment, after a crash as well.
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from hooks_compile import files
from hooks_compile.agents.wiring import config_files as settings_files
from hooks_compile.agents.wiring import tracking
from hooks_compile.agents.wiring.plan import OURS, names_wrapper, standing_of
from hooks_compile.errors import AgentConfigError, HooksCompileError
from hooks_compile.install import wrapper
from hooks_compile.install.wrapper import Standing
from hooks_compile.printable import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from hooks_compile.agents.wiring.plan import Plan

_MODE = 0o755


class _Undo(NamedTuple):
    """What takes one change back, and the file that it is about."""

    path: Path
    act: Callable[[], None]


def apply(plan: Plan) -> None:
    """Write what ``plan`` says. Raises what :func:`applied` does."""
    with applied(plan):
        pass


@contextmanager
def applied(plan: Plan) -> Iterator[None]:
    """Write what ``plan`` says; take it back if that fails, or what is done in the context.

    Everything is looked at once more before the first write. Raises HooksCompileError if a file
    can't be written or changed since it was planned; the message names what could not be taken
    back.
    """
    undos: list[_Undo] = []
    try:
        _require_unchanged(plan)
        _write(plan, undos)
        _remove(plan, undos)
        yield
    except BaseException as error:
        stuck = [undo.path for undo in reversed(undos) if not _is_undone(undo)]
        if stuck:
            names = ", ".join(one_line(str(path)) for path in stuck)
            raise AgentConfigError(
                f"{one_line(str(error)) or 'interrupted'}; changed, and can't be put back: {names}",
                remedy="hooks-compile uninit",
            ) from error
        raise


def _is_undone(undo: _Undo) -> bool:
    try:
        undo.act()
    except (OSError, HooksCompileError):
        return False
    return True


def _require_unchanged(plan: Plan) -> None:
    """Raise HooksCompileError if the plan can't be carried out, as far as that can be seen."""
    for error in plan.troubles:
        raise error
    for file, _ in _new_texts(plan):
        settings_files.require_writable(file)
    for path in (*plan.written, *_called(plan)):
        _require_ours(path)


def _write(plan: Plan, undos: list[_Undo]) -> None:
    """Write and stage wrappers, then change the files that name them."""
    for path in sorted({*plan.written, *_called(plan)}):
        before = wrapper.write(path.parent)
        if before is Standing.MISSING:
            undos.append(_Undo(path, partial(_remove_unnamed, plan, path)))
    if plan.staged:
        tracking.stage(plan.staged)
        undos.append(_Undo(plan.staged[0], partial(tracking.unstage, plan.staged)))
    for file, new_text in _new_texts(plan):
        settings_files.replace(file, new_text)
        undos.append(_Undo(file.path, partial(_put_back, file, new_text)))
    for path in _called(plan):  # another process may have removed them in the meantime
        wrapper.write(path.parent)


def _remove(plan: Plan, undos: list[_Undo]) -> None:
    """Unstage and remove wrappers, if really no file names one any more."""
    for path in plan.removed:
        _require_ours(path)
    if any(names_wrapper(each.config, {}) for each in plan.files):
        return
    if plan.unstaged:
        tracking.unstage(plan.unstaged)
        undos.append(_Undo(plan.unstaged[0], partial(tracking.stage, plan.unstaged)))
    for path in plan.removed:
        if standing_of(path) in OURS:
            text = path.read_bytes()
            path.unlink(missing_ok=True)
            undos.append(_Undo(path, partial(files.replace, path, text, mode=_MODE)))


def _remove_unnamed(plan: Plan, path: Path) -> None:
    """Remove a wrapper unless another process has made a file name it in the meantime."""
    if not any(names_wrapper(each.config, {}) for each in plan.files):
        path.unlink(missing_ok=True)


def _called(plan: Plan) -> list[Path]:
    return sorted({path for each in plan.changes for path in each.wrappers})


def _new_texts(plan: Plan) -> list[tuple[settings_files.ReadFile, str]]:
    return [(each.file, each.new_text) for each in plan.files if each.file and each.changes]


def _put_back(file: settings_files.ReadFile, new_text: str) -> None:
    now = settings_files.ReadFile(file.path, file.target, new_text, file.outside)
    settings_files.replace(now, file.text)


def _require_ours(path: Path) -> None:
    if standing_of(path) not in (Standing.MISSING, *OURS):
        raise AgentConfigError("it changed since it was read", path=path, remedy="run this again")
