"""Settings files as text: what they hold, and where each string is written."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hooks_compile.agents.wiring.documents import read_settings, replace_values
from hooks_compile.errors import AgentConfigError
from tests.support.tiers import scaled

JSON = Path("settings.json")
TOML = Path("config.toml")
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
some = settings(max_examples=scaled(40, 100, 2000), deadline=None)


def replaced(text: str, path: Path, key: tuple[str | int, ...], value: str) -> str:
    """Return the text with another string at a place, from which it comes back."""
    settings: Any = read_settings(text, path)
    for part in key:
        settings = settings[part]
    new, refused = replace_values(text, path, {key: {key: value}})
    assert refused == {}
    assert replace_values(new, path, {key: {key: settings}}) == (text, {})
    return new


@some
@given(VALUES, st.sampled_from([None, 0, 2, "\t"]), st.booleans())
def test_it_reads_what_the_json_module_writes(
    value: object, indent: int | str | None, ascii_only: bool
) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    assert read_settings(text, JSON) == value


@some
@example("a", False)  # as a key in front of it
@given(st.text(max_size=12), st.booleans())
def test_any_string_is_replaced_and_comes_back(value: str, ascii_only: bool) -> None:
    text = json.dumps({"": [value, 1], "a": {"b": 0, "c": [value]}}, ensure_ascii=ascii_only)
    changed = json.loads(replaced(text, JSON, ("a", "c", 0), f"{value}x"))
    assert changed == {"": [value, 1], "a": {"b": 0, "c": [f"{value}x"]}}


def test_comments_trailing_commas_a_mark_and_crlf_are_read() -> None:
    text = (
        '\ufeff// first "\r\n{ /* a } " */ "a": [1, "x, ]" /* , */ , ],\r\n'
        ' "b": "// no comment, }", // last ]\r\n}\r\n'
    )
    assert read_settings(text, JSON) == {"a": [1, "x, ]"], "b": "// no comment, }"}
    assert replaced(text, JSON, ("b",), "x") == text.replace("// no comment, }", "x")


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


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (r'"python3 \"a\" é"', r'"sh \"b\" é"'),
        ("""'python3 "a"'""", """'sh "b"'"""),
        ("""'''python3 "a"'''""", """'''sh "b"'''"""),
        ('"""python3 "a" b"""', '"""sh "b" b"""'),
        ("'python3 # \"a\"'", "'sh # \"b\"'"),
    ],
)
def test_a_toml_string_keeps_its_quotes(old: str, new: str) -> None:
    text = f"# 'x\n[a]\nb = {old}\n[[hooks.Stop]]\ncommand = {old}# {old}\r\nc = {old}\n"
    key = ("hooks", "Stop", 0, "command")
    value = read_settings(f"x = {new}\n", TOML)
    assert isinstance(value, dict)
    assert replaced(text, TOML, key, str(value["x"])) == text.replace(f"{old}#", f"{new}#")


def test_quotes_that_can_not_hold_the_new_string_stay() -> None:
    text = 'a = \'x\'\nb = """x"""\n'
    new, refused = replace_values(text, TOML, {("a",): {("a",): "it's"}, ("b",): {("b",): 'x"'}})
    assert new == text
    assert set(refused.values()) == {"its string has quotes that can't hold the new command"}


@pytest.mark.parametrize(
    "literal",
    ['"""\npython3 a"""', '"""python3 \\\n  a"""', '"""python3 \\"a\\""""', '"\\x41"', '"\\u0041"'],
)
def test_a_toml_string_of_several_lines_or_with_rare_escapes_stays(literal: str) -> None:
    text = f"command = {literal}\n"
    new, refused = replace_values(text, TOML, {("command",): {("command",): "x"}})
    assert (new, list(refused)) == (text, [("command",)])


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
    assert replaced(text, TOML, keys, "y") == text.replace("python3 x", "y")


def test_strings_in_tables_that_are_apart_are_found() -> None:
    text = (
        "[[hooks.Stop]]\n[[hooks.Stop.hooks]]\ncommand = 'a'\n[other]\n"
        "[[hooks.Start]]\n[[hooks.Start.hooks]]\ncommand = 'b'\n"
        "[[hooks.Start.hooks]]\ncommand = 'b'\n"
    )
    places = [("Stop", 0), ("Start", 1), ("Start", 0)]
    keys = [("hooks", event, 0, "hooks", number, "command") for event, number in places]
    new, refused = replace_values(text, TOML, {("hooks",): dict(zip(keys, "xyz", strict=True))})
    assert refused == {}
    assert re.findall("command = '(.)'", new) == ["x", "z", "y"]


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


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("python3 x.py --a", "python3 x.py --a"),
        ("python3 x.py#1  # why", "python3 x.py#1"),
        ('"python3 \\"$A\\"/x.py" # why', 'python3 "$A"/x.py'),
        ("'python3 \"$A\" it''s'", 'python3 "$A" it\'s'),
        ("|\n      python3 x.py", None),
        ('"\\x41"', None),
        ("'open", None),
        ("[python3]", None),
        ("", None),
    ],
)
def test_commands_in_front_matter_are_found_with_their_lines(
    written: str, expected: str | None
) -> None:
    front = f"---\nname: a\ncommand: no\nhooks:\n  Stop:\n  - hooks:\n    - command: {written}\n"
    found = {} if expected is None else {"line 7": {"command": expected}}
    for text in (f"{front}---\nhooks:\n  command: no\n", f"\ufeff{front}tools: a\n  command: no\n"):
        assert read_settings(text, Path("a.md")) == found
    assert read_settings(f"\n{front}", Path("a.md")) == {}, "the first line has to begin it"


@pytest.mark.parametrize("text", ['"' + '\\"' * 500_000, "'" * 999_999, f"x{' ' * 999_999}y"])
def test_hostile_front_matter_is_read_in_time(text: str) -> None:
    start = time.process_time()
    read_settings(f"---\nhooks:\n  command: {text}\n", Path("a.md"))
    assert time.process_time() - start < 5
