"""``hooks-watch``: parses and prints; nothing else in this package prints.

Exit statuses: 0, 1 for what the user can mend (``--status``: nobody watches), 2 for a wrong call,
3 for a bug of ours, and 128 + the signal that ended the watching.
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
from hooks_compile.errors import HooksCompileError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import FrameType

    from hooks_compile.model import Optimize
    from watcher.compilers import Compilers
    from watcher.lines import Painter
    from watcher.model import Message
    from watcher.state import Station
    from watcher.tree import Tree

_POLL_S = 2.0
_SCAN_S = 60.0
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


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
        _leave_stdout()
        return 128 + signal.SIGPIPE
    except Exception:
        import traceback

        traceback.print_exc()
        _print_error(f"this is a bug in hooks-watch {__version__}: please report the lines above")
        return 3
    return status


def _flush() -> None:
    """Write what is left to write; raises BrokenPipeError where nobody reads it."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError:  # what was done is done, whether its log is written or not
        _leave_stdout()


def _leave_stdout() -> None:
    """Write nowhere: Python must not complain at exit about what can't be written."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def entry_point() -> None:
    """What the command ``hooks-watch`` calls."""
    raise SystemExit(main())


def build_parser() -> argparse.ArgumentParser:
    """Return the parser; it sets ``command`` to the function that does what is asked for."""
    parser = argparse.ArgumentParser(
        prog="hooks-watch",
        description="Compiles the hooks of coding agents and git as they are saved, and says at "
        "once which do not compile.",
    )
    parser.set_defaults(command=_watch)
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    parser.add_argument(
        "paths",
        nargs="*",
        type=Path,
        metavar="PATH",
        help="projects, or files and folders of hooks (default: the project around this folder)",
    )
    parser.add_argument(
        "--python",
        action="append",
        default=[],
        metavar="CMD",
        help="an interpreter that runs the hooks, once for each of several "
        "(default: python3, and those that launches recorded)",
    )
    parser.add_argument(
        "--optimize",
        type=_level,
        metavar="{auto,0,1,2}",
        help="the optimization level (default: the highest that changes nothing)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON lines for programs")
    parser.add_argument(
        "--quiet", action="store_true", help="print only what has to be mended, and that it is"
    )
    parser.add_argument(
        "--poll",
        nargs="?",
        type=_seconds,
        const=_POLL_S,
        metavar="SECONDS",
        help=f"look at the folders every so often ({_POLL_S:g} s) instead of waiting for events",
    )
    parser.add_argument(
        "--scan",
        type=_seconds,
        default=_SCAN_S,
        metavar="SECONDS",
        help="compare all contents with what is compiled every so often (default: %(default)g)",
    )
    instead = parser.add_mutually_exclusive_group()

    def add(name: str, command: Callable[[argparse.Namespace], int], about: str) -> None:
        instead.add_argument(name, action="store_const", dest="command", const=command, help=about)

    add("--once", _once, "compile what is not compiled, and exit")
    add("--status", _status, "tell whether a watcher runs here, and what it does (else exit 1)")
    instead.add_argument(
        "--service",
        nargs="?",
        const="both",
        choices=("systemd", "launchd", "both"),
        help="print a systemd user unit and a launchd property list that run this command",
    )
    return parser


def _level(text: str) -> Optimize:
    levels: dict[str, Optimize] = {"auto": "auto", "0": 0, "1": 1, "2": 2}
    if text not in levels:
        raise argparse.ArgumentTypeError(f"{text!r} is not one of auto, 0, 1, 2")
    return levels[text]


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.01 <= value <= 86400:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no number of seconds from 0.01 to 86400 (a PATH goes in front)"
        )
    return value


def _print_error(text: str) -> None:
    print(f"hooks-watch: {text}", file=sys.stderr)


def _trees(arguments: argparse.Namespace, compilers: Compilers) -> list[Tree]:
    """Return the trees that are asked for, each once. Raises HooksCompileError.

    From then on git is looked for in none of them: what a checkout brings is not executed.
    """
    from hooks_compile import git
    from hooks_compile.trust import search_path
    from watcher.survey import Options, is_whole
    from watcher.tree import Tree

    options = Options(dict(os.environ), tuple(arguments.python), arguments.optimize)
    trees: dict[Path, Tree] = {}
    for path in arguments.paths or [git.work_tree(Path.cwd()) or Path.cwd()]:
        if not path.exists():
            raise HooksCompileError("does not exist", path=path, remedy=f"ls -ld '{path}'")
        given = Path(os.path.abspath(path))  # noqa: PTH100 - a symlink stays one
        whole = not arguments.paths or is_whole(given)
        trees.setdefault(given.resolve(), Tree(given, options, compilers, whole=whole))
    roots = [git.work_tree(given) or given for given in trees]
    os.environ["PATH"] = search_path(os.environ.get("PATH", os.defpath), *roots)
    return list(trees.values())


class _Printer:
    """Prints messages: lines for a person, or JSON for programs."""

    def __init__(self, arguments: argparse.Namespace, trees: Sequence[Tree]) -> None:
        self._json: bool = arguments.json
        self._quiet: bool = arguments.quiet
        roots = [str(tree.root.resolve()) for tree in trees]
        self._base = Path(os.path.commonpath(roots))
        self._painters: dict[bool, Painter] = {}

    def __call__(self, tree: Tree, message: Message) -> None:
        """Print ``message``; raises BrokenPipeError where nobody reads any more."""
        from watcher import lines

        if self._quiet and not lines.is_urgent(message):
            return
        now = time.time()
        urgent = lines.is_urgent(message) and not self._json
        stream = sys.stderr if urgent else sys.stdout
        if self._json:
            import json

            text = "\n".join(json.dumps(value) for value in lines.as_json(message, now, tree.root))
        else:
            text = self._painter(colour=_has_colour(stream.isatty())).text(message, now)
        try:
            print(text, file=stream, flush=True)
        except BrokenPipeError:
            raise
        except OSError:
            return  # a full disk under the log is no reason to stop compiling

    def _painter(self, *, colour: bool) -> Painter:
        from watcher.lines import Painter

        if colour not in self._painters:
            self._painters[colour] = Painter(self._base, colour=colour)
        return self._painters[colour]


def _has_colour(is_terminal: bool) -> bool:
    return is_terminal and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


def _watch(arguments: argparse.Namespace) -> int:
    """Watch until a signal says to stop."""
    from hooks_compile.install import runtime_directory as runtime_folder
    from watcher.compilers import Compilers
    from watcher.observer import open_watches
    from watcher.service import Service
    from watcher.state import Station
    from watcher.watching import Lookout

    if arguments.service:
        return _service(arguments)
    compilers = Compilers()
    trees = _trees(arguments, compilers)
    runtime = runtime_folder.location(os.environ)
    runtime_folder.ensure(runtime)
    # A save waits for the interpreter's lock while the helper's thread is busy: not for long.
    sys.setswitchinterval(0.001)
    printer = _Printer(arguments, trees)
    with contextlib.ExitStack() as stack:
        stations = [_acquired(Station(runtime, tree.given), stack) for tree in trees]

        def report(tree: Tree, message: Message) -> None:
            try:
                printer(tree, message)
            except BrokenPipeError:
                _leave_stdout()
                service.stop(signal.SIGPIPE)

        service = Service(
            list(zip(trees, stations, strict=True)),
            compilers,
            report,
            open_lookout=lambda put: Lookout(
                put,
                None if arguments.poll else open_watches,
                arguments.poll or _POLL_S,
            ),
            scan_s=arguments.scan,
        )
        with _stopping_at_signals(service.stop):
            return 128 + service.run()


def _acquired(station: Station, stack: contextlib.ExitStack) -> Station:
    station.acquire()
    stack.callback(station.release)
    return station


@contextlib.contextmanager
def _stopping_at_signals(stop: Callable[[int], None]) -> Iterator[None]:
    """Have the first signal stop in order; the second takes its usual way."""

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
    from watcher.compilers import Compilers
    from watcher.service import sync

    compilers = Compilers()
    try:
        trees = _trees(arguments, compilers)
        printer = _Printer(arguments, trees)
        all_well = True
        for tree in trees:
            all_well &= sync(tree, functools.partial(printer, tree))
    finally:
        compilers.close()
    return 0 if all_well else 1


def _status(arguments: argparse.Namespace) -> int:
    """Tell which trees are watched, by whom."""
    from hooks_compile.install import runtime_directory as runtime_folder
    from watcher.compilers import Compilers
    from watcher.state import Station
    from watcher.status import as_json, as_text

    runtime = runtime_folder.location(os.environ)
    stations = [Station(runtime, tree.given) for tree in _trees(arguments, Compilers())]
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
    from hooks_compile.interpreters.user_environment import user_environment
    from watcher import units
    from watcher.compilers import Compilers

    env = units.environment(user_environment(os.environ))
    trees = _trees(arguments, Compilers())
    program = [os.path.abspath(sys.argv[0])]  # noqa: PTH100 - a symlink to us stays one
    if program[0].endswith("__main__.py"):
        program = [sys.executable, "-m", "watcher"]
    options = [word for command in arguments.python for word in ("--python", command)]
    if arguments.optimize is not None:
        options += ["--optimize", str(arguments.optimize)]
    if arguments.poll:
        options += ["--poll", f"{arguments.poll:g}"]
    if arguments.scan != _SCAN_S:
        options += ["--scan", f"{arguments.scan:g}"]
    options += [f"--{name}" for name in ("json", "quiet") if getattr(arguments, name)]
    paths = [str(tree.given) for tree in trees]
    command = [*program, *paths, *options]
    log = str(Path.home() / "Library/Logs/hooks-watch.log")
    texts = {"systemd": units.systemd(command, env), "launchd": units.launchd(command, env, log)}
    again = ["hooks-watch", *paths, *options]
    texts["both"] = units.both(texts["systemd"], texts["launchd"], again)
    print(texts[arguments.service], end="")
    return 0
