"""The text of a settings file: its values, and strings and lists that are replaced in it.

One reader for each format. JSON may have what people write into it: comments, trailing commas, a
byte order mark. Whatever leaves a doubt about which value counts (a key that is there twice) is
refused.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from itertools import count, takewhile
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from hooks_compile.errors import AgentConfigError
from hooks_compile.project.config import LARGEST_TOML, endless_name

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hooks_compile.agents.clients.base import Json, KeyPath

_BYTE_ORDER_MARK = "\ufeff"
# An unclosed string or comment matches too: else the search would start again at each character.
_JSON_STRING = r'"(?:[^"\\]|\\.)*+"?+'
_JSON_COMMENT = r"//[^\r\n]*|/\*(?:.*?\*/|.*)"
_STRING_OR_COMMENT = re.compile(f"{_JSON_STRING}|{_JSON_COMMENT}", re.DOTALL)
_TRAILING_COMMA = re.compile(
    rf"({_JSON_STRING}|[^\s\"[{{:,])(\s*+),(?=\s*[\]}}])|{_JSON_STRING}", re.DOTALL
)
_TOML_STRING_OR_COMMENT = re.compile(
    r"""(?s:'''.*?'''|"{3}(?:[^"\\]|\\.|"(?!""))*+"{3})"""
    r"""|"(?:[^"\\\n]|\\.)*+"|'[^'\n]*'|#[^\n]*"""
)
_NUMBERED = "hooks-compile, string "
_EMPTY_LISTS = ["[]", "[ ]"]


class Replaced(NamedTuple):
    """A new text, and the values that could not be replaced in it, each with the reason."""

    text: str
    refused: Mapping[KeyPath, str]


def read_settings(text: str, path: Path) -> Json:
    """Return what a settings file holds, as TOML or JSON by its name.

    Raises AgentConfigError if it does not parse.
    """
    try:
        return _parse_toml(text) if path.suffix == ".toml" else _parse_json(text)
    except ValueError as error:
        raise AgentConfigError(
            f"it does not parse: {error}", path=path, remedy="fix the file, then run this again"
        ) from error


def replace_values(text: str, path: Path, new: Mapping[KeyPath, str | list[str]]) -> Replaced:
    """Return the text with new strings, and new lists of strings, at some places of what it holds.

    A new string is written in the form of the old one. One that is written in no usual form stays:
    its characters would not come back on the way back. In a list only what is in front of the
    strings at its end that stay is replaced. The new text is parsed again. Raises AgentConfigError
    if anything else would differ then.
    """
    settings = read_settings(text, path)
    forms = _toml_forms if path.suffix == ".toml" else _json_forms
    wanted: dict[KeyPath, list[str]] = {}
    for key in new:
        old = _value_at(settings, key)
        items = {(*key, n): forms(str(each)) for n, each in enumerate(old)} if _is_list(old) else {}
        wanted |= items or {key: _EMPTY_LISTS if _is_list(old) else forms(str(old))}
    places = _find(text, path, wanted)
    edits: list[_Edit] = []
    refused: dict[KeyPath, str] = {}
    for key, value in new.items():
        edit = None
        if isinstance(value, list):
            edit = _list_edit(key, _value_at(settings, key), value, places)
        elif match := places.get(key):
            edit = _Edit(*match.span(), forms(value)[wanted[key].index(match[0])])
        if edit is None:
            refused[key] = "its text is written in a form that can't be changed in place"
        elif not edit.text and isinstance(value, str):
            refused[key] = "its string has quotes that can't hold the new command"
        else:
            edits.append(edit)
    for start, end, literal in sorted(edits, reverse=True):
        text = text[:start] + literal + text[end:]
    expected = {key: value for key, value in new.items() if key not in refused}
    _require_only(expected, read_settings(text, path), settings, path)
    return Replaced(text, refused)


class _Edit(NamedTuple):
    """``text`` replaces the characters ``[start, end)``."""

    start: int
    end: int
    text: str


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


def _list_edit(
    key: KeyPath, old: list[Any], new: list[str], places: Mapping[KeyPath, re.Match[str]]
) -> _Edit | None:
    """Return what makes a list of strings another one, None if it is written in no usual form."""
    pairs = zip(reversed(old), reversed(new), strict=False)
    kept = len(list(takewhile(lambda pair: pair[0] == pair[1], pairs)))
    gone = len(old) - kept
    text = ", ".join(_json_forms(each)[0] for each in new[: len(new) - kept])
    if not old:
        match = places.get(key)
        return _Edit(match.start() + 1, match.start() + 1, text) if match else None
    first, behind, last = (places.get((*key, n)) for n in (0, gone, gone - 1))
    if gone and (text or not kept):
        return _Edit(first.start(), last.end(), text) if first and last else None
    return _Edit(first.start(), behind.start(), text and f"{text}, ") if first and behind else None


def _find(
    text: str, path: Path, forms: Mapping[KeyPath, list[str]]
) -> dict[KeyPath, re.Match[str]]:
    """Return where strings are written: in a copy of the text each is a number of its own."""
    strings = _TOML_STRING_OR_COMMENT if path.suffix == ".toml" else _STRING_OR_COMMENT
    pattern = re.compile(rf"{strings.pattern}|\[ ?\]", strings.flags)
    wanted = {literal for literals in forms.values() for literal in literals}
    matches = [match for match in pattern.finditer(text) if match[0] in wanted]
    numbers = count()

    def numbered(match: re.Match[str]) -> str:
        return f'"{_NUMBERED}{next(numbers)}"' if match[0] in wanted else match[0]

    places: dict[KeyPath, re.Match[str]] = {}
    with suppress(AgentConfigError):
        copy = read_settings(pattern.sub(numbered, text), path)
        for key in forms:
            value = str(_value_at(copy, key))
            if value.startswith(_NUMBERED):
                places[key] = matches[int(value.removeprefix(_NUMBERED))]
    return places


def _value_at(settings: Json, key: KeyPath) -> Any:
    """Return the value at a place, None if there is none."""
    value: Any = settings
    with suppress(KeyError, IndexError, TypeError):
        for part in key:
            value = value[part]
        return value
    return None


def _require_only(
    new: Mapping[KeyPath, str | list[str]], after: Json, before: Json, path: Path
) -> None:
    """Raise AgentConfigError if two settings differ in more than the ``new`` strings."""
    for key, value in new.items():
        if _value_at(after, key) == value:
            _value_at(after, key[:-1])[key[-1]] = _value_at(before, key)
    if after != before:  # pragma: no cover - no text is known that gets here
        raise AgentConfigError("its commands would not read back as meant", path=path)


# JSON


def _parse_json(text: str) -> Json:
    try:
        return cast("Json", json.loads(_plain_json(text), object_pairs_hook=_object))
    except json.JSONDecodeError as error:
        column = f"line {error.lineno}, column {error.colno}"
        raise ValueError(f"{column}: {error.msg}") from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _plain_json(text: str) -> str:
    """Return the text with spaces for a mark, comments and trailing commas, all else in place."""
    if text.startswith(_BYTE_ORDER_MARK):
        text = f" {text[1:]}"
    text = _STRING_OR_COMMENT.sub(_without_comment, text)
    return _TRAILING_COMMA.sub(lambda m: m[0] if m[1] is None else f"{m[1]}{m[2]} ", text)


def _without_comment(match: re.Match[str]) -> str:
    found = match[0]
    is_open = found.startswith("/*") and not (found.endswith("*/") and len(found) > 3)
    return found if found.startswith('"') or is_open else re.sub(r"[^\r\n]", " ", found)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for key, inner in pairs:
        if key in value:
            raise ValueError(f"the key {json.dumps(key)} is there twice")
        value[key] = inner
    return value


def _json_forms(value: str) -> list[str]:
    """Return the usual ways to write a string."""
    return [json.dumps(value, ensure_ascii=False), json.dumps(value)]


# TOML


def _parse_toml(text: str) -> Json:
    import tomlkit  # noqa: PLC0415 - slow, and most projects have no TOML file
    from tomlkit.exceptions import TOMLKitError  # noqa: PLC0415 - as above

    if len(text) > LARGEST_TOML:
        raise ValueError(f"it is larger than {LARGEST_TOML >> 10} KiB")
    if line := endless_name(text):
        raise ValueError(f"line {line}: a name of too many parts")
    try:
        return cast("Json", tomlkit.parse(text.removeprefix(_BYTE_ORDER_MARK)).unwrap())
    except (TOMLKitError, RecursionError) as error:
        raise ValueError(str(error)) from error


def _toml_forms(value: str) -> list[str]:
    """Return the ways to write a string in each kind of quotes, "" if it can't be in them."""
    basic = "\\" not in value and '"""' not in value and not value.endswith('"')
    return [
        json.dumps(value, ensure_ascii=False),
        f'"""{value}"""' if basic else "",
        *("" if "'" in value else f"{quotes}{value}{quotes}" for quotes in ("'", "'''")),
    ]
