"""TOML strings that are replaced in place."""

from __future__ import annotations

from itertools import pairwise

import pytest

from hooks_compile.agents.tomltext import TomlDocument, TomlTextError

TEXT = """\
# kept\r
[features]
hooks = true   # kept too

[[hooks.PreToolUse]]
matcher = "^Bash$"
  [[hooks.PreToolUse.hooks]]
  type = "command"
  command = "python3 \\"a\\" \\u00e9"   # why

[[hooks.Stop]]
hooks = [ { type = 'command', command = 'python3 "b" \\u00e9' }, {command = \"\"\"python3 c\"\"\"} ]

[[hooks.Stop.more]]
command = \"\"\"
python3 d \\
   e\"\"\"
"""
BASIC = ("hooks", "PreToolUse", 0, "hooks", 0, "command")
LITERAL = ("hooks", "Stop", 0, "hooks", 0, "command")
LONG = ("hooks", "Stop", 0, "hooks", 1, "command")


def at(path: tuple[str | int, ...]) -> list[str]:
    offsets = TomlDocument(TEXT).offsets(path)
    return [TEXT[start:end] for start, end in pairwise(offsets)]


def test_each_character_of_every_kind_of_string_is_found() -> None:
    assert at(BASIC) == [*"python3 ", '\\"', "a", '\\"', " ", "\\u00e9"]
    assert at(LITERAL) == [*'python3 "b" \\u00e9']
    assert at(LONG) == [*"python3 c"]


def test_new_text_is_written_as_the_string_needs_it() -> None:
    document = TomlDocument(TEXT)
    assert document.encode(BASIC, 'a"\\b') == 'a\\"\\\\b'
    assert document.encode(LITERAL, 'a"\\b') == 'a"\\b'
    assert document.encode(LITERAL, "a'b") is None


def test_a_string_of_several_lines_is_refused() -> None:
    path = ("hooks", "Stop", 0, "more", 0, "command")
    with pytest.raises(TomlTextError, match="several lines"):
        TomlDocument(TEXT).offsets(path)


def test_what_is_no_toml_is_refused() -> None:
    with pytest.raises(TomlTextError, match="line 1"):
        TomlDocument("a = [\n")
