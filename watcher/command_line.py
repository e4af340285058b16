"""``hooks-watch``: parses and prints; nothing else in this package prints.

Exit statuses: 0; 1 for what the user can fix (``--status``: nobody watches); 2 for a wrong call;
3 for a bug of ours; 128 + the signal that ended the watching.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from hooks_compile import __version__
from hooks_compile.cli import edge
from hooks_compile.errors import HooksCompileError, pasted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import FrameType

    from hooks_compile.model import Optimize
    from watcher.lines import Message
    from watcher.tree import Tree

_POLL_S = 2.0
_SCAN_S = 60.0
_LEVELS: dict[str, Optimize] = {"auto": "auto", "0": 0, "1": 1, "2": 2}


def entry_point() -> None:
    """Be the command ``hooks-watch``."""
    raise SystemExit(main())


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    arguments = build_parser().parse_args(argv)
    return edge.run(lambda: int(arguments.command(arguments)), "hooks-watch")


def build_parser() -> argparse.ArgumentParser:
    """Return the parser; it sets ``command`` to the function that does what is asked for."""
    parser = argparse.ArgumentParser(
        prog="hooks-watch",
        description="Compile the hooks of coding agents and git when they are saved, and report "
        "at once which do not compile.",
    )
    parser.set_defaults(command=_watch)
    paths = "projects, or files and directories of hooks (default: the current project)"
    python = "an interpreter that runs the hooks; may be repeated (default: python3, and those "
    python += "that launches recorded)"
    poll = f"poll the directories so often ({_POLL_S:g} s) instead of waiting for events"
    scan = "compare all contents with their entries so often (default: %(default)g)"
    service = "print a systemd user unit and a launchd property list that run this command"
    add = parser.add_argument
    add("--version", action="version", version=f"%(prog)s {__version__}")
    add("paths", nargs="*", type=Path, metavar="PATH", help=paths)
    add("--python", action="append", default=[], metavar="CMD", help=python)
    add("--optimize", choices=_LEVELS, help="the optimization level (default: as configured)")
    add("--json", action="store_true", help="print JSON lines for programs")
    add("--quiet", action="store_true", help="print only what has to be fixed, and that it is")
    add("--poll", nargs="?", const=_POLL_S, type=_seconds, metavar="SECONDS", help=poll)
    add("--scan", default=_SCAN_S, type=_seconds, metavar="SECONDS", help=scan)
    instead = parser.add_mutually_exclusive_group()
    for name, command, about in (
        ("--once", _once, "compile what is not compiled, and exit"),
        ("--status", _status, "show what the watcher does (exit 1 if none runs)"),
    ):
        instead.add_argument(name, action="store_const", dest="command", const=command, help=about)
    units = ("systemd", "launchd", "both")
    instead.add_argument("--service", nargs="?", const="both", choices=units, help=service)
    return parser


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.01 <= value <= 86400:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no number of seconds from 0.01 to 86400 (write a PATH before the option)"
        )
    return value


def _watch(arguments: argparse.Namespace) -> int:
    """Watch until a signal says to stop."""
    if arguments.service:
        return _service(arguments)
    from hooks_compile.install import runtime_directory
    from watcher.loop import Loop
    from watcher.observer import MOST_WATCHES, Monitor
    from watcher.watch_status import Station

    trees = _trees(arguments)
    runtime = runtime_directory.location(os.environ)
    runtime_directory.ensure(runtime)
    # A save waits for the interpreter's lock while a survey's thread is busy: not for long.
    sys.setswitchinterval(0.001)
    print_message = _printer(arguments, trees)

    def report(tree: Tree, message: Message) -> None:
        try:
            print_message(tree, message)
        except BrokenPipeError:
            edge.discard_stdout()
            loop.stop(signal.SIGPIPE)
        except OSError:
            return  # a full disk under the log is no reason to stop compiling

    with contextlib.ExitStack() as stack:
        stations = {tree: Station(runtime, tree.given) for tree in trees}
        for station in stations.values():
            station.acquire()
            stack.callback(station.release)
        most_watches = MOST_WATCHES * len(trees)
        loop = Loop(stations, report, lambda put: Monitor(put, arguments.poll, most_watches))
        _stop_at_signals(loop.stop)
        status = 128 + loop.run()
    try:
        sys.stdout.flush()
    except OSError:  # the work is done, even if its log can't be written
        edge.discard_stdout()
    return status


def _stop_at_signals(stop: Callable[[int], None]) -> None:
    """Call ``stop`` at the first signal; the second ends the process at once."""

    def handle(number: int, _: FrameType | None) -> None:
        signal.signal(number, signal.SIG_DFL)
        stop(number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
            signal.signal(number, handle)


def _once(arguments: argparse.Namespace) -> int:
    """Compile what is not compiled."""
    from watcher.loop import sync

    trees = _trees(arguments)
    print_message = _printer(arguments, trees)
    is_good = True
    for tree in trees:
        with contextlib.closing(tree):
            is_good &= sync(tree, functools.partial(print_message, tree))
    return 0 if is_good else 1


def _status(arguments: argparse.Namespace) -> int:
    """Show which trees are watched, and by whom."""
    from hooks_compile.install import runtime_directory
    from watcher.watch_status import Station

    runtime = runtime_directory.location(os.environ)
    stations = [Station(runtime, tree.given) for tree in _trees(arguments)]
    found = [station.status() for station in stations]
    if arguments.json:
        print(json.dumps([status.as_json() for status in found]))
    else:
        print("\n".join(status.as_text(time.time()) for status in found))
    return 0 if all(status.is_watched for status in found) else 1


def _service(arguments: argparse.Namespace) -> int:
    """Print texts for service managers."""
    from hooks_compile.interpreters.user_environment import user_environment
    from watcher import service_units

    paths = [str(tree.given) for tree in _trees(arguments)]
    program = [os.path.abspath(sys.argv[0])]  # noqa: PTH100 - a symlink to us stays one
    if program[0].endswith("__main__.py"):
        program = [sys.executable, "-m", "watcher"]
    options = [word for command in arguments.python for word in ("--python", command)]
    if arguments.optimize:
        options += ["--optimize", arguments.optimize]
    if arguments.poll:
        options += ["--poll", f"{arguments.poll:g}"]
    if arguments.scan != _SCAN_S:
        options += ["--scan", f"{arguments.scan:g}"]
    options += [f"--{name}" for name in ("json", "quiet") if getattr(arguments, name)]
    env = service_units.environment(user_environment(os.environ))
    print(service_units.text(arguments.service, program, [*paths, *options], env), end="")
    return 0


def _trees(arguments: argparse.Namespace) -> list[Tree]:
    """Return the trees that are asked for, each once. Raises HooksCompileError.

    From then on git is looked for in none of them: what a checkout brings is not executed.
    """
    from hooks_compile import git
    from hooks_compile.trust import search_path
    from watcher.survey import Options, is_project
    from watcher.tree import Tree

    try:
        current = Path.cwd()
    except FileNotFoundError as error:
        text = "the current directory does not exist any more"
        raise HooksCompileError(text, remedy="cd to a directory that exists") from error
    level = _LEVELS[arguments.optimize] if arguments.optimize else None
    options = Options(dict(os.environ), tuple(arguments.python), level)
    trees: dict[Path, Tree] = {}
    for path in arguments.paths or [git.work_tree(current) or current]:
        if not path.exists():
            raise HooksCompileError("does not exist", path=path, remedy=f"ls -ld {pasted(path)}")
        given = Path(os.path.abspath(path))  # noqa: PTH100 - a symlink stays one
        whole = not arguments.paths or is_project(given)
        tree = Tree(given, options, whole=whole, scan_s=arguments.scan)
        trees.setdefault(given.resolve(), tree)
    roots = [git.work_tree(given) or given for given in trees]
    os.environ["PATH"] = search_path(os.environ.get("PATH", os.defpath), *roots)
    return list(trees.values())


def _printer(
    arguments: argparse.Namespace, trees: Sequence[Tree]
) -> Callable[[Tree, Message], None]:
    """Return what prints a message: lines for a person, or JSON for programs."""
    base = Path(os.path.commonpath([tree.given.resolve() for tree in trees]))
    may_colour = "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"

    def print_message(tree: Tree, message: Message) -> None:
        if arguments.quiet and not message.is_urgent:
            return
        stream = sys.stderr if message.is_urgent and not arguments.json else sys.stdout
        if arguments.json:
            text = "\n".join(map(json.dumps, message.as_json(time.time(), tree.root)))
        else:
            text = message.as_text(time.time(), base, has_colour=may_colour and stream.isatty())
        print(text, file=stream, flush=True)

    return print_message
