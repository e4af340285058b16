"""What the conformance tests share: a runtime directory, and the entries that the tool made."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock

from hooks_compile.install import runtime_directory
from tests.conformance.cases import CASES
from tests.conformance.sides import entries_of_the_tool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.interpreters_found import Found


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory of this test run that the processes of pytest-xdist have in common."""
    base = tmp_path_factory.getbasetemp()
    directory = (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "conformance"
    directory.mkdir(exist_ok=True)
    return directory


@pytest.fixture(scope="session")
def runtime(shared: Path) -> Path:
    """A runtime directory with the launcher."""
    with FileLock(shared / "runtime.lock"):
        runtime_directory.ensure(shared / "runtime")
    return shared / "runtime"


@pytest.fixture(scope="session")
def tool_entries(shared: Path, runtime: Path) -> Callable[[Found], Path]:
    """For an interpreter, the entries that the tool makes of the whole corpus."""

    def entries(interpreter: Found) -> Path:
        directory = shared / interpreter.name
        with FileLock(f"{directory}.lock"):
            if not (directory / "kept").exists():
                entries_of_the_tool(CASES, interpreter, runtime, directory)
        return directory / "kept"

    return entries


@pytest.fixture(autouse=True)
def _interrupts_are_not_ignored() -> Iterator[None]:
    # A shell's background job ignores SIGINT, and its children inherit that.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
