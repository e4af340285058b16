"""The arguments of every command, and nothing else."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hooks_compile import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_PYTHON_HELP = "a Python of the hooks; can be repeated (default: python3, and those of launches)"
# as in hooks_compile.bench.methods
_WAYS = ("resumed", "pyc", "cython", "nuitka", "pypy", "uv", "shim")
# Options of a command that would have no effect on one of its actions.
_WITHOUT_EFFECT = {
    ("git-hooks", "status"): ("global_", "dry_run"),
    ("snapshot", "off"): ("python", "limit_mb"),
    ("snapshot", "status"): ("limit_mb",),
}


def parse(words: Sequence[str]) -> argparse.Namespace:
    """Return the parsed arguments; a call with an option that does nothing is wrong, too."""
    parser = build_parser()
    arguments = parser.parse_args(words)
    call = arguments.command, getattr(arguments, "action", "")
    given = [name for name in _WITHOUT_EFFECT.get(call, ()) if getattr(arguments, name)]
    if given:
        names = ", ".join(f"--{name.strip('_').replace('_', '-')}" for name in given)
        parser.error(f"{names} has no effect with {' '.join(call)}")
    return arguments


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands; ``command`` of the result is the name of the command."""
    parser = argparse.ArgumentParser(
        prog="hooks-compile",
        description="Keeps the Python hooks of coding agents and git compiled.",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", dest="command", required=True)

    def add(name: str, about: str, *parents: argparse.ArgumentParser) -> argparse.ArgumentParser:
        description = f"{about[0].upper()}{about[1:]}."
        return commands.add_parser(name, help=about, description=description, parents=parents)

    paths = _option("paths", nargs="*", type=Path, metavar="PATH", help="instead of all hooks")
    as_json = _option("--json", action="store_true", help="print JSON for programs")
    dry_run = _option("--dry-run", action="store_true", help="show the changes, make none")
    verbose = _option("--verbose", action="store_true", help="show every hook and command")
    python = _option("--python", action="append", default=[], metavar="CMD", help=_PYTHON_HELP)
    one_python = _option("--python", metavar="CMD", help="the interpreter (default: python3)")
    compiling = (paths, python, _optimize(), as_json)

    command = add("compile", "compile the hooks that are not compiled yet", *compiling)
    about = "only hooks and modules beside them among the files (for pre-commit)"
    command.add_argument("--changed", action="store_true", help=about)

    command = add("sync", "compile what changed, and remove what is not needed", *compiling)
    about = "as git calls it: fast, never fails, prints only a hook that does not compile"
    command.add_argument("--git-hook", action="store_true", help=about)

    command = add("check", "list the hooks that are not compiled or do not compile", *compiling)
    about = "only that all sources compile, and that git tracks no compiled file (for CI)"
    command.add_argument("--sources-only", action="store_true", help=about)

    add("status", "show hooks that need a look, and how many do not", *compiling, verbose)

    command = add("wrapper", "write hook_wrapper.sh beside the hooks", as_json)
    about = "directories, instead of all with hooks of agents"
    command.add_argument("directories", nargs="*", type=Path, metavar="DIR", help=about)

    _add_run(add("run", "launch a hook as the wrapper does", one_python).add_argument)

    command = add("clean", "remove the entries of the hooks", paths, as_json)
    about = "remove the runtime directory, too"
    command.add_argument("--runtime", action="store_true", help=about)

    add("runtime", "print the launcher's path, and bring the launcher up to date")

    command = add("snapshot", "launch hooks from the memory of a started Python", python, as_json)
    actions = ["on", "off", "status", "refresh"]  # refresh is what launches and git hooks start
    command.add_argument("action", choices=actions, metavar="{on,off,status}")
    about = "how much they may have on disk (default: 256)"
    command.add_argument("--limit-mb", type=int, metavar="MB", help=about)

    add("doctor", "find what keeps hooks from their entries on this machine", as_json)
    bench = add("bench", "measure what launches of your hooks take", paths, one_python, as_json)
    _add_bench(bench.add_argument)

    command = add("demo", "show everything in a temporary project")
    command.add_argument("--keep", action="store_true", help="keep the project's directory")

    wiring = (dry_run, verbose, _wiring())
    init = add("init", "put the hook commands of this project's agents on hook_wrapper.sh", *wiring)
    about = "change commands that Windows would run, too: nobody uses the hooks there"
    init.add_argument("--posix", action="store_true", help=about)
    add("uninit", "take the hook commands off hook_wrapper.sh again", *wiring)

    command = add("git-hooks", "let git keep the hooks compiled", dry_run, as_json)
    command.add_argument("action", choices=["install", "uninstall", "status"])
    about = "for all of your repositories"
    command.add_argument("--global", action="store_true", dest="global_", help=about)
    return parser


def _option(name: str, **how: Any) -> argparse.ArgumentParser:
    parent = argparse.ArgumentParser(add_help=False)
    parent.add_argument(name, **how)
    return parent


def _optimize() -> argparse.ArgumentParser:
    about = "the optimization level (default: the highest that changes nothing)"
    return _option("--optimize", type=level, choices=["auto", 0, 1, 2], help=about)


def _add_run(option: Callable[..., object]) -> None:
    option("--explain", action="store_true", help="print to stderr which code ran, and why")
    option("hook", metavar="HOOK", help="the script")
    option("arguments", nargs=argparse.REMAINDER, metavar="ARGS", help="what the script gets")


def _add_bench(option: Callable[..., object]) -> None:
    option("--stdin", type=Path, metavar="FILE", help="what hooks read, instead of samples")
    about = f"other ways to launch, too: {', '.join(_WAYS)}"
    option("--against", type=_ways, default=(), metavar="WAY,...", help=about)
    about = "how long to measure in all (default: 60)"
    option("--time", type=float, default=60.0, metavar="SECONDS", help=about)
    about = "launch hooks that import network modules, too"
    option("--network", action="store_true", help=about)
    about = "say what changed since the result that --json wrote"
    option("--compare", type=Path, metavar="OLD.json", help=about)
    option("--html", type=Path, metavar="FILE", help="write a page with charts")


def _ways(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(text.split(",")))
    for name in names:
        if name not in _WAYS:
            raise argparse.ArgumentTypeError(f"{name!r} is not one of {', '.join(_WAYS)}")
    return names


def _wiring() -> argparse.ArgumentParser:
    parent = _option("--yes", action="store_true", help="do not ask")
    about = (
        "only the files of claude, codex, gemini, copilot, qwen, cursor, factory, windsurf or "
        "kiro; can be repeated"
    )
    parent.add_argument("--agent", action="append", default=[], metavar="NAME", help=about)
    about = "the settings in your home directory as well"
    parent.add_argument("--user", action="store_true", help=about)
    parent.add_argument("--no-git", action="store_true", help="leave git's hooks alone")
    return parent


def level(text: str) -> int | str:
    """Return the level that ``text`` names; argparse rejects other numbers."""
    return text if text == "auto" else int(text)
