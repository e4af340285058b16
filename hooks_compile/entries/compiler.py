"""Sources and interpreters in, results out: what is not compiled yet is compiled."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, cast

from hooks_compile.compile_worker import worker
from hooks_compile.compile_worker.worker import Order
from hooks_compile.entries import cache
from hooks_compile.entries.workers import Subprocess, is_own
from hooks_compile.launcher.entry import CACHE_DIRECTORY
from hooks_compile.model import CompileResult, LevelChoice, SourceError, State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from hooks_compile.compile_worker.worker import Outcome
    from hooks_compile.model import HookSource, Interpreter, Level, Optimize

    # ``perform`` of worker.py, here or in a subprocess.
    Worker = Callable[[Order, Sequence[str]], list[Outcome]]
    # gets a step of long work, and the share of it that is done
    Progress = Callable[[str, float], None]

# Below this number of sources a second process costs more than it saves.
_WORTH_PROCESSES = 60
_CHUNK = 40


class Compiler(ExitStack):
    """Compiles for some interpreters, and keeps their processes for the next call.

    Interpreters of one version that make the same entries count once, as do those of two virtual
    environments. ``key`` is the runtime directory's, ``optimize`` what the user asked for. The end
    of a with statement, or ``close``, ends the processes. Methods raise InterpreterError if an
    interpreter can't be run. There is no result for a zip archive that has the name of a source.
    """

    def __init__(
        self,
        interpreters: Iterable[Interpreter],
        key: bytes,
        optimize: Optimize = "auto",
        progress: Progress = lambda _interpreter, _share: None,
    ) -> None:
        """Start nothing yet: processes start when there is work for them.

        If there is much to compile, ``progress`` is called with the name of the interpreter and the
        share of its sources that is done, from any thread.
        """
        super().__init__()
        by_entries: dict[object, Interpreter] = {}
        for each in interpreters:
            by_entries.setdefault((each.abi, each.version), each)
        self.interpreters = tuple(by_entries.values())
        self.optimize = optimize
        self._key = key
        self._progress = progress
        self._workers: dict[object, Worker] = {}

    def check(self, sources: Sequence[HookSource], *, explain: bool = False) -> list[CompileResult]:
        """Return the state of every source for every interpreter, and write nothing.

        With ``explain`` the level of each fresh entry has its reason.
        """
        order = Order(self._key, self.optimize, write=False, explain=explain)
        return self._results(sources, order)

    def compile(self, sources: Sequence[HookSource]) -> list[CompileResult]:
        """Compile for every interpreter what is not compiled yet, and store it."""
        return self._results(sources, Order(self._key, self.optimize, write=True))

    def modules(self, modules: Sequence[HookSource], *, write: bool) -> list[CompileResult]:
        """Do the same for local modules, whose compiled form is Python's own ``__pycache__``.

        A file that git tracks is never written: that would be a change for the next commit.
        """
        return self._results(modules, Order(self._key, 0, write, modules=True))

    def _results(self, sources: Sequence[HookSource], order: Order) -> list[CompileResult]:
        results: list[CompileResult] = []
        for imports in ("as-written", "deferred"):
            chosen = [source for source in sources if source.imports == imports]
            own = order._replace(deferred=imports == "deferred")
            paths = [os.fspath(source.path) for source in chosen]
            for interpreter in self.interpreters if chosen else ():
                outcomes = self._outcomes(interpreter, own, paths)
                results += [
                    _result(source, interpreter, order, outcome)
                    for source, outcome in zip(chosen, outcomes, strict=True)
                    if outcome.state != State.BROKEN or not _is_zip_archive(source.path)
                ]
        return sorted(results, key=lambda result: (result.source.path, result.interpreter.version))

    def _outcomes(
        self, interpreter: Interpreter, order: Order, paths: Sequence[str]
    ) -> list[Outcome]:
        """Return the outcome for each source: of looking for its entry if that is fresh, else of
        compiling it. A module of which git tracks a compiled form is compiled, but not written.
        """
        look = worker.perform if is_own(interpreter) else self._worker(interpreter)
        looked = look(order._replace(only_look=True), paths)
        found = dict(zip(paths, looked, strict=True))
        stale = [path for path, outcome in found.items() if outcome.state == worker.STALE]
        tracked = cache.tracked_modules(stale) if order.write and order.modules else set()
        for is_tracked in (False, True):
            chosen = [path for path in stale if (path in tracked) == is_tracked]
            compiling = order._replace(write=order.write and not is_tracked)
            outcomes = self._compiled(interpreter, compiling, chosen)
            found.update(zip(chosen, outcomes, strict=True))
        return [found[path] for path in paths]

    def _compiled(
        self, interpreter: Interpreter, order: Order, paths: Sequence[str]
    ) -> list[Outcome]:
        """Return the outcome for each path. For many paths there is a process for each core."""
        if not paths:
            return []
        own = self._worker(interpreter)
        if len(paths) < _WORTH_PROCESSES:
            return own(order, paths)
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - slow to import

        chunks = iter([paths[at : at + _CHUNK] for at in range(0, len(paths), _CHUNK)])
        outcomes: dict[str, Outcome] = {}

        def compile_chunks(perform: Worker) -> None:
            for chunk in chunks:  # all workers take from it
                outcomes.update(zip(chunk, perform(order, chunk), strict=True))
                self._progress(interpreter.label, len(outcomes) / len(paths))

        with ExitStack() as stack:
            count = os.cpu_count() or 1
            more = [stack.enter_context(Subprocess(interpreter)) for _ in range(count - 1)]
            workers = [own, *(each.perform for each in more)]
            pool = stack.enter_context(ThreadPoolExecutor(count))
            list(pool.map(compile_chunks, workers))  # raises what one of them raises
        return [outcomes[path] for path in paths]

    def _worker(self, interpreter: Interpreter) -> Worker:
        """Return what compiles for ``interpreter``: a process of its very version.

        Another version may read the same entries, but not use the patterns in them.
        """
        kind = (interpreter.abi, interpreter.version)
        if kind not in self._workers:
            if is_own(interpreter) and interpreter.version == sys.version_info[:3]:
                found: Worker = worker.perform
            else:
                found = self.enter_context(Subprocess(interpreter)).perform
            self._workers[kind] = found
        return self._workers[kind]


def _result(
    source: HookSource, interpreter: Interpreter, order: Order, outcome: Outcome
) -> CompileResult:
    directory = cache.MODULE_DIRECTORY if order.modules else CACHE_DIRECTORY
    return CompileResult(
        source,
        interpreter,
        LevelChoice(cast("Level", outcome.level), outcome.reason),
        State(outcome.state),
        source.path.parent / directory / outcome.name if outcome.name else None,
        SourceError(*outcome.problem) if outcome.problem else None,
        outcome.detail,
    )


def _is_zip_archive(path: Path) -> bool:
    """Return whether Python runs the file ``path`` as an archive: zipapp, shiv, pex."""
    import zipfile  # noqa: PLC0415 - slow, and only for what does not compile

    return zipfile.is_zipfile(path)
