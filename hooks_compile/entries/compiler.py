"""Sources and interpreters in, results out: what is not compiled yet is compiled."""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import TYPE_CHECKING, Self, cast

from hooks_compile.compile_worker import worker
from hooks_compile.compile_worker.worker import Order
from hooks_compile.entries.workers import Subprocess, is_own
from hooks_compile.launcher.entry import CACHE_DIRECTORY
from hooks_compile.model import CompileResult, LevelChoice, SourceError, State
from hooks_compile.project.search import is_run_as_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from hooks_compile.compile_worker.worker import Outcome
    from hooks_compile.model import HookSource, Interpreter, Level, Optimize

    # ``perform`` of worker.py, here or in a subprocess.
    Worker = Callable[[Order, Sequence[str]], list[Outcome]]

# Below this number of sources a second process costs more than it saves.
_WORTH_PROCESSES = 60
_CHUNK = 40


class Compiler:
    """Compiles for some interpreters, and keeps their processes for the next call.

    ``key`` is the runtime directory's, ``optimize`` what the user asked for. ``progress`` is
    called with the number of sources done since its last call. A context manager: its end is the
    end of the processes. Methods raise InterpreterError if an interpreter can't be run. There is
    no result for an archive or compiled code that has the name of a source: Python runs it.
    """

    def __init__(
        self,
        interpreters: Iterable[Interpreter],
        key: bytes,
        optimize: Optimize = "auto",
        progress: Callable[[int], None] = lambda _: None,
    ) -> None:
        """Start nothing yet: processes start when there is work for them."""
        self.interpreters = tuple(interpreters)
        self.optimize = optimize
        self._key = key
        self._progress = progress
        self._workers: dict[tuple[str, str, str], Worker] = {}
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
        return self._hooks(sources, self._order(write=False, explain=explain))

    def compile(self, sources: Sequence[HookSource]) -> list[CompileResult]:
        """Compile for every interpreter what is not compiled yet, and store it."""
        return self._hooks(sources, self._order(write=True))

    def modules(self, modules: Sequence[HookSource], *, write: bool) -> list[CompileResult]:
        """Do the same for local modules, whose compiled form is Python's own ``__pycache__``."""
        order = Order(worker.COMPILE_MODULES, self._key, 0, write)
        paths = [os.fspath(module.path) for module in modules]
        results: list[CompileResult] = []
        for group in _sharing_entries(self.interpreters):
            outcomes = self._compiled(group[0], order, paths)
            results += _results(modules, outcomes, group, "__pycache__")
        return results

    def _order(self, *, write: bool, explain: bool = False) -> Order:
        return Order(worker.COMPILE_HOOKS, self._key, self.optimize, write, explain)

    def _hooks(self, sources: Sequence[HookSource], order: Order) -> list[CompileResult]:
        results: list[CompileResult] = []
        for group in _sharing_entries(self.interpreters):
            for imports in ("as-written", "deferred"):
                chosen = [source for source in sources if source.imports == imports]
                paths = [os.fspath(source.path) for source in chosen]
                own_order = order._replace(deferred=imports == "deferred")
                outcomes = self._outcomes(group[0], own_order, paths)
                results += _results(chosen, outcomes, group, CACHE_DIRECTORY)
        return sorted(results, key=lambda result: (result.source.path, result.interpreter.version))

    def _outcomes(
        self, interpreter: Interpreter, order: Order, paths: Sequence[str]
    ) -> Iterator[Outcome]:
        """Yield the outcome for each hook: that of its fresh entry, else of compiling it."""
        looking = order._replace(task=worker.FIND_FRESH)
        known = self._worker(interpreter)(looking, paths) if paths else []
        rest = [path for path, each in zip(paths, known, strict=True) if each.state == worker.STALE]
        self._progress(len(paths) - len(rest))
        compiled = iter(self._compiled(interpreter, order, rest))
        for outcome in known:
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
                self._progress(len(found))
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


def _sharing_entries(interpreters: Iterable[Interpreter]) -> list[list[Interpreter]]:
    groups: dict[tuple[str, str, str], list[Interpreter]] = {}
    for interpreter in interpreters:
        groups.setdefault(interpreter.abi, []).append(interpreter)
    return list(groups.values())


def _results(
    sources: Sequence[HookSource],
    outcomes: Iterable[Outcome],
    group: Sequence[Interpreter],
    directory: str,
) -> Iterator[CompileResult]:
    """Yield a result for each source and interpreter; entries are in ``directory`` beside it."""
    for source, outcome in zip(sources, outcomes, strict=True):
        choice = LevelChoice(cast("Level", outcome.level), outcome.reason)
        path = source.path.parent / directory / outcome.name if outcome.name else None
        error = SourceError(*outcome.problem) if outcome.problem else None
        state = State(outcome.state)
        if state is State.BROKEN and is_run_as_whole(os.fspath(source.path)):
            continue
        for interpreter in group:
            yield CompileResult(source, interpreter, choice, state, path, error, outcome.detail)
