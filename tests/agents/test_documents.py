"""Settings files as text: what they hold, and where each string is written."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hooks_compile.agents.wiring.documents import Edit, Quoted, locate, read_settings
from hooks_compile.errors import AgentConfigError
from tests.support.tiers import scaled

JSON = Path("settings.json")
TOML = Path("config.toml")
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-16", categories=None), max_size=8)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
some = settings(max_examples=scaled(40, 100, 2000), deadline=None)


def pieces(text: str, path: Path, *keys: str | int) -> list[str]:
    (quoted,) = locate(text, path, read_settings(text, path), [keys])
    assert quoted is not None
    assert text[quoted.start :].startswith(quoted.text)
    return list(quoted.pieces)


@some
@given(VALUES, st.sampled_from([None, 0, 2, "\t"]), st.booleans())
def test_it_reads_what_the_json_module_writes(
    value: object, indent: int | str | None, ascii_only: bool
) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    assert read_settings(text, JSON) == value


@some
@given(st.text(max_size=12), st.booleans())
def test_each_character_of_a_string_has_its_piece_of_the_text(value: str, ascii_only: bool) -> None:
    text = json.dumps({"": ["x", 1], "a": {"b": 0, "c": [value]}}, ensure_ascii=ascii_only)
    found = pieces(text, JSON, "a", "c", 0)
    assert "".join(json.loads(f'"{piece}"') for piece in found) == value
    assert len(found) == len(value)


def test_escapes_of_every_kind_are_pieces() -> None:
    text = r'{"a": "x\"\\\/\b\u00e9\ud83d\ude00\ud800y"}'
    assert read_settings(text, JSON) == {"a": 'x"\\/\b\u00e9\U0001f600\ud800y'}
    assert pieces(text, JSON, "a") == [
        *("x", r"\"", r"\\", r"\/", r"\b", r"\u00e9", r"\ud83d\ude00", r"\ud800", "y")
    ]


def test_comments_trailing_commas_a_mark_and_crlf_are_read() -> None:
    text = (
        '\ufeff// first "\r\n{ /* a } " */ "a": [1, "x, ]" /* , */ , ],\r\n'
        ' "b": "// no comment, }", // last ]\r\n}\r\n'
    )
    assert read_settings(text, JSON) == {"a": [1, "x, ]"], "b": "// no comment, }"}
    assert "".join(pieces(text, JSON, "b")) == "// no comment, }"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1, column 1: Expecting value"),
        ('{"a":}', "line 1, column 6: Expecting value"),
        ('{\n"a":1 "b":2}', "line 2, column 7: Expecting ',' delimiter"),
        ('{"a":1,\n "\\u0061":2}', 'the key "a" is there twice'),
        ("[1,,2]", "line 1, column 4"),
        ("[1,,]", "line 1, column 4"),
        ("[,]", "line 1, column 2"),
        ("{,}", "line 1, column 2"),
        ("// {}\n/* \n{} {}", "line 2, column 1"),
        ("/* x */ {} {}", "line 1, column 12: Extra data"),
        ("/*/ {}", "line 1, column 1: Expecting value"),
        ("[NaN]", "NaN is no JSON"),
        ("[" + "1" * 5000 + "]", "limit"),
        ('["a\nb"]', "line 1, column 4: Invalid control character"),
        ('["a\\', "Unterminated string"),
        ("{'a': 1}", "line 1, column 2"),
        ("[" * 100_000, "nested too deeply"),
    ],
    ids=lambda text: text[:12],
)
def test_what_is_no_json_is_refused_with_the_reason(text: str, message: str) -> None:
    with pytest.raises(AgentConfigError) as caught:
        read_settings(text, JSON)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "text",
    ["/*" * 500_000, '"' + '\\"' * 500_000, '"' * 999_999, "{" + "x " * 500_000, "," * 999_999],
)
def test_hostile_json_is_refused_in_time(text: str) -> None:
    start = time.process_time()
    with pytest.raises(AgentConfigError):
        read_settings(text, JSON)
    assert time.process_time() - start < 5


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


def test_each_character_of_every_kind_of_toml_string_has_its_piece() -> None:
    basic = pieces(TEXT, TOML, "hooks", "PreToolUse", 0, "hooks", 0, "command")
    assert basic == [*"python3 ", '\\"', "a", '\\"', " ", "\\u00e9"]
    literal = pieces(TEXT, TOML, "hooks", "Stop", 0, "hooks", 0, "command")
    assert literal == [*'python3 "b" \\u00e9']
    assert pieces(TEXT, TOML, "hooks", "Stop", 0, "hooks", 1, "command") == [*"python3 c"]


def test_new_text_is_written_as_the_quotes_need_it() -> None:
    edit = [Edit(1, 2, 'a"\\b')]
    assert Quoted(0, '"', ("x", "y")).edited(edit) == '"xa\\"\\\\b"'
    assert Quoted(0, "'", ("x", "y")).edited(edit) == "'xa\"\\b'"
    assert Quoted(0, "'", ("x", "y")).edited([Edit(0, 0, "'")]) is None


@pytest.mark.parametrize(
    "literal",
    ['"""\npython3 a"""', '"""python3 \\\n  a"""', '"""python3 \\"a\\""""', '"\\x41"'],
)
def test_a_toml_string_of_several_lines_or_with_rare_escapes_has_no_place(literal: str) -> None:
    text = f"command = {literal}\n"
    assert locate(text, TOML, read_settings(text, TOML), [("command",)]) == [None]


@pytest.mark.parametrize(
    "text",
    [
        "{}\n",
        "\ufeff{}\n",
        "# c\r\n{}\r\n\r\n",
        "[hooks.other]\nx = 1\n[table]\n{}\n[hooks]\n",
        "other = 'a'\n{}",
        "inline = { a = 1,\n  b = 2,\n}\n{}\n",  # TOML 1.1
    ],
)
def test_a_string_is_found_wherever_it_is(text: str) -> None:
    text = text.replace("{}", "command = 'python3 x'  # kept")
    keys = ("table", "command") if "[table]" in text else ("command",)
    assert "".join(pieces(text, TOML, *keys)) == "python3 x"


def test_strings_in_tables_that_are_apart_are_found() -> None:
    text = (
        "[[hooks.Stop]]\n[[hooks.Stop.hooks]]\ncommand = 'a'\n[other]\n"
        "[[hooks.Start]]\n[[hooks.Start.hooks]]\ncommand = 'b'\n"
        "[[hooks.Start.hooks]]\ncommand = 'b'\n"
    )
    places = [("Stop", 0), ("Start", 1), ("Start", 0)]
    keys = [("hooks", event, 0, "hooks", number, "command") for event, number in places]
    found = locate(text, TOML, read_settings(text, TOML), keys)
    assert [quoted.text for quoted in found if quoted] == ["'a'", "'b'", "'b'"]
    first, last, middle = (quoted.start for quoted in found if quoted)
    assert first < middle < last


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = [\n", "line 1"),
        ("hooks = " + "[" * 50_000 + "]" * 50_000, "nested"),
        ("hooks = 1\na" + ".a" * 100_000 + " = 1\n", "line 2: a name of too many parts"),
        ("# " + "x" * 300_000, "larger than 256 KiB"),
        ("a = 1\na = 2\n", "already"),
    ],
    ids=lambda text: text[:12],
)
def test_what_is_no_toml_or_takes_too_long_is_refused(text: str, message: str) -> None:
    with pytest.raises(AgentConfigError, match=message):
        read_settings(text, TOML)
