"""The records by which launches bypass the shim of pyenv: this module writes, shims.sh reads.

A record says what pyenv did for one version as it is named (``3.11``, ``system``), and on which
files that depended. ``shims.sh`` compares them at each launch. Before a record is used, the shim
and ``shims.sh`` are run side by side: both have to start the same Python with the same environment.
docs/shims.md says what is recorded and what is not.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from hooks_compile import files
from hooks_compile.errors import InterpreterError
from hooks_compile.interpreters.resolve import find, is_shim
from hooks_compile.printable import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DIRECTORY: Final = "shims"
CODE: Final = "shims.sh"
TOOL: Final = "tool"
_OUR_CODE: Final = Path(__file__).parent.with_name("launcher") / CODE
_TIMEOUT_S: Final = 20
_SOURCE: Final = (
    'code=$1 hooks_compile_shims=$2 hooks_compile_python=$3; shift 3; . "$code"; unset code; '
)
_BYPASS: Final = _SOURCE + 'exec "$hooks_compile_python" "$@"'
_DECIDE: Final = (
    _SOURCE
    + r"""printf '%s\0' "$hooks_compile_python" "$hooks_compile_why" "${hooks_compile_record-}" """
)
_PROBE: Final = "import json, os, sys; print(json.dumps([sys.executable, dict(os.environ)]))"
# Variables that every bash handles in a way of its own.
_OF_BASH: Final = {"_": "/bin/sh", "SHLVL": "3", "OLDPWD": "/", "PS1": "$ "}
# A file that changed so recently may change again within the tick of the file system's clock.
_SETTLED_NS: Final = 2_000_000_000
_EXEC: Final = re.compile(r'^exec "([^"$`\\]+)" exec "\$program" "\$@"$', re.MULTILINE)
_COMMANDS: Final = (
    *("pyenv", "pyenv-exec", "pyenv-hooks", "pyenv-latest", "pyenv-prefix", "pyenv-version-file"),
    *("pyenv-version-file-read", "pyenv-version-name", "pyenv-versions", "pyenv-which"),
)
_STEPS: Final = ("exec", "version-name", "which")
# Scripts of pyenv and pyenv-virtualenv that act for pip, and for programs other than Python.
_HARMLESS: Final = (
    "/pyenv.d/exec/pip-rehash.bash",
    *(
        f"/pyenv-virtualenv/etc/pyenv.d/which/{name}.bash"
        for name in ("conda", "python-config", "system-site-packages")
    ),
)


class UnrecordedError(Exception):
    """Why nothing is recorded."""


class Bypass(NamedTuple):
    """How launches treat a shim: they start ``binary``, or ask the shim because of ``why``.

    ``record`` is the file with what the shim chose; "" if no record would help.
    """

    shim: Path
    binary: Path | None
    why: str = ""
    record: str = ""

    def as_json(self) -> dict[str, str | None]:
        """Return it as JSON values."""
        binary = None if self.binary is None else str(self.binary)
        return {"shim": str(self.shim), "binary": binary, "asked_because": self.why or None}

    def __str__(self) -> str:
        """One line for a person."""
        if self.binary is not None:
            return f"{shown(self.shim)} is a shim: launches go straight to {shown(self.binary)}"
        return f"{shown(self.shim)} is a shim, and each launch asks it, because {self.why}"


def bypass_of(
    runtime: Path, command: str, *, cwd: Path, env: Mapping[str, str], record: bool = False
) -> Bypass | None:
    """Return how the wrapper would launch ``command`` in ``cwd``, None if it is no shim.

    With ``record``, what the shim chooses is recorded first, unless it is already. ``runtime`` then
    has to be this user's private directory. If the shim or a file fails, nothing is recorded.
    Without ``record`` nothing is written, and no shim is run.
    """
    try:
        shim = find(command, cwd=cwd, env=env)
    except InterpreterError:
        return None
    if os.sep in command or not is_shim(shim):
        return None
    launch = _Launch(shim, command, cwd, outside_of_shims(env) if record else env)
    try:
        bypass = launch.decide(runtime / DIRECTORY)
        if record and bypass.binary is None and bypass.record:
            bypass = launch.record(Path(bypass.record))
        if record and bypass.binary is not None:
            files.replace_if_changed(runtime / CODE, _OUR_CODE.read_bytes())
    except UnrecordedError as reason:
        return Bypass(shim, None, str(reason))
    except OSError as error:
        return Bypass(shim, None, f"no record can be written: {error.strerror}")
    return bypass


def write_tool(runtime: Path) -> None:
    """Write down how launches start us: they have no other way to know.

    If it can't be written, launches have no shim recorded.
    """
    words = [sys.executable, "-E", "-m", "hooks_compile"]  # -E: a hook's PYTHON* is not ours
    with suppress(OSError):
        files.replace_if_changed(runtime / TOOL, os.fsencode("\0".join(words)))


def outside_of_shims(env: Mapping[str, str]) -> dict[str, str]:
    """Return ``env`` as it was before a shim of pyenv started this tool."""
    if "PYENV_DIR" not in env:
        return dict(env)
    own = ("PYENV_DIR", "PYENV_HOOK_PATH", "PYENV_VERSION", "_PYENV_INSTALL_PREFIX")
    return {name: value for name, value in env.items() if name not in own}


class _Start(NamedTuple):
    """The Python that was started, and the environment that it got."""

    executable: str
    environment: dict[str, str]


class _Launch(NamedTuple):
    """A launch that finds a shim: a command in a directory, with an environment."""

    shim: Path
    command: str
    cwd: Path
    env: Mapping[str, str]

    def decide(self, records: Path) -> Bypass:
        """Return what shims.sh decides by the files in ``records``. Raises UnrecordedError."""
        said = self._run([_DECIDE, "sh", str(_OUR_CODE), str(records), self.command], self.env)
        python, why, record, _ = os.fsdecode(said).split("\0")
        return Bypass(self.shim, None if why else Path(python), why, record)

    def record(self, path: Path) -> Bypass:
        """Write the record ``path``, and return how launches treat the shim then.

        Raises UnrecordedError if a hook could see a difference, OSError if it can't be written.
        """
        import tempfile  # noqa: PLC0415 - only if something is recorded

        from filelock import FileLock  # noqa: PLC0415 - as above

        path.parent.mkdir(mode=0o700, exist_ok=True)
        now = time.time_ns()
        with (
            FileLock(path.with_name("lock"), timeout=_TIMEOUT_S),
            tempfile.TemporaryDirectory(prefix=".", dir=path.parent) as drafts,
        ):
            script = Path(drafts, "probe.py")
            script.write_text(_PROBE)
            words = [self.command, "-I", "-S", str(script)]
            asked = self._start(['exec "$@"', "sh", *words])
            path.unlink(missing_ok=True)  # the stamps become those of another record
            draft = Path(drafts, path.name)
            draft.write_bytes(os.fsencode(self._text(path, asked, now)))
            draft.chmod(0o600)
            bypass = self.decide(Path(drafts))
            if bypass.binary is not None:
                bypassed = self._start([_BYPASS, "sh", str(_OUR_CODE), drafts, *words])
                if bypassed != asked:
                    variables = asked.environment.items() ^ bypassed.environment.items()
                    names = ", ".join(sorted({name for name, _ in variables})) or "nothing"
                    raise UnrecordedError(f"it sets {names} in ways of its own")
                draft.replace(path)
        return bypass

    def _text(self, path: Path, asked: _Start, now: int) -> str:
        """Return the record ``path`` of what the shim started, and write its links and stamps.

        They are beside it: links to all on which the choice depends, and empty files with the
        modification times. ``now`` is the time in nanoseconds before the shim ran. Raises
        UnrecordedError for a pyenv that does more than ``shims.sh`` can follow.
        """
        root, seen = self.shim.parent.parent, asked.environment
        try:
            prefix, hook_path = seen["_PYENV_INSTALL_PREFIX"], seen["PYENV_HOOK_PATH"]
            added = seen["PATH"].removesuffix(self.env.get("PATH", os.defpath))
            version = seen["PYENV_VERSION"]
            (pyenv,) = _EXEC.findall(self.shim.read_text(encoding="utf-8"))
            found = [self.shim, Path(pyenv), *_files(Path(prefix), root, hook_path.split(":"))]
            versions = (root / "versions" / name for name in version.split(":"))
            binaries = [each / "bin" / self.command for each in versions]
        except (KeyError, OSError, ValueError) as error:
            raise UnrecordedError("it is of no pyenv that is known here") from error
        is_version = asked.executable.startswith(f"{root}/versions/")
        if not is_version and binaries[0].exists():
            raise UnrecordedError("the version's Python is a script that starts another one")
        found += binaries
        for number, file in enumerate(found, 1):
            link, stamp = Path(f"{path}+{number}"), Path(f"{path}+{number}t")
            link.unlink(missing_ok=True)
            link.symlink_to(file)
            stamp.unlink(missing_ok=True)
            if file.exists():
                changed = file.stat().st_mtime_ns
                if changed > now - _SETTLED_NS:
                    raise UnrecordedError("pyenv changed a moment ago")
                stamp.touch(mode=0o600)
                os.utime(stamp, ns=(changed, changed))
        spec, start = path.name.partition("@")[2], asked.executable if is_version else "system"
        lines = [spec, str(self.shim.parent), version, start, added, hook_path, prefix]
        return "\n".join([*lines, f"{path}+", str(len(found)), ""])  # as shims.sh reads them

    def _start(self, words: list[str]) -> _Start:
        """Return how the shell command ``words`` starts Python with the script ``_PROBE``.

        Raises UnrecordedError if no Python runs, or something is printed to stderr.
        """
        said = self._run(words, {**self.env, **_OF_BASH})
        try:
            return _Start(*json.loads(said))
        except (TypeError, ValueError):
            raise UnrecordedError("it starts no Python") from None

    def _run(self, words: list[str], env: Mapping[str, str]) -> bytes:
        """Return what ``sh -c WORDS`` prints. Raises UnrecordedError if it fails or complains."""
        try:
            done = subprocess.run(
                ["/bin/sh", "-c", *words],
                cwd=self.cwd,
                env=env,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise UnrecordedError(f"it does not answer in {_TIMEOUT_S} s") from error
        if done.returncode != 0 or done.stderr:
            said = os.fsdecode(done.stderr).strip().rpartition("\n")[2]
            raise UnrecordedError(f"it answers: {said or 'nothing'}")
        return done.stdout


def _files(prefix: Path, root: Path, hook_path: list[str]) -> Iterator[Path]:
    """Yield the files and directories on which the choice depends, also those that are missing.

    Raises UnrecordedError for a script of a plugin that may choose otherwise each time.
    """
    yield root / "versions"
    yield from (prefix / "libexec" / name for name in _COMMANDS)
    for place in {prefix / "plugins", root / "plugins"}:
        yield place
        for plugin in place.glob("*/"):
            yield from (plugin / "bin", plugin / "etc" / "pyenv.d")
    for place in map(Path, hook_path):
        yield place
        for directory in (place / step for step in _STEPS if place.exists()):
            yield directory
            for script in directory.glob("*.bash"):
                if not str(script).endswith(_HARMLESS):
                    raise UnrecordedError(f"{script} may choose otherwise each time")
                yield script
