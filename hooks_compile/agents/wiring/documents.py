"""The text of a settings file: its values, and strings and lists that are replaced in it.

One reader for each format. JSON may have what people write into it: comments, trailing commas, a
byte order mark. Whatever leaves a doubt about which value counts (a key that is there twice) is
refused.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from itertools import takewhile
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from hooks_compile.agents.clients.base import children, value_at
from hooks_compile.agents.shell.launches import RefusedError
from hooks_compile.agents.wiring.command import edited
from hooks_compile.errors import AgentConfigError
from hooks_compile.project.config import LARGEST_TOML, endless_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from hooks_compile.agents.clients.base import Json, KeyPath
    from hooks_compile.agents.wiring.command import Edit

_BYTE_ORDER_MARK = "\ufeff"
# An unclosed string or comment matches too: else the search would start again at each character.
_JSON_STRING = r'"(?:[^"\\]|\\.)*+"?+'
_JSON_COMMENT = r"//[^\r\n]*|/\*(?:.*?\*/|.*)"
_STRING_OR_COMMENT = re.compile(f"{_JSON_STRING}|{_JSON_COMMENT}", re.DOTALL)
_TRAILING_COMMA = re.compile(
    rf"({_JSON_STRING}|[^\s\"[{{:,])(\s*+),(?=\s*[\]}}])|{_JSON_STRING}", re.DOTALL
)
_JSON = re.compile(rf"{_STRING_OR_COMMENT.pattern}|\[ ?\]", re.DOTALL)
_TOML = re.compile(
    r"""(?s:'''.*?'''|"{3}(?:[^"\\]|\\.|"(?!""))*+"{3})"""
    r"""|"(?:[^"\\\n]|\\.)*+"|'[^'\n]*'|#[^\n]*|\[ ?\]"""
)
_END_OF_KEY = re.compile(r"\s*[:=]")
# What is in front of a value: a line's end, its indentation, and the key.
_KEY = re.compile(r"""((?:\r?\n)?[ \t]*)(["']?)[\w-]+\2([ \t]*[:=])(\s*)\Z""")
_NUMBERED = "hooks-compile, string "
_UNUSUAL = "its text is written in a form that can't be changed in place"
_EMPTY_LISTS = ["[]", "[ ]"]


class Replaced(NamedTuple):
    """A new text, and the groups of values that could not be replaced in it, with the reason."""

    text: str
    refused: Mapping[KeyPath, str]


def read_settings(text: str, path: Path) -> Json:
    """Return what a settings file holds, as TOML or JSON by its name.

    Of Markdown it is the commands of hooks in the front matter: ``{"line 7": {"command": TEXT}}``.
    Raises AgentConfigError if it does not parse.
    """
    if path.suffix == ".md":
        return _front_matter_commands(text)
    try:
        return _parse_toml(text) if path.suffix == ".toml" else _parse_json(text)
    except ValueError as error:
        raise AgentConfigError(
            f"it does not parse: {error}", path=path, remedy="fix the file, then run this again"
        ) from error


def replace_values(
    text: str, path: Path, groups: Mapping[KeyPath, Mapping[KeyPath, str | list[str] | None]]
) -> Replaced:
    """Return the text with new strings, and new lists of strings, at some places of what it holds.

    The values of a group change together or not at all. A new string is written in the form of the
    old one. One that is written in no usual form stays: its characters would not come back on the
    way back. In a list only what is in front of the strings at its end that stay is replaced. A key
    that is new is written directly behind the string that names the group, in the layout of that
    one; None removes it from there. The new text is parsed again. Raises AgentConfigError if
    anything else would differ then.
    """
    settings = read_settings(text, path)
    literals = _Literals.find(text, path, settings, [key for new in groups.values() for key in new])
    edits: list[Edit] = []
    expected: dict[KeyPath, str | list[str]] = {}
    refused: dict[KeyPath, str] = {}
    gone: list[KeyPath] = []
    for name, new in groups.items():
        removed = [key for key, value in new.items() if value is None]
        values = {key: value for key, value in new.items() if value is not None}
        try:
            cuts = {key: cut for key in removed if (cut := literals.removal(name, key))}
            edits += [
                literals.addition(name, key, value)
                if (old := value_at(settings, key)) is None and isinstance(value, str)
                else literals.edit(key, old, value)
                for key, value in values.items()
            ]
            edits += cuts.values()
            gone += cuts
            expected |= values
        except RefusedError as reason:
            refused[name] = str(reason)
    text = edited(text, edits)
    for key, value in expected.items():
        value_at(settings, key[:-1])[key[-1]] = value
    for key in gone:
        del value_at(settings, key[:-1])[key[-1]]
    if read_settings(text, path) != settings:  # pragma: no cover - no text is known that gets here
        raise AgentConfigError("its commands would not read back as meant", path=path)
    return Replaced(text, refused)


class _Literals(NamedTuple):
    """How values are written: the usual ways of the format, and where each value is."""

    forms: Callable[[str], list[str]]
    old: Mapping[KeyPath, list[str]]
    places: Mapping[KeyPath, re.Match[str]]

    @classmethod
    def find(cls, text: str, path: Path, settings: Json, keys: Iterable[KeyPath]) -> _Literals:
        """Find the strings and the lists of strings at ``keys``.

        In a copy of the text each string that may be one of them is a number of its own.
        """
        forms, strings = (_toml_forms, _TOML) if path.suffix == ".toml" else (_json_forms, _JSON)
        old: dict[KeyPath, list[str]] = {}
        for key in keys:
            value = value_at(settings, key)
            for at, each in [(key, value), *(((*key, n), it) for n, it in children(value))]:
                old[at] = _EMPTY_LISTS if each == [] else forms(str(each))
        wanted = {literal for literals in old.values() for literal in literals}
        places: dict[KeyPath, re.Match[str]] = {}

        def numbered(match: re.Match[str]) -> str:
            is_wanted = match[0] in wanted and not _END_OF_KEY.match(text, match.end())
            return f'"{_NUMBERED}{match.start()}"' if is_wanted else match[0]

        with suppress(AgentConfigError):
            copy = read_settings(strings.sub(numbered, text), path)
            for key in old:
                value = str(value_at(copy, key))
                if value.startswith(_NUMBERED):
                    match = strings.match(text, int(value.removeprefix(_NUMBERED)))
                    places |= {key: match} if match else {}
        return cls(forms, old, places)

    def at(self, key: KeyPath) -> re.Match[str]:
        """Return where a value is. Raises RefusedError if it is written in no usual form."""
        if key not in self.places:
            raise RefusedError(_UNUSUAL)
        return self.places[key]

    def edit(self, key: KeyPath, old: Any, new: str | list[str]) -> Edit:
        """Return what makes a value another one. Raises RefusedError if nothing can."""
        if isinstance(new, list):
            return self._list_edit(key, old, new)
        match = self.at(key)
        literal = self.forms(new)[self.old[key].index(match[0])]
        if not literal:
            raise RefusedError("its string has quotes that can't hold the new command")
        return (*match.span(), literal)

    def addition(self, behind: KeyPath, key: KeyPath, value: str) -> Edit:
        """Return what writes a new key behind a string. Raises RefusedError if nothing can."""
        match = self.at(behind)
        text, end = match.string, match.start()
        layout = _KEY.search(text, max(0, end - 200), end)
        try:
            if layout is None:
                raise ValueError
            gap, quote, colon, space = layout.groups()
            comma = ","
            if self.forms is _toml_forms and "\n" in gap:
                _parse_toml(text[: layout.start()])  # fails inside of an inline table
                comma = ""
        except ValueError:
            raise RefusedError(_UNUSUAL) from None
        literal = self.forms(value)[self.old[behind].index(match[0])]
        new = f"{comma}{gap or space}{quote}{key[-1]}{quote}{colon}{space}{literal}"
        return (match.end(), match.end(), new)

    def removal(self, behind: KeyPath, key: KeyPath) -> Edit | None:
        """Return what takes a key away again, None if more than the key is in front of it."""
        start, last = self.at(behind).end(), self.places.get(key)
        between = last.string[start : last.start()] if last else ""
        is_plain = re.fullmatch(rf""",?\s*(["']?){key[-1]}\1\s*[:=]\s*""", between)
        return (start, last.end(), "") if last and is_plain else None

    def _list_edit(self, key: KeyPath, old: Any, new: list[str]) -> Edit:
        if not isinstance(old, list):
            raise RefusedError(f'its entry has no list "{key[-1]}", which the wrapper needs')
        pairs = zip(reversed(old), reversed(new), strict=False)
        kept = len(list(takewhile(lambda pair: pair[0] == pair[1], pairs)))
        gone = len(old) - kept
        text = ", ".join(_json_forms(each)[0] for each in new[: len(new) - kept])
        if not old:
            start = end = self.at(key).start() + 1
        elif kept and not (gone and text):
            start, end = self.at((*key, 0)).start(), self.at((*key, gone)).start()
            text = text and f"{text}, "
        else:
            start, end = self.at((*key, 0)).start(), self.at((*key, gone - 1)).end()
        return (start, end, text)


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


# YAML, as far as hooks need it


def _front_matter_commands(text: str) -> Json:
    first, *lines = text.removeprefix(_BYTE_ORDER_MARK).splitlines() or [""]
    found: dict[str, Json] = {}
    is_hooks = False
    for number, line in enumerate(takewhile(lambda it: it.rstrip() != "---", lines), 2):
        if re.match("[A-Za-z]", line):
            is_hooks = line.startswith("hooks:") and first.rstrip() == "---"
        key, _, value = line.lstrip(" -").partition(": ")
        if is_hooks and key == "command" and (command := _yaml_string(value.strip())):
            found[f"line {number}"] = {"command": command}
    return found


def _yaml_string(text: str) -> str:
    """Return a string that is written in one line, "" for anything else."""
    if match := re.match(r"'((?:[^']|'')*+)'", text):
        return match[1].replace("''", "'")
    if match := re.match(r'"(?:[^"\\]|\\.)*+"', text):
        with suppress(ValueError):  # an escape that JSON lacks
            return str(json.loads(match[0]))
    is_plain = text[:1] not in tuple("\"'|>&*!{[#")
    return re.split(r"\s#", text, maxsplit=1)[0].rstrip() if is_plain else ""
