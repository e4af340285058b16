"""Tests a new snapshot in several processes before a hook is resumed from it.

The test is a script that imports all that the snapshot holds, and is launched as hooks are.
The draft gets a name under which the loader finds it for this script only.
"""

from __future__ import annotations

import contextlib
import os
import pty
import resource
import shutil
import signal
import subprocess
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from hooks_compile.entries.compiler import Compiler
from hooks_compile.install import runtime_directory
from hooks_compile.model import HookSource
from hooks_compile.snapshots import snapshot_keys
from hooks_compile.snapshots.tracee import SnapshotError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Any

    from hooks_compile.model import Interpreter
    from hooks_compile.snapshots.snapshot_store import Place, Store

_CASES = Path(__file__).with_name("self_test_cases.py")
_BODY = "import sys\nimport self_test_cases\nself_test_cases.run(sys.argv[1])\n"
_TIMEOUT_S = 30
_OK = b"fine\n"


def run(
    snapshots: Store, place: Place, draft: Path, interpreter: Interpreter, held: Sequence[str]
) -> None:
    """Launch the test script from the snapshot in ``draft``, which holds the modules ``held``.

    Raises SnapshotError if a launch fails.
    """
    with snapshots.scratch() as directory:
        script = directory / "self_test.py"
        shutil.copy(_CASES, directory)
        script.write_text("".join([*map(_import_of, held), _BODY]), encoding="utf-8")
        key = runtime_directory.read_key(snapshots.runtime)
        with Compiler([interpreter], key) as compiler:
            compiler.compile([HookSource(script)])
        link = place.directory / snapshot_keys.script_name(script.stat())
        os.link(draft, link)
        try:
            launches = _Launches(snapshots, place, script)
            for launch in _SPECIAL:
                launch(launches)
            for case in _USUAL:
                launches.require(case)
        finally:
            link.unlink()


def _import_of(module: str) -> str:
    """Return lines that import a module, which this Python may not have."""
    return f"try:\n    import {module}\nexcept ImportError:\n    pass\n"


class _Launches:
    """Launches of the test script."""

    def __init__(self, snapshots: Store, place: Place, script: Path) -> None:
        self._words = [
            *(str(snapshots.loader), place.python, str(snapshots.runtime / "launch.py")),
            str(script),
        ]
        self._trace = script.with_name("trace")
        self.env: Mapping[str, str] = {
            **place.environment,
            "PATH": os.environ.get("PATH", os.defpath),
            "HOOKS_COMPILE_TRACE": str(self._trace),
        }

    def require(self, case: str, status: int = 0, said: bytes = _OK, **how: Any) -> None:
        """Launch a case. Raises SnapshotError unless it is resumed and ends as it should."""
        with self.started(case, **how) as process:
            out, error = process.communicate()
        self.judge(case, process, (process.returncode, out or b"") == (status, said), error)

    def judge(
        self, case: str, process: subprocess.Popen[bytes], is_right: bool, error: bytes
    ) -> None:
        """Raise SnapshotError unless the launch was resumed and right."""
        line = self._trace.read_text("utf-8") if self._trace.exists() else ""
        self._trace.unlink(missing_ok=True)
        if not line.startswith("resumed\thit\t"):
            reason = line.strip() or "no launcher ran"
            raise SnapshotError(f"the new snapshot is not resumed in the test {case!r}: {reason}")
        if not is_right:
            last = (error.decode("utf-8", "replace").splitlines() or ["nothing on stderr"])[-1]
            raise SnapshotError(
                f"the new snapshot fails in the test {case!r} (status {process.returncode}): {last}"
            )

    @contextlib.contextmanager
    def started(
        self, case: str, prepare: Callable[[], object] = bool, **how: object
    ) -> Iterator[subprocess.Popen[bytes]]:
        """Start a case with pipes; ``prepare`` is called in the new process.

        It is killed with its children if it takes too long.
        """

        def prepare_process() -> None:
            for number in (signal.SIGINT, signal.SIGCHLD):
                signal.signal(number, signal.SIG_DFL)  # an agent or a shell may ignore them
            prepare()

        options = {
            "stdin": subprocess.DEVNULL,
            "stdout": subprocess.PIPE,
            "preexec_fn": prepare_process,
            **how,
        }
        words = [*self._words, case]
        with subprocess.Popen(
            words, env=self.env, stderr=subprocess.PIPE, start_new_session=True, **options
        ) as process:  # type: ignore[call-overload] # options of any kind
            limit = threading.Timer(_TIMEOUT_S, os.killpg, (process.pid, signal.SIGKILL))
            limit.start()
            try:
                yield process
            finally:
                limit.cancel()
                limit.join()


def _closed_streams(launches: _Launches) -> None:
    launches.require("closed", said=b"", prepare=_close_streams, stdout=None)


def _close_streams() -> None:
    for stream in range(3):
        with contextlib.suppress(OSError):
            os.close(stream)


def _broken_pipe(launches: _Launches) -> None:
    """SIGPIPE is ignored, as Python does: the script gets an error."""
    reader, writer = os.pipe()
    os.close(reader)
    launches.require("broken_pipe", said=b"", stdout=writer)
    os.close(writer)


def _terminal(launches: _Launches) -> None:
    master, terminal = pty.openpty()
    try:
        with launches.started("terminal", stdin=terminal) as process:
            out, error = process.communicate()
        launches.judge("terminal", process, (process.returncode, out) == (0, _OK), error)
    finally:
        os.close(master)
        os.close(terminal)


def _interrupt(launches: _Launches) -> None:
    """^C ends the script as it ends every Python."""
    with launches.started("interrupt") as process:
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, error = process.communicate()
    is_right = process.returncode == -signal.SIGINT and b"KeyboardInterrupt" in error
    launches.judge("interrupt", process, is_right, error)


def _limits(launches: _Launches) -> None:
    def lower() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
        os.nice(5)

    launches.require("limits", prepare=lower)


_SPECIAL = (_closed_streams, _broken_pipe, _terminal, _interrupt, _limits)
# These only need to be launched.
_USUAL: Sequence[str] = ("threads", "processes", "libraries", "memory", "recursion", "signals")
