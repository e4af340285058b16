"""Results as lines for a person."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hooks_compile.bench.estimates import Estimate
    from hooks_compile.bench.results import Change, HookResult, Results, Way

COLUMNS = ("hook", "launch", "median", "90 %", "ratio (95 %)", "CPU", "memory", "built in", "size")
LARGE_NOISE = 0.05
SHORTEST_S = 0.00005
DEAREST = 5


def rows(results: Results) -> Iterator[tuple[str, ...]]:
    """Yield the cells of COLUMNS for each hook and each way to launch it."""
    for hook in results.hooks:
        for number, of_way in enumerate(cells(hook)):
            yield ("" if number else hook.hook, *of_way)


def cells(hook: HookResult) -> Iterator[tuple[str, ...]]:
    """Yield the cells of all COLUMNS but the first for each way to launch a hook."""
    for way in hook.ways:
        cpu = statistics.median(way.cpu)
        built = f"{way.build_seconds:.1f} s" if way.build_seconds else ""
        times = milliseconds(way.median), milliseconds(way.p90), _ratio(hook, way)
        yield (way.name, *times, milliseconds(cpu), _bytes(way.memory), built, _bytes(way.size))


def lines(results: Results) -> Iterator[str]:
    """Yield what the table does not say: machine, noise, where launches go, notes, advice."""
    yield f"{results.python}, {results.machine}"
    for hook in results.hooks:
        yield ""
        yield f"{hook.hook} ({hook.event}), {len(hook.source.wall)} rounds"
        yield f"  noise: the source against itself is {interval(hook.noise)}{_warning(hook.noise)}"
        if hook.parts:
            yield f"  a launch of the source: {parts(hook.parts)}"
        if hook.imports:
            yield f"  its imports: {parts(hook.imports[:DEAREST])}"
        yield from (f"  note: {note}" for note in hook.notes)
        yield from (f"  {way} was not measured: {why}" for way, why in hook.refused.items())
        yield from (f"  to do: {advice}" for advice in hook.advice)
    for name, why in results.left_out.items():
        yield f"{name} was not measured: {why}"


def change_lines(changes: Iterable[Change]) -> Iterator[str]:
    """Yield a line for each clear change, or one that says that there is none."""
    clear = [change for change in changes if change.is_clear]
    for change in clear:
        percent = (change.factor.value - 1) * 100
        word = "slower" if percent > 0 else "faster"
        factor = interval(change.factor)
        yield f"{change.hook}, {change.way}: {abs(percent):.0f} % {word}: {factor}"
    if not clear:
        yield "no change beyond noise"


def interval(estimate: Estimate) -> str:
    """Return ``0.85 (0.84-0.86)``."""
    return f"{estimate.value:.2f} ({estimate.low:.2f}-{estimate.high:.2f})"


def milliseconds(seconds: float) -> str:
    """Return ``12.3 ms``."""
    return f"{seconds * 1000:.1f} ms"


def parts(named: Iterable[tuple[str, float]]) -> str:
    """Return ``spawn 0.6 ms, interpreter 7.1 ms``, without what takes no time that is shown."""
    shown = ((name, seconds) for name, seconds in named if seconds >= SHORTEST_S)
    return ", ".join(f"{name} {milliseconds(seconds)}" for name, seconds in shown)


def _bytes(count: int) -> str:
    if count >= 1_000_000:
        return f"{count / 1e6:.1f} MB"
    return f"{count / 1e3:.0f} kB" if count else ""


def _ratio(hook: HookResult, way: Way) -> str:
    found = hook.ratio(way)
    if found is None:
        return f"unequal: {way.unequal}"
    return "" if way is hook.source else interval(found)


def _warning(noise: Estimate) -> str:
    if noise.precision <= LARGE_NOISE:
        return ""
    return "; the machine is busy, small differences say nothing"
