"""What a command that is not understood may name: words that look like paths, read roughly."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hooks_compile.agents.shell.launches import WRAPPER_NAME
from hooks_compile.agents.shell.shell_words import expand
from hooks_compile.agents.shell.syntax import NotUnderstoodError, parse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_VARIABLE = re.compile(r"\$\{(\w+)(?::?-[^{}]*)?\}|\$(\w+)")
_TOPLEVEL = re.compile(r"\$\(\s*git rev-parse --show-toplevel[^()]*\)")
_LAUNCH = re.compile(
    r"""(?<![\w=/.-])(python3?)((?:\s+-[A-Za-z]+)*)\s+"""
    r"""("[^"]*/[^"/]+\.py"|'[^']*/[^'/]+\.py'|(?:\$\([^()]*\)|[^\s;&|"'()<>])*/[^\s;&|"'()<>/]+\.py)"""
    r"""(?![\w./])"""
)


def mentioned_words(text: str, variables: Mapping[str, str], root: Path) -> Iterator[str]:
    """Yield what may be a path in a command: its words, by the shell's rules and without them.

    ``$(git rev-parse --show-toplevel)`` is taken for ``root``.
    """
    try:
        words = [word for command in parse(text) for word in command.words]
    except NotUnderstoodError:
        words = []
    yield from filter(None, (expand(word, variables) for word in words))
    rough = _TOPLEVEL.sub(lambda _: str(root), text)
    rough = _VARIABLE.sub(lambda match: variables.get(match[1] or match[2], ""), rough)
    rough = rough.replace("~/", variables.get("HOME", "~") + "/")
    yield from filter(None, re.split(r"[\s;|&()<>\"'`]+", re.sub(r"[\"']", "", rough)))


def suggested_command(command: str) -> str:
    """Return the command with each ``python3 DIR/X.py`` on the wrapper beside it, "" without one.

    It is a suggestion for a person: nobody has checked that it does the same.
    """
    suggested = _LAUNCH.sub(_on_wrapper, command)
    return suggested if suggested != command else ""


def _on_wrapper(match: re.Match[str]) -> str:
    python, flags, script = match.groups()
    directory, _, name = script.rpartition("/")
    quote = name[-1] if name.endswith(("'", '"')) else ""
    mark = "" if python == "python3" else f" --python={python}"
    return f"sh {directory}/{WRAPPER_NAME}{quote}{mark}{flags} {script}"
