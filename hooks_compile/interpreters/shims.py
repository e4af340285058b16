"""The records by which launches go past the shim of pyenv: this side writes, shims.sh reads.

A record says what pyenv was seen to do for one version as it is named (``3.11``, ``system``), and
on which files that depended. ``runtime/shims.sh`` compares at each launch. Before a record counts,
the shim and ``shims.sh`` are run side by side, and must give the same Python the same environment.
docs/shims.md tells what is recorded and what is not.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hooks_compile.entries.report import shown
from hooks_compile.errors import InterpreterError
from hooks_compile.install import runtime_directory as runtime_folder
from hooks_compile.interpreters.resolve import find, is_shim

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

FOLDER: Final = "shims"
CODE: Final = "shims.sh"
UNRECORDED: Final = "nothing is recorded yet (hooks-compile compile does it)"
_TIMEOUT_S: Final = 20
# A file that changed so lately may change again within the tick of the file system's clock.
_SETTLED_NS: Final = 2_000_000_000


@dataclass(frozen=True, slots=True)
class Passing:
    """How a launch of a command meets a shim: it goes to ``binary``, or asks because of ``why``."""

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


def standing(runtime: Path, command: str, *, cwd: Path, env: Mapping[str, str]) -> Passing | None:
    """Tell how the wrapper would launch ``command`` in ``cwd``; None where it is no shim.

    Nothing is written, and no shim is run.
    """
    shim = _find(command, cwd, env)
    if shim is None:
        return None
    code = runtime / CODE
    if not code.exists():
        return Passing(shim, None, UNRECORDED)
    return _decide(shim, code, runtime / FOLDER, command, cwd, env).passing


def refresh(runtime: Path, command: str, *, cwd: Path, env: Mapping[str, str]) -> Passing | None:
    """Record what the shim ``command`` chooses in ``cwd``, where that is not recorded yet.

    Returns how launches meet the shim from now on; None where the command is no shim. ``runtime``
    has to be this user's private folder. Errors of the shim and of files only keep it from being
    recorded.
    """
    shim = _find(command, cwd, env)
    if shim is None:
        return None
    outside = outside_of_shims(env)
    code = Path(__file__).parent.with_name("runtime") / CODE
    folder = runtime / FOLDER
    decision = _decide(shim, code, folder, command, cwd, outside)
    try:
        if decision.passing.binary is None and decision.record:
            folder.mkdir(mode=0o700, exist_ok=True)
            drafts = folder / f".{os.getpid()}"
            drafts.mkdir(mode=0o700)
            try:
                draft = drafts / Path(decision.record).name
                now = time.time_ns()
                variants = _variants(outside)
                through = [_seen([*_THROUGH_SHIM, command], cwd, each) for each in variants]
                record, ages = _pyenv(decision, through[0][1], outside["PATH"], now)
                stamp = draft.with_name(f"{draft.name}+")
                for path, text, age in zip((draft, stamp), (record.text(), ""), ages, strict=True):
                    path.write_text(text, encoding="utf-8", errors="surrogateescape")
                    path.chmod(0o600)
                    os.utime(path, ns=(age, age))
                decision = _decide(shim, code, drafts, command, cwd, outside)
                if decision.passing.binary is None:
                    return decision.passing
                words = [*_PAST_SHIM, str(code), str(drafts), command]
                _require_same(through, [_seen(words, cwd, each) for each in variants])
                stamp.replace(folder / stamp.name)
                draft.replace(folder / draft.name)
            finally:
                shutil.rmtree(drafts)
        if decision.passing.binary is not None:
            runtime_folder.replace(runtime / CODE, code.read_bytes())
    except _UnrecordedError as reason:
        return Passing(shim, None, str(reason))
    except OSError as error:
        return Passing(shim, None, f"no record can be written: {error.strerror}")
    return decision.passing


class _UnrecordedError(Exception):
    """Why nothing is recorded."""


def _find(command: str, cwd: Path, env: Mapping[str, str]) -> Path | None:
    if os.sep in command:
        return None
    try:
        path = find(command, cwd=cwd, env=env)
    except InterpreterError:
        return None
    return path if is_shim(path) else None


_PYENVS_OWN: Final = ("PYENV_DIR", "PYENV_HOOK_PATH", "PYENV_VERSION", "_PYENV_INSTALL_PREFIX")


def outside_of_shims(env: Mapping[str, str]) -> dict[str, str]:
    """Return ``env`` as it was before a shim of pyenv started this very tool."""
    if "PYENV_DIR" not in env:
        return dict(env)
    return {name: value for name, value in env.items() if name not in _PYENVS_OWN}


# --- what shims.sh decides ------------------------------------------------------------------------

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


@dataclass(frozen=True, slots=True)
class _Decision:
    """``record`` is the path of the record that it needs, "" where no record would help."""

    passing: Passing
    spec: str
    record: str


def _decide(
    shim: Path, code: Path, folder: Path, command: str, cwd: Path, env: Mapping[str, str]
) -> _Decision:
    try:
        done = _run(["-c", _TELL, "sh", str(code), str(folder), command], cwd, env)
    except (OSError, _UnrecordedError) as error:
        return _Decision(Passing(shim, None, str(error)), "", "")
    words = os.fsdecode(done.stdout).split("\0")
    if done.returncode != 0 or len(words) != 5:
        said = os.fsdecode(done.stderr).strip().rpartition("\n")[2]
        return _Decision(Passing(shim, None, f"sh does not do it here: {said}"), "", "")
    binary = None if words[1] else Path(words[0])
    return _Decision(Passing(shim, binary, words[1]), words[2], words[3])


def _run(words: list[str], cwd: Path, env: Mapping[str, str]) -> subprocess.CompletedProcess[bytes]:
    """Run ``/bin/sh`` with these words. Raises _UnrecordedError where it does not end."""
    try:
        return subprocess.run(
            ["/bin/sh", *words],
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise _UnrecordedError(f"it does not answer in {_TIMEOUT_S} s") from error


# --- what the shim is seen to do ------------------------------------------------------------------

_MARK: Final = b"hooks-compile-environment"
_PROBE: Final = f"""
import os, sys
environ = getattr(os, "environb", os.environ)
words = [{_MARK!r}, sys.executable.encode("utf-8", "surrogateescape")]
words += [name + b"=" + environ[name] for name in sorted(environ)]
sys.stdout.buffer.write(b"\\0".join(words))
"""
_THROUGH_SHIM: Final = ("-c", 'exec "$@"', "sh")
_PAST_SHIM: Final = ("-c", _SOURCE + 'exec "$hooks_compile_python" "$@"', "sh")


_Seen = tuple[str, dict[str, str]]


def _seen(words: Iterable[str], cwd: Path, env: Mapping[str, str]) -> _Seen:
    """Return the path and the environment that Python sees when it is started by these words.

    They run a script, as a hook is run. Raises _UnrecordedError where there is no Python, or
    something is said to stderr.
    """
    import tempfile  # noqa: PLC0415 - only where something is recorded

    with tempfile.NamedTemporaryFile("w", prefix="hooks-compile-", suffix=".py") as script:
        script.write(_PROBE)
        script.flush()
        done = _run([*words, "-I", "-S", script.name], cwd, env)
    mark, *seen = done.stdout.split(b"\0")
    if done.returncode != 0 or mark != _MARK or done.stderr:
        said = os.fsdecode(done.stderr or done.stdout).strip().rpartition("\n")[2]
        raise _UnrecordedError(f"it answers: {said or 'nothing'}")
    executable, *variables = map(os.fsdecode, seen)
    pairs = (variable.partition("=") for variable in variables)
    return executable, {name: value for name, _, value in pairs}


def _variants(env: Mapping[str, str]) -> list[dict[str, str]]:
    """Return the environment without and with the variables that every bash handles."""
    bare = {name: value for name, value in env.items() if name not in ("_", "SHLVL", "OLDPWD")}
    return [bare, bare | {"_": "/bin/sh", "SHLVL": "3", "OLDPWD": "/", "PS1": "$ "}]


def _require_same(through: list[_Seen], past: list[_Seen]) -> None:
    """Raise _UnrecordedError where Python could tell whether the shim was asked."""
    for (_, asked), (_, not_asked) in zip(through, past, strict=True):
        names = {name for name, _ in asked.items() ^ not_asked.items()}
        if names:
            raise _UnrecordedError(f"it sets {', '.join(sorted(names))} in ways of its own")
    if through != past:
        raise _UnrecordedError(f"it starts {through[0][0]}, which was not foreseen")


# --- pyenv ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Record:
    """The lines of a record, in the order in which shims.sh reads them."""

    spec: str
    shim_folder: str
    bash: str
    pyenv: str
    prefix: str
    plugins: str
    version: str
    similar: str
    locales: str

    def text(self) -> str:
        """Return it as it is written."""
        lines: tuple[str, ...] = astuple(self)
        if any("\n" in line for line in lines):
            raise _UnrecordedError("a path in it has more than one line")
        return "\n".join(lines) + "\n"


_EXEC: Final = re.compile(r'^exec "([^"$`\\]+)" exec "\$program" "\$@"$', re.MULTILINE)
_NAME: Final = re.compile(r"[0-9A-Za-z._-]+")
_PREFIX: Final = re.compile(r"\d+(\.\d+)?")
_STEPS: Final = ("exec", "version-name", "which")
_LOCALES: Final = (
    *("LC_ALL", "LC_CTYPE", "LC_COLLATE", "LC_MESSAGES", "LC_NUMERIC", "LC_TIME", "LANG"),
)
_COMMANDS: Final = (
    *("pyenv", "pyenv-exec", "pyenv-hooks", "pyenv-latest", "pyenv-prefix", "pyenv-version-file"),
    *("pyenv-version-file-read", "pyenv-version-name", "pyenv-versions", "pyenv-which"),
)


def _pyenv(
    decision: _Decision, seen: Mapping[str, str], path: str, now: int
) -> tuple[_Record, tuple[int, int]]:
    """Return a record of what the shim does, and when the youngest file and the release changed.

    ``seen`` is the environment that the shim gave, ``path`` the PATH that it got; times are in
    nanoseconds, and become those of the record and of its stamp, the empty file beside it.
    Raises _UnrecordedError for a pyenv that does more than ``shims.sh`` can follow.
    """
    shim = decision.passing.shim
    try:
        prefix = Path(seen["_PYENV_INSTALL_PREFIX"])
        version, hook_path = seen["PYENV_VERSION"], seen["PYENV_HOOK_PATH"].split(":")
        (exec_,) = _EXEC.findall(shim.read_text(encoding="utf-8"))
        files = [shim, *(prefix / "libexec" / name for name in _COMMANDS)]
        for folder in hook_path:
            files += [script for step in _STEPS for script in Path(folder, step).glob("*.bash")]
        release = prefix.joinpath("libexec", "pyenv---version").stat().st_mtime_ns
        age = max(release, *(file.stat().st_mtime_ns for file in files))
    except (KeyError, OSError, ValueError) as error:
        raise _UnrecordedError("it is of no pyenv that is known here") from error
    root = shim.parent.parent
    if age > now - _SETTLED_NS:
        raise _UnrecordedError("pyenv changed a moment ago")
    record = _Record(
        spec=decision.spec,
        shim_folder=str(shim.parent),
        bash=shutil.which("bash", path=path) or "",
        pyenv=exec_,
        prefix=str(prefix),
        plugins="".join(_plugins(folder) for folder in dict.fromkeys((prefix, root))),
        version=version,
        similar=_similar(root, decision.spec, version),
        locales=":".join(sorted({seen[name] for name in _LOCALES if seen.get(name)})),
    )
    return record, (age, release)


def _plugins(folder: Path) -> str:
    """Return the names of the plugins in ``folder``, which pyenv takes in the order of a locale.

    Raises _UnrecordedError where not every locale would put them into the same order.
    """
    names = sorted(path.name for path in folder.glob("plugins/*/") if path.name[0] != ".")
    letters = [re.sub(r"[^0-9a-z]", "", name.lower()) for name in names]
    if letters != sorted(letters) or not all(map(_NAME.fullmatch, names)):
        raise _UnrecordedError("the order of its plugins depends on the locale")
    return "".join(f"/{name}/" for name in names)


def _similar(root: Path, spec: str, version: str) -> str:
    """Return the installed versions among which pyenv chose ``version``; "" where it had no choice.

    Raises _UnrecordedError for a choice that ``shims.sh`` can't follow.
    """
    if version == spec:
        return ""
    if not _PREFIX.fullmatch(spec) or not _NAME.fullmatch(version):
        raise _UnrecordedError(f"the version {spec!r} is not installed by this very name")
    names = sorted(path.name for path in root.glob(f"versions/{spec}*/"))
    return "".join(f"/{name}/" for name in names)
