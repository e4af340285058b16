"""Measures hooks: every way to launch one in turn, until the ratios are certain or time is up."""

from __future__ import annotations

import ast
import os
import platform
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from hooks_compile.bench import methods
from hooks_compile.bench.estimates import FEWEST_ROUNDS, ratio
from hooks_compile.bench.results import HookResult, Results, Way
from hooks_compile.bench.sample import Launch, Sample, launch, peak_memory
from hooks_compile.bench.scratch import Scratch
from hooks_compile.bench.stages import Probe, StageError
from hooks_compile.errors import HooksCompileError
from hooks_compile.files import LARGEST_SOURCE, read_bytes
from hooks_compile.interpreters.resolve import find, is_shim

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from hooks_compile.bench.methods import Built
    from hooks_compile.bench.payloads import Payload
    from hooks_compile.bench.scratch import Copy
    from hooks_compile.bench.stages import Stages
    from hooks_compile.model import Interpreter
    from hooks_compile.project.record import Project

LAUNCH_TIMEOUT_S: Final = 10
PRECISION: Final = 0.03
_WARM_UP: Final = 2
_NOISE = "source again"
_NETWORK: Final = frozenset(
    {"aiohttp", "anthropic", "boto3", "ftplib", "grpc", "http.client", "httpx", "imaplib"}
    | {"openai", "paramiko", "poplib", "requests", "slack_sdk", "smtplib", "socket", "ssl"}
    | {"telnetlib", "urllib.request", "urllib3", "websocket", "websockets", "xmlrpc.client"}
)


class Task(NamedTuple):
    """A hook of the project and what it gets."""

    hook: Path
    payload: Payload


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured. ``seconds`` is for all hooks, ``left_out`` says why some are not in
    it, ``progress`` gets the step and the share of all that is done."""

    project: Project
    tasks: Sequence[Task]
    python: Interpreter
    env: Mapping[str, str]
    against: Sequence[str] = ()
    seconds: float = 60.0
    left_out: Mapping[str, str] = field(default_factory=dict)
    progress: Callable[[str, float], None] = lambda _step, _share: None


def network_modules(hook: Path) -> set[str]:
    """Return the modules for networks that a hook, or a module beside it, names in an import.

    A file that can't be read or parsed names none: its launch will say so.
    """
    imported = _imports(hook)
    beside = {path.stem: path for path in hook.parent.glob("*.py")}
    names = imported.union(*(_imports(beside[name]) for name in imported & beside.keys()))
    return names & _NETWORK


def _imports(path: Path) -> set[str]:
    """Return the names of modules in all imports of a file, with those of their packages."""
    try:
        tree = ast.parse(read_bytes(path, LARGEST_SOURCE))
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names | {name.partition(".")[0] for name in names}


def measure(plan: Plan) -> Results:
    """Measure each hook of the plan; ^C ends it early, with what there is.

    Raises HooksCompileError if the project can't be copied.
    """
    done: list[HookResult] = []
    left_out = dict(plan.left_out)
    try:
        for number, task in enumerate(plan.tasks):
            name = os.path.relpath(task.hook, plan.project.root)
            plan.progress(name, number / len(plan.tasks))
            try:
                done.append(_measure_hook(plan, task, name))
            except HooksCompileError as error:
                left_out[name] = str(error)
    except KeyboardInterrupt:
        if not done:
            raise
        left_out["the rest"] = "interrupted"
    date = time.strftime("%Y-%m-%d %H:%M:%S %z")
    return Results(_machine(), plan.python.label, date, tuple(done), left_out)


def _measure_hook(plan: Plan, task: Task, name: str) -> HookResult:
    with tempfile.TemporaryDirectory(prefix="hooks-compile-bench-") as directory:
        rounds = _Rounds(plan, task, Scratch(plan.project, Path(directory).resolve()))
        rounds.prepare()
        rounds.run(time.monotonic() + plan.seconds / len(plan.tasks))
        return rounds.result(name)


@dataclass(slots=True)
class _Contender:
    """One way to launch the hook, in its own copy of the project."""

    name: str
    how: Launch
    copy: Copy
    built: Built
    samples: list[Sample] = field(default_factory=list)
    unequal: str = ""

    def run(self) -> Sample:
        sample = launch(self.how, LAUNCH_TIMEOUT_S)
        if sample.timed_out:
            raise HooksCompileError(
                f"a launch ({self.name}) does not end within {LAUNCH_TIMEOUT_S} s"
            )
        return sample

    def shown(self, sample: Sample) -> tuple[int, bytes, bytes]:
        out, err = map(self.copy.neutral, sample.output)
        return sample.status, out, err


class _Rounds:
    def __init__(self, plan: Plan, task: Task, scratch: Scratch) -> None:
        self._plan, self._task, self._scratch = plan, task, scratch
        self._contenders: list[_Contender] = []
        self._bare: list[float] = []
        self._refused: dict[str, str] = {}
        self._varies = False

    def prepare(self) -> None:
        for name in ("source", _NOISE, "wrapper", *self._plan.against):
            try:
                self._contenders.append(self._contender(name))
            except HooksCompileError as error:
                if name == "source":
                    raise
                self._refused[name] = str(error)

    def run(self, deadline: float) -> None:
        """Launch all in turn: to and fro, so that none always comes after the same."""
        bare = self._bare_launch()
        number = 0
        while True:
            order = self._contenders if number % 2 else self._contenders[::-1]
            pass_of_round = launch(bare, LAUNCH_TIMEOUT_S).wall
            samples = {each.name: each.run() for each in order}
            self._compare(samples)
            if number >= _WARM_UP:
                self._bare.append(pass_of_round)
                for each in self._contenders:
                    each.samples.append(samples[each.name])
            number += 1
            measured = number - _WARM_UP
            if measured >= FEWEST_ROUNDS and (time.monotonic() > deadline or self._is_certain()):
                return

    def result(self, name: str) -> HookResult:
        source, noise, *others = self._contenders
        notes = list(self._notes(source))
        stages, advice = None, []
        try:
            probe = self._probe(source, noise)
            stages = probe.stages()
            advice = list(_advice(stages, probe.spared_imports(stages)))
        except StageError as error:
            notes.append(f"where its launch goes is not known: {error}")
        return HookResult(
            name,
            self._task.payload.about,
            source.samples[-1].status,
            tuple(_way(each) for each in (source, *others)),
            ratio(_walls(noise), _walls(source)),
            tuple(self._bare),
            tuple(stages.parts) if stages else (),
            stages.imports if stages else (),
            self._refused,
            tuple(notes),
            tuple(advice),
        )

    def _contender(self, name: str) -> _Contender:
        plan = self._plan
        copy = self._scratch.copy()
        env = copy.environment(plan.env, plan.project.root)
        message = copy.top / "message"
        message.write_text("Keep the last line\n\nIt was lost without a newline.\n")
        payload = self._task.payload.place(copy.project, message)
        copy.event.write_text(payload.stdin)
        hook = copy.project / self._task.hook.relative_to(plan.project.root)
        if not hook.is_file():
            raise HooksCompileError("git ignores it: it is not in a copy", path=self._task.hook)
        method = "source" if name == _NOISE else name
        built = methods.build(method, methods.Job(hook, copy, plan.python, env))
        how = Launch((*built.words, *payload.arguments), copy.project, env, copy.event)
        return _Contender(name, how, copy, built)

    def _bare_launch(self) -> Launch:
        how = self._contenders[0].how
        return how._replace(words=(str(self._plan.python.executable), "-c", "pass"))

    def _compare(self, samples: Mapping[str, Sample]) -> None:
        shown = {each.name: each.shown(samples[each.name]) for each in self._contenders}
        if shown["source"] != shown[_NOISE]:
            self._varies = True
        for each in self._contenders:
            if each.unequal or each.name in ("source", _NOISE):
                continue
            each.unequal = _difference(shown["source"], shown[each.name], varies=self._varies)

    def _is_certain(self) -> bool:
        source = _walls(self._contenders[0])
        return all(ratio(_walls(each), source).precision <= PRECISION for each in self._contenders)

    def _notes(self, source: _Contender) -> Iterator[str]:
        status = source.samples[-1].status
        if status == 2:
            yield "it blocks this event (exit 2)"
        elif status < 0:
            yield f"signal {-status} ends it"
        elif status:
            yield f"it fails: exit {status}"
        if self._varies:
            yield "it shows something else at each launch: only the exit status was compared"
        if any(sample.leaves_processes for sample in source.samples):
            yield "it leaves a process behind, which was killed after each launch"

    def _probe(self, source: _Contender, other: _Contender) -> Probe:
        def is_same(sample: Sample) -> bool:
            expected = other.shown(other.run())
            return not _difference(expected, source.shown(sample), varies=self._varies)

        path = find("python3", cwd=source.copy.project, env=source.how.env)
        shim = str(path) if is_shim(path) else None
        return Probe(source.how, LAUNCH_TIMEOUT_S, is_same, shim)


def _way(contender: _Contender) -> Way:
    samples, built = contender.samples, contender.built
    return Way(
        contender.name,
        _walls(contender),
        tuple(sample.cpu for sample in samples),
        peak_memory(contender.how, LAUNCH_TIMEOUT_S),
        built.seconds,
        built.size,
        contender.unequal,
    )


def _walls(contender: _Contender) -> tuple[float, ...]:
    return tuple(sample.wall for sample in contender.samples)


def _difference(
    expected: tuple[int, bytes, bytes], shown: tuple[int, bytes, bytes], *, varies: bool
) -> str:
    """Return what differs from the source: "" if nothing does."""
    if expected[0] != shown[0]:
        return f"exit {shown[0]} instead of {expected[0]}"
    if varies:
        return ""
    names = ("stdout", "stderr")
    pairs = zip(names, expected[1:], shown[1:], strict=True)
    return next((f"another {name}" for name, one, other in pairs if one != other), "")


def _advice(stages: Stages, spared: Sequence[tuple[str, float]]) -> Iterator[str]:
    whole = f"of {stages.total * 1000:.0f} ms"
    for name, seconds in spared:
        yield (
            f"import {name} inside the function that needs it: this event does not, and it takes "
            f"{seconds * 1000:.0f} {whole}"
        )
    if stages.shim > stages.interpreter:
        yield (
            f"python3 on PATH is a shim, which takes {stages.shim * 1000:.0f} {whole}: the wrapper "
            "bypasses one that hooks-compile sync has recorded"
        )
    if stages.site > stages.interpreter / 2:
        yield (
            f"site packages and .pth files take {stages.site * 1000:.0f} {whole}: "
            "hooks-compile doctor names the files"
        )


def _machine() -> str:
    system = f"{platform.system()} {platform.release()} {platform.machine()}"
    return f"{system}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}"
