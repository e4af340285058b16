"""compile, sync, check, status, clean: the entries of hooks."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from hooks_compile.cli import output
from hooks_compile.cli.context import current_directory, open_job, open_project, record_shims

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable, Sequence

    from hooks_compile.agents.wiring.committed import Place
    from hooks_compile.cli.context import Job
    from hooks_compile.entries.committing import Checked
    from hooks_compile.entries.sync import Synced
    from hooks_compile.model import HookSource
    from hooks_compile.project.record import Project


def run_compile(arguments: argparse.Namespace) -> int:
    """Compile what is not compiled yet; with ``--changed`` only hooks among the given files."""
    if not arguments.changed:
        job = open_job(arguments, paths=arguments.paths)
        return update(job, json=arguments.json, prune=False)
    from hooks_compile.entries import committing

    job = open_job(arguments)
    paths = [current_directory() / path for path in arguments.paths]
    checked = committing.compile_changed(job.project, paths, job.interpreters, job.optimize)
    return _show_checked(checked, job.project) | _show_missing_wrappers(job.project, "index")


def run_sync(arguments: argparse.Namespace) -> int:
    """Compile what changed and prune what is not needed; for git without failing."""
    if not arguments.git_hook:
        return update(open_job(arguments, paths=arguments.paths), json=arguments.json)
    from hooks_compile.git_hooks import git_sync

    line = git_sync.run(current_directory(), os.environ)
    if line:
        output.warn(line)
    return 0


def run_check(arguments: argparse.Namespace) -> int:
    """List what is not compiled or does not compile; write nothing."""
    job = open_job(arguments, paths=arguments.paths)
    if arguments.sources_only:
        from hooks_compile.entries import committing

        checked = committing.check_sources(job.project, job.interpreters, job.optimize)
        status = _show_checked(checked, job.project)
        return status | _show_missing_wrappers(job.project, "HEAD")
    from hooks_compile.entries.sync import examine

    status = _show_synced(job, _work(job, examine), json=arguments.json)
    if status and not arguments.json:
        output.warn("to fix it: hooks-compile compile, after correcting what does not compile")
    return status | _show_missing_wrappers(job.project, "HEAD")


def run_status(arguments: argparse.Namespace) -> int:
    """Show the state of every hook."""
    return show_status(open_job(arguments, paths=arguments.paths), json=arguments.json)


def run_clean(arguments: argparse.Namespace) -> int:
    """Remove entries, and the runtime directory if that is asked for."""
    from hooks_compile.entries import report

    project = open_project(arguments, paths=arguments.paths)
    cwd = current_directory()
    tops = [cwd / path for path in arguments.paths if path.is_dir()]
    alone = project.abandoned(tops or [project.root]) if tops or not arguments.paths else []
    cleaned = clean_caches([*project.directories(), *alone], project.importable())
    if arguments.runtime:
        cleaned.run(_remove_runtime, project.runtime)
    if arguments.json:
        output.print_json({"removed": [str(path) for path in cleaned.removed]})
    else:
        output.say(f"{report.plural(len(cleaned.removed), 'file')} removed")
    if arguments.runtime and project.runtime.exists() and not cleaned.errors:
        _explain_rest(project.runtime)
    return cleaned.show_errors()


def update(job: Job, *, json: bool = False, prune: bool = True) -> int:
    """Compile what changed, prune, and show the result; return 1 if something needs a fix."""
    from hooks_compile.entries.sync import synchronize

    synced = _work(job, synchronize, prune=prune)
    record_shims(job)
    _ask_for_snapshots(job, synced)
    return _show_synced(job, synced, json=json)


def _ask_for_snapshots(job: Job, synced: Synced) -> None:
    from hooks_compile.install.runtime_directory import has_snapshots

    if has_snapshots(job.project.runtime):
        from hooks_compile.snapshots.make_queue import ask_after_sync

        ask_after_sync(job.project.runtime, synced.results)


def show_status(job: Job, *, json: bool = False) -> int:
    """Show the state of every hook and of the shims among the commands; return 0."""
    from hooks_compile.entries import fallbacks, status
    from hooks_compile.entries.sync import examine

    project = job.project
    synced = _work(job, examine, modules=False, explain=True)
    bypasses = record_shims(job)
    trace = os.environ.get("HOOKS_COMPILE_TRACE")
    rows = status.rows(
        synced.results,
        job.optimize,
        fallbacks.read_log(project.runtime),
        fallbacks.count_launches(Path(trace)) if trace else None,
    )
    if json:
        hooks = [status.as_json(row) for row in rows]
        shims = [bypass.as_json() for bypass in bypasses]
        output.print_json({"root": str(project.root), "hooks": hooks, "shims": shims})
        return 0
    if not rows:
        output.say(f"no hooks in {project.root}")
        return 0
    output.print_table(status.COLUMNS, [status.cells(row, project.root) for row in rows])
    for note in dict.fromkeys(note for row in rows for note in row.notes):
        output.say(note)
    for bypass in bypasses:
        output.say(str(bypass))
    if not trace:
        output.say("to count launches, set HOOKS_COMPILE_TRACE to a file, for the agent and here")
    return 0


def _work(job: Job, work: Callable[..., Synced], **options: bool) -> Synced:
    with output.progress(len(job.project.sources) * len(job.interpreters)) as advance:
        return work(job.project, job.interpreters, job.optimize, advance, **options)


def _show_synced(job: Job, synced: Synced, *, json: bool) -> int:
    from hooks_compile.entries import report

    seconds = time.perf_counter() - job.begun
    troubles = report.troubles(synced, job.project.root)
    if json:
        output.print_json(report.synced_json(synced, seconds))
        return bool(troubles)
    for text in troubles:
        output.warn(text)
    output.say(report.summary(synced, seconds))
    return bool(troubles)


def _show_checked(checked: Checked, project: Project) -> int:
    from hooks_compile.entries.report import describe_trouble
    from hooks_compile.printable import shown

    for result in checked.broken:
        output.warn(describe_trouble(result, project.root) or "")
    for path in checked.tracked:
        where = shown(path, project.root)
        remedy = f"git rm --cached '{where}'"
        output.warn(f"{where}: git tracks this cache file\n  to fix it: {remedy}")
    return not checked.ok


def _show_missing_wrappers(project: Project, place: Place) -> int:
    """Print the commands whose wrapper is not in ``place``; return 1 if there are some."""
    from hooks_compile.agents.wiring.committed import describe_missing, missing_wrappers

    if project.repository is None:
        return 0
    index_file = os.environ.get("GIT_INDEX_FILE", "") if place == "index" else ""
    missing = missing_wrappers(project.root, place, index_file=index_file)
    for line in describe_missing(missing, project.root):
        output.warn(line)
    return bool(missing)


class Cleaned(NamedTuple):
    """What was removed, and what could not be: one does not stop the other."""

    removed: list[Path]
    errors: list[OSError]

    def run(self, remove: Callable[[Path], list[Path]], directory: Path) -> None:
        """Remove from ``directory``, and keep what was removed or the error."""
        try:
            self.removed.extend(remove(directory))
        except OSError as error:
            self.errors.append(error)

    def show_errors(self) -> int:
        """Print the errors; return 1 if there are some."""
        from hooks_compile.files import refusal

        for error in self.errors:
            output.print_error(refusal(error))
        return bool(self.errors)


def clean_caches(directories: Sequence[Path], modules: Iterable[HookSource]) -> Cleaned:
    """Remove the entries of the hooks in ``directories``, and the modules that we compiled."""
    from hooks_compile.entries import cache

    cleaned = Cleaned([], [])
    for directory in directories:
        cleaned.run(cache.clean, cache.directory_in(directory))
    for directory in sorted({*directories, *(module.path.parent for module in modules)}):
        cleaned.run(cache.clean_modules, cache.module_directory_in(directory))
    return cleaned


def _remove_runtime(runtime: Path) -> list[Path]:
    from hooks_compile.git_hooks import installer
    from hooks_compile.install import runtime_directory

    return [*installer.remove_shared(runtime), *runtime_directory.remove(runtime)]


def _explain_rest(runtime: Path) -> None:
    from hooks_compile.git_hooks import installer

    output.warn(f"{runtime}: stays, because something else is in it")
    if any(each.is_relative_to(runtime) for each in installer.template_directories()):
        output.warn("  git's configuration names it: hooks-compile git-hooks uninstall --global")
