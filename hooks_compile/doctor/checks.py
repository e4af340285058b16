"""``hooks-compile doctor``: what would keep a hook from its entry on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hooks_compile.doctor.directory_checks import (
    examine_folder,
    examine_foreign,
    examine_modules,
    examine_tracked,
    examine_wrapper,
)
from hooks_compile.doctor.findings import NOTE, Finding
from hooks_compile.doctor.hook_checks import check, examine_encodings, examine_results
from hooks_compile.doctor.python_checks import examine_pythons
from hooks_compile.doctor.runtime_checks import examine_runtime
from hooks_compile.doctor.wiring_checks import examine_wiring
from hooks_compile.entries.report import shown
from hooks_compile.errors import HooksCompileError
from hooks_compile.install import runtime_directory as runtime_folder
from hooks_compile.interpreters import uv_records as uv
from hooks_compile.model import State
from hooks_compile.project.record import wrapper_folders

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hooks_compile.project.record import Project


def examine(project: Project, cwd: Path, env: Mapping[str, str]) -> list[Finding]:
    """Return what was found, good or bad, each trouble with its remedy. Writes nothing but the
    memory of interpreters, and measures for less than a second."""
    found = examine_runtime(project.runtime)
    interpreters, pythons = examine_pythons(project, cwd, env)
    found += pythons
    if not project.sources:
        text = f"no hooks in {shown(project.root)}"
        return [*found, Finding(NOTE, text, "hooks-compile compile --help  # tells where it looks")]
    results, failures = check(project, interpreters)
    found += failures + examine_results(results, project.root)
    found += _examine_places(project, {r.source.path.parent for r in results if _lacks(r.state)})
    return [*found, *examine_wiring(project, env), *examine_tracked(project.root)]


def _lacks(state: State) -> bool:
    return state in (State.MISSING, State.DAMAGED)


def _examine_places(project: Project, lacking: set[Path]) -> list[Finding]:
    root = project.root
    agents = wrapper_folders(project)
    contents = _contents(project)
    found = [examine_wrapper(folder, root) for folder in agents]
    key = _key(project.runtime)
    for folder in project.folders():
        found += examine_folder(folder, root, lacking=folder in lacking, agents=folder in agents)
        if key is not None:
            found += examine_foreign(folder, root, key, contents)
    found += uv.examine(project.runtime, [source.path for source in project.sources], root)
    modules = [source.path for source in (*project.sources, *project.modules())]
    return found + examine_encodings(contents, root) + examine_modules(modules, root)


def _contents(project: Project) -> dict[Path, bytes]:
    contents = {}
    for source in project.sources:
        try:
            contents[source.path] = source.path.read_bytes()
        except OSError:
            continue  # examine_results says so
    return contents


def _key(folder: Path) -> bytes | None:
    try:
        return runtime_folder.read_key(folder)
    except HooksCompileError:
        return None  # examine_runtime says so
