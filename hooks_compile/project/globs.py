"""Globs of the configuration: text in, a pattern that matches relative names out. No file IO.

``*`` and ``?`` stay within one part of a path, ``**`` spans any number of parts, ``[...]`` and
``[!...]`` are sets. A leading dot is nothing special. Patterns come with a clone: matching takes
time proportional to pattern times name, whatever they are.
"""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_WILD = re.compile(r"[*?\[]")


@dataclass(frozen=True, slots=True)
class Glob:
    """A parsed pattern: one regular expression for each part, None for ``**``."""

    text: str
    literal: str | None
    prefix: str
    _parts: tuple[re.Pattern[str] | None, ...]

    @classmethod
    def parse(cls, text: str) -> Glob:
        """Parse ``text``; raises ValueError with the reason where it could leave its root.

        ``literal`` is the name itself where there is no wildcard in it (else None), ``prefix``
        the folder, "" for the root, below which all matches are.
        """
        if not text.strip("/. ") or "\0" in text:
            raise ValueError("names no file below the work tree's root")
        if "\\" in text:
            raise ValueError("holds a backslash; folders are separated by /")
        if text.startswith(("/", "~")) or re.match(r"[A-Za-z]:", text):
            raise ValueError("is not relative to the work tree's root")
        names = [name for name in text.split("/") if name not in ("", ".")]
        if ".." in names:
            raise ValueError("could leave the work tree: it holds ..")
        wild = next((i for i, name in enumerate(names) if _WILD.search(name)), None)
        literal = "/".join(names) if wild is None else None
        if wild is not None and text.endswith("/"):
            names += ["**", "*"]
        prefix = "/".join(names[: len(names) - 1 if wild is None else wild])
        # **/** is **: what is left costs a step for each part and state.
        needed = [
            name
            for name, before in zip(names, ["", *names], strict=False)
            if (name, before) != ("**", "**")
        ]
        return cls(text, literal, prefix, tuple(map(_compile, needed)))

    def matches(self, name: str) -> bool:
        """Whether the pattern matches the whole of ``name``, a relative path with ``/``."""
        return len(self._parts) in self._states(name.split("/"), stop=False)

    def covers(self, name: str) -> bool:
        """Whether the pattern matches ``name`` or a folder that it is in."""
        return len(self._parts) in self._states(name.split("/"), stop=True)

    def _states(self, names: Sequence[str], *, stop: bool) -> set[int]:
        # A state is the number of parts of the pattern that are used up.
        states = self._closure({0})
        for name in names:
            following: set[int] = set()
            for state in states:
                if state == len(self._parts):
                    continue
                part = self._parts[state]
                if part is None:
                    following.add(state)
                elif part.match(name):
                    following.add(state + 1)
            states = self._closure(following)
            if not states or (stop and len(self._parts) in states):
                break
        return states

    def _closure(self, states: set[int]) -> set[int]:
        return states | {
            state + 1 for state in states if state < len(self._parts) and self._parts[state] is None
        }


def _compile(name: str) -> re.Pattern[str] | None:
    return None if name == "**" else re.compile(fnmatch.translate(name))
