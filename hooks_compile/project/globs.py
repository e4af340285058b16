"""Globs of the configuration: text in, a pattern that matches relative names out. No file IO.

``*`` and ``?`` match within one part of a path, ``**`` matches any number of parts, ``[...]`` and
``[!...]`` are sets. A leading dot is nothing special. Patterns come with a clone: matching takes
time proportional to pattern times name, for every pattern.
"""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass

_WILD = re.compile(r"[*?\[]")


@dataclass(frozen=True, slots=True)
class Glob:
    """A parsed pattern.

    ``literal`` is the name itself if ``text`` has no wildcard, else None. ``prefix`` is the
    directory below which all matches are, "" for the root. ``_parts`` has a regular expression for
    each part, None for ``**``.
    """

    text: str
    literal: str | None
    prefix: str
    _parts: tuple[re.Pattern[str] | None, ...]

    @classmethod
    def parse(cls, text: str) -> Glob:
        """Parse ``text``. Raises ValueError with the reason if it could leave its root."""
        if not text.strip("/. ") or "\0" in text:
            raise ValueError("names no file below the work tree's root")
        if "\\" in text:
            raise ValueError("has a backslash; directories are separated by /")
        if text.startswith(("/", "~")) or re.match(r"[A-Za-z]:", text):
            raise ValueError("is not relative to the work tree's root")
        names = [name for name in text.split("/") if name not in ("", ".")]
        if ".." in names:
            raise ValueError("could leave the work tree: it has ..")
        wild = next((i for i, name in enumerate(names) if _WILD.search(name)), None)
        literal = "/".join(names) if wild is None else None
        if wild is not None and text.endswith("/"):
            names += ["**", "*"]
        prefix = "/".join(names[: len(names) - 1 if wild is None else wild])
        # **/** means **; each part that is left costs a step for each state.
        needed = [
            name
            for name, before in zip(names, ["", *names], strict=False)
            if (name, before) != ("**", "**")
        ]
        return cls(text, literal, prefix, tuple(map(_compile, needed)))

    def matches(self, name: str) -> bool:
        """Return whether the pattern matches the whole of ``name``, a relative path with ``/``."""
        return self._match(name, prefix_is_enough=False)

    def covers(self, name: str) -> bool:
        """Return whether the pattern matches ``name`` or a directory that holds it."""
        return self._match(name, prefix_is_enough=True)

    def _match(self, name: str, *, prefix_is_enough: bool) -> bool:
        # A state is the number of parts of the pattern that are used up.
        end = len(self._parts)
        states = self._closure({0})
        for part in name.split("/"):
            following: set[int] = set()
            for state in states - {end}:
                pattern = self._parts[state]
                if pattern is None:
                    following.add(state)
                elif pattern.match(part):
                    following.add(state + 1)
            states = self._closure(following)
            if not states or (prefix_is_enough and end in states):
                break
        return end in states

    def _closure(self, states: set[int]) -> set[int]:
        return states | {
            state + 1 for state in states if state < len(self._parts) and self._parts[state] is None
        }


def _compile(name: str) -> re.Pattern[str] | None:
    return None if name == "**" else re.compile(fnmatch.translate(name))
