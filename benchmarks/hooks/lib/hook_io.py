"""Reading events and answering them, shared by the hooks of this project."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any, Dict, NoReturn, Optional

ALLOW, ERROR, BLOCK = 0, 1, 2


class Event:
    """An event as the agent sent it."""

    def __init__(self, data: Dict[str, Any]) -> None:
        self.data = data

    @classmethod
    def read(cls) -> "Event":
        """Read it from stdin; an empty one where there is none."""
        text = sys.stdin.read()
        try:
            data = json.loads(text) if text.strip() else {}
        except json.JSONDecodeError as error:
            fail(f"the event is no JSON: {error}")
        return cls(data if isinstance(data, dict) else {})

    @property
    def tool(self) -> str:
        return self.data.get("tool_name", "")

    @property
    def input(self) -> Dict[str, Any]:
        return self.data.get("tool_input") or {}

    @property
    def session(self) -> str:
        return self.data.get("session_id", "unknown")

    @property
    def file(self) -> Optional[Path]:
        """The file that the tool is about, if it is about one."""
        name = self.input.get("file_path") or self.input.get("notebook_path")
        return Path(name) if name else None


def project() -> Path:
    """Return the project's folder."""
    return Path(os.environ.get("CLAUDE_PROJECT_DIR") or os.getcwd())


def state(name: str) -> Path:
    """Return the path of a state file, in a folder that exists."""
    folder = project() / ".claude" / "state"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / name


def answer(**fields: Any) -> None:
    """Print a JSON answer."""
    print(json.dumps(fields, ensure_ascii=False))


def allow() -> NoReturn:
    sys.exit(ALLOW)


def block(reason: str) -> NoReturn:
    print(reason, file=sys.stderr)
    sys.exit(BLOCK)


def fail(message: str) -> NoReturn:
    print(f"{Path(sys.argv[0]).name}: {message}", file=sys.stderr)
    sys.exit(ERROR)
