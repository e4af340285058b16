"""Our git hook: a block of lines in a shell script, with what others put around it."""

from __future__ import annotations

import re
import shlex
from functools import cache
from pathlib import Path

EVENTS = (
    *("post-checkout", "post-merge", "post-rewrite", "post-commit", "post-applypatch"),
    "post-index-change",
)
"""What git runs our hook for. The last one tells of all changes but those of one command."""

_BLOCK = re.compile(
    rb"(?ms)^# hooks-compile git hook \d+:.*?^# end of the lines of hooks-compile\n"
)
_SHEBANG = re.compile(rb"\A#!.*\n?")


def text(tool: Path) -> bytes:
    """Return a hook that fits every event; ``tool`` is the command ``hooks-compile``."""
    directory = tool.parent.resolve()  # a branch may replace a link
    trees = (each for each in (directory, *directory.parents) if (each / ".git").exists())
    content = _template()
    for name, value in ((b"@TOOL@", directory / tool.name), (b"@TREE@", next(trees, ""))):
        content = content.replace(name, shlex.quote(str(value)).encode(errors="surrogateescape"))
    return content


def has_block(content: bytes) -> bool:
    """Return whether our whole block is in a hook file, in any version."""
    return _BLOCK.search(content) is not None


def with_block(content: bytes, tool: Path) -> bytes:
    """Return a hook file with our block in this version in place of that in ``content``."""
    block = _SHEBANG.sub(b"", text(tool))
    return _BLOCK.sub(lambda _: block, content)


def without_block(content: bytes) -> bytes:
    """Return a hook file without our block; empty if a shebang at most is left."""
    left = _BLOCK.sub(b"", content)
    return left if _SHEBANG.sub(b"", left).strip() else b""


def config_command(script: Path) -> str:
    """Return the shell command for git's configuration; without the script it does nothing.

    git adds the hook's arguments behind it; a sourced script sees the same ones as its caller.
    """
    quoted = shlex.quote(str(script))
    return f"[ ! -r {quoted} ] || . {quoted}"


@cache
def _template() -> bytes:
    return Path(__file__).with_name("git_hook.sh").read_bytes()
