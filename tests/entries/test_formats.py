"""An entry of another format is made anew, and other rules of levels are another."""

from __future__ import annotations

import ast
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from hooks_compile.compile_worker.standard_modules import MODULES
from hooks_compile.launcher import entry
from hooks_compile.model import State
from tests.conftest import CHECKOUT
from tests.support.launches import User
from tests.support.repositories import write

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

# One line for each format, oldest first: its name, and the digest of the rules it came with. For
# other rules, raise FORMAT and add a line; a line that has been released stays as it is.
HISTORY = Path(__file__).with_name("formats.txt")
RULES = CHECKOUT / "hooks_compile/compile_worker/level.py"


def code_lines(path: Path) -> Iterator[str]:
    """The lines of a source that are neither blank nor a comment nor part of a text by itself."""
    text = path.read_text("utf-8")
    texts = {
        number
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        for number in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
    for number, line in enumerate(text.splitlines(), 1):
        if number not in texts and line.strip() and not line.lstrip().startswith("#"):
            yield line.rstrip()


def test_other_rules_are_another_format() -> None:
    lines = [*code_lines(RULES), *sorted(MODULES)]
    digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]
    formats = [line.split() for line in HISTORY.read_text().splitlines()]
    names = [name for name, _ in formats]
    assert len(set(names)) == len(names), "a format has the rules that it came with"
    assert formats[-1] == [entry.FORMAT.decode(), digest], (
        "the rules of levels changed: raise FORMAT in hooks_compile/launcher/entry.py, "
        f"and add a line with it to {HISTORY.name}: {digest}"
    )


def test_comments_are_no_rules(tmp_path: Path) -> None:
    bare = "x = 1\n\n\ndef f() -> str:\n    return 'a'  # kept\n"
    texts = f'"""About."""\n# why\n{bare}"""More\nof it."""\n'
    assert list(code_lines(write(tmp_path / "a.py", texts))) == list(
        code_lines(write(tmp_path / "b.py", bare))
    )


def test_an_entry_of_another_format_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = User.create(tmp_path)
    hook = write(tmp_path / "guard.py", "print(1)\n")
    mark = tmp_path / "mark"
    code = compile(f"open({str(mark)!r}, 'w')", "guard.py", "exec")
    with monkeypatch.context() as patched:
        patched.setattr(entry, "FORMAT", b"h0")
        data = entry.pack(user.key, 2, b"aw", code, entry.NO_NOTES, hook.read_bytes())
    path = write(user.entry_path(hook, 2), data)
    assert (user.launch(hook).state, mark.exists()) == ("miss", False)
    assert path.read_bytes() == data
    (result,) = user.compile(hook)
    assert result.state is State.COMPILED
    assert path.read_bytes() != data
    assert user.launch(hook).state == "hit"
