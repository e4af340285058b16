"""What was measured, as records and as JSON, and what changed since an earlier run."""

from __future__ import annotations

import json
import math
import statistics
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from hooks_compile.bench.estimates import Estimate, percentile_90, ratio
from hooks_compile.errors import HooksCompileError
from hooks_compile.files import read_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FORMAT = 1
BARE = "python -c pass"
_LARGEST_RESULT = 64 << 20
# A smaller change is of no use to anybody, however certain it is.
_SMALLEST_CHANGE = 0.03


@dataclass(frozen=True, slots=True)
class Way:
    """One way to launch a hook: seconds by the clock and of the processor in each round.

    ``memory`` is in bytes, ``build_seconds`` and ``size`` (bytes) are of what was built.
    ``unequal`` says what differs from the source: then there is no ratio.
    """

    name: str
    wall: tuple[float, ...]
    cpu: tuple[float, ...]
    memory: int
    build_seconds: float = 0.0
    size: int = 0
    unequal: str = ""

    @property
    def median(self) -> float:
        """The median of the launches in seconds."""
        return statistics.median(self.wall)

    @property
    def p90(self) -> float:
        """What nine of ten launches do not exceed, in seconds."""
        return percentile_90(self.wall)


@dataclass(frozen=True, slots=True)
class HookResult:
    """One hook on one event. ``noise`` is the source against itself.

    ``parts`` are the stages of a launch of the source in seconds, ``imports`` the imports that the
    hook makes, the dearest first. ``refused`` maps a way to the reason that it could not be built;
    ``notes`` and ``advice`` are lines for a person. ``bare`` are the seconds of Python alone.
    """

    hook: str
    event: str
    status: int
    ways: tuple[Way, ...]
    noise: Estimate
    bare: tuple[float, ...]
    parts: tuple[tuple[str, float], ...] = ()
    imports: tuple[tuple[str, float], ...] = ()
    refused: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()

    @property
    def source(self) -> Way:
        """The launches that all others are compared with."""
        return self.ways[0]

    def ratio(self, way: Way) -> Estimate | None:
        """Return what a way takes of the source's time, None if it does something else."""
        return None if way.unequal else ratio(way.wall, self.source.wall)


@dataclass(frozen=True, slots=True)
class Results:
    """One run: the machine, the interpreter, each hook, and why hooks were left out."""

    machine: str
    python: str
    date: str
    hooks: tuple[HookResult, ...]
    left_out: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return everything for ``--json``; the ratios are added for programs."""
        result = {"format": FORMAT, **asdict(self)}
        for shown, hook in zip(result["hooks"], self.hooks, strict=True):
            shown["noise"] = hook.noise._asdict()
            for way_shown, way in zip(shown["ways"], hook.ways, strict=True):
                found = hook.ratio(way)
                way_shown |= {"median": way.median, "p90": way.p90}
                way_shown["ratio"] = found._asdict() if found is not None else None
        return result


def read(path: Path) -> Results:
    """Return what ``--json`` of an earlier run printed. Raises HooksCompileError if it is not."""
    try:
        found = json.loads(read_bytes(path, _LARGEST_RESULT))
        if found["format"] != FORMAT:
            raise ValueError
        hooks = tuple(_hook(each) for each in found["hooks"])
        return Results(found["machine"], found["python"], found["date"], hooks, found["left_out"])
    except OSError as error:
        raise HooksCompileError(error.strerror or "can't be read", path=path) from error
    except (ValueError, KeyError, TypeError) as error:
        raise HooksCompileError(
            "is not what hooks-compile bench --json of this version prints",
            path=path,
            remedy=f"hooks-compile bench --json > {path.name}",
        ) from error


def _hook(found: dict[str, Any]) -> HookResult:
    ways = tuple(Way(**{key: _frozen(way[key]) for key in Way.__slots__}) for way in found["ways"])
    values = {key: _frozen(found[key]) for key in HookResult.__slots__}
    noise = Estimate(**found["noise"])
    return HookResult(**{**values, "ways": ways, "noise": noise})


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


@dataclass(frozen=True, slots=True)
class Change:
    """How the time of one way to launch a hook changed; ``factor`` is new against old.

    Both times are taken against Python alone in their own run, so that another load or clock of
    the machine cancels out.
    """

    hook: str
    way: str
    factor: Estimate

    @property
    def is_clear(self) -> bool:
        """Return whether it is more than noise."""
        return self.factor.excludes_one and abs(math.log(self.factor.value)) > _SMALLEST_CHANGE


def changes(old: Results, new: Results) -> Iterator[Change]:
    """Yield the change of each hook and way that both runs measured."""
    before = {(hook.hook, hook.event): hook for hook in old.hooks}
    for hook in new.hooks:
        earlier = before.get((hook.hook, hook.event))
        ways = {way.name: way for way in earlier.ways} if earlier else {}
        for way in hook.ways:
            if earlier is not None and way.name in ways:
                then = ratio(ways[way.name].wall, earlier.bare)
                yield Change(hook.hook, way.name, ratio(way.wall, hook.bare) / then)
