"""How much the tests do, by the environment variable ``HOOKS_COMPILE_TESTS``.

Unset: what a person runs before a commit. ``ci``: everything that has to hold, most of it under
every interpreter, with branch coverage. ``soak``: all cases under each of them, long random runs
and real clients of agents besides.
"""

from __future__ import annotations

import os
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, settings

T = TypeVar("T")

VARIABLE = "HOOKS_COMPILE_TESTS"
_TIER = os.environ.get(VARIABLE, "")
if _TIER not in ("", "ci", "soak"):
    raise pytest.UsageError(f"{VARIABLE} has to be unset, ci or soak, not {_TIER!r}")

IS_CI = _TIER in ("ci", "soak")
IS_SOAK = _TIER == "soak"

# The load of the machine fails no random test, and chance none outside of soaks.
settings.register_profile(
    "tier",
    derandomize=not IS_SOAK,
    deadline=None,
    database=None,
    print_blob=True,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.filter_too_much,
        # These tests only read it, or make a new directory in it for each example.
        HealthCheck.function_scoped_fixture,
    ],
)
settings.load_profile("tier")

ci_only = pytest.mark.skipif(not IS_CI, reason=f"takes long: {VARIABLE}=ci runs it")
soak_only = pytest.mark.skipif(not IS_SOAK, reason=f"takes very long: {VARIABLE}=soak runs it")


def coverage_variables() -> dict[str, str]:
    """Return the variables by which the processes of a test are measured, too; none if not."""
    return {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}


def scaled(default: T, ci: T, soak: T) -> T:
    """Return the value for this run's tier."""
    if IS_SOAK:
        return soak
    return ci if IS_CI else default
