"""Sources and interpreters in, results out: what is not compiled yet is compiled."""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import TYPE_CHECKING, Self, cast

from hooks_compile.compile_worker import worker
from hooks_compile.compile_worker.worker import Order
from hooks_compile.entries import cache
from hooks_compile.entries.workers import Subprocess, is_own
from hooks_compile.launcher.entry import CACHE_DIRECTORY
from hooks_compile.model import CompileResult, LevelChoice, SourceError, State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from hooks_compile.compile_worker.worker import Outcome
    from hooks_compile.model import HookSource, Interpreter, Level, Optimize

    # ``perform`` of worker.py, here or in a subprocess.
    Worker = Callable[[Order, Sequence[str]], list[Outcome]]
    Abi = tuple[str, str, str]

# Below this number of sources a second process costs more than it saves.
_WORTH_PROCESSES = 60
_CHUNK = 40


class Compiler:
    """Compiles for some interpreters, and keeps their processes for the next call.

    ``key`` is the runtime directory's, ``optimize`` what the user asked for. A context manager: its
    end is the end of the processes. Methods raise InterpreterError if an interpreter can't be run.
    There is no result for a zip archive that has the name of a source: Python runs it.
    """

    def __init__(
        self, interpreters: Iterable[Interpreter], key: bytes, optimize: Optimize = "auto"
    ) -> None:
        """Start nothing yet: processes start when there is work for them."""
        self.interpreters = tuple(interpreters)
        self.optimize = optimize
        self._key = key
        self._workers: dict[Abi, Worker] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        """Return the compiler itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """End all worker processes."""
        self._workers.clear()
        self._stack.close()

    def check(self, sources: Sequence[HookSource], *, explain: bool = False) -> list[CompileResult]:
        """Return the state of every source for every interpreter, and write nothing.

        With ``explain`` the level of each fresh entry has its reason.
        """
        order = Order(worker.COMPILE_HOOKS, self._key, self.optimize, write=False, explain=explain)
        return self._results(sources, order)

    def compile(self, sources: Sequence[HookSource]) -> list[CompileResult]:
        """Compile for every interpreter what is not compiled yet, and store it."""
        order = Order(worker.COMPILE_HOOKS, self._key, self.optimize, write=True)
        return self._results(sources, order)

    def modules(self, modules: Sequence[HookSource], *, write: bool) -> list[CompileResult]:
        """Do the same for local modules, whose compiled form is Python's own ``__pycache__``.

        A file that git tracks is never written: that would be a change for the next commit.
        """
        order = Order(worker.COMPILE_MODULES, self._key, 0, write)
        return self._results(modules, order)

    def _results(self, sources: Sequence[HookSource], order: Order) -> list[CompileResult]:
        groups: dict[Abi, list[Interpreter]] = {}
        for interpreter in self.interpreters:
            groups.setdefault(interpreter.abi, []).append(interpreter)
        results: list[CompileResult] = []
        for group in groups.values():
            outcomes = self._outcomes(group[0], order, [os.fspath(each.path) for each in sources])
            for source, outcome in zip(sources, outcomes, strict=True):
                is_broken = outcome.state == State.BROKEN
                if not is_broken or not is_zip_archive(source.path):
                    results += [_result(source, each, order, outcome) for each in group]
        return sorted(results, key=lambda result: (result.source.path, result.interpreter.version))

    def _outcomes(
        self, interpreter: Interpreter, order: Order, paths: Sequence[str]
    ) -> Iterator[Outcome]:
        """Yield the outcome for each source: that of what is fresh, else of compiling it."""
        is_hooks = order.task == worker.COMPILE_HOOKS
        finding = order._replace(task=worker.FIND_HOOKS if is_hooks else worker.FIND_MODULES)
        found = self._worker(interpreter)(finding, paths) if paths else []
        stale = [p for p, each in zip(paths, found, strict=True) if each.state == worker.STALE]
        kept = set() if is_hooks or not order.write else cache.tracked_modules(stale)
        written = iter(self._compiled(interpreter, order, [p for p in stale if p not in kept]))
        looked_at = order._replace(write=False)
        others = iter(self._compiled(interpreter, looked_at, [p for p in stale if p in kept]))
        for path, outcome in zip(paths, found, strict=True):
            compiled = others if path in kept else written
            yield next(compiled) if outcome.state == worker.STALE else outcome

    def _compiled(
        self, interpreter: Interpreter, order: Order, paths: Sequence[str]
    ) -> list[Outcome]:
        """Return the outcome for each path. For many paths there is a process for each core."""
        chunks = [paths[start : start + _CHUNK] for start in range(0, len(paths), _CHUNK)]
        outcomes: list[Outcome] = []
        with ExitStack() as stack:
            workers = [self._worker(interpreter)] if chunks else []
            if len(paths) > _WORTH_PROCESSES:
                more = (os.cpu_count() or 1) - 1
                processes = (stack.enter_context(Subprocess(interpreter)) for _ in range(more))
                workers += [process.perform for process in processes]
            for found in _each_chunk(workers, order, chunks):
                outcomes += found
        return outcomes

    def _worker(self, interpreter: Interpreter) -> Worker:
        found = self._workers.get(interpreter.abi)
        if found is None:
            if is_own(interpreter):
                found = worker.perform
            else:
                found = self._stack.enter_context(Subprocess(interpreter)).perform
            self._workers[interpreter.abi] = found
        return found


def _each_chunk(
    workers: Sequence[Worker], order: Order, chunks: Sequence[Sequence[str]]
) -> Iterator[list[Outcome]]:
    """Yield the outcomes of each chunk, in order. Each worker has one chunk at a time."""
    if len(workers) < 2:  # as usual: no thread is needed
        yield from (workers[0](order, chunk) for chunk in chunks)
        return
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - slow to import
    from queue import SimpleQueue  # noqa: PLC0415 - only here

    idle: SimpleQueue[Worker] = SimpleQueue()
    for each in workers:
        idle.put(each)

    def compile_chunk(chunk: Sequence[str]) -> list[Outcome]:
        perform = idle.get()
        try:
            return perform(order, chunk)
        finally:
            idle.put(perform)

    with ThreadPoolExecutor(len(workers)) as pool:
        yield from pool.map(compile_chunk, chunks)


def _result(
    source: HookSource, interpreter: Interpreter, order: Order, outcome: Outcome
) -> CompileResult:
    directory = CACHE_DIRECTORY if order.task == worker.COMPILE_HOOKS else cache.MODULE_DIRECTORY
    return CompileResult(
        source,
        interpreter,
        LevelChoice(cast("Level", outcome.level), outcome.reason),
        State(outcome.state),
        source.path.parent / directory / outcome.name if outcome.name else None,
        SourceError(*outcome.problem) if outcome.problem else None,
        outcome.detail,
    )


def is_zip_archive(path: Path) -> bool:
    """Return whether Python runs the file ``path`` as a zip archive: zipapp, shiv, pex."""
    import zipfile  # noqa: PLC0415 - slow, and only for what does not compile

    return zipfile.is_zipfile(path)
