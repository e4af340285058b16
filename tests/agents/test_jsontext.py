"""JSON with positions, against the json module and at its edges."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooks_compile.agents.wiring.json_text import MAX_DEPTH, JsonDocument, JsonTextError, read

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


@given(VALUES, st.sampled_from([None, 0, 2, "\t"]), st.booleans())
def test_it_reads_what_the_json_module_writes(
    value: object, indent: int | str | None, ascii_only: bool
) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    assert read(text).plain() == value


@given(st.text(max_size=12), st.booleans())
def test_each_character_of_a_string_is_found_in_the_text(value: str, ascii_only: bool) -> None:
    text = json.dumps({"a": [value]}, ensure_ascii=ascii_only)
    document = JsonDocument(text)
    offsets = document.offsets(("a", 0))
    assert len(offsets) == len(value) + 1
    pieces = [json.loads(f'"{text[start:end]}"') for start, end in pairwise(offsets)]
    assert "".join(pieces) == value


def test_escapes_of_every_kind_have_their_places() -> None:
    text = r'{"a": "x\"\\\/\b\u00e9\ud83d\ude00\ud800y"}'
    offsets = JsonDocument(text).offsets(("a",))
    value = read(text).plain()
    assert value == {"a": 'x"\\/\b\u00e9\U0001f600\ud800y'}
    assert [text[a:b] for a, b in pairwise(offsets)] == [
        *("x", r"\"", r"\\", r"\/", r"\b", r"\u00e9", r"\ud83d\ude00", r"\ud800", "y")
    ]


def test_comments_trailing_commas_a_mark_and_crlf_are_read() -> None:
    text = (
        '\ufeff// first\r\n{ /* a } " */ "a": [1, 2, ],\r\n'
        ' "b": "// no comment", // last ]\r\n}\r\n'
    )
    assert read(text).plain() == {"a": [1, 2], "b": "// no comment"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1, column 1: the text ends too early"),
        ("{", "line 1, column 2: a key was expected"),
        ('{"a"}', "line 1, column 5: `:` was expected"),
        ('{"a":}', "line 1, column 6: a value was expected"),
        ('{"a":1 "b":2}', "line 1, column 8: `,` or `}` was expected"),
        ('{"a":1,\n "a":2}', 'line 2, column 2: the key "a" is there twice'),
        ('{"a":1,\n "\\u0061":2}', 'line 2, column 2: the key "a" is there twice'),
        ("[1,,2]", "line 1, column 4: a value was expected"),
        ("[,]", "line 1, column 2: a value was expected"),
        ("{} {}", "line 1, column 4: text behind the end of the value"),
        ("[NaN]", "line 1, column 2: a value was expected"),
        ("[" + "1" * 5000 + "]", "line 1, column 2: a number with too many digits"),
        ("[01]", "line 1, column 3: `,` or `]` was expected"),
        ("[1", "line 1, column 3: `,` or `]` was expected"),
        ('["a\nb"]', "line 1, column 4: a string that is not closed, or a character that may not"),
        ('["\\x"]', "line 1, column 3: a string that is not closed, or a character that may not"),
        ("/* {}", "line 1, column 1: a value was expected"),
        ("{'a': 1}", "line 1, column 2: a key was expected"),
        ("[" * (MAX_DEPTH + 1), f"line 1, column {MAX_DEPTH + 1}: nested deeper than {MAX_DEPTH}"),
    ],
)
def test_what_is_no_json_is_refused_with_the_place(text: str, message: str) -> None:
    with pytest.raises(JsonTextError) as caught:
        read(text)
    assert str(caught.value).startswith(message)


def test_a_path_that_is_not_there_is_no_node() -> None:
    document = JsonDocument('{"a": [1]}')
    assert document.node(("a", 0)).value == 1
    for path in (("b",), ("a", "b"), ("a", 0, "c")):
        with pytest.raises(KeyError):
            document.node(path)
