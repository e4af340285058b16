"""Words that have a standard one in their place do not come back: see docs and messages."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.conftest import CHECKOUT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PLACES = ("hooks_compile", "watcher", "docs", "README.md", "CHANGELOG.md", ".pre-commit-hooks.yaml")
SUFFIXES = (".md", ".py", ".sh", ".toml", ".txt", ".yaml")
# word: (what it looks like, what is meant instead)
WORDS = {
    # workspaceFolder is a variable of VS Code
    "folder": (re.compile(r"(?<!workspace)folder", re.IGNORECASE), "directory"),
    "mend": (re.compile(r"(?<![a-z])mend(?:s|ed|ing)?(?![a-z])", re.IGNORECASE), "fix"),
}


def texts() -> Iterator[Path]:
    for place in PLACES:
        top = CHECKOUT / place
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            if path.is_file() and path.suffix in SUFFIXES:
                yield path


@pytest.mark.parametrize("word", WORDS)
def test_a_word_does_not_come_back(word: str) -> None:
    pattern, instead = WORDS[word]
    found = [
        f"{path.relative_to(CHECKOUT)}:{number}: {line.strip()}"
        for path in texts()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if pattern.search(line)
        # the changelog names a key that was renamed
        and not (path.name == "CHANGELOG.md" and f"`{word}ed`" in line)
    ]
    assert not found, f"write {instead}\n" + "\n".join(found)


def test_the_patterns_find_words_and_identifiers() -> None:
    for word, (pattern, _) in WORDS.items():
        for text in (word, f"is_{word}ed", f"{word.upper()}S = 1", f"the {word}s there"):
            assert pattern.search(text), text
    for text in ("amend", "recommended", "${workspaceFolder}", 'overflow="fold"'):
        assert not any(pattern.search(text) for pattern, _ in WORDS.values()), text
