"""What a shell word stands for, as far as it is known before the command runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hooks_compile.agents.shell.shell_words import Literal, Parameter, Part, Tilde, Word

if TYPE_CHECKING:
    from collections.abc import Mapping


def expand(word: Word, variables: Mapping[str, str]) -> str | None:
    """A word's value with the given variables; None where it depends on anything else.

    ``~`` is the variable HOME. A variable without a value is unknown unless the word brings a
    default (``${NAME:-default}``).
    """
    return _expand(word.parts, variables)


def _expand(parts: tuple[Part, ...], variables: Mapping[str, str]) -> str | None:
    values: list[str] = []
    for part in parts:
        value = _value(part, variables)
        if value is None:
            return None
        values.append(value)
    return "".join(values)


def _value(part: Part, variables: Mapping[str, str]) -> str | None:
    match part:
        case Literal(text):
            return text
        case Tilde(""):
            return variables.get("HOME")
        case Parameter(_, name, _, "" | "?" | ":?") if name in variables:
            return variables[name]
        case Parameter(_, name, _, "-" | ":-", argument):
            return variables[name] if variables.get(name) else _expand(argument, variables)
    return None
