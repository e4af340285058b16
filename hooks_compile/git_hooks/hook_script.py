"""Our git hook: a block of lines in a shell script, with what others put around it."""

from __future__ import annotations

import re
import shlex
from functools import cache
from pathlib import Path
from typing import NamedTuple

EVENTS = (
    "post-checkout",
    "post-merge",
    "post-rewrite",
    "post-commit",
    "post-applypatch",
    "post-index-change",
)
"""What git runs our hook for. post-index-change is the one that tells of nearly everything."""

_FIRST = re.compile(rb"^# hooks-compile git hook \d+\b", re.MULTILINE)
_LAST = re.compile(
    rb"^# end of the lines of hooks-compile\r?\n"
    rb'|^\*\) exec "\$hooks_compile_kept" "\$@" ;;\r?\nesac\r?\n',  # of git hook 1
    re.MULTILINE,
)
_SHEBANG = re.compile(rb"\A#!.*\n?")


class Parts(NamedTuple):
    """The content of a hook file with our block in it."""

    before: bytes
    block: bytes
    after: bytes

    @property
    def others(self) -> bytes:
        """What is left without our block; empty if that is a shebang at most."""
        left = self.before + self.after
        return left if _SHEBANG.sub(b"", left).strip() else b""


def text(tool: Path) -> bytes:
    """Return a hook that fits every event; ``tool`` is the command ``hooks-compile``."""
    content = _template()
    for name, value in ((b"@TOOL@", str(tool)), (b"@TREE@", _tree_around(tool))):
        content = content.replace(name, shlex.quote(value).encode(errors="surrogateescape"))
    return content


def updated(content: bytes, tool: Path) -> bytes:
    """Return a hook file with our block in this version; unchanged if it has none."""
    parts = parse(content)
    block = _SHEBANG.sub(b"", text(tool))
    return parts.before + block + parts.after if parts else content


def parse(content: bytes) -> Parts | None:
    """Return the parts of a hook file, None if our block is not in it, or not whole.

    A file that an editor gave the line ends of Windows, which no shell runs, gets its own back.
    """
    first = _FIRST.search(content)
    last = _LAST.search(content, first.end()) if first else None
    if first is None or last is None:
        return None
    start, end = first.start(), last.end()
    if b"\r\n" in content[start:end]:
        return parse(content.replace(b"\r\n", b"\n"))
    return Parts(content[:start], content[start:end], content[end:])


def config_command(script: Path) -> str:
    """Return the shell command for git's configuration; without the script it does nothing.

    git adds the hook's arguments behind it; a sourced script sees the same ones as its caller.
    """
    quoted = shlex.quote(str(script))
    return f"[ ! -r {quoted} ] || . {quoted}"


@cache
def _template() -> bytes:
    return Path(__file__).with_name("git_hook.sh").read_bytes()


def _tree_around(tool: Path) -> str:
    directory = tool.parent.resolve()
    trees = (each for each in (directory, *directory.parents) if (each / ".git").exists())
    return str(next(trees, ""))
