"""Where a launch of the source goes: the parts of it, from launches that record them."""

from __future__ import annotations

import json
import statistics
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from hooks_compile.bench.sample import Launch, launch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hooks_compile.bench.sample import Sample

_DRIVER: Final = Path(__file__).with_name("stage_driver.py")
_DEAREST: Final = 5
_ROUNDS: Final = 7
# An import that takes less of a launch is not worth a change of the hook.
_WORTH_SHARE, _WORTH_S = 0.1, 0.003
_STANDARD: Final = frozenset({"__future__"})


class Stages(NamedTuple):
    """The parts of one launch in seconds, medians of several launches.

    ``spawn`` is the start of any process, ``shim`` what a shim adds before Python starts, ``site``
    the site packages and ``.pth`` files, ``work`` the hook's own code, ``exit`` Python's end.
    ``imports`` are those that the hook makes itself, the dearest first.
    """

    spawn: float
    shim: float
    interpreter: float
    site: float
    imports: tuple[tuple[str, float], ...]
    compile: float
    work: float
    exit: float

    @property
    def parts(self) -> list[tuple[str, float]]:
        """The parts in the order of the launch."""
        return [
            ("spawn", self.spawn),
            ("shim", self.shim),
            ("interpreter", self.interpreter),
            ("site", self.site),
            ("compile", self.compile),
            ("imports", sum(seconds for _, seconds in self.imports)),
            ("work", self.work),
            ("exit", self.exit),
        ]

    @property
    def total(self) -> float:
        """The whole launch in seconds."""
        return sum(seconds for _, seconds in self.parts)


class _Record(NamedTuple):
    sample: Sample
    entered: float
    ended: float
    compile: float
    imports: dict[str, float]
    work: float
    used: bool
    is_same: bool

    @property
    def exit(self) -> float:
        return self.sample.began + self.sample.wall - self.ended


class StageError(Exception):
    """The parts can't be told; the message says why."""


class Probe:
    """Launches the source of a hook with records of its parts."""

    def __init__(
        self,
        how: Launch,
        timeout: float,
        is_same: Callable[[Sample], bool],
        shim: str | None,
    ) -> None:
        """Take ``how``, the launch of the source by its real interpreter.

        ``is_same`` launches the source in another copy, and returns whether that shows the same;
        ``shim`` is the path of a shim that agents start instead of the interpreter, None if there
        is none.
        """
        self._how, self._timeout, self._is_same, self._shim = how, timeout, is_same, shim
        self._python, self._hook, *self._arguments = how.words
        self._record = how.stdin.with_name("record")
        self._empty = how.stdin.with_name("empty.py")
        self._empty.write_text("", encoding="utf-8")

    def stages(self) -> Stages:
        """Return the parts of a launch. Raises StageError if records change what the hook does."""
        spawn, bare, records, shims = [], [], [], []
        for _ in range(_ROUNDS):
            spawn.append(self._plain(["/bin/true"]).wall)
            bare.append(self._start(["-I", "-S"], str(self._empty), ()))
            records.append(self._start([], self._hook, self._arguments))
            if self._shim is not None:
                pair = [
                    self._plain([each, "-S", "-c", ""]).wall for each in (self._shim, self._python)
                ]
                shims.append(pair[0] - pair[1])
        if not all(record.is_same for record in records):
            raise StageError("it shows something else if its parts are timed")
        spawned = statistics.median(spawn)
        start = _median(bare, _until_entered) - spawned
        names = {name for record in records for name in record.imports} - _STANDARD
        imports = {
            name: statistics.median(record.imports.get(name, 0.0) for record in records)
            for name in names
        }
        return Stages(
            spawned,
            statistics.median(shims) if shims else 0.0,
            max(start, 0.0),
            max(_median(records, _until_entered) - spawned - start, 0.0),
            tuple(sorted(imports.items(), key=lambda item: -item[1])),
            _median(records, lambda record: record.compile),
            _median(records, lambda record: record.work),
            _median(records, lambda record: record.exit),
        )

    def spared_imports(self, stages: Stages) -> list[tuple[str, float]]:
        """Return the dear imports that this event does not need, with the seconds they take.

        Each is tried: the hook is launched with the import made only if one of its names is looked
        up. It counts if none was and the hook showed the same.
        """
        least = max(_WORTH_S, _WORTH_SHARE * stages.total)
        spared = []
        for name, seconds in stages.imports[:_DEAREST]:
            top = name.partition(".")[0]
            if seconds < least:
                continue
            record = self._start([], self._hook, self._arguments, HOOKS_COMPILE_BENCH_DEFER=top)
            if not record.used and top not in record.imports and record.is_same:
                spared.append((name, seconds))
        return spared

    def _start(
        self, flags: Sequence[str], hook: str, arguments: Sequence[str], **env: str
    ) -> _Record:
        self._record.unlink(missing_ok=True)
        words = [self._python, *flags, str(_DRIVER), str(self._record), hook, *arguments]
        sample = self._plain(words, **env)
        try:
            found = json.loads(self._record.read_text())
        except (OSError, ValueError):
            raise StageError("it ends before its parts are recorded") from None
        entered = found["entered"] - sample.began
        parts = found["compile"], found["imports"], found["work"], found["used"]
        is_same = hook == str(self._empty) or self._is_same(sample)
        return _Record(sample, entered, found["wrote"], *parts, is_same)

    def _plain(self, words: Sequence[str], **env: str) -> Sample:
        how = Launch(words, self._how.cwd, {**self._how.env, **env}, self._how.stdin)
        return launch(how, self._timeout)


def _until_entered(record: _Record) -> float:
    return record.entered


def _median(records: Sequence[_Record], of: Callable[[_Record], float]) -> float:
    return statistics.median(map(of, records))
