"""Results as a person reads them and as a program does. Returns text; prints nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hooks_compile.model import State
from hooks_compile.printable import one_line

if TYPE_CHECKING:
    from pathlib import Path

    from hooks_compile.entries.sync import Synced
    from hooks_compile.model import CompileResult, SourceError


def shown(path: Path, root: Path | None = None) -> str:
    """Return ``path`` as a person in ``root`` would type it, on one line, every byte visible."""
    return one_line(str(path.relative_to(root) if root and path.is_relative_to(root) else path))


def describe_error(where: str, error: SourceError) -> str:
    """Return the lines that Python shows for a source that does not compile.

    ``where`` is as :func:`shown` returns it. What would steer a terminal is escaped.
    """
    line = f":{error.line}" if error.line else ""
    found = [f"{where}{line}: {error.kind}: {one_line(error.message)}"]
    if error.text:
        text = error.text.rstrip("\n").replace("\t", " ")
        stripped = text.lstrip(" \f")
        found.append(f"    {one_line(stripped)}")
        if error.column:
            column = max(error.column - 1 - (len(text) - len(stripped)), 0)
            found.append(f"    {' ' * len(one_line(stripped[:column]))}^")
    return "\n".join(found)


def describe_trouble(result: CompileResult, root: Path) -> str | None:
    """Return what is wrong with a result and how to fix it, None where nothing is."""
    if result.ok:
        return None
    where = shown(result.source.path, root)
    under = f" under {result.interpreter.label}"
    if result.state is State.BROKEN and result.error is not None:
        return describe_error(where, result.error) + f"\n    (compiled{under})"
    texts = {
        State.MISSING: f"not compiled{under}",
        State.DAMAGED: f"its entry is not used{under}: {result.detail}",
        State.UNREADABLE: f"can't be read: {one_line(result.detail)}",
        State.UNWRITABLE: f"its entry can't be written: {one_line(result.detail)}",
    }
    return f"{where}: {texts[result.state]}" if result.state in texts else None


def troubles(synced: Synced, root: Path) -> list[str]:
    """Return what a person has to mend, one text each; of modules, those that do not compile."""
    broken = [module for module in synced.modules if module.state is State.BROKEN]
    texts = (describe_trouble(result, root) for result in [*synced.results, *broken])
    return [text for text in texts if text]


def summary(synced: Synced, seconds: float) -> str:
    """Return one line that says what was found and done."""
    results = synced.results
    if not results and not synced.pruned:
        return f"no hooks found ({seconds:.2f} s)"
    hooks = len({result.source.path for result in results})
    labels = dict.fromkeys(result.interpreter.label for result in results)
    compiled = sum(result.state is State.COMPILED for result in results)
    fresh = sum(result.state is State.FRESH for result in results)
    other = len(results) - compiled - fresh
    local = sum(result.state is State.COMPILED for result in synced.modules)
    parts = [f"{compiled} compiled", f"{fresh} up to date"]
    if local:
        parts.append(f"{plural(local, 'local module')} compiled")
    if other:
        parts.append(f"{other} with trouble")
    if synced.pruned:
        parts.append(f"{plural(len(synced.pruned), 'old entry', 'old entries')} removed")
    under = ", ".join(labels) or "no Python"
    return f"{plural(hooks, 'hook')} for {under}: {', '.join(parts)} ({seconds:.2f} s)"


def synced_json(synced: Synced, seconds: float) -> dict[str, Any]:
    """Return a whole pass as JSON values."""
    trouble = any(not result.ok for result in synced.results)
    broken = any(module.state is State.BROKEN for module in synced.modules)
    return {
        "ok": not (trouble or broken),
        "seconds": round(seconds, 4),
        "results": [result_json(result) for result in synced.results],
        "modules": [result_json(result) for result in synced.modules],
        "pruned": [str(path) for path in synced.pruned],
    }


def plural(count: int, noun: str, several: str = "") -> str:
    """Return ``1 hook``, ``2 hooks``."""
    return f"{count} {noun}" if count == 1 else f"{count} {several or noun + 's'}"


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
        "error": None
        if error is None
        else {
            "kind": error.kind,
            "message": error.message,
            "line": error.line,
            "column": error.column,
            "text": error.text,
        },
    }
