"""Carrying a plan of ``init`` or ``uninit`` out, whole or not at all.

Wrappers are written and staged before the files that name them change, and removed after: a
command finds its wrapper at any moment, after a crash as well.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING

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

    # What takes each change back, with the file that it is about.
    _Undos = list[tuple[Path, Callable[[], object]]]


@contextmanager
def applied(plan: Plan) -> Iterator[None]:
    """Write what ``plan`` says; take it back if that fails, or what is done in the context.

    Raises HooksCompileError if a file can't be written or changed since it was planned; the
    message names what could not be taken back.
    """
    undos: _Undos = []
    try:
        for error in plan.troubles:
            raise error
        _write_wrappers(plan, undos)
        _write_files(plan, undos)
        _remove_wrappers(plan, undos)
        yield
    except BaseException as error:
        stuck = [path for path, act in reversed(undos) if not _is_done(act)]
        if stuck:
            names = ", ".join(one_line(str(path)) for path in stuck)
            raise AgentConfigError(
                f"{one_line(str(error)) or 'interrupted'}; changed, and can't be put back: {names}",
                remedy="hooks-compile uninit",
            ) from error
        raise


def _is_done(act: Callable[[], object]) -> bool:
    try:
        act()
    except (OSError, HooksCompileError):
        return False
    return True


def _write_wrappers(plan: Plan, undos: _Undos) -> None:
    """Write and stage the wrappers that commands call."""
    for path in sorted({*plan.written, *_called(plan)}):
        _require_ours(path)
        if wrapper.write(path.parent) is Standing.MISSING:
            undos.append((path, partial(_remove_unnamed, plan, path)))
    if plan.staged:
        tracking.stage(plan.staged)
        undos.append((plan.staged[0], partial(tracking.unstage, plan.staged)))


def _write_files(plan: Plan, undos: _Undos) -> None:
    """Change the files that name wrappers."""
    for each in plan.files:
        if each.file is not None and each.result.changes:
            settings_files.replace(each.file, each.result.text)
            written = each.file._replace(text=each.result.text)
            put_back = partial(settings_files.replace, written, each.file.text)
            undos.append((each.file.path, put_back))
    for path in _called(plan):  # another process may have removed them in the meantime
        wrapper.write(path.parent)


def _remove_wrappers(plan: Plan, undos: _Undos) -> None:
    """Unstage and remove wrappers, if really no file names one any more."""
    for path in plan.removed:
        _require_ours(path)
    if any(names_wrapper(each.config) for each in plan.files):
        return
    if plan.unstaged:
        tracking.unstage(plan.unstaged)
        undos.append((plan.unstaged[0], partial(tracking.stage, plan.unstaged)))
    for path in plan.removed:
        with suppress(FileNotFoundError):  # another uninit was faster
            if standing_of(path) in OURS:
                text = path.read_bytes()
                path.unlink()
                undos.append((path, partial(files.replace, path, text, mode=0o755)))
    if any(names_wrapper(each.config) for each in plan.files):
        # An init at the same time has named them meanwhile. One that does so from now on writes
        # them again itself, after its settings.
        for path in plan.removed:
            wrapper.write(path.parent)


def _remove_unnamed(plan: Plan, path: Path) -> None:
    """Remove a wrapper unless another process has made a file name it in the meantime."""
    if not any(names_wrapper(each.config) for each in plan.files):
        path.unlink(missing_ok=True)


def _called(plan: Plan) -> list[Path]:
    return sorted({path for each in plan.changes for path in each.wrappers})


def _require_ours(path: Path) -> None:
    if standing_of(path) not in (Standing.MISSING, *OURS):
        raise AgentConfigError("it changed since it was read", path=path, remedy="run this again")
