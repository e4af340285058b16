"""Every test lives in a home of its own; touching the real one fails the test."""

from __future__ import annotations

import codecs
import io
import os
import signal
import sys
import tempfile
import threading
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING
from zlib import crc32

import coverage
import pytest
from coverage.exceptions import CoverageWarning, NoDataError

from tests.support import interpreters_found, tiers
from tests.support.repositories import GitRepo

if TYPE_CHECKING:
    from collections.abc import Iterator

REAL_HOME = Path.home()
CHECKOUT = Path(__file__).parent.parent

# Where this tool, git and the agents keep what belongs to the user.
_GUARDED = tuple(
    os.fsencode(REAL_HOME / name)
    for name in (
        ".claude",
        ".codex",
        ".config/git",
        ".config/hooks-compile",
        ".cursor",
        ".gemini",
        ".gitconfig",
        ".hooks-compile.toml",
        ".local/share/hooks-compile",
        ".local/state/hooks-compile",
        ".cache/hooks-compile",
        ".cache/pre-commit",
        ".cache/prek",
    )
)
_PATH_EVENTS = frozenset(
    {
        *("open", "os.chmod", "os.link", "os.listdir", "os.mkdir", "os.remove", "os.rename"),
        *("os.rmdir", "os.scandir", "os.symlink", "os.truncate", "os.utime"),
    }
)
_FOREIGN_VARIABLES = (
    *("GIT_", "HOOKS_COMPILE_", "PYTHON", "XDG_"),
    *("CLAUDE", "CODEX_", "COPILOT_", "CURSOR_", "GEMINI_"),
    *("PRE_COMMIT", "_PRE_COMMIT", "PREK_", "UV_"),
)
_KEPT_VARIABLES = frozenset({tiers.VARIABLE, interpreters_found.PREFIX_VARIABLE})

_GIT_CONFIG = """\
[user]
\tname = Test Person
\temail = test@example.invalid
[init]
\tdefaultBranch = main
[commit]
\tgpgSign = false
[advice]
\tdetachedHead = false
"""


def _refuse_real_home(event: str, arguments: tuple[object, ...]) -> None:
    # at the end of a process the names of a module are None
    if _PATH_EVENTS is None or event not in _PATH_EVENTS:
        return
    for argument in arguments:
        if not isinstance(argument, str | bytes):
            continue
        path = os.fsencode(argument)
        if path.startswith(_GUARDED) and not path.startswith(os.fsencode(CHECKOUT)):
            pytest.fail(f"{event} touches the real home directory: {argument!r}")


sys.addaudithook(_refuse_real_home)

# Background jobs of a shell ignore ^C, and what nohup starts ignores SIGHUP. Every process that a
# test starts would inherit that, and the caller's umask.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
for _name in ("SIGHUP", "SIGTERM", "SIGQUIT"):
    if signal.getsignal(getattr(signal, _name)) is signal.SIG_IGN:
        signal.signal(getattr(signal, _name), signal.SIG_DFL)
os.umask(0o022)


def pytest_report_header() -> str:
    return interpreters_found.report()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores, since tests of processes wait for a part of their time."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return (cores or 1) + 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests of the watcher first: these wait most, while other workers compute."""
    items.sort(key=lambda item: "watcher" not in item.path.parts)


def pytest_configure(config: pytest.Config) -> None:
    if tiers.IS_CI and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Coverage())


class Coverage:
    """Measures the branches that the workers of a run take, and the tool's processes in it.

    Each Python of our environment is measured from its start, by coverage's own ``.pth`` file, as
    these variables tell it; ``home`` takes them from most tests. The run fails below ``fail_under``
    of pyproject.toml.
    """

    def __init__(self) -> None:
        os.environ["COVERAGE_PROCESS_START"] = str(CHECKOUT / "pyproject.toml")
        os.environ["COVERAGE_FILE"] = str(CHECKOUT / ".coverage")
        self._coverage = coverage.Coverage(config_file=os.environ["COVERAGE_PROCESS_START"])
        self._coverage.erase()
        self._told = io.StringIO()

    @pytest.hookimpl(trylast=True)  # the workers have ended by then
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        with warnings.catch_warnings():
            # files of processes that tests have killed while they wrote them
            warnings.simplefilter("ignore", CoverageWarning)
            self._coverage.combine()
        try:
            total = self._coverage.report(file=self._told)
        except NoDataError:
            self._told.write("nothing was measured: only workers are (-n auto)\n")
            total = 0.0
        if total < float(str(self._coverage.get_option("report:fail_under"))):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        terminalreporter.section("branch coverage")
        terminalreporter.write(self._told.getvalue())


@pytest.fixture(autouse=True)
def home(
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> Path:
    """The test's own home directory; no variable of the caller's git, Python or agent is left."""
    directory = tmp_path_factory.mktemp("home").resolve()
    for name in os.environ:
        if name.startswith(_FOREIGN_VARIABLES) and name not in _KEPT_VARIABLES:
            monkeypatch.delenv(name)
    # To start coverage takes longer than most commands take: one test in three measures its own.
    if crc32(request.node.nodeid.encode()) % 3:
        monkeypatch.delenv("COVERAGE_PROCESS_START", raising=False)
    for name in ("VIRTUAL_ENV", "__PYVENV_LAUNCHER__"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(directory))
    monkeypatch.setenv("USERPROFILE", str(directory))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(directory / ".config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(directory / ".local/share"))
    monkeypatch.setenv("XDG_STATE_HOME", str(directory / ".local/state"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(directory / ".cache"))
    (directory / ".gitconfig").write_text(_GIT_CONFIG, encoding="utf-8")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(directory / ".gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    return directory


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    deadline = time.monotonic() + 5
    while leaked := set(threading.enumerate()) - before:
        if time.monotonic() > deadline:
            pytest.fail(f"threads left running: {sorted(thread.name for thread in leaked)}")
        time.sleep(0.01)


@pytest.fixture
def unprivileged() -> Iterator[Path]:
    """A new directory, entered as a user whom permissions stop, even if root runs the tests.

    Import and prepare in other fixtures what root's own directories are needed for.
    """
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name).resolve()
        is_root = hasattr(os, "geteuid") and os.geteuid() == 0
        if is_root:
            codecs.lookup("utf-8-sig")  # its module is one of root's own files
            os.chown(directory, 12345, 12345)
            os.seteuid(12345)
        try:
            yield directory
        finally:
            if is_root:
                os.seteuid(0)


@pytest.fixture
def git_repo(tmp_path: Path) -> GitRepo:
    """An empty repository in a directory of its own."""
    return GitRepo.create(tmp_path / "repo")
