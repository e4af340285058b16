"""compile, sync, check, status, clean: the entries of hooks."""

from __future__ import annotations

import os
import time
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from hooks_compile.cli import output
from hooks_compile.cli.context import current_directory, open_job, open_project
from hooks_compile.entries import cache, fallbacks, report, sync
from hooks_compile.files import refusal
from hooks_compile.printable import shown
from hooks_compile.project.search import directories_with_cache

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable, Sequence

    from hooks_compile.agents.wiring.committed import Place
    from hooks_compile.cli.context import Job
    from hooks_compile.model import HookSource
    from hooks_compile.project.record import Project


def run_compile(arguments: argparse.Namespace) -> int:
    """Compile what is not compiled yet; with ``--changed`` only hooks among the given files."""
    if not arguments.changed:
        job = open_job(arguments, paths=arguments.paths)
        return update(job, json=arguments.json, prune=False)
    job = open_job(arguments)
    paths = [current_directory() / path for path in arguments.paths]
    synced = sync.compile_changed(job.project, paths, job.interpreters, job.optimize)
    others = _missing_wrappers(job.project, "index")
    return _show_synced(job, synced, others, json=arguments.json, only_broken=True)


def run_sync(arguments: argparse.Namespace) -> int:
    """Compile what changed and prune what is not needed; for git without failing."""
    if arguments.git_hook:  # main() has not seen it: it was abbreviated
        return sync_for_git()
    return update(open_job(arguments, paths=arguments.paths), json=arguments.json)


def sync_for_git() -> int:
    """Sync as git's hooks do, and print the line about a hook that does not compile to stdout."""
    from hooks_compile.git_hooks import git_sync

    line = git_sync.run(current_directory(), os.environ)
    if line:
        output.say(line)
    return 0


def run_check(arguments: argparse.Namespace) -> int:
    """List what is not compiled or does not compile; write nothing."""
    job = open_job(arguments, paths=arguments.paths)
    synced = sync.examine(job.project, job.interpreters, job.optimize)
    others = _missing_wrappers(job.project, "HEAD")
    if arguments.sources_only:
        others = _tracked(job.project) + others
    elif not arguments.json and report.troubles(synced, job.project.root):
        others.append("to fix it: correct what does not compile, then run hooks-compile compile")
    only_broken = arguments.sources_only
    return _show_synced(job, synced, others, json=arguments.json, only_broken=only_broken)


def run_status(arguments: argparse.Namespace) -> int:
    """Show the state of the hooks and of the shims among the commands."""
    from hooks_compile.entries import status

    job = open_job(arguments, paths=arguments.paths)
    project = job.project
    synced = sync.examine(project, job.interpreters, job.optimize, modules=False, explain=True)
    bypasses = job.record_shims()
    trace = os.environ.get("HOOKS_COMPILE_TRACE")
    rows = status.rows(
        synced.results,
        job.optimize,
        fallbacks.read_log(project.runtime),
        fallbacks.count_launches(Path(trace)) if trace else None,
    )
    lines = [*status.lines(rows, project.root, verbose=arguments.verbose), *map(str, bypasses)]
    if arguments.verbose and not trace:
        lines.append("to count launches: HOOKS_COMPILE_TRACE=FILE for the agent and this command")
    if not rows:
        lines = [f"no hooks in {project.root}"]
    hooks = [row.as_json() for row in rows]
    shims = [bypass.as_json() for bypass in bypasses]
    value = {"root": str(project.root), "hooks": hooks, "shims": shims}
    output.show(arguments, value, map(output.wrapped, lines))
    return 0


def run_clean(arguments: argparse.Namespace) -> int:
    """Remove entries, and the runtime directory if that is asked for."""
    from hooks_compile.install import runtime_directory

    project = open_project(arguments, paths=arguments.paths)
    tops = [current_directory() / path for path in arguments.paths] or [project.root]
    abandoned = {each for top in tops for each in directories_with_cache(top)}
    cleaned = clean_caches({*project.directories(), *abandoned}, project.importable())
    if arguments.runtime:
        cleaned.run(runtime_directory.remove, project.runtime)
    count = report.plural(len(cleaned.removed), "file")
    output.show(arguments, {"removed": list(map(str, cleaned.removed))}, [f"{count} removed"])
    if arguments.runtime and project.runtime.exists() and not cleaned.errors:
        _explain_rest(project.runtime)
    return show_refused(cleaned.errors)


def update(job: Job, *, json: bool = False, prune: bool = True) -> int:
    """Compile what changed, prune, and show the result; return 1 if something needs a fix."""
    with output.progress() as progress:
        synced = sync.synchronize(
            job.project, job.interpreters, job.optimize, prune=prune, progress=progress
        )
    job.record_shims()
    return _show_synced(job, synced, json=json)


def clean_caches(directories: Iterable[Path], modules: Iterable[HookSource]) -> cache.Removals:
    """Remove the entries of the hooks in ``directories``, and the modules that we compiled."""
    cleaned = cache.Removals([], [])
    hooks = set(directories)
    caches = {cache.directory_in(each) for each in hooks}
    places = hooks.union(module.path.parent for module in modules)
    for directory in sorted(caches.union(each / cache.MODULE_DIRECTORY for each in places)):
        cleaned.run(cache.clean, directory)
    return cleaned


def show_refused(errors: Iterable[OSError]) -> int:
    """Print the errors of files that can't be removed; return 1 if there are some."""
    lines = [refusal(error) for error in errors]
    for line in lines:
        output.print_error(line)
    return bool(lines)


def _show_synced(
    job: Job,
    synced: sync.Synced,
    others: Sequence[str] = (),
    *,
    json: bool = False,
    only_broken: bool = False,
) -> int:
    """Print what was found, and what ``others`` say; return 1 if something needs a fix.

    With ``only_broken`` that is what does not compile, and without it nothing is printed.
    """
    seconds = time.perf_counter() - job.begun
    root = job.project.root
    if only_broken:
        troubles = list(filter(None, (report.describe_trouble(it, root) for it in synced.broken)))
    else:
        troubles = report.troubles(synced, root)
    if json:
        value = {**report.synced_json(synced, seconds), "to_fix": list(others)}
        output.print_json(value | {"ok": not (troubles or others)})
        return bool(troubles or others)
    for text in (*troubles, *others):
        output.warn(text)
    if not only_broken:
        output.say(report.summary(synced, seconds))
    return bool(troubles or others)


def _tracked(project: Project) -> list[str]:
    """Return what to fix about each compiled file that git tracks."""
    names = (shown(path, project.root) for path in sync.tracked_cache_files(project))
    return [
        f"{name}: git tracks this cache file\n  to fix it: git rm --cached {quote(name)}"
        for name in names
    ]


def _missing_wrappers(project: Project, place: Place) -> list[str]:
    """Return what to fix about each command whose wrapper is not in ``place``."""
    from hooks_compile.agents.wiring.committed import missing_wrappers

    if project.repository is None:
        return []
    index_file = os.environ.get("GIT_INDEX_FILE", "") if place == "index" else ""
    return [*map(str, missing_wrappers(project.root, place, index_file=index_file))]


def _explain_rest(runtime: Path) -> None:
    from hooks_compile.git_hooks.steps import TEMPLATE

    output.warn(f"{runtime}: stays, because something else is in it")
    if (runtime / TEMPLATE).exists():  # git would warn if it were missing
        output.warn("  git makes clones from it: hooks-compile git-hooks uninstall --global")


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "compile": run_compile,
    "sync": run_sync,
    "check": run_check,
    "status": run_status,
    "clean": run_clean,
}
