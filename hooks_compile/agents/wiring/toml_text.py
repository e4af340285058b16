"""TOML whose strings can be replaced in place: everything else stays to the byte."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

from hooks_compile.project.config import endless_name

if TYPE_CHECKING:
    from hooks_compile.agents.clients.base import Json, KeyPath

_PIECE = re.compile(r"\\u[0-9a-fA-F]{4}|\\U[0-9a-fA-F]{8}|\\.|[^\\]", re.DOTALL)
_SENTINEL = "a string that stands nowhere else"


class TomlTextError(ValueError):
    """The text is no TOML, or one of its strings is written in a way that is not followed."""


class TomlDocument:
    """A TOML text, read by tomlkit."""

    def __init__(self, text: str) -> None:
        """Read the text.

        Raises:
            TomlTextError: it does not parse, or tomlkit would not write it back to the byte.
        """
        import tomlkit  # noqa: PLC0415 - slow, and most projects have no TOML file
        from tomlkit.exceptions import TOMLKitError  # noqa: PLC0415 - as above

        if line := endless_name(text):
            raise TomlTextError(f"line {line}: a name of too many parts")
        self.text = text
        self._mark = 1 if text.startswith("\ufeff") else 0
        try:
            document = tomlkit.parse(text[self._mark :])
        except TOMLKitError as error:
            raise TomlTextError(str(error)) from error
        except RecursionError:  # pragma: no cover - newer tomlkit has a limit of its own
            raise TomlTextError("it is nested too deeply") from None
        if tomlkit.dumps(document) != text[self._mark :]:  # pragma: no cover - tomlkit's promise
            raise TomlTextError("it is written in a way that can't be kept to the byte")
        self._document: Any = document
        self.settings = cast("Json", document.unwrap())

    def offsets(self, path: KeyPath) -> list[int]:
        """Where each character of a string starts in the text, and where the last one ends.

        Raises:
            TomlTextError: the string goes over several lines, or has rare escapes.
        """
        raw, quotes = self._literal(path)
        inside = raw[quotes:-quotes]
        value = self._value(path)
        if inside == value:
            offsets = list(range(len(inside)))
        else:
            offsets = [match.start() for match in _PIECE.finditer(inside)] if quotes == 1 else []
        if len(offsets) != len(value):
            raise TomlTextError("it goes over several lines or has rare escapes")
        start = self._start(path, raw) + quotes
        return [*(start + offset for offset in offsets), start + len(inside)]

    def encode(self, path: KeyPath, text: str) -> str | None:
        """Characters as they are written inside the string at a path; None where they can't be."""
        raw, _ = self._literal(path)
        if raw.startswith("'"):
            return None if "'" in text else text
        return text.replace("\\", "\\\\").replace('"', '\\"')

    def _value(self, path: KeyPath) -> str:
        value: Any = self._document
        for key in path:
            value = value[key]
        return str(value)

    def _literal(self, path: KeyPath) -> tuple[str, int]:
        """A string as it is written, and how many quotes it has on each side."""
        item: Any = self._document
        for key in path:
            item = item[key]
        raw: str = item.as_string()
        return raw, 3 if raw.startswith(('"""', "'''")) and len(raw) >= 6 else 1

    def _start(self, path: KeyPath, raw: str) -> int:
        """Where a string's literal starts: where another string would appear in its place."""
        import tomlkit  # noqa: PLC0415 - as above

        text = self.text[self._mark :]
        other: Any = tomlkit.parse(text)
        container = other
        for key in path[:-1]:
            container = container[key]
        container[path[-1]] = _SENTINEL
        start = tomlkit.dumps(other).find(f'"{_SENTINEL}"')
        if not text.startswith(raw, start):  # pragma: no cover - tomlkit keeps what is before
            raise TomlTextError("its place in the file is not found")
        return self._mark + start
