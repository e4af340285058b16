"""``hooks-compile``: parse, dispatch, print. Nothing else prints.

Each command is a function that takes the parsed arguments and returns an exit status: 0, or 1 for
what the user can mend. :func:`main` adds 3 for a bug of ours and 130 for ^C.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import io
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hooks_compile import __version__, printable
from hooks_compile.errors import HooksCompileError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import TextIO

    from hooks_compile.agents.wiring.committed import Place
    from hooks_compile.agents.wiring.plan import Plan
    from hooks_compile.entries.committing import Checked
    from hooks_compile.entries.sync import Synced
    from hooks_compile.interpreters.shims import Passing
    from hooks_compile.model import Interpreter, Optimize
    from hooks_compile.project.record import Project

_PROGRESS_FROM = 200


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0, 1 (mend it), 2 (usage), 3 (our bug), 130."""
    if isinstance(sys.stdout, io.TextIOWrapper):  # whatever the terminal's encoding lacks
        sys.stdout.reconfigure(errors="backslashreplace")
    arguments = build_parser().parse_args(argv)
    try:
        status: int = arguments.command(arguments)
        if sys.stdout is not None:  # as under >&-
            sys.stdout.flush()
    except HooksCompileError as error:
        print_error(str(error))
        return 1
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        if error.errno not in (errno.EPIPE, errno.ENOSPC) or error.filename is not None:
            return _bug()
        if error.errno == errno.ENOSPC:
            print_error("nothing more can be written: the disk is full")
        # Nobody takes our output any more; Python must not complain about it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception:
        return _bug()
    return status


def _bug() -> int:
    import traceback

    traceback.print_exc()
    print_error(f"this is a bug in hooks-compile {__version__}: please report the lines above")
    return 3


def entry_point() -> None:
    """What the command ``hooks-compile`` calls."""
    raise SystemExit(main())


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands; each sets ``command`` to its function."""
    parser = argparse.ArgumentParser(
        prog="hooks-compile",
        description="Keeps the Python hooks of coding agents and git compiled.",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def add(
        name: str, command: Callable[[argparse.Namespace], int], about: str, **kwargs: Any
    ) -> argparse.ArgumentParser:
        added = commands.add_parser(
            name, help=about, description=about[0].upper() + about[1:] + ".", **kwargs
        )
        added.set_defaults(command=command)
        return added

    compiling = argparse.ArgumentParser(add_help=False)
    compiling.add_argument(
        "paths",
        nargs="*",
        type=Path,
        metavar="PATH",
        help="files and folders, instead of all hooks of the work tree",
    )
    compiling.add_argument(
        "--python",
        action="append",
        default=[],
        metavar="CMD",
        help="an interpreter that runs the hooks, once for each of several "
        "(default: python3, and those that launches recorded)",
    )
    compiling.add_argument(
        "--optimize",
        type=_level,
        metavar="{auto,0,1,2}",
        help="the optimization level (default: the highest that changes nothing)",
    )
    json_too = argparse.ArgumentParser(add_help=False)
    json_too.add_argument("--json", action="store_true", help="print JSON for programs")

    compile_ = add(
        "compile",
        run_compile,
        "compile the hooks that are not compiled yet",
        parents=[compiling, json_too],
    )
    compile_.add_argument(
        "--changed",
        action="store_true",
        help="of the given files those that are hooks or modules beside them: for pre-commit",
    )
    sync = add(
        "sync",
        run_sync,
        "compile what changed, and remove the entries of what is gone",
        parents=[compiling, json_too],
    )
    sync.add_argument(
        "--git-hook",
        action="store_true",
        help="as git calls it: quick, quiet but for a hook that does not compile, never failing",
    )
    check = add(
        "check",
        run_check,
        "tell which hooks are not compiled or do not compile (then exit 1)",
        parents=[compiling, json_too],
    )
    check.add_argument(
        "--sources-only",
        action="store_true",
        help="only whether all compile and git tracks no cache file: for CI",
    )
    add(
        "status",
        run_status,
        "show every hook, its level, its entry and its fallbacks",
        parents=[compiling, json_too],
    )
    wrapper = add(
        "wrapper", run_wrapper, "write hook_wrapper.sh beside the hooks", parents=[json_too]
    )
    wrapper.add_argument(
        "folders",
        nargs="*",
        type=Path,
        metavar="DIR",
        help="folders, instead of all that hold hooks of agents",
    )
    run = add("run", run_hook, "launch a hook as the wrapper does")
    run.add_argument("--explain", action="store_true", help="say on stderr which code ran, and why")
    run.add_argument("--python", metavar="CMD", help="the interpreter (default: python3)")
    run.add_argument("hook", metavar="HOOK")
    run.add_argument("arguments", nargs=argparse.REMAINDER, metavar="ARGS")
    clean = add("clean", run_clean, "remove the entries of the hooks", parents=[json_too])
    clean.add_argument(
        "paths",
        nargs="*",
        type=Path,
        metavar="PATH",
        help="files and folders, instead of all hooks of the work tree",
    )
    clean.add_argument(
        "--runtime",
        action="store_true",
        help="remove the runtime folder too: launcher, key, records",
    )
    add("runtime", run_runtime, "print the launcher's path, and bring the launcher up to date")
    add(
        "doctor",
        run_doctor,
        "find what keeps hooks from their entries on this machine",
        parents=[json_too],
    )
    demo = add("demo", run_demo, "show it all in a throw-away project")
    demo.add_argument("--keep", action="store_true", help="leave the project's folder there")
    _add_wiring(add, json_too)
    return parser


def _add_wiring(
    add: Callable[..., argparse.ArgumentParser], json_too: argparse.ArgumentParser
) -> None:
    """Add the commands that change files of the user: all have ``--dry-run``."""
    wiring = argparse.ArgumentParser(add_help=False)
    wiring.add_argument("--dry-run", action="store_true", help="show a diff, change nothing")
    wiring.add_argument("--yes", action="store_true", help="do not ask")
    wiring.add_argument(
        "--agent",
        action="append",
        default=[],
        metavar="NAME",
        help="only the files of claude, codex, cursor, gemini or copilot; can be repeated",
    )
    wiring.add_argument(
        "--user", action="store_true", help="the settings in your home folder as well"
    )
    wiring.add_argument("--no-git", action="store_true", help="leave git's hooks alone")
    add(
        "init",
        run_init,
        "put the hook commands of this project's agents on hook_wrapper.sh",
        parents=[wiring],
    )
    add("uninit", run_uninit, "take the hook commands off hook_wrapper.sh again", parents=[wiring])
    git_hooks = add(
        "git-hooks", run_git_hooks, "let git keep the hooks compiled", parents=[json_too]
    )
    git_hooks.add_argument("action", choices=["install", "uninstall", "status"])
    git_hooks.add_argument(
        "--global", action="store_true", dest="global_", help="for all repositories, and clones"
    )
    git_hooks.add_argument("--dry-run", action="store_true", help="say what would be done")


def _level(text: str) -> Optimize:
    levels: dict[str, Optimize] = {"auto": "auto", "0": 0, "1": 1, "2": 2}
    if text not in levels:
        raise argparse.ArgumentTypeError(f"{text!r} is not one of auto, 0, 1, 2")
    return levels[text]


def say(text: str, *, file: TextIO | None = None) -> None:
    """Print a text for a person: whatever a clone put into it, no terminal obeys it."""
    print(printable.lines(text), file=file)


def print_error(text: str) -> None:
    """Print an error for a person, with the tool's name in front."""
    say(f"hooks-compile: {text}", file=sys.stderr)


def print_as_it_is(text: str) -> None:
    """Print a text that another program reads: in UTF-8, no line end changed.

    On a terminal it is for a person.
    """
    if sys.stdout is not None and sys.stdout.isatty():
        say(text.removesuffix("\n"))
    elif sys.stdout is not None:  # as under >&-
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode(errors="surrogateescape"))


def print_json(value: object) -> None:
    """Print one JSON document."""
    import json

    print(json.dumps(value, indent=2))


def _here() -> Path:
    try:
        return Path.cwd()
    except FileNotFoundError:
        raise HooksCompileError("the current folder is gone", remedy="cd /") from None


def _open(arguments: argparse.Namespace) -> Project:
    from hooks_compile.project.record import open_project

    home = Path.home() if getattr(arguments, "user", False) else None
    return open_project(_here(), os.environ, getattr(arguments, "paths", ()), home=home)


@contextlib.contextmanager
def _progress(total: int) -> Iterator[Callable[[int], None]]:
    """Give a function that advances a bar on stderr: on a terminal, and when it takes long."""
    if total < _PROGRESS_FROM or not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("hooks", total=total)
        yield lambda done: progress.advance(task, done)


def _interpreters(arguments: argparse.Namespace, project: Project) -> list[Interpreter]:
    from hooks_compile.project.record import find_interpreters

    return find_interpreters(project, _here(), os.environ, arguments.python)


def _refresh_shims(arguments: argparse.Namespace, project: Project) -> list[Passing]:
    from hooks_compile.project.record import refresh_shims

    return refresh_shims(project, _here(), os.environ, arguments.python)


def _synced(
    arguments: argparse.Namespace, work: Callable[..., Synced], **options: bool
) -> tuple[Project, Synced, float]:
    """Do ``work`` on the project, and return it, what came of it, and the seconds it took."""
    start = time.perf_counter()
    project = _open(arguments)
    interpreters = _interpreters(arguments, project)
    with _progress(len(project.sources) * len(interpreters)) as advance:
        synced = work(project, interpreters, arguments.optimize, advance, **options)
    return project, synced, time.perf_counter() - start


def _report(arguments: argparse.Namespace, work: Callable[..., Synced], **options: bool) -> int:
    """Do ``work`` on the project and print what came of it; 1 where there is something to mend."""
    from hooks_compile.entries import report

    project, synced, seconds = _synced(arguments, work, **options)
    if arguments.command is not run_check:  # which writes nothing
        _refresh_shims(arguments, project)
    troubles = report.troubles(synced, project.root)
    if arguments.json:
        print_json(report.synced_json(synced, seconds))
        return bool(troubles)
    for text in troubles:
        say(text, file=sys.stderr)
    say(report.summary(synced, seconds))
    return bool(troubles)


def run_compile(arguments: argparse.Namespace) -> int:
    """Compile what is not compiled yet; with --changed only hooks among the given files."""
    from hooks_compile.entries.sync import synchronize

    if not arguments.changed:
        return _report(arguments, synchronize, prune=False)
    from hooks_compile.entries import committing
    from hooks_compile.project.record import open_project

    project = open_project(_here(), os.environ)
    optimize = project.config.optimize if arguments.optimize is None else arguments.optimize
    interpreters = _interpreters(arguments, project)
    paths = [_here() / path for path in arguments.paths]
    status = _print_checked(
        committing.compile_changed(project, paths, interpreters, optimize), project
    )
    return status | _print_missing_wrappers("index")


def run_sync(arguments: argparse.Namespace) -> int:
    """Compile what changed and prune what is gone; for git quietly, and without failing."""
    if arguments.git_hook:
        from hooks_compile.git_hooks import git_sync

        line = git_sync.run(_here(), os.environ)
        if line:
            say(line, file=sys.stderr)
        return 0
    from hooks_compile.entries.sync import synchronize

    return _report(arguments, synchronize)


def run_check(arguments: argparse.Namespace) -> int:
    """Tell what is not compiled or does not compile; write nothing."""
    if arguments.sources_only:
        from hooks_compile.entries import committing

        project = _open(arguments)
        optimize = project.config.optimize if arguments.optimize is None else arguments.optimize
        interpreters = _interpreters(arguments, project)
        status = _print_checked(committing.check_sources(project, interpreters, optimize), project)
        return status | _print_missing_wrappers("HEAD")
    from hooks_compile.entries.sync import examine

    status = _report(arguments, examine)
    if status and not arguments.json:
        say(
            "to fix it: hooks-compile compile, after correcting what does not compile",
            file=sys.stderr,
        )
    return status | _print_missing_wrappers("HEAD")


def _print_missing_wrappers(place: Place) -> int:
    from hooks_compile import git
    from hooks_compile.agents.wiring.committed import describe_missing, missing_wrappers

    root = git.work_tree(_here())
    if root is None:
        return 0
    index_file = os.environ.get("GIT_INDEX_FILE", "") if place == "index" else ""
    missing = missing_wrappers(root, place, index_file=index_file)
    for line in describe_missing(missing, root):
        say(line, file=sys.stderr)
    return bool(missing)


def _print_checked(checked: Checked, project: Project) -> int:
    from hooks_compile.entries.report import describe_trouble, shown

    for result in checked.broken:
        say(describe_trouble(result, project.root) or "", file=sys.stderr)
    for path in checked.tracked:
        where = shown(path, project.root)
        say(
            f"{where}: git tracks this cache file\n  to fix it: git rm --cached '{where}'",
            file=sys.stderr,
        )
    return not checked.ok


def run_status(arguments: argparse.Namespace) -> int:
    """Show how every hook stands."""
    from hooks_compile.entries import fallbacks, status
    from hooks_compile.entries.sync import examine

    project, synced, _ = _synced(arguments, examine, modules=False)
    passings = _refresh_shims(arguments, project)
    optimize = project.config.optimize if arguments.optimize is None else arguments.optimize
    trace = os.environ.get("HOOKS_COMPILE_TRACE")
    rows = status.rows(
        synced.results,
        optimize,
        fallbacks.read_log(project.runtime),
        fallbacks.count_launches(Path(trace)) if trace else None,
    )
    if arguments.json:
        hooks = [status.as_json(row) for row in rows]
        shims = [passing.as_json() for passing in passings]
        print_json({"root": str(project.root), "hooks": hooks, "shims": shims})
        return 0
    if not rows:
        say(f"no hooks in {project.root}")
        return 0
    print_table(status.COLUMNS, [status.cells(row, project.root) for row in rows])
    for note in dict.fromkeys(note for row in rows for note in row.notes):
        say(note)
    for passing in passings:
        say(str(passing))
    if not trace:
        say("launches are counted where HOOKS_COMPILE_TRACE names a file, for the agent and here")
    return 0


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table: fitted to a terminal, in full for a pipe."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(printable.one_line(cell)) for cell in row))
    console = Console(width=None if sys.stdout.isatty() else 10_000, highlight=False)
    console.print(table)


def run_wrapper(arguments: argparse.Namespace) -> int:
    """Write the wrapper beside the hooks."""
    from hooks_compile.install import wrapper
    from hooks_compile.project.record import wrapper_folders

    folders = arguments.folders or wrapper_folders(_open(arguments))
    standings = {folder / wrapper.NAME: wrapper.write(folder) for folder in folders}
    kept = {path: before for path, before in standings.items() if before in wrapper.LEFT_ALONE}
    if arguments.json:
        print_json({str(path): str(before) for path, before in standings.items()})
        return bool(kept)
    for path, before in standings.items():
        say(f"{path}: {wrapper.DONE[before]}")
    if not standings:
        say("no folder holds hooks of an agent: name one, hooks-compile wrapper DIR")
    return bool(kept) or not standings


def run_hook(arguments: argparse.Namespace) -> int:
    """Launch a hook as the wrapper does; without --explain it takes this process's place."""
    from hooks_compile.cli import launching

    command = launching.command(arguments.hook, arguments.arguments, arguments.python)
    if not arguments.explain:
        sys.stdout.flush()
        os.execv(command[0], command)  # noqa: S606 - the wrapper is a shell script
    passing = launching.meets_shim(arguments.python or "python3", os.environ)
    status, explanation = launching.explained(command, os.environ)
    print_error(explanation)
    if passing is not None:
        print_error(str(passing))
    return launching.end_like(status)


def run_clean(arguments: argparse.Namespace) -> int:
    """Remove entries, and the runtime folder where it is asked for."""
    from hooks_compile.entries import cache, report
    from hooks_compile.git_hooks import installer as git_hooks
    from hooks_compile.install import runtime_directory as runtime_folder

    project = _open(arguments)
    removed: list[Path] = []
    tops = [_here() / path for path in arguments.paths if path.is_dir()]
    alone = project.abandoned(tops or [project.root]) if tops or not arguments.paths else []
    for folder in [*project.folders(), *alone]:
        removed += cache.clean(cache.folder_in(folder))
    if arguments.runtime:
        removed += git_hooks.remove_shared(project.runtime)
        removed += runtime_folder.remove(project.runtime)
    if arguments.json:
        print_json({"removed": [str(path) for path in removed]})
    else:
        say(f"{report.plural(len(removed), 'file', 'files')} removed")
    if arguments.runtime and project.runtime.exists():
        say(f"{project.runtime}: stays, because something else is in it", file=sys.stderr)
        if any(folder.is_relative_to(project.runtime) for folder in git_hooks.template_folders()):
            text = "  git's configuration names it: hooks-compile git-hooks uninstall --global"
            say(text, file=sys.stderr)
    return 0


def run_runtime(_: argparse.Namespace) -> int:
    """Print the launcher's path."""
    from hooks_compile.install import runtime_directory as runtime_folder

    print_as_it_is(f"{runtime_folder.ensure(runtime_folder.location(os.environ))}\n")
    return 0


def run_doctor(arguments: argparse.Namespace) -> int:
    """Look for what keeps hooks from their entries."""
    from hooks_compile.doctor import checks as doctor

    findings = doctor.examine(_open(arguments), _here(), os.environ)
    if arguments.json:
        print_json([finding.as_json() for finding in findings])
    else:
        for finding in findings:
            say(str(finding))
    return any(finding.is_problem for finding in findings)


def run_init(arguments: argparse.Namespace) -> int:
    """Put the project's hooks on the wrapper, set up git, compile, and show how all stands."""
    from hooks_compile.agents.wiring import describe as wiring_text
    from hooks_compile.agents.wiring import plan as wiring_plan
    from hooks_compile.agents.wiring.apply import applied
    from hooks_compile.git_hooks import setup as git_setup

    project = _open(arguments)
    _require_agents(arguments.agent, wiring_plan.agent_names())
    home = Path.home() if arguments.user else None
    plan = wiring_plan.plan_init(
        project.root, os.environ, agents=arguments.agent, home=home, cwd=_here()
    )
    git_plan = None if arguments.no_git else git_setup.plan(project.root, os.environ)
    for line in [*wiring_text.describe(plan), *(git_plan.lines if git_plan else ())]:
        say(line)
    whats = [wiring_text.summary(plan), git_plan.summary if git_plan else ""]
    stop = _before_changes(arguments, plan, [what for what in whats if what])
    if stop is not None:
        return stop
    with applied(plan):
        if git_plan is not None:
            git_plan.apply(os.environ)
    for line in wiring_text.next_steps(plan):
        say(line)
    say("")
    whose = argparse.Namespace(user=arguments.user)
    status = run_sync(build_parser().parse_args(["sync"], whose))
    status |= run_status(build_parser().parse_args(["status"], whose))
    return status | _unfinished(plan)


def run_uninit(arguments: argparse.Namespace) -> int:
    """Take the project's hooks off the wrapper, and leave no trace."""
    from hooks_compile.agents.wiring import describe as wiring_text
    from hooks_compile.agents.wiring import plan as wiring_plan
    from hooks_compile.agents.wiring.apply import applied
    from hooks_compile.entries import cache, report
    from hooks_compile.git_hooks import installer as git_hooks
    from hooks_compile.git_hooks import setup as git_setup

    project = _open(arguments)
    _require_agents(arguments.agent, wiring_plan.agent_names())
    home = Path.home() if arguments.user else None
    plan = wiring_plan.plan_uninit(
        project.root,
        os.environ,
        project.folders(),
        agents=arguments.agent,
        home=home,
        cwd=_here(),
    )
    in_git = not (arguments.no_git or arguments.agent) and git_setup.is_installed(
        project.root, os.environ
    )
    for line in wiring_text.describe(plan):
        say(line)
    if in_git:
        say("git hooks: ours to be removed, others put back")
    if not arguments.no_git and (line := git_setup.leftover(project.root)):
        say(line)
    whats = [wiring_text.summary(plan), "git's hooks" if in_git else ""]
    stop = _before_changes(arguments, plan, [what for what in whats if what])
    if stop is not None:
        return stop
    with applied(plan):
        if in_git:
            git_hooks.uninstall(project.root, os.environ)
    if not arguments.agent:
        folders = [cache.folder_in(folder) for folder in project.folders()]
        if removed := sum(len(cache.clean(folder)) for folder in folders):
            say(f"{report.plural(removed, 'file')} of compiled code removed")
    if plan.changes:
        say("done: the hooks run from their sources, as before init")
    return _unfinished(plan)


def _require_agents(given: Sequence[str], known: Sequence[str]) -> None:
    for name in given:
        if name not in known:
            raise HooksCompileError(
                f"there is no agent {name!r}", remedy=f"--agent {' or --agent '.join(known)}"
            )


def _before_changes(arguments: argparse.Namespace, plan: Plan, whats: Sequence[str]) -> int | None:
    """Return the exit status where it ends here, None where the changes are to be made.

    It ends here where one file can't be changed: all files, or none.
    """
    from hooks_compile.agents.wiring import describe as wiring_text
    from hooks_compile.entries import report

    if plan.troubles:
        count = report.plural(len(plan.troubles), "file")
        print_error(
            f"nothing was changed, because of {count} (see above)\n"
            "  to fix it: do what stands there, or name the agents to go on with: --agent NAME"
        )
        return 1
    if arguments.dry_run:
        print_as_it_is(wiring_text.diff(plan))
        return _unfinished(plan)
    if not whats:
        say("nothing to change")
    elif not arguments.yes and not _agreed(", ".join(whats)):
        print_error("nothing was changed")
        return 1
    return None


def _unfinished(plan: Plan) -> int:
    from hooks_compile.entries import report

    if plan.unfinished:
        stays = report.plural(plan.unfinished, "command stays", "commands stay")
        print_error(f"{stays} for a reason that you can remove: see above, then run this again")
    return bool(plan.unfinished)


def _agreed(what: str) -> bool:
    """Ask before files of the user change."""
    if not sys.stdin.isatty():
        print_error("nobody is there to ask: add --yes to go on, or --dry-run to see a diff")
        return False
    # On stderr where stdout goes into a file or a pager: who is asked has to see it.
    out = sys.stdout if sys.stdout.isatty() else sys.stderr
    print(printable.lines(f"Change {what}? [y/N] "), end="", flush=True, file=out)
    answer = sys.stdin.readline()
    if not answer.endswith("\n"):
        print(file=out)
    return answer.strip().lower() in {"y", "yes"}


def run_git_hooks(arguments: argparse.Namespace) -> int:
    """Install, remove or show our hooks among git's."""
    from hooks_compile.git_hooks import hook_status as git_hook_status
    from hooks_compile.git_hooks import installer as git_hooks

    root = Path.cwd()
    if arguments.action == "status":
        status = git_hook_status.status(root, os.environ)
        if arguments.json:
            print_json(status.as_json())
        else:
            for event in status.events:
                say(f"{event.event}: {event.how or 'not installed'}")
            for problem in status.problems:
                say(problem)
        return not status.ok
    act = git_hooks.install if arguments.action == "install" else git_hooks.uninstall
    steps = act(root, os.environ, global_=arguments.global_, dry_run=arguments.dry_run)
    if arguments.json:
        print_json([step.as_json() for step in steps])
    else:
        for step in steps:
            say(str(step))
    return 0


def run_demo(arguments: argparse.Namespace) -> int:
    """Show it all in a throw-away project."""
    from hooks_compile.demo import story as demo

    return demo.run(say, keep=arguments.keep)
