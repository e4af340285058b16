"""Results as text for a person, and as JSON values for a program. Prints nothing."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from hooks_compile.files import refusal, remedy
from hooks_compile.launcher.entry import CACHE_DIRECTORY
from hooks_compile.model import State
from hooks_compile.printable import one_line, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from hooks_compile.entries.sync import Synced
    from hooks_compile.model import CompileResult, SourceError


class Group(NamedTuple):
    """The hooks in one state, which ``text`` describes."""

    state: State
    text: str
    names: Sequence[str]


def describe_error(where: str, error: SourceError) -> str:
    """Return the lines that Python shows for a source that does not compile.

    ``where`` is as :func:`shown` returns it. What would steer a terminal is escaped.
    """
    line = f":{error.line}" if error.line else ""
    what = ": ".join(filter(None, (error.kind, one_line(error.message))))
    found = [f"{where}{line}: {what}"]
    if error.text:
        text = error.text.rstrip("\n").replace("\t", " ")
        stripped = text.lstrip(" \f")
        found.append(f"    {one_line(stripped)}")
        if error.column:
            column = max(error.column - 1 - (len(text) - len(stripped)), 0)
            found.append(f"    {' ' * len(one_line(stripped[:column]))}^")
    return "\n".join(found)


def describe_trouble(result: CompileResult, root: Path) -> str:
    """Return what is wrong with a result and how to fix it; "" if it is all right."""
    where = shown(result.source.path, root)
    under = f" under {result.interpreter.label}"
    match result.state:
        case State.BROKEN if result.error is not None:
            return f"{describe_error(where, result.error)}\n    (compiled{under})"
        case State.MISSING:
            return f"{where}: not compiled{under}"
        case State.DAMAGED:
            return f"{where}: its entry is not used{under}: {one_line(result.detail)}"
    refused = describe_refusal(result)
    return refused and f"{where}: {refused}"


def describe_refusal(result: CompileResult) -> str:
    """Return why a source can't be read, or its entry can't be written and how to fix it; or ""."""
    detail = one_line(result.detail)
    if result.state is State.UNREADABLE:
        return f"can't be read: {detail}"
    if result.state is State.UNWRITABLE:
        way = remedy(result.detail, result.source.path.parent / CACHE_DIRECTORY)
        return f"its entry can't be written: {detail}\n  to fix it: {way}"
    return ""


def troubles(synced: Synced, root: Path) -> list[str]:
    """Return what a person has to fix, one text each; of modules what does not compile.

    Entries that can't be written are one text for each directory.
    """
    broken = [module for module in synced.modules if module.state is State.BROKEN]
    found: dict[object, str] = {}
    for result in [*synced.results, *broken]:
        key = result.source.path.parent if result.state is State.UNWRITABLE else result
        found.setdefault(key, describe_trouble(result, root))
    return [*filter(None, found.values()), *(str(refusal(error)) for error in synced.refused)]


def summary(synced: Synced, seconds: float) -> str:
    """Return one line about what was found and done."""
    results = synced.results
    if not results and not synced.pruned:
        return f"no hooks found ({seconds:.2f} s)"
    hooks = len({result.source.path for result in results})
    under = ", ".join(dict.fromkeys(result.interpreter.label for result in results))
    states = Counter(result.state for result in results)
    compiled, fresh = states[State.COMPILED], states[State.FRESH]
    parts = [f"{compiled} compiled", f"{fresh} up to date"]
    if local := sum(result.state is State.COMPILED for result in synced.modules):
        parts.append(f"{plural(local, 'local module')} compiled")
    if other := len(results) - compiled - fresh:
        parts.append(f"{other} to fix")
    if synced.pruned:
        parts.append(f"{plural(len(synced.pruned), 'old entry', 'old entries')} removed")
    what = f"{plural(hooks, 'hook')} for {under or 'no Python'}"
    return f"{what}: {', '.join(parts)} ({seconds:.2f} s)"


def synced_json(synced: Synced, seconds: float) -> dict[str, Any]:
    """Return a whole pass as JSON values."""
    is_ok = not synced.broken and not synced.refused and all(each.ok for each in synced.results)
    return {
        "ok": is_ok,
        "seconds": round(seconds, 4),
        "results": [result_json(result) for result in synced.results],
        "modules": [result_json(result) for result in synced.modules],
        "pruned": [str(path) for path in synced.pruned],
        "refused": [str(error.filename) for error in synced.refused],
    }


def plural(count: int, noun: str, several: str = "") -> str:
    """Return ``1 hook``, ``2 hooks``."""
    return f"{count} {noun}" if count == 1 else f"{count} {several or noun + 's'}"


def some(names: Sequence[str], most: int = 3) -> str:
    """Return ``a, b, c and 9 more``: the first ``most`` names, and how many there are beside."""
    more = f" and {len(names) - most} more" if names[most:] else ""
    return f"{', '.join(names[:most])}{more}"


def grouped(results: Iterable[CompileResult], root: Path) -> list[Group]:
    """Return results of the same state together; what does not compile is named with its line."""
    groups: dict[tuple[State, str], list[str]] = {}
    for result in results:
        where, label = shown(result.source.path, root), result.interpreter.label
        first = describe_trouble(result, root) or f"{where}: compiled under {label}"
        line, _, text = first.partition("\n")[0][len(where) :].partition(": ")
        if result.state is State.BROKEN:
            text += f" (under {label})"
        groups.setdefault((result.state, text), []).append(where + line)
    return [Group(state, text, names) for (state, text), names in groups.items()]


def result_json(result: CompileResult) -> dict[str, Any]:
    """Return one result as JSON values."""
    error = result.error
    return {
        "hook": str(result.source.path),
        "origin": result.source.origin,
        "interpreter": str(result.interpreter.executable),
        "version": ".".join(map(str, result.interpreter.version)),
        "cache_tag": result.interpreter.cache_tag,
        "level": result.choice.level,
        "level_reason": result.choice.reason,
        "state": str(result.state),
        "entry": str(result.entry) if result.entry else None,
        "detail": result.detail,
        "error": None if error is None else error._asdict(),
    }
