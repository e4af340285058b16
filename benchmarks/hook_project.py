"""The throw-away project that the hooks in ``benchmarks/hooks`` run in."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from benchmarks.hook_events import Event

SOURCES = Path(__file__).with_name("hooks")
_PLACE = Path(".claude", "hooks")


def lay_hooks(project: Path) -> Path:
    """Copy the hooks into ``project`` as an agent's, and return their directory."""
    hooks = project / _PLACE
    shutil.copytree(SOURCES, hooks, ignore=shutil.ignore_patterns("__pycache__", "__pycache_opt__"))
    return hooks


def modules(hooks: Path) -> list[Path]:
    """Return the modules that hooks in this directory import."""
    return [hooks / "redaction.py", *sorted((hooks / "lib").glob("*.py"))]


def reset(project: Path) -> None:
    """Make everything but the hooks and what is compiled of them as on the first day."""
    project.mkdir(parents=True, exist_ok=True)
    for path in [*project.iterdir(), *(project / ".claude").glob("*")]:
        if path.name not in (".claude", "hooks"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    for name, text in _files():
        path = project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for name in ("objects", "refs/heads"):
        (project / ".git" / name).mkdir(parents=True)


def words(event: Event, project: Path) -> list[str]:
    """Return the hook's path and its arguments."""
    hook = project / _PLACE / event.hook
    return [str(hook), *(word.replace("@PROJECT@", str(project)) for word in event.arguments)]


def stdin(event: Event, project: Path) -> bytes:
    """Return what the hook reads."""
    return event.stdin.replace("@PROJECT@", str(project)).encode()


def environment(project: Path, **extra: str) -> dict[str, str]:
    """Return what the hook sees: the project is its home, and nothing of this user's is in it."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(project),
        "LANG": "C.UTF-8",
        "CLAUDE_PROJECT_DIR": str(project),
        **extra,
    }


def _files() -> Iterator[tuple[str, str]]:
    yield ".git/HEAD", "ref: refs/heads/main\n"
    yield ".git/config", "[core]\n\trepositoryformatversion = 0\n\tbare = false\n"
    yield "src/app.py", "def answer():\n    return 1\n\n\nclass App:\n    pass\n" * 20
    yield "src/util.py", "".join(f"def helper_{n}(x):\n    return x + {n}\n\n\n" for n in range(30))
    yield "src/index.ts", "export function start() {}\nexport class Page {}\n"
    yield "migrations/0001.sql", "CREATE TABLE t (id INTEGER);\n"
    yield "pyproject.toml", "[tool.coverage.report]\nfail_under = 90\n[tool.ruff]\nselect = ['E']\n"
    yield "TODO.md", "- [x] begin\n- [ ] write the parser\n- [ ] measure it\n"
    yield "scratch_1.py", "print('left over')\n"
    yield (
        "message",
        "fix(parser): keep the last line\n\nIt was lost without a newline.\n\n",
    )
    yield "bad message", "Fixed stuff.\nno empty line\n"
    yield "transcript.jsonl", _transcript("in_progress", "pending")
    yield "done.jsonl", _transcript("completed", "completed")


def _transcript(*states: str) -> str:
    """A session of some 60 records; the todo list at its end has items of these states."""
    records: list[dict[str, object]] = [_said("user", "Fix the crash in src/app.py, please.")]
    for number in range(20):
        use = _use(f"call_{number}", "Read", file_path=f"@/src/file_{number % 7}.py")
        records += [
            _said("assistant", f"Let's look at part {number} … instead of guessing.", number),
            _message("assistant", [use]),
            _message("user", [_result(f"call_{number}", "x = 1\n" * 20)]),
        ]
    edit = _use("edit", "Edit", file_path="src/app.py", old_string="1", new_string="2")
    run = _use("run", "Bash", command="pytest -q tests/test_app.py")
    todos = [{"content": f"Step {n}", "status": state} for n, state in enumerate(states, 1)]
    records += [
        _message("assistant", [edit, run]),
        _message("user", [_result("run", "1 failed", is_error=True)]),
        _message("assistant", [_use("todo", "TodoWrite", todos=todos)]),
        _said("assistant", "We will write a test for it first … “red”, then green.", 99),
    ]
    return _lines(records)


def _lines(records: Iterable[dict[str, object]]) -> str:
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)


def _message(role: str, content: list[dict[str, object]]) -> dict[str, object]:
    return {"type": role, "message": {"role": role, "content": content}}


def _said(role: str, text: str, number: int = 0) -> dict[str, object]:
    message: dict[str, object] = {"role": role, "content": [{"type": "text", "text": text}]}
    if role == "assistant":
        message |= {
            "id": f"msg_{number}",
            "model": "sonnet-4",
            "usage": {"input_tokens": 12, "output_tokens": 340, "cache_read_input_tokens": 41_000},
        }
    return {"type": role, "requestId": f"req_{number}", "message": message}


def _use(call: str, name: str, **given: object) -> dict[str, object]:
    return {"type": "tool_use", "id": call, "name": name, "input": given}


def _result(call: str, text: str, *, is_error: bool = False) -> dict[str, object]:
    return {"type": "tool_result", "tool_use_id": call, "content": text, "is_error": is_error}
