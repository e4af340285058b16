"""The records by which launches bypass the shim of pyenv: this module writes, shims.sh reads.

A record says what pyenv did for one version as it is named (``3.11``, ``system``), and on which
files that depended. ``shims.sh`` compares them at each launch. Before a record is used, the shim
and ``shims.sh`` are run side by side: both have to start the same Python with the same environment.
docs/shims.md says what is recorded and what is not.
"""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from hooks_compile import files
from hooks_compile.errors import InterpreterError
from hooks_compile.interpreters.pyenv import UnrecordedError, record_of
from hooks_compile.interpreters.resolve import find, is_shim
from hooks_compile.printable import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

DIRECTORY: Final = "shims"
CODE: Final = "shims.sh"
UNRECORDED: Final = "nothing is recorded yet (hooks-compile compile does it)"
_TIMEOUT_S: Final = 20


class Bypass(NamedTuple):
    """How launches treat a shim: they start ``binary``, or ask the shim because of ``why``."""

    shim: Path
    binary: Path | None
    why: str = ""

    def as_json(self) -> dict[str, str | None]:
        """Return it as JSON values."""
        binary = None if self.binary is None else str(self.binary)
        return {"shim": str(self.shim), "binary": binary, "asked_because": self.why or None}

    def __str__(self) -> str:
        """One line for a person."""
        if self.binary is not None:
            return f"{shown(self.shim)} is a shim: launches go straight to {shown(self.binary)}"
        return f"{shown(self.shim)} is a shim, and each launch asks it, because {self.why}"


def bypass_of(runtime: Path, command: str, *, cwd: Path, env: Mapping[str, str]) -> Bypass | None:
    """Return how the wrapper would launch ``command`` in ``cwd``, None if it is no shim.

    Nothing is written, and no shim is run.
    """
    shim = _find(command, cwd, env)
    if shim is None:
        return None
    code = runtime / CODE
    if not code.exists():
        return Bypass(shim, None, UNRECORDED)
    return _Case(shim, command, cwd, env).decide(code, runtime / DIRECTORY).bypass


def refresh(runtime: Path, command: str, *, cwd: Path, env: Mapping[str, str]) -> Bypass | None:
    """Record what the shim ``command`` chooses in ``cwd``, unless that is recorded already.

    Return how launches treat the shim from now on, None if the command is no shim. ``runtime`` has
    to be this user's private directory. If the shim or a file fails, nothing is recorded.
    """
    shim = _find(command, cwd, env)
    if shim is None:
        return None
    case = _Case(shim, command, cwd, outside_of_shims(env))
    code = own_code()
    try:
        decision = case.decide(code, runtime / DIRECTORY)
        bypass = decision.bypass
        if bypass.binary is None and decision.record:
            bypass = case.record(decision, code, runtime / DIRECTORY)
        if bypass.binary is not None:
            files.replace_if_changed(runtime / CODE, code.read_bytes())
    except UnrecordedError as reason:
        return Bypass(shim, None, str(reason))
    except OSError as error:
        return Bypass(shim, None, f"no record can be written: {error.strerror}")
    return bypass


def own_code() -> Path:
    """Return the ``shims.sh`` of this installation."""
    return Path(__file__).parent.with_name("launcher") / CODE


def outside_of_shims(env: Mapping[str, str]) -> dict[str, str]:
    """Return ``env`` as it was before a shim of pyenv started this tool."""
    if "PYENV_DIR" not in env:
        return dict(env)
    own = ("PYENV_DIR", "PYENV_HOOK_PATH", "PYENV_VERSION", "_PYENV_INSTALL_PREFIX")
    return {name: value for name, value in env.items() if name not in own}


def _find(command: str, cwd: Path, env: Mapping[str, str]) -> Path | None:
    if os.sep in command:
        return None
    try:
        path = find(command, cwd=cwd, env=env)
    except InterpreterError:
        return None
    return path if is_shim(path) else None


_SOURCE: Final = """
hooks_compile_code=$1 hooks_compile_shims=$2 hooks_compile_python=$3
shift 3
. "$hooks_compile_code"
"""
_TELL: Final = (
    _SOURCE
    + r"""
printf '%s\0' "$hooks_compile_python" "$hooks_compile_why" "${hooks_compile_spec-}" \
    "${hooks_compile_record-}"
"""
)
_THROUGH_SHIM: Final = ("-c", 'exec "$@"', "sh")
_PAST_SHIM: Final = ("-c", _SOURCE + 'exec "$hooks_compile_python" "$@"', "sh")
_MARK: Final = b"hooks-compile-environment"
_PROBE: Final = f"""
import os, sys
environ = getattr(os, "environb", os.environ)
words = [{_MARK!r}, sys.executable.encode("utf-8", "surrogateescape")]
words += [name + b"=" + environ[name] for name in sorted(environ)]
sys.stdout.buffer.write(b"\\0".join(words))
"""


class _Decision(NamedTuple):
    """What ``shims.sh`` decides; ``record`` is the file that it needs, "" if none would help."""

    bypass: Bypass
    spec: str
    record: str


class _Start(NamedTuple):
    """The Python that was started, and the environment that it got."""

    executable: str
    environment: dict[str, str]


class _Case(NamedTuple):
    """A shim and the launch that finds it: a command in a directory, with an environment."""

    shim: Path
    command: str
    cwd: Path
    env: Mapping[str, str]

    def decide(self, code: Path, records: Path) -> _Decision:
        """Return what ``code``, a ``shims.sh``, decides by the files in ``records``."""
        try:
            done = self._run(["-c", _TELL, "sh", str(code), str(records), self.command], self.env)
        except (OSError, UnrecordedError) as error:
            return _Decision(Bypass(self.shim, None, str(error)), "", "")
        words = os.fsdecode(done.stdout).split("\0")
        if done.returncode != 0 or len(words) != 5:
            said = os.fsdecode(done.stderr).strip().rpartition("\n")[2]
            return _Decision(Bypass(self.shim, None, f"sh fails here: {said}"), "", "")
        python, why, spec, record, _ = words
        return _Decision(Bypass(self.shim, None if why else Path(python), why), spec, record)

    def record(self, decision: _Decision, code: Path, records: Path) -> Bypass:
        """Write the record that ``decision`` lacks into ``records``, if it holds in a trial.

        Raises UnrecordedError if it does not, OSError if it can't be written.
        """
        import tempfile  # noqa: PLC0415 - only if something is recorded

        name = Path(decision.record).name
        records.mkdir(mode=0o700, exist_ok=True)
        variants = _variants(self.env)
        now = time.time_ns()
        through = [self._start([*_THROUGH_SHIM, self.command], each) for each in variants]
        seen, path = through[0].environment, self.env.get("PATH", os.defpath)
        record = record_of(self.shim, decision.spec, seen, path, now)
        with tempfile.TemporaryDirectory(prefix=".", dir=records) as drafts:
            for draft, text, age in (
                (Path(drafts, name), record.text, record.age),
                (Path(drafts, f"{name}+"), "", record.release),
            ):
                draft.write_text(text, encoding="utf-8", errors="surrogateescape")
                draft.chmod(0o600)
                os.utime(draft, ns=(age, age))
            trial = self.decide(code, Path(drafts)).bypass
            if trial.binary is None:
                return trial
            words = [*_PAST_SHIM, str(code), drafts, self.command]
            _require_same(through, [self._start(words, each) for each in variants])
            Path(drafts, f"{name}+").replace(records / f"{name}+")
            Path(drafts, name).replace(records / name)
        return trial

    def _start(self, words: Iterable[str], env: Mapping[str, str]) -> _Start:
        """Start Python by ``words`` with a script, as a hook is run.

        Raises UnrecordedError if no Python runs, or something is printed to stderr.
        """
        import tempfile  # noqa: PLC0415 - as above

        with tempfile.NamedTemporaryFile("w", prefix="hooks-compile-", suffix=".py") as script:
            script.write(_PROBE)
            script.flush()
            done = self._run([*words, "-I", "-S", script.name], env)
        mark, *seen = done.stdout.split(b"\0")
        if done.returncode != 0 or mark != _MARK or done.stderr:
            said = os.fsdecode(done.stderr or done.stdout).strip().rpartition("\n")[2]
            raise UnrecordedError(f"it answers: {said or 'nothing'}")
        executable, *variables = map(os.fsdecode, seen)
        pairs = (variable.partition("=") for variable in variables)
        return _Start(executable, {name: value for name, _, value in pairs})

    def _run(self, words: list[str], env: Mapping[str, str]) -> subprocess.CompletedProcess[bytes]:
        try:
            return subprocess.run(
                ["/bin/sh", *words],
                cwd=self.cwd,
                env=env,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise UnrecordedError(f"it does not answer in {_TIMEOUT_S} s") from error


def _variants(env: Mapping[str, str]) -> list[dict[str, str]]:
    """Return the environment without and with the variables that every bash handles."""
    bare = {name: value for name, value in env.items() if name not in ("_", "SHLVL", "OLDPWD")}
    return [bare, bare | {"_": "/bin/sh", "SHLVL": "3", "OLDPWD": "/", "PS1": "$ "}]


def _require_same(through: list[_Start], past: list[_Start]) -> None:
    """Raise UnrecordedError if Python could see whether the shim was asked."""
    for asked, bypassed in zip(through, past, strict=True):
        names = {name for name, _ in asked.environment.items() ^ bypassed.environment.items()}
        if names:
            raise UnrecordedError(f"it sets {', '.join(sorted(names))} in ways of its own")
    if through != past:
        raise UnrecordedError(f"it starts {through[0].executable}, which was not foreseen")
