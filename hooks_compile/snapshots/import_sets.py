"""Which hooks share a snapshot: those whose entries note the same imports."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from hooks_compile import files
from hooks_compile.launcher.entry import TAG_SIZE, tag, unpack_imports
from hooks_compile.launcher.observers import mentions_observers
from hooks_compile.launcher.preimport import can_shadow_stdlib

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from hooks_compile.model import CompileResult, Interpreter


class ImportSet(NamedTuple):
    """The imports of a snapshot, and the scripts for which it is made: none for the base."""

    interpreter: Interpreter
    imports: tuple[str, ...]
    scripts: tuple[Path, ...]


def import_sets(
    interpreters: Iterable[Interpreter], results: Iterable[CompileResult], key: bytes
) -> list[ImportSet]:
    """Return what to make for these hooks: for each interpreter the base, then a set for others.

    A hook whose imports are not made ahead in a cold launch resumes from the base.
    """
    found: dict[Interpreter, defaultdict[tuple[str, ...], list[Path]]] = {
        interpreter: defaultdict(list) for interpreter in interpreters
    }
    for result in results:
        imports = _imports_of(result, key)
        if imports:
            found[result.interpreter][imports].append(result.source.path)
    sets = []
    for interpreter, scripts in found.items():
        sets.append(ImportSet(interpreter, (), ()))
        by_use = sorted(scripts.items(), key=lambda item: (-len(item[1]), item[0]))
        sets += [ImportSet(interpreter, imports, tuple(paths)) for imports, paths in by_use]
    return sets


def _imports_of(result: CompileResult, key: bytes) -> tuple[str, ...]:
    """Return the imports that a cold launch makes ahead of a hook."""
    if result.entry is None or not result.ok:
        return ()
    try:
        source = files.read_bytes(result.source.path, files.LARGEST_SOURCE)
        data = files.read_bytes(result.entry, files.LARGEST_SOURCE)
    except OSError:
        return ()  # it has just been removed
    # Only what this user compiled says which modules are imported.
    if tag(key, result.choice.level, data[:-TAG_SIZE], source) != data[-TAG_SIZE:]:
        return ()
    return imports_of_entry(result.source.path, data)


def imports_of_entry(script: Path, data: bytes) -> tuple[str, ...]:
    """Return the imports that a launch makes ahead of a script; ``data`` is its entry, verified.

    There are none if the script could see that, as the launcher decides it. Raises OSError.
    """
    source = files.read_bytes(script, files.LARGEST_SOURCE)
    if mentions_observers(source) or can_shadow_stdlib(str(script.parent)):
        return ()
    return unpack_imports(data)


def summary(imports: Sequence[str]) -> str:
    """Return a word for a person: the imports, or what the base holds."""
    return ", ".join(imports) or "start-up alone"
