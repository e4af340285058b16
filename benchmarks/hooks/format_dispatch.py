#!/usr/bin/env python3
"""PostToolUse: hands the file that was just edited to its formatter.

The formatter is looked for in the project first (node_modules/.bin, .venv/bin)
and on PATH then. A formatter that is missing is no error. One that fails is
reported back to the agent, which usually means that the file does not parse.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Dict, List, Optional, Sequence, Tuple

TOOLS = {"Edit", "MultiEdit", "Write", "NotebookEdit"}
TIMEOUT_S = 20
MAX_BYTES = 1_000_000
IGNORED_PARTS = {
    ".git",
    ".venv",
    "venv",
    "node_modules",
    "dist",
    "build",
    "target",
    "__pycache__",
    "vendor",
    "third_party",
}


@dataclass(frozen=True)
class Formatter:
    """A program that rewrites files, and how it is called."""

    program: str
    arguments: Tuple[str, ...] = ()
    config: Tuple[str, ...] = ()

    def command(self, executable: str, path: Path) -> List[str]:
        return [executable, *self.arguments, str(path)]


@dataclass
class Report:
    """What became of one file."""

    path: Path
    ran: List[str] = field(default_factory=list)
    missing: List[str] = field(default_factory=list)
    failed: Dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0


RUFF_FIX = Formatter("ruff", ("check", "--fix", "--quiet", "--exit-zero"))
RUFF = Formatter("ruff", ("format", "--quiet"))
PRETTIER = Formatter(
    "prettier",
    ("--write", "--log-level=warn"),
    (".prettierrc", ".prettierrc.json", "prettier.config.js"),
)

FORMATTERS: Dict[str, Sequence[Formatter]] = {
    ".py": (RUFF_FIX, RUFF),
    ".pyi": (RUFF,),
    ".js": (PRETTIER,),
    ".jsx": (PRETTIER,),
    ".ts": (PRETTIER,),
    ".tsx": (PRETTIER,),
    ".css": (PRETTIER,),
    ".scss": (PRETTIER,),
    ".html": (PRETTIER,),
    ".json": (PRETTIER,),
    ".md": (PRETTIER,),
    ".yaml": (PRETTIER,),
    ".yml": (PRETTIER,),
    ".go": (Formatter("gofmt", ("-w",)),),
    ".rs": (Formatter("rustfmt", ("--edition", "2021")),),
    ".sh": (Formatter("shfmt", ("-w", "-i", "4")),),
    ".bash": (Formatter("shfmt", ("-w", "-i", "4")),),
    ".lua": (Formatter("stylua"),),
    ".tf": (Formatter("terraform", ("fmt",)),),
    ".toml": (Formatter("taplo", ("format",)),),
    ".sql": (Formatter("sqlfluff", ("fix", "--force")),),
    ".c": (Formatter("clang-format", ("-i",), (".clang-format",)),),
    ".h": (Formatter("clang-format", ("-i",), (".clang-format",)),),
    ".cpp": (Formatter("clang-format", ("-i",), (".clang-format",)),),
}


def project_root() -> Path:
    return Path(os.environ.get("CLAUDE_PROJECT_DIR", os.getcwd())).resolve()


def find_program(name: str, root: Path) -> Optional[str]:
    """Return the project's own program, or the one on PATH."""
    for folder in ("node_modules/.bin", ".venv/bin", "venv/bin", "bin"):
        candidate = root / folder / name
        if candidate.is_file() and os.access(candidate, os.X_OK):
            return str(candidate)
    return shutil.which(name)


def is_configured(formatter: Formatter, root: Path) -> bool:
    """Whether the project wants the formatter; one without a file of its own is wanted always."""
    return not formatter.config or any(
        (root / name).exists() for name in formatter.config
    )


def is_ours(path: Path, root: Path) -> bool:
    """Whether it is a file of this project that a formatter may touch."""
    try:
        relative = path.resolve().relative_to(root)
    except ValueError:
        return False
    if IGNORED_PARTS & set(relative.parts):
        return False
    return path.is_file() and path.stat().st_size <= MAX_BYTES


def run(command: List[str], cwd: Path) -> Tuple[int, str]:
    try:
        done = subprocess.run(
            command,
            cwd=str(cwd),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
        )
    except subprocess.TimeoutExpired:
        return 124, f"took more than {TIMEOUT_S} s"
    except OSError as error:
        return 127, str(error)
    return done.returncode, (done.stderr or done.stdout).strip()


def format_file(path: Path, root: Path) -> Report:
    report = Report(path)
    start = time.monotonic()
    for formatter in FORMATTERS.get(path.suffix.lower(), ()):
        if not is_configured(formatter, root):
            continue
        executable = find_program(formatter.program, root)
        if executable is None:
            report.missing.append(formatter.program)
            continue
        status, output = run(formatter.command(executable, path), root)
        if status:
            report.failed[formatter.program] = (
                output or f"exit status {status}"
            )
        else:
            report.ran.append(formatter.program)
    report.seconds = time.monotonic() - start
    return report


def main() -> int:
    try:
        event = json.load(sys.stdin)
    except json.JSONDecodeError as error:
        print(f"format_dispatch: invalid event ({error})", file=sys.stderr)
        return 1
    if event.get("tool_name") not in TOOLS:
        return 0
    name = event.get("tool_input", {}).get("file_path")
    root = project_root()
    if not name or not is_ours(Path(name), root):
        return 0
    report = format_file(Path(name), root)
    for program, output in report.failed.items():
        print(f"{program} failed on {report.path.name}:", file=sys.stderr)
        print("\n".join(output.splitlines()[:10]), file=sys.stderr)
    return 2 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
