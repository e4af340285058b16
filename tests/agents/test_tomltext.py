"""TOML strings that are replaced in place."""

from __future__ import annotations

from itertools import pairwise

import pytest

from hooks_compile.agents.wiring.toml_text import TomlDocument, TomlTextError

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


@pytest.mark.parametrize(
    "text",
    [
        'command = """\npython3 a"""\n',
        'command = """python3 \\\n  a"""\n',
        'command = """python3 \\"a\\""""\n',
        'command = "\\x41"\n',
    ],
)
def test_a_string_of_several_lines_or_rare_escapes_is_refused(text: str) -> None:
    with pytest.raises(TomlTextError, match="several lines or has rare escapes"):
        TomlDocument(text).offsets(("command",))


@pytest.mark.parametrize(
    "text",
    [
        "{}\n",
        "\ufeff{}\n",
        "# c\r\n{}\r\n\r\n",
        "[hooks.other]\nx = 1\n[table]\n{}\n[hooks]\n",
        "other = 'a'\n{}",
    ],
)
def test_a_string_is_found_wherever_it_stands(text: str) -> None:
    text = text.replace("{}", "command = 'python3 x'  # kept")
    document = TomlDocument(text)
    path = ("table", "command") if "[table]" in text else ("command",)
    offsets = document.offsets(path)
    assert text[offsets[0] : offsets[-1]] == "python3 x"


def test_hooks_in_tables_that_stand_apart_are_found() -> None:
    text = (
        "[[hooks.Stop]]\n[[hooks.Stop.hooks]]\ncommand = 'a'\n[other]\n"
        "[[hooks.Start]]\n[[hooks.Start.hooks]]\ncommand = 'b'\n"
        "[[hooks.Start.hooks]]\ncommand = 'c'\n"
    )
    document = TomlDocument(text)
    for path, expected in {
        ("hooks", "Stop", 0, "hooks", 0, "command"): "a",
        ("hooks", "Start", 0, "hooks", 0, "command"): "b",
        ("hooks", "Start", 0, "hooks", 1, "command"): "c",
    }.items():
        start, end = document.offsets(path)
        assert text[start:end] == expected


def test_what_is_no_toml_is_refused() -> None:
    with pytest.raises(TomlTextError, match="line 1"):
        TomlDocument("a = [\n")


def test_what_is_nested_without_end_is_refused() -> None:
    with pytest.raises(TomlTextError, match="nested"):
        TomlDocument("hooks = " + "[" * 50_000 + "]" * 50_000)


def test_a_name_that_would_keep_the_reader_busy_is_refused() -> None:
    with pytest.raises(TomlTextError, match="line 2: a name of too many parts"):
        TomlDocument("hooks = 1\na" + ".a" * 100_000 + " = 1\n")
