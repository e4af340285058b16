"""Sources and interpreters in, results out: what is not compiled yet is compiled."""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import TYPE_CHECKING, Self, TypeVar, cast

from hooks_compile.model import CompileResult, Deferrable, LevelChoice, SourceError, State
from hooks_compile.runtime import entry, worker
from hooks_compile.workers import Subprocess, is_own

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from hooks_compile.model import HookSource, Interpreter, Level, Optimize
    from hooks_compile.runtime.worker import Finding, Job, Outcome
    from hooks_compile.workers import Worker

# Below this many sources a second process costs more than it saves.
_WORTH_PROCESSES = 60
_CHUNK = 20
_CHECK_CHUNK = 500


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

    def deferrable(self, sources: Sequence[HookSource]) -> dict[tuple[Path, str], Deferrable]:
        """Tell what could be deferred in each source, by its path and interpreter's cache tag."""
        found = {}
        paths = [os.fspath(source.path) for source in sources]
        for group in _sharing_entries(self.interpreters):
            answers = self._worker(group[0]).deferrable(paths)
            for source, (modules, kept, reason) in zip(sources, answers, strict=True):
                answer = Deferrable(tuple(modules), tuple(kept), reason)
                found.update({(source.path, each.cache_tag): answer for each in group})
        return found

    def _run(self, sources: Sequence[HookSource], *, write: bool) -> list[CompileResult]:
        results: list[CompileResult] = []
        for group in _sharing_entries(self.interpreters):
            undone: list[tuple[HookSource, Finding]] = []
            for chunk in _chunks(sources, _CHECK_CHUNK):
                paths = [os.fspath(source.path) for source in chunk]
                findings = self._worker(group[0]).check(self._key, paths)
                for source, finding in zip(chunk, findings, strict=True):
                    done = self._settled(source, group, finding, write=write)
                    results += done
                    self._progress(bool(done))
                    if not done:
                        undone.append((source, finding))
            results += self._compile(undone, group, write=write)
        return sorted(results, key=lambda result: (result.source.path, result.interpreter.version))

    def _settled(
        self, source: HookSource, group: Sequence[Interpreter], finding: Finding, *, write: bool
    ) -> list[CompileResult]:
        """Return the results where nothing is to be compiled, else none.

        What a launch compiled is at level 0, with its imports as written: launches hit it, and
        only ``write`` makes it better.
        """
        state, level, detail, name, imports = finding
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
        as_written = imports == entry.AS_WRITTEN.decode()
        if as_written != (source.imports == "as-written") and (write or not by_launch):
            return []
        path = source.path.parent / entry.FOLDER / name
        return [CompileResult(source, each, choice, State.FRESH, path) for each in group]

    def _compile(
        self,
        undone: Sequence[tuple[HookSource, Finding]],
        group: Sequence[Interpreter],
        *,
        write: bool,
    ) -> list[CompileResult]:
        def compile_chunk(
            chunk: Sequence[tuple[HookSource, Finding]], worker: Worker
        ) -> list[CompileResult]:
            results: list[CompileResult] = []
            jobs: list[Job] = []
            kept: list[tuple[HookSource, Finding, LevelChoice]] = []
            for source, finding in chunk:
                content = _read(source)
                if content is None:
                    finding = ("unreadable", 0, "it has gone", "", "")  # noqa: PLW2901
                    results += self._settled(source, group, finding, write=write)
                    continue
                choice = _choose(content, self.optimize)
                by = entry.PROVEN if self.optimize == "auto" else entry.FORCED
                deferred = source.imports == "deferred"
                path = os.fspath(source.path)
                jobs.append((path, content, choice.level, by.decode(), deferred))
                kept.append((source, finding, choice))
            outcomes = worker.compile_all(self._key, jobs, write)
            for (source, finding, choice), outcome in zip(kept, outcomes, strict=True):
                if outcome[0] == "compiled" and not write:
                    damaged = finding[0] == "damaged"
                    outcome = (  # noqa: PLW2901
                        "damaged" if damaged else "missing",
                        "",
                        finding[2] if damaged else "",
                        None,
                    )
                folder = source.path.parent / entry.FOLDER
                results += _results(source, group, choice, outcome, folder)
            self._progress(len(chunk))
            return results

        if len(undone) < _WORTH_PROCESSES:
            return compile_chunk(undone, self._worker(group[0])) if undone else []
        return self._in_parallel(compile_chunk, undone, group[0])

    def _in_parallel(
        self,
        compile_chunk: Callable[
            [Sequence[tuple[HookSource, Finding]], Worker], list[CompileResult]
        ],
        undone: Sequence[tuple[HookSource, Finding]],
        interpreter: Interpreter,
    ) -> list[CompileResult]:
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - slow to import
        from queue import SimpleQueue  # noqa: PLC0415 - only here

        idle: SimpleQueue[Worker] = SimpleQueue()

        def with_worker(chunk: Sequence[tuple[HookSource, Finding]]) -> list[CompileResult]:
            worker = idle.get()
            try:
                return compile_chunk(chunk, worker)
            finally:
                idle.put(worker)

        processes = os.cpu_count() or 1
        with ExitStack() as stack:
            for _ in range(processes):
                idle.put(stack.enter_context(Subprocess(interpreter)))
            with ThreadPoolExecutor(processes) as pool:
                parts = pool.map(with_worker, _chunks(undone, _CHUNK))
                return [result for part in parts for result in part]

    def _worker(self, interpreter: Interpreter) -> Worker:
        found = self._workers.get(interpreter.abi)
        if found is None:
            if is_own(interpreter):
                found = worker
            else:
                found = self._stack.enter_context(Subprocess(interpreter))
            self._workers[interpreter.abi] = found
        return found


def _sharing_entries(interpreters: Iterable[Interpreter]) -> list[list[Interpreter]]:
    groups: dict[tuple[str, str, str], list[Interpreter]] = {}
    for interpreter in interpreters:
        groups.setdefault(interpreter.abi, []).append(interpreter)
    return list(groups.values())


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
    from hooks_compile.levels import choose_level  # noqa: PLC0415 - 3 ms, often for nothing

    return choose_level(content, optimize)


def _read(source: HookSource) -> bytes | None:
    try:
        return worker.read(os.fspath(source.path))
    except (OSError, ValueError):
        return None


def _chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
