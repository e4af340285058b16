"""``hooks-watch``: parses and prints; nothing else in this package prints.

Exit statuses: 0; 1 for what the user can fix (``--status``: nobody watches); 2 for a wrong call;
3 for a bug of ours; 128 + the signal that ended the watching.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import io
import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from hooks_compile import __version__
from hooks_compile.errors import HooksCompileError, pasted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import FrameType

    from hooks_compile.model import Optimize
    from watcher.events import Message
    from watcher.tree import Tree

_POLL_S = 2.0
_SCAN_S = 60.0
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def entry_point() -> None:
    """Be the command ``hooks-watch``."""
    raise SystemExit(main())


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    arguments = build_parser().parse_args(argv)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a name may be no UTF-8, a locale may have none
            stream.reconfigure(errors="backslashreplace")
    try:
        status: int = arguments.command(arguments)
        _flush()
    except HooksCompileError as error:
        _print_error(str(error))
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        _discard_stdout()
        return 128 + signal.SIGPIPE
    except Exception:
        import traceback

        traceback.print_exc()
        _print_error(f"this is a bug in hooks-watch {__version__}: please report the lines above")
        return 3
    return status


def build_parser() -> argparse.ArgumentParser:
    """Return the parser; it sets ``command`` to the function that does what is asked for."""
    parser = argparse.ArgumentParser(
        prog="hooks-watch",
        description="Compile the hooks of coding agents and git when they are saved, and report "
        "at once which do not compile.",
    )
    parser.set_defaults(command=_watch)
    add = parser.add_argument
    add("--version", action="version", version=f"%(prog)s {__version__}")
    add(
        "paths",
        nargs="*",
        type=Path,
        metavar="PATH",
        help="projects, or files and directories of hooks (default: the current project)",
    )
    add(
        "--python",
        action="append",
        default=[],
        metavar="CMD",
        help="an interpreter that runs the hooks; may be repeated "
        "(default: python3, and those that launches recorded)",
    )
    add(
        "--optimize",
        choices=("auto", "0", "1", "2"),
        help="the optimization level (default: as configured)",
    )
    add("--json", action="store_true", help="print JSON lines for programs")
    add("--quiet", action="store_true", help="print only what has to be fixed, and that it is")
    add(
        "--poll",
        nargs="?",
        type=_seconds,
        const=_POLL_S,
        metavar="SECONDS",
        help=f"poll the directories so often ({_POLL_S:g} s) instead of waiting for events",
    )
    add(
        "--scan",
        type=_seconds,
        default=_SCAN_S,
        metavar="SECONDS",
        help="compare all contents with their entries so often (default: %(default)g)",
    )
    instead = parser.add_mutually_exclusive_group()
    for name, command, about in (
        ("--once", _once, "compile what is not compiled, and exit"),
        ("--status", _status, "show whether a watcher runs and what it does (if none: exit 1)"),
    ):
        instead.add_argument(name, action="store_const", dest="command", const=command, help=about)
    instead.add_argument(
        "--service",
        nargs="?",
        const="both",
        choices=("systemd", "launchd", "both"),
        help="print a systemd user unit and a launchd property list that run this command",
    )
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
    from hooks_compile import runtime_folder
    from watcher.loop import Loop
    from watcher.observer import MOST_WATCHES, Monitor
    from watcher.watch_status import Station

    trees = _trees(arguments)
    runtime = runtime_folder.location(os.environ)
    runtime_folder.ensure(runtime)
    # A save waits for the interpreter's lock while a survey's thread is busy: not for long.
    sys.setswitchinterval(0.001)
    printer = _Printer(arguments, trees)

    def report(tree: Tree, message: Message) -> None:
        try:
            printer(tree, message)
        except BrokenPipeError:
            _discard_stdout()
            loop.stop(signal.SIGPIPE)

    with contextlib.ExitStack() as stack:
        stations = {tree: Station(runtime, tree.given) for tree in trees}
        for station in stations.values():
            station.acquire()
            stack.callback(station.release)
        loop = Loop(
            stations,
            report,
            functools.partial(
                Monitor, poll_s=arguments.poll, most_watches=MOST_WATCHES * len(trees)
            ),
        )
        with _stopping_at_signals(loop.stop):
            return 128 + loop.run()


@contextlib.contextmanager
def _stopping_at_signals(stop: Callable[[int], None]) -> Iterator[None]:
    """Call ``stop`` at the first signal; the second has its usual effect."""

    def handle(number: int, _: FrameType | None) -> None:
        for each in _SIGNALS:
            signal.signal(each, before[each])
        stop(number)

    before = {number: signal.getsignal(number) for number in _SIGNALS}
    for number in _SIGNALS:
        if before[number] is not signal.SIG_IGN:  # nohup
            signal.signal(number, handle)
    try:
        yield
    finally:
        for number in _SIGNALS:
            signal.signal(number, before[number])


def _once(arguments: argparse.Namespace) -> int:
    """Compile what is not compiled."""
    from watcher.loop import sync

    trees = _trees(arguments)
    printer = _Printer(arguments, trees)
    is_good = True
    for tree in trees:
        with contextlib.closing(tree):
            is_good &= sync(tree, functools.partial(printer, tree))
    return 0 if is_good else 1


def _status(arguments: argparse.Namespace) -> int:
    """Show which trees are watched, and by whom."""
    from hooks_compile import runtime_folder
    from watcher.watch_status import Station, as_json, as_text

    runtime = runtime_folder.location(os.environ)
    stations = [Station(runtime, tree.given) for tree in _trees(arguments)]
    watched = [station.is_watched() for station in stations]
    if arguments.json:
        import json

        print(json.dumps([as_json(*pair) for pair in zip(stations, watched, strict=True)]))
    else:
        for pair in zip(stations, watched, strict=True):
            print(as_text(*pair, time.time()))
    return 0 if all(watched) else 1


def _service(arguments: argparse.Namespace) -> int:
    """Print texts for service managers."""
    from hooks_compile.interpreters import user_environment
    from watcher import service_units

    env = service_units.environment(user_environment(os.environ))
    paths = [str(tree.given) for tree in _trees(arguments)]
    program = [os.path.abspath(sys.argv[0])]  # noqa: PTH100 - a symlink to us stays one
    if program[0].endswith("__main__.py"):
        program = [sys.executable, "-m", "watcher"]
    options = [word for command in arguments.python for word in ("--python", command)]
    for name in ("optimize", "poll", "scan"):
        value = getattr(arguments, name)
        if value is not None and value != build_parser().get_default(name):
            options += [f"--{name}", f"{value:g}" if isinstance(value, float) else value]
    options += [f"--{name}" for name in ("json", "quiet") if getattr(arguments, name)]
    command = [*program, *paths, *options]
    log = str(Path.home() / "Library/Logs/hooks-watch.log")
    systemd, launchd = service_units.systemd(command, env), service_units.launchd(command, env, log)
    both = service_units.both(systemd, launchd, ["hooks-watch", *paths, *options])
    print({"systemd": systemd, "launchd": launchd, "both": both}[arguments.service], end="")
    return 0


def _trees(arguments: argparse.Namespace) -> list[Tree]:
    """Return the trees that are asked for, each once. Raises HooksCompileError.

    From then on git is looked for in none of them: what a checkout brings is not executed.
    """
    from hooks_compile import git
    from hooks_compile.outside import search_path
    from watcher.survey import Options, is_project
    from watcher.tree import Tree

    try:
        current = Path.cwd()
    except FileNotFoundError as error:
        text = "the current directory does not exist any more"
        raise HooksCompileError(text, remedy="cd to a directory that exists") from error
    options = Options(dict(os.environ), tuple(arguments.python), _level(arguments.optimize))
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


def _level(text: str | None) -> Optimize | None:
    levels: dict[str | None, Optimize] = {"auto": "auto", "0": 0, "1": 1, "2": 2}
    return levels.get(text)


class _Printer:
    """Prints messages: lines for a person, or JSON for programs."""

    def __init__(self, arguments: argparse.Namespace, trees: Sequence[Tree]) -> None:
        self._json: bool = arguments.json
        self._quiet: bool = arguments.quiet
        self._base = Path(os.path.commonpath([tree.given.resolve() for tree in trees]))

    def __call__(self, tree: Tree, message: Message) -> None:
        """Print ``message``. Raises BrokenPipeError if nobody reads any more."""
        from watcher import lines

        is_urgent = lines.is_urgent(message)
        if self._quiet and not is_urgent:
            return
        now = time.time()
        stream = sys.stderr if is_urgent and not self._json else sys.stdout
        if self._json:
            import json

            text = "\n".join(json.dumps(value) for value in lines.as_json(message, now, tree.root))
        else:
            painter = lines.Painter(self._base, colour=_has_colour(stream.isatty()))
            text = painter.text(message, now)
        try:
            print(text, file=stream, flush=True)
        except BrokenPipeError:
            raise
        except OSError:
            return  # a full disk under the log is no reason to stop compiling


def _has_colour(is_terminal: bool) -> bool:
    return is_terminal and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


def _flush() -> None:
    """Write what is left to write. Raises BrokenPipeError if nobody reads it."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError:  # the work is done, even if its log can't be written
        _discard_stdout()


def _discard_stdout() -> None:
    """Write nowhere: Python must not complain at exit about what can't be written."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _print_error(text: str) -> None:
    print(f"hooks-watch: {text}", file=sys.stderr)
