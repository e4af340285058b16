"""``hooks-watch``: parses and prints; nothing else in this package prints.

Exit statuses: 0; 1 for what the user can fix (``--status``: nobody watches); 2 for a wrong call;
3 for a bug of ours; 128 + the signal that ended the watching.
"""

from __future__ import annotations

import argparse
import contextlib
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
from watcher.debounce import POLL_S, SCAN_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from types import FrameType

    from hooks_compile.model import Optimize
    from watcher.lines import Message
    from watcher.tree import Tree

    Say = Callable[[Tree, Message], None]

_LEVELS: dict[str, Optimize] = {"auto": "auto", "0": 0, "1": 1, "2": 2}


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
    poll = f"compare all contents so often ({POLL_S:g} s), and do not wait for events"
    scan = "compare all contents so often, besides (default: %(default)g)"
    add = parser.add_argument
    add("--version", action="version", version=f"%(prog)s {__version__}")
    add("paths", nargs="*", type=Path, metavar="PATH", help=paths)
    add("--python", action="append", default=[], metavar="CMD", help=python)
    add("--optimize", choices=_LEVELS, help="the optimization level (default: as configured)")
    add("--json", action="store_true", help="print JSON lines for programs")
    add("--quiet", action="store_true", help="print only what has to be fixed, and that it is")
    add("--poll", nargs="?", const=POLL_S, type=_seconds, metavar="SECONDS", help=poll)
    add("--scan", default=SCAN_S, type=_seconds, metavar="SECONDS", help=scan)
    instead = parser.add_mutually_exclusive_group()
    for name, command, about in (
        ("--once", _once, "compile what is not compiled, and exit"),
        ("--status", _status, "show what the watcher does (exit 1 if none runs)"),
    ):
        instead.add_argument(name, action="store_const", dest="command", const=command, help=about)
    return parser


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.01 <= value <= 86400:
        cause = "not from 0.01 to 86400 seconds (write a PATH before the option)"
        raise argparse.ArgumentTypeError(f"{text!r} is {cause}")
    return value


def _watch(arguments: argparse.Namespace) -> int:
    """Watch until a signal says to stop."""
    from hooks_compile.install import runtime_directory
    from watcher.loop import Loop
    from watcher.watch_status import Station

    roots = _roots(arguments)
    runtime = runtime_directory.location(os.environ)
    runtime_directory.ensure(runtime)
    loop, print_message = Loop(), _printer(arguments, roots)

    def say(tree: Tree, message: Message) -> None:
        try:
            print_message(tree, message)
        except BrokenPipeError:
            edge.discard_stdout()
            loop.put(signal.SIGPIPE)
        except OSError:
            return  # a full disk under the log is no reason to stop compiling

    with contextlib.ExitStack() as stack:
        trees = list(_trees(arguments, roots, say))
        for tree in trees:
            stack.enter_context(contextlib.closing(tree))
            tree.watch(loop.put, Station(runtime, tree.given))
        _stop_at_signals(loop.put)
        status = 128 + loop.run(trees)
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
    """Compile what is not compiled; return 1 if something has to be fixed."""
    roots = _roots(arguments)
    is_good = True
    for tree in _trees(arguments, roots, _printer(arguments, roots)):
        with contextlib.closing(tree):
            is_good &= tree.sync()
    return 0 if is_good else 1


def _status(arguments: argparse.Namespace) -> int:
    """Show which trees are watched, and by whom."""
    from hooks_compile.install import runtime_directory
    from watcher.watch_status import Station

    runtime = runtime_directory.location(os.environ)
    found = [Station(runtime, given).status() for given in _roots(arguments)]
    if arguments.json:
        print(json.dumps([status.as_json(time.time()) for status in found]))
    else:
        print("\n".join(status.as_text() for status in found))
    return 0 if all(status.is_watched for status in found) else 1


def _roots(arguments: argparse.Namespace) -> dict[Path, Path]:
    """Return what is asked for, each once, and the root of its work tree.

    Raises HooksCompileError.
    """
    from hooks_compile import git
    from hooks_compile.cli.context import current_directory

    current = current_directory()
    roots: dict[Path, Path] = {}
    for path in arguments.paths or [git.work_tree(current) or current]:
        if not path.exists():
            raise HooksCompileError("does not exist", path=path, remedy=f"ls -ld {pasted(path)}")
        given = Path(os.path.abspath(path))  # noqa: PTH100 - a symlink stays one
        if all(given.resolve() != other.resolve() for other in roots):
            roots[given] = git.work_tree(given) or given.resolve()
    return roots


def _trees(arguments: argparse.Namespace, roots: Mapping[Path, Path], say: Say) -> Iterator[Tree]:
    """Yield the trees that are asked for. Raises HooksCompileError.

    From then on git is looked for in none of them, and the Python of one tree in no other: what a
    checkout brings is not executed.
    """
    from hooks_compile.trust import search_path
    from watcher.survey import Options, is_project
    from watcher.tree import Tree

    level = _LEVELS[arguments.optimize] if arguments.optimize else None
    programs = os.environ.get("PATH", os.defpath)
    os.environ["PATH"] = search_path(programs, *roots.values())
    for given, root in roots.items():
        others = (other for other in roots.values() if other != root)
        env = {**os.environ, "PATH": search_path(programs, *others)}
        options = Options(env, tuple(arguments.python), level, arguments.scan)
        if arguments.poll:
            options = options._replace(scan_s=arguments.poll, most_watches=0)
        yield Tree(given, options, say, whole=not arguments.paths or is_project(given))


def _printer(arguments: argparse.Namespace, given: Iterable[Path]) -> Say:
    """Return what prints a message: lines for a person, or JSON for programs."""
    base = Path(os.path.commonpath([path.resolve() for path in given]))
    may_colour = "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"

    def print_message(tree: Tree, message: Message) -> None:
        if not (message.is_urgent if arguments.quiet else message.text or arguments.json):
            return
        stream = sys.stderr if message.is_urgent and not arguments.json else sys.stdout
        if arguments.json:
            text = json.dumps(message.as_json(time.time(), tree.found.root))
        else:
            text = message.as_text(time.time(), base, has_colour=may_colour and stream.isatty())
        print(text, file=stream, flush=True)

    return print_message
