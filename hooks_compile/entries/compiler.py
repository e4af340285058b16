"""Sources and interpreters in, results out: what is not compiled yet is compiled."""

from __future__ import annotations

import os
from collections import deque
from contextlib import ExitStack
from itertools import chain, islice
from typing import TYPE_CHECKING, NamedTuple, Self, TypeVar, cast

from hooks_compile.entries.workers import Subprocess, is_own
from hooks_compile.model import CompileResult, LevelChoice, SourceError, State
from hooks_compile.runtime import entry, worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from hooks_compile.entries.workers import Worker
    from hooks_compile.model import HookSource, Interpreter, Level, Optimize
    from hooks_compile.runtime.worker import Finding, Job, Outcome

    Undone = tuple[HookSource, Finding]

# Below this many sources a second process costs more than it saves.
_WORTH_PROCESSES = 60
_CHUNK = 40
# So many chunks wait for each process, with their sources in memory.
_AHEAD = 2
_CHECK_CHUNK = 100


T = TypeVar("T")


class Compiler:
    """Compiles for some interpreters, and keeps their processes for the next call.

    ``key`` is the runtime folder's, ``optimize`` what the user asked for, and ``progress`` is
    called with the number of sources done since its last call. A context manager: leaving it ends
    the processes. Methods raise InterpreterError where an interpreter can't be run.
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

    def check(self, sources: Sequence[HookSource]) -> list[CompileResult]:
        """Tell how every source stands for every interpreter; nothing is written."""
        return self._run(sources, write=False)

    def compile(self, sources: Sequence[HookSource]) -> list[CompileResult]:
        """Compile for every interpreter what is not compiled yet, and store it."""
        return self._run(sources, write=True)

    def modules(self, modules: Sequence[HookSource], *, write: bool) -> list[CompileResult]:
        """Do the same for local modules, whose compiled form is Python's own ``__pycache__``."""
        results = []
        choice = LevelChoice(0, "a module is compiled as Python compiles it")
        for group in _sharing_entries(self.interpreters):
            paths = [os.fspath(module.path) for module in modules]
            outcomes = self._worker(group[0]).compile_modules(self._key, paths, write)
            for module, outcome in zip(modules, outcomes, strict=True):
                folder = module.path.with_name("__pycache__")
                results += _results(module, group, choice, outcome, folder)
            self._progress(len(modules))
        return results

    def _run(self, sources: Sequence[HookSource], *, write: bool) -> list[CompileResult]:
        results: list[CompileResult] = []
        for group in _sharing_entries(self.interpreters):
            undone = self._undone(sources, group, results, write=write)
            few = list(islice(undone, _WORTH_PROCESSES))
            compiling = self._in_turn if len(few) < _WORTH_PROCESSES else self._in_parallel
            batches = compiling(chain(few, undone), group, results, write=write)
            for batch, outcomes in batches:
                results += _results_of(batch, outcomes, group, write=write)
                self._progress(len(batch.jobs))
        return sorted(results, key=lambda result: (result.source.path, result.interpreter.version))

    def _undone(
        self,
        sources: Sequence[HookSource],
        group: Sequence[Interpreter],
        results: list[CompileResult],
        *,
        write: bool,
    ) -> Iterator[Undone]:
        """Look how the sources stand, yield what is to be compiled, put the others in results."""
        for chunk in _chunks(iter(sources), _CHECK_CHUNK):
            paths = [os.fspath(source.path) for source in chunk]
            findings = self._worker(group[0]).check(self._key, paths)
            for source, finding in zip(chunk, findings, strict=True):
                done = self._settled(source, group, finding, write=write)
                results += done
                self._progress(bool(done))
                if not done:
                    yield source, finding

    def _settled(
        self, source: HookSource, group: Sequence[Interpreter], finding: Finding, *, write: bool
    ) -> list[CompileResult]:
        """Return the results where nothing is to be compiled, else none.

        What a launch compiled is at level 0: launches hit it, and only ``write`` makes it better.
        """
        state, level, detail, name = finding
        if state == "unreadable":
            choice = LevelChoice(0, detail)
            return [
                CompileResult(source, interpreter, choice, State.UNREADABLE, detail=detail)
                for interpreter in group
            ]
        if state != "fresh":
            return []
        choice = LevelChoice(cast("Level", level), "")
        by_launch = detail == entry.AS_PYTHON.decode()
        if self.optimize == "auto":
            if detail != entry.PROVEN.decode() and (write or not by_launch):
                content = _read(source)
                if content is None or _choose(content).level != level:
                    return []
        elif level != self.optimize:
            return []
        path = source.path.parent / entry.FOLDER / name
        return [CompileResult(source, each, choice, State.FRESH, path) for each in group]

    def _batches(
        self,
        undone: Iterator[Undone],
        group: Sequence[Interpreter],
        results: list[CompileResult],
        *,
        write: bool,
    ) -> Iterator[_Batch]:
        """Read sources and choose their levels; what is gone since the look is put in results."""
        by = entry.PROVEN if self.optimize == "auto" else entry.FORCED
        for chunk in _chunks(undone, _CHUNK):
            batch = _Batch([], [])
            for source, finding in chunk:
                content = _read(source)
                if content is None:
                    gone = ("unreadable", 0, "it has gone", "")
                    results += self._settled(source, group, gone, write=write)
                    self._progress(1)
                    continue
                choice = _choose(content, self.optimize)
                path = os.fspath(source.path)
                batch.sources.append((source, finding, choice))
                batch.jobs.append((path, content, choice.level, by.decode()))
            yield batch

    def _in_turn(
        self,
        undone: Iterator[Undone],
        group: Sequence[Interpreter],
        results: list[CompileResult],
        *,
        write: bool,
    ) -> Iterator[tuple[_Batch, list[Outcome]]]:
        for batch in self._batches(undone, group, results, write=write):
            yield batch, self._worker(group[0]).compile_all(self._key, batch.jobs, write)

    def _in_parallel(
        self,
        undone: Iterator[Undone],
        group: Sequence[Interpreter],
        results: list[CompileResult],
        *,
        write: bool,
    ) -> Iterator[tuple[_Batch, list[Outcome]]]:
        """Compile in one process for each core, while this one chooses the levels."""
        from concurrent.futures import Future, ThreadPoolExecutor  # noqa: PLC0415 - slow to import
        from queue import SimpleQueue  # noqa: PLC0415 - only here

        idle: SimpleQueue[Worker] = SimpleQueue()

        def compile_batch(batch: _Batch) -> list[Outcome]:
            worker = idle.get()
            try:
                return worker.compile_all(self._key, batch.jobs, write)
            finally:
                idle.put(worker)

        processes = os.cpu_count() or 1
        looking = self._worker(group[0])
        with ExitStack() as stack:
            for _ in range(processes - isinstance(looking, Subprocess)):
                idle.put(stack.enter_context(Subprocess(group[0])))
            if isinstance(looking, Subprocess):
                undone = iter(list(undone))  # while the others start
                idle.put(looking)
            pool = stack.enter_context(ThreadPoolExecutor(processes))
            waiting: deque[tuple[_Batch, Future[list[Outcome]]]] = deque()
            for batch in self._batches(undone, group, results, write=write):
                waiting.append((batch, pool.submit(compile_batch, batch)))
                if len(waiting) > _AHEAD * processes:
                    first, outcomes = waiting.popleft()
                    yield first, outcomes.result()
            for batch, outcomes in waiting:
                yield batch, outcomes.result()

    def _worker(self, interpreter: Interpreter) -> Worker:
        found = self._workers.get(interpreter.abi)
        if found is None:
            if is_own(interpreter):
                found = worker
            else:
                found = self._stack.enter_context(Subprocess(interpreter))
            self._workers[interpreter.abi] = found
        return found


class _Batch(NamedTuple):
    """Sources that are compiled in one go: what is known of each, and what a worker is told."""

    sources: list[tuple[HookSource, Finding, LevelChoice]]
    jobs: list[Job]


def _sharing_entries(interpreters: Iterable[Interpreter]) -> list[list[Interpreter]]:
    groups: dict[tuple[str, str, str], list[Interpreter]] = {}
    for interpreter in interpreters:
        groups.setdefault(interpreter.abi, []).append(interpreter)
    return list(groups.values())


def _results_of(
    batch: _Batch, outcomes: Sequence[Outcome], group: Sequence[Interpreter], *, write: bool
) -> Iterator[CompileResult]:
    for (source, finding, choice), outcome in zip(batch.sources, outcomes, strict=True):
        if outcome[0] == "compiled" and not write:
            damaged = finding[0] == "damaged"
            outcome = (  # noqa: PLW2901
                "damaged" if damaged else "missing",
                "",
                finding[2] if damaged else "",
                None,
            )
        yield from _results(source, group, choice, outcome, source.path.parent / entry.FOLDER)


def _results(
    source: HookSource,
    group: Sequence[Interpreter],
    choice: LevelChoice,
    outcome: Outcome,
    folder: Path,
) -> list[CompileResult]:
    state, name, detail, problem = outcome
    error = SourceError(*problem) if problem else None
    path = folder / name if name else None
    return [
        CompileResult(source, interpreter, choice, State(state), path, error, detail)
        for interpreter in group
    ]


def _choose(content: bytes, optimize: Optimize = "auto") -> LevelChoice:
    from hooks_compile.entries.levels import choose_level  # noqa: PLC0415 - 3 ms, often for nothing

    return choose_level(content, optimize)


def _read(source: HookSource) -> bytes | None:
    try:
        return worker.read(os.fspath(source.path))
    except (OSError, ValueError):
        return None


def _chunks(items: Iterator[T], size: int) -> Iterator[list[T]]:
    return iter(lambda: list(islice(items, size)), [])
