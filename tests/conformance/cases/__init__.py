"""The corpus: every script that is run from its source and by the launcher."""

from __future__ import annotations

from tests.conformance.cases import (
    attributes,
    exits,
    failures,
    kinds,
    library,
    modules,
    sources,
    streams,
)

CASES = tuple(
    case
    for module in (exits, failures, sources, attributes, kinds, modules, streams, library)
    for case in module.CASES
)
"""All cases; the name of each is the id of its tests."""
