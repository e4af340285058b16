"""What keeps hooks from their entries: everything that ``doctor`` looks at."""

from __future__ import annotations

import errno
import os
import stat
from collections import defaultdict
from glob import escape
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from hooks_compile.agents.wiring import plan as wiring_plan
from hooks_compile.agents.wiring.committed import missing_wrappers
from hooks_compile.agents.wiring.describe import describe_plugin
from hooks_compile.doctor import command_checks, machine_checks, trust_checks
from hooks_compile.doctor.findings import Finding, note, ok, problem, problem_of
from hooks_compile.entries import sync
from hooks_compile.entries.report import grouped, plural, some
from hooks_compile.errors import InterpreterError, pasted
from hooks_compile.files import LARGEST_SOURCE, is_writable_directory, read_bytes, remedy
from hooks_compile.install import wrapper
from hooks_compile.install.wrapper import Standing
from hooks_compile.interpreters.launch_records import why_left_to_uv
from hooks_compile.launcher.entry import CACHE_DIRECTORY
from hooks_compile.model import State
from hooks_compile.printable import shown
from hooks_compile.project.selection import for_person

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from hooks_compile.agents.wiring.committed import MissingWrapper, Place
    from hooks_compile.model import CompileResult, HookSource, Interpreter
    from hooks_compile.project.record import Project

_REMEDIES = {
    State.MISSING: "hooks-compile compile",
    State.DAMAGED: "hooks-compile compile",
    State.BROKEN: "edit it; hooks-compile check shows the place",
}


def examine(
    project: Project, cwd: Path, env: Mapping[str, str], *, rounds: int = 3
) -> Iterator[Finding]:
    """Yield what was found, good or bad. A remedy changes something: what can stay has none.

    Nothing is written. Each start of Python is measured ``rounds`` times. Raises GitError if git
    refuses.
    """
    rules = for_person(project, cwd, env)
    by_command, unusable = machine_checks.find_pythons(project, rules)
    interpreters = list({each.executable: each for each in reversed(by_command)}.values())[::-1]
    yield machine_checks.check_runtime(project.runtime)
    yield from machine_checks.check_variables(env)
    yield from machine_checks.check_snapshots(project.runtime)
    yield from unusable
    for each in interpreters:
        yield from machine_checks.check_python(each, rules, rounds)
    for each in by_command:
        yield from machine_checks.check_shim(each, project.runtime, rules)
    if project.sources:
        yield from check_project(project, interpreters, env)
    else:
        yield note(f"no hooks in {project.root}")


def check_project(
    project: Project, interpreters: list[Interpreter], env: Mapping[str, str]
) -> Iterator[Finding]:
    """Say what is wrong with the hooks of a project, their directories and their commands."""
    root, results = project.root, []
    try:
        synced = sync.examine(project, interpreters, project.config.optimize)
    except InterpreterError as error:
        yield problem_of(error)
    else:
        # Python itself compiles the local modules that it can
        broken = [module for module in synced.modules if module.state is State.BROKEN]
        results = [*synced.results, *broken]
    yield from check_entries(results, root)
    for directory in project.wrapper_directories():
        yield from check_wrapper(directory, root)
    lacking = (each.source.path for each in results if each.state in (State.MISSING, State.DAMAGED))
    for directory in sorted({path.parent for path in lacking}):
        yield from check_cache_directory(directory, root)
    modules = [*project.sources, *project.modules()]
    yield from check_unchecked_modules(modules, root)
    for source in project.sources:
        if reason := why_left_to_uv(project.runtime, source.path):
            yield note(f"{shown(source.path, root)} is launched by uv each time: {reason}")
    plans = wiring_plan.plan_init(wiring_plan.Scope(root, env)).files
    is_wired = any(plan.result.wired for plan in plans)
    names = {source.path.name for source in project.sources}
    for plan in plans:
        yield from command_checks.check_commands(plan, names, is_wired=is_wired)
        yield from command_checks.check_launches(plan, env, project.config.python)
    of_codex = (plan.config.path for plan in plans if plan.config.agent.name == "codex")
    yield from trust_checks.check_codex_trust(of_codex, env)
    for plugin in wiring_plan.installed_plugins(Path(env.get("HOME", "/")), env):
        yield note(describe_plugin(plugin))
    yield from check_tracked_entries(project)
    yield from check_named_wrappers(root)


def check_entries(results: Iterable[CompileResult], root: Path) -> Iterator[Finding]:
    """Name the hooks that would not run from their entries, and count the others."""
    for group in grouped(results, root):
        if group.state is State.FRESH:
            yield ok(f"{plural(len(group.names), 'hook')} {group.text}")
        else:
            name = group.names[0]
            readable = f"chmod u+rX {quote(str(Path(name).parent))} {quote(name)}"
            remedy = _REMEDIES.get(group.state, readable)
            yield problem(f"{some(group.names)}: {group.text}", remedy)


def check_wrapper(directory: Path, root: Path) -> Iterator[Finding]:
    """Say what is wrong with the wrapper in a directory of an agent's hooks, and how to get ours.

    A missing one is no finding here: it counts if a command names it.
    """
    path = directory / wrapper.NAME
    where, name = shown(path, root), pasted(path)
    standing = wiring_plan.standing_of(path)
    if standing in (Standing.OLDER, Standing.EDITED, Standing.FOREIGN):
        move = "" if standing is Standing.OLDER else f"mv {name} {name}.old && "
        text = f"{where} is not the wrapper of this version ({standing})"
        finding = problem if standing is Standing.FOREIGN else note
        yield finding(text, f"{move}hooks-compile wrapper {pasted(directory)}")
    elif standing is not Standing.MISSING and not os.access(path, os.X_OK):
        text = f"{where} is not executable: a command that begins with it runs no hook at all"
        yield problem(text, f"chmod +x {name}")


def check_cache_directory(directory: Path, root: Path) -> Iterator[Finding]:
    """Say what keeps entries from being stored for the hooks in ``directory``."""
    place = directory / CACHE_DIRECTORY
    try:
        status = place.lstat()
    except OSError:  # not there, or out of reach: then the directory itself is in the way
        place, status = directory, directory.stat()
    text = f"no entry can be stored in {shown(place, root)}: "
    if not stat.S_ISDIR(status.st_mode):
        what = "it is a symlink" if stat.S_ISLNK(status.st_mode) else "it is not a directory"
        yield problem(text + what, f"rm {pasted(place)} && hooks-compile compile")
    elif not is_writable_directory(place):
        is_read_only = os.statvfs(place).f_flag & os.ST_RDONLY
        cause = os.strerror(errno.EROFS if is_read_only else errno.EACCES)
        yield problem(text + cause, remedy(cause, place))


def check_unchecked_modules(modules: Iterable[HookSource], root: Path) -> Iterator[Finding]:
    """Name compiled modules beside the hooks that Python runs without comparing their sources."""
    for module in sorted({source.path for source in modules}):
        for path in sorted((module.parent / "__pycache__").glob(f"{escape(module.stem)}.*.pyc")):
            try:
                # the flags of PEP 552: bit 0 says hash, bit 1 that Python compares it
                flags = read_bytes(path, LARGEST_SOURCE)[4:5]
            except OSError:
                continue  # Python can't read it either
            if flags == b"\x01":
                text = f"{shown(path, root)} is run by Python without a look at its source"
                yield problem(text, f"rm {pasted(path)}")


def check_tracked_entries(project: Project) -> Iterator[Finding]:
    """Say if git tracks entries: then each compilation is a change."""
    if tracked := sync.tracked_cache_files(project):
        count = plural(len(tracked), "file")
        text = f"git tracks {count} of the cache, so commits fail or carry them"
        names = sorted({pasted(path.parent) for path in tracked})
        yield problem(text, f"git rm -r --cached -- {' '.join(names)}")


def check_named_wrappers(root: Path) -> Iterator[Finding]:
    """Name the commands whose wrapper is missing: on disk, in the index or in the last commit."""
    places: tuple[Place, ...] = ("work tree", "index", "HEAD")
    missing: defaultdict[tuple[Path, str], list[MissingWrapper]] = defaultdict(list)
    for place in places:
        for each in missing_wrappers(root, place):
            missing[each.path, each.named].append(each)
    for (path, named), found in missing.items():
        where = ", ".join(dict.fromkeys(each.place for each in found))
        # the last remedy has the steps of the others
        yield problem(f"{path}: {named}, which is missing in: {where}", found[-1].remedy)
