"""The text of a settings file: its values, and where each string is written.

One reader for each format. JSON may have what people write into it: comments, trailing commas, a
byte order mark. Whatever leaves a doubt about which value counts (a key that is there twice) is
refused.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, cast

from hooks_compile.errors import AgentConfigError
from hooks_compile.project.config import LARGEST_TOML, endless_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from hooks_compile.agents.clients.base import Json, KeyPath

_MARK = "\ufeff"
# An unclosed string or comment matches too: else the search would start again at each character.
_JSON_STRING = r'"(?:[^"\\]|\\.)*+"?+'
_JSON_COMMENT = r"//[^\r\n]*|/\*(?:.*?\*/|.*)"
_STRING_OR_COMMENT = re.compile(f"{_JSON_STRING}|{_JSON_COMMENT}", re.DOTALL)
_TRAILING_COMMA = re.compile(
    rf"({_JSON_STRING}|[^\s\"[{{:,])(\s*+),(?=\s*[\]}}])|{_JSON_STRING}", re.DOTALL
)
_STRING = re.compile(_JSON_STRING, re.DOTALL)
_JSON_PIECE = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.|[^\\]"
)
_TOML_PIECE = re.compile(r"\\u[0-9a-fA-F]{4}|\\U[0-9a-fA-F]{8}|\\.|[^\\]", re.DOTALL)


class Edit(NamedTuple):
    """Replace the characters ``[start, end)`` of a command by ``text``."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Quoted:
    """A string as it is written at ``start`` of a text: its quotes, and a piece per character."""

    start: int
    quotes: str
    pieces: tuple[str, ...]

    @property
    def text(self) -> str:
        """The string as it is written, with its quotes."""
        return f"{self.quotes}{''.join(self.pieces)}{self.quotes}"

    def edited(self, edits: Iterable[Edit]) -> str | None:
        """Return the text after ``edits``, None if its quotes can't hold the new characters."""
        pieces = list(self.pieces)
        for edit in sorted(edits, reverse=True):
            new = self.encoded(edit.text)
            if new is None:
                return None
            pieces[edit.start : edit.end] = [new]
        return f"{self.quotes}{''.join(pieces)}{self.quotes}"

    def is_plain(self, value: str, edits: Iterable[Edit]) -> bool:
        """Return whether what ``edits`` replace in ``value`` is written as we would write it."""
        return all(
            self.encoded(value[e.start : e.end]) == "".join(self.pieces[e.start : e.end])
            for e in edits
        )

    def encoded(self, text: str) -> str | None:
        """Return characters as we write them between these quotes, None if that is impossible."""
        if self.quotes.startswith("'"):
            return None if "'" in text else text
        return json.dumps(text, ensure_ascii=False)[1:-1]


def read_settings(text: str, path: Path) -> Json:
    """Return what a settings file holds, as TOML or JSON by its name.

    Raises AgentConfigError if it does not parse.
    """
    try:
        if path.suffix == ".toml":
            return cast("Json", _parse_toml(text).unwrap())
        return _parse_json(text)
    except ValueError as error:
        raise AgentConfigError(
            f"it does not parse: {error}", path=path, remedy="fix the file, then run this again"
        ) from error


def locate(text: str, path: Path, settings: Json, keys: Sequence[KeyPath]) -> list[Quoted | None]:
    """Return where the strings at ``keys`` are written in a text that holds ``settings``.

    None is a string that can't be replaced: it goes over several lines or has rare escapes.
    """
    find = _find_in_toml if path.suffix == ".toml" else _find_in_json
    found: list[Quoted | None] = []
    for quoted, key in zip(find(text, keys), keys, strict=True):
        value: Any = settings
        for part in key:
            value = value[part]
        fits = quoted is not None and len(quoted.pieces) == len(value)
        is_there = quoted is not None and text.startswith(quoted.text, quoted.start)
        found.append(quoted if fits and is_there else None)
    return found


# JSON


def _parse_json(text: str) -> Json:
    try:
        return cast("Json", json.loads(_plain_json(text), **_HOOKS))
    except json.JSONDecodeError as error:
        column = f"line {error.lineno}, column {error.colno}"
        raise ValueError(f"{column}: {error.msg}") from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _plain_json(text: str) -> str:
    """Return the text with spaces for a mark, comments and trailing commas, all else in place."""
    if text.startswith(_MARK):
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


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


_HOOKS: dict[str, Any] = {"object_pairs_hook": _object, "parse_constant": _refuse_constant}


def _find_in_json(text: str, keys: Sequence[KeyPath]) -> list[Quoted | None]:
    """Find strings: in a copy of the text each string is its own number."""
    plain = _plain_json(text)
    matches = list(_STRING.finditer(plain))
    numbers = iter(range(len(matches)))
    numbered = json.loads(_STRING.sub(lambda _: f'"{next(numbers)}"', plain))
    settings: Any = _parse_json(text)
    found: list[Quoted | None] = []
    for key in keys:
        value, number = settings, numbered
        for part in key:
            if isinstance(value, dict):  # the keys are numbers as well, in the same order
                number = list(number.values())[list(value).index(part)]
            else:
                number = number[part]
            value = value[part]
        match = matches[int(number)]
        pieces = tuple(_JSON_PIECE.findall(match[0][1:-1]))
        found.append(Quoted(match.start(), '"', pieces))
    return found


# TOML


def _parse_toml(text: str) -> Any:
    import tomlkit  # noqa: PLC0415 - slow, and most projects have no TOML file
    from tomlkit.exceptions import TOMLKitError  # noqa: PLC0415 - as above

    if len(text) > LARGEST_TOML:
        raise ValueError(f"it is larger than {LARGEST_TOML >> 10} KiB")
    if line := endless_name(text):
        raise ValueError(f"line {line}: a name of too many parts")
    plain = text.removeprefix(_MARK)
    try:
        document = tomlkit.parse(plain)
    except (TOMLKitError, RecursionError) as error:
        raise ValueError(str(error)) from error
    if tomlkit.dumps(document) != plain:  # pragma: no cover - tomlkit's promise
        raise ValueError("it is written in a way that can't be kept to the byte")
    return document


def _find_in_toml(text: str, keys: Sequence[KeyPath]) -> list[Quoted | None]:
    """Find strings: in a copy of the document each of them is a word that is nowhere else."""
    import tomlkit  # noqa: PLC0415 - as above

    mark = 1 if text.startswith(_MARK) else 0
    document = _parse_toml(text)
    written: list[str] = []
    for number, key in enumerate(keys):
        container = document
        for part in key[:-1]:
            container = container[part]
        written.append(container[key[-1]].as_string())
        container[key[-1]] = f"string {number} of {len(keys)} \ufdd0"
    word = re.compile(rf'"string (\d+) of {len(keys)} (?:\ufdd0|\\ufdd0)"')
    found: dict[int, Quoted | None] = {}
    shift = mark
    for match in word.finditer(tomlkit.dumps(document)):
        raw = written[int(match[1])]
        found[int(match[1])] = _quoted_toml(match.start() + shift, raw)
        shift += len(raw) - len(match[0])
    return [found.get(number) for number in range(len(keys))]


def _quoted_toml(start: int, raw: str) -> Quoted | None:
    quotes = raw[:3] if raw.startswith(('"""', "'''")) and len(raw) >= 6 else raw[:1]
    inside = raw[len(quotes) : -len(quotes)]
    if len(quotes) == 3 and ("\n" in inside or "\\" in inside):
        return None
    pieces = list(inside) if "'" in quotes else _TOML_PIECE.findall(inside)
    return Quoted(start, quotes, tuple(pieces))
