"""Globs of the configuration: text in, a pattern that matches relative names out. No file IO.

``*`` and ``?`` match within one part of a path, ``**`` matches any number of parts, ``[...]`` and
``[!...]`` are sets. A leading dot is nothing special. Patterns come with a clone: matching takes
time proportional to pattern times name, for every pattern.
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_WILD = re.compile(r"[*?\[]")


class Glob(NamedTuple):
    """A parsed pattern.

    ``literal`` is the name itself if ``text`` has no wildcard, else None. ``prefix`` is the
    directory below which all matches are, "" for the root. ``parts`` are those of the pattern.
    """

    text: str
    literal: str | None
    prefix: str
    parts: tuple[str, ...]

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
        # **/** means **
        parts = [name for i, name in enumerate(names) if names[i - 1 : i + 1] != ["**", "**"]]
        return cls(text, literal, prefix, tuple(parts))

    def matches(self, name: str) -> bool:
        """Return whether the pattern matches the whole of ``name``, a relative path with ``/``."""
        return list(self._match(name))[-1]

    def covers(self, name: str) -> bool:
        """Return whether the pattern matches ``name`` or a directory that holds it."""
        return any(self._match(name))

    def _match(self, name: str) -> Iterator[bool]:
        """Yield for each part of ``name`` whether the pattern matches what ends with it."""
        used = self._with_skipped({0})  # numbers of parts of the pattern that may be used up
        for part in name.split("/"):
            following = set()
            for number in used - {len(self.parts)}:
                if self.parts[number] == "**":
                    following.add(number)
                elif fnmatchcase(part, self.parts[number]):
                    following.add(number + 1)
            used = self._with_skipped(following)
            yield len(self.parts) in used

    def _with_skipped(self, used: set[int]) -> set[int]:
        """Return ``used``, and the numbers if a ``**`` that is next matches nothing."""
        return used | {n + 1 for n in used if self.parts[n : n + 1] == ("**",)}
