"""The arguments of every command, and nothing else."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from hooks_compile import __version__

_WAYS = (
    "resumed",
    "pyc",
    "cython",
    "nuitka",
    "pypy",
    "uv",
    "shim",
)  # as in hooks_compile.bench.methods


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

    paths = _option(
        "paths", nargs="*", type=Path, metavar="PATH", help="files and directories, instead of all"
    )
    as_json = _option("--json", action="store_true", help="print JSON for programs")
    dry_run = _option("--dry-run", action="store_true", help="show the changes, make none")
    verbose = _option("--verbose", action="store_true", help="show every hook and command")
    compiling = (paths, _compiling(), as_json)
    add("compile", "compile the hooks that are not compiled yet", *compiling).add_argument(
        "--changed",
        action="store_true",
        help="of the given files compile only hooks and modules beside them (for pre-commit)",
    )
    add(
        "sync", "compile what changed, and remove entries that are not needed", *compiling
    ).add_argument(
        "--git-hook",
        action="store_true",
        help="as git calls it: fast, prints only a hook that does not compile, never fails",
    )
    add("check", "list the hooks that are not compiled or do not compile", *compiling).add_argument(
        "--sources-only",
        action="store_true",
        help="check only that all sources compile, and that git tracks no compiled file (for CI)",
    )
    add("status", "show hooks that need a look, and how many do not", *compiling, verbose)
    add("wrapper", "write hook_wrapper.sh beside the hooks", as_json).add_argument(
        "directories",
        nargs="*",
        type=Path,
        metavar="DIR",
        help="directories, instead of all with hooks of agents",
    )
    run = add("run", "launch a hook as the wrapper does")
    run.add_argument(
        "--explain", action="store_true", help="print to stderr which code ran, and why"
    )
    run.add_argument("--python", metavar="CMD", help="the interpreter (default: python3)")
    run.add_argument("hook", metavar="HOOK", help="the script")
    run.add_argument(
        "arguments", nargs=argparse.REMAINDER, metavar="ARGS", help="what the script gets"
    )
    add("clean", "remove the entries of the hooks", paths, as_json).add_argument(
        "--runtime", action="store_true", help="remove the runtime directory, too"
    )
    add("runtime", "print the launcher's path, and bring the launcher up to date")
    snapshot = add("snapshot", "launch hooks from the memory of a started Python", as_json)
    actions = ["on", "off", "status", "refresh"]  # refresh is what a launch and git hooks start
    snapshot.add_argument("action", choices=actions, metavar="{on,off,status}")
    snapshot.add_argument(
        "--python",
        action="append",
        default=[],
        metavar="CMD",
        help="an interpreter that runs the hooks; can be repeated (default: as for compile)",
    )
    snapshot.add_argument(
        "--limit-mb", type=int, metavar="MB", help="how much they may have on disk (default: 256)"
    )
    add("doctor", "find what keeps hooks from their entries on this machine", as_json)
    _add_bench(add("bench", "measure what launches of your hooks take", paths, as_json))
    add("demo", "show everything in a temporary project").add_argument(
        "--keep", action="store_true", help="keep the project's directory"
    )
    wiring = (dry_run, verbose, _wiring())
    add("init", "put the hook commands of this project's agents on hook_wrapper.sh", *wiring)
    add("uninit", "take the hook commands off hook_wrapper.sh again", *wiring)
    git_hooks = add("git-hooks", "let git keep the hooks compiled", dry_run, as_json)
    git_hooks.add_argument("action", choices=["install", "uninstall", "status"])
    git_hooks.add_argument(
        "--global", action="store_true", dest="global_", help="for all of your repositories"
    )
    return parser


def _option(name: str, **how: Any) -> argparse.ArgumentParser:
    parent = argparse.ArgumentParser(add_help=False)
    parent.add_argument(name, **how)
    return parent


def _compiling() -> argparse.ArgumentParser:
    parent = _option(
        "--python",
        action="append",
        default=[],
        metavar="CMD",
        help="an interpreter that runs the hooks; can be repeated "
        "(default: python3, and those that launches recorded)",
    )
    parent.add_argument(
        "--optimize",
        type=level,
        choices=["auto", 0, 1, 2],
        help="the optimization level (default: the highest that changes nothing)",
    )
    return parent


def _add_bench(bench: argparse.ArgumentParser) -> None:
    bench.add_argument(
        "--python", action="append", default=[], metavar="CMD", help="the interpreter of the hooks"
    )
    bench.add_argument(
        "--stdin", type=Path, metavar="FILE", help="what hooks read, instead of sample events"
    )
    bench.add_argument(
        "--against",
        type=_ways,
        default=(),
        metavar="WAY,...",
        help="other ways to launch, too: resumed, pyc, cython, nuitka, pypy, uv, shim",
    )
    bench.add_argument(
        "--time",
        type=float,
        default=60.0,
        metavar="SECONDS",
        help="how long to measure in all (default: 60)",
    )
    bench.add_argument(
        "--network", action="store_true", help="launch hooks that import network modules, too"
    )
    bench.add_argument(
        "--compare",
        type=Path,
        metavar="OLD.json",
        help="say what changed since the result that --json wrote",
    )
    bench.add_argument("--html", type=Path, metavar="FILE", help="write a page with charts")


def _ways(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(text.split(",")))
    for name in names:
        if name not in _WAYS:
            raise argparse.ArgumentTypeError(f"{name!r} is not one of {', '.join(_WAYS)}")
    return names


def _wiring() -> argparse.ArgumentParser:
    parent = _option("--yes", action="store_true", help="do not ask")
    parent.add_argument(
        "--agent",
        action="append",
        default=[],
        metavar="NAME",
        help="only the files of claude, codex, cursor, gemini or copilot; can be repeated",
    )
    parent.add_argument(
        "--user", action="store_true", help="the settings in your home directory as well"
    )
    parent.add_argument("--no-git", action="store_true", help="leave git's hooks alone")
    return parent


def level(text: str) -> int | str:
    """Return the level that ``text`` names; argparse rejects other numbers."""
    return text if text == "auto" else int(text)
