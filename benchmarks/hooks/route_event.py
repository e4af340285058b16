#!/usr/bin/env python3
"""
One hook for all events.

The agent calls it for everything; what happens then is decided by the handlers
below, in the order in which they are registered. Wired as:

    "PreToolUse":       [{"hooks": [{"type": "command", "command": "python3 .claude/hooks/route_event.py PreToolUse"}]}]
    "PostToolUse":      [{"hooks": [{"type": "command", "command": "python3 .claude/hooks/route_event.py PostToolUse"}]}]
    "UserPromptSubmit": [{"hooks": [{"type": "command", "command": "python3 .claude/hooks/route_event.py UserPromptSubmit"}]}]
    ...

Configuration: .claude/router.json, every key of which is optional:

    {
      "disabled": ["tests_first"],
      "log_level": "INFO",
      "protected_paths": ["migrations/**"],
      "max_file_kb": 512,
      "test_command": ["pytest", "-q"],
      "review_every": 25
    }

A handler returns a Decision or None. The strictest decision wins: block before
ask, ask before allow. Context that handlers add is put together in their order.
A handler that fails is logged, and counts as None: the router never stops the
agent because of an error of its own.
"""

from __future__ import annotations

import argparse
import enum
import fnmatch
import functools
import json
import logging
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import (
    Any,
    Callable,
    DefaultDict,
    Dict,
    Iterable,
    Iterator,
    List,
    Mapping,
    Optional,
    Sequence,
    Tuple,
)

sys.path.insert(0, str(Path(__file__).resolve().parent))

from lib import transcript  # noqa: E402
from redaction import redact  # noqa: E402

__version__ = "2.4.1"

log = logging.getLogger("router")


# ═══════════════════════════════════════════════════════════════════════════
# Decisions
# ═══════════════════════════════════════════════════════════════════════════


class Verdict(enum.IntEnum):
    """How strict a decision is; the highest wins."""

    NONE = 0
    ALLOW = 1
    ASK = 2
    BLOCK = 3


@dataclass
class Decision:
    """What a handler wants to happen."""

    verdict: Verdict = Verdict.NONE
    reason: str = ""
    context: List[str] = field(default_factory=list)
    handler: str = ""

    @classmethod
    def block(cls, reason: str) -> "Decision":
        return cls(Verdict.BLOCK, reason)

    @classmethod
    def ask(cls, reason: str) -> "Decision":
        return cls(Verdict.ASK, reason)

    @classmethod
    def add(cls, *context: str) -> "Decision":
        return cls(context=[text for text in context if text])

    def merge(self, other: "Decision") -> "Decision":
        """Return the stricter of both, with the context of both."""
        winner = other if other.verdict > self.verdict else self
        return Decision(
            winner.verdict,
            winner.reason,
            self.context + other.context,
            winner.handler,
        )


# ═══════════════════════════════════════════════════════════════════════════
# Configuration
# ═══════════════════════════════════════════════════════════════════════════


@dataclass
class Config:
    """.claude/router.json, with its defaults."""

    disabled: List[str] = field(default_factory=list)
    log_level: str = "INFO"
    protected_paths: List[str] = field(
        default_factory=lambda: [
            ".git/**",
            "*.lock",
            "package-lock.json",
            "**/generated/**",
            "migrations/**",
        ]
    )
    secret_paths: List[str] = field(
        default_factory=lambda: [
            ".env",
            ".env.*",
            "*.pem",
            "*.key",
            "id_rsa*",
            "id_ed25519*",
            "credentials*",
            ".netrc",
            ".pypirc",
        ]
    )
    max_file_kb: int = 512
    test_command: List[str] = field(default_factory=list)
    test_timeout: int = 120
    review_every: int = 25
    state_days: int = 30
    quiet_hours: Optional[Tuple[int, int]] = None

    @classmethod
    def load(cls, root: Path) -> "Config":
        path = root / ".claude" / "router.json"
        try:
            raw = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return cls()
        except (OSError, ValueError) as error:
            log.warning("%s is left out: %s", path.name, error)
            return cls()
        known = {name: value for name, value in raw.items() if name in cls.__dataclass_fields__}
        for name in sorted(set(raw) - set(known)):
            log.warning("%s: no such setting: %s", path.name, name)
        return cls(**known)


# ═══════════════════════════════════════════════════════════════════════════
# Events
# ═══════════════════════════════════════════════════════════════════════════


@dataclass
class Event:
    """An event of the agent, with what the handlers ask of it."""

    name: str
    data: Dict[str, Any]
    root: Path

    @property
    def session(self) -> str:
        return re.sub(r"[^\w-]", "", str(self.data.get("session_id", "unknown")))

    @property
    def tool(self) -> str:
        return self.data.get("tool_name", "")

    @property
    def tool_input(self) -> Dict[str, Any]:
        value = self.data.get("tool_input")
        return value if isinstance(value, dict) else {}

    @property
    def response(self) -> Dict[str, Any]:
        value = self.data.get("tool_response")
        return value if isinstance(value, dict) else {"text": str(value)} if value else {}

    @property
    def command(self) -> str:
        return self.tool_input.get("command", "") if self.tool == "Bash" else ""

    @property
    def prompt(self) -> str:
        return self.data.get("prompt", "")

    @property
    def transcript_path(self) -> str:
        return self.data.get("transcript_path", "")

    @functools.cached_property
    def relative(self) -> Optional[str]:
        """The file that the tool is about, relative to the project."""
        name = self.tool_input.get("file_path") or self.tool_input.get("notebook_path")
        if not name:
            return None
        path = os.path.normpath(os.path.join(self.root, name))
        return os.path.relpath(path, self.root).replace(os.sep, "/")

    @property
    def is_edit(self) -> bool:
        return self.tool in ("Edit", "MultiEdit", "Write", "NotebookEdit")

    def new_text(self) -> str:
        """Return what the edit brings in."""
        given = self.tool_input
        texts = [given.get(name, "") for name in ("content", "new_string", "new_source")]
        texts += [edit.get("new_string", "") for edit in given.get("edits", [])]
        return "\n".join(text for text in texts if text)


# ═══════════════════════════════════════════════════════════════════════════
# State
# ═══════════════════════════════════════════════════════════════════════════


class State:
    """What is kept between events: one JSON file for each session."""

    def __init__(self, root: Path, session: str) -> None:
        self.folder = root / ".claude" / "state" / "router"
        self.path = self.folder / f"{session}.json"
        self.data: Dict[str, Any] = {}
        self._before = ""

    def __enter__(self) -> "State":
        try:
            self._before = self.path.read_text(encoding="utf-8")
            self.data = json.loads(self._before)
        except (OSError, ValueError):
            self.data = {}
        return self

    def __exit__(self, *exc_info: object) -> None:
        text = json.dumps(self.data, sort_keys=True, indent=1)
        if text == self._before or not self.data:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=self.folder, prefix=".state-")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(name, self.path)

    def count(self, name: str, by: int = 1) -> int:
        self.data[name] = self.data.get(name, 0) + by
        return self.data[name]

    def remember(self, name: str, value: str, limit: int = 200) -> bool:
        """Put a value on a list, and return whether it is new there."""
        values = self.data.setdefault(name, [])
        if value in values:
            return False
        values.append(value)
        del values[:-limit]
        return True

    def forget_old(self, days: int) -> int:
        """Remove the files of old sessions; return how many there were."""
        oldest = time.time() - timedelta(days=days).total_seconds()
        removed = 0
        for path in self.folder.glob("*.json"):
            if path != self.path and path.stat().st_mtime < oldest:
                path.unlink()
                removed += 1
        return removed


# ═══════════════════════════════════════════════════════════════════════════
# Handlers
# ═══════════════════════════════════════════════════════════════════════════

Handler = Callable[[Event, Config, State], Optional[Decision]]
HANDLERS: DefaultDict[str, List[Tuple[int, str, Handler]]] = defaultdict(list)


def handles(*events: str, priority: int = 50) -> Callable[[Handler], Handler]:
    """Register a handler; a lower priority runs earlier."""

    def register(function: Handler) -> Handler:
        for event in events:
            HANDLERS[event].append((priority, function.__name__, function))
            HANDLERS[event].sort(key=lambda item: item[:2])
        return function

    return register


def matches_any(name: str, patterns: Iterable[str]) -> Optional[str]:
    """Return the first pattern that a path matches."""
    for pattern in patterns:
        if pattern.endswith("/**") and not pattern.startswith("**/"):
            if name.startswith(pattern[:-2]):
                return pattern
        elif pattern.startswith("**/"):
            if fnmatch.fnmatch("/" + name, "*" + pattern[2:].replace("/**", "/*")):
                return pattern
        elif "/" in pattern:
            if fnmatch.fnmatch(name, pattern):
                return pattern
        elif fnmatch.fnmatch(name.rpartition("/")[2], pattern):
            return pattern
    return None


# --- PreToolUse ------------------------------------------------------------

DESTRUCTIVE = {
    "recursive removal": re.compile(
        r"\brm\s+(?:-\w+\s+)*-\w*(?:rf|fr|r)\w*\s+(?:/|~|\$HOME)(?:\s|/?\*|$)"
    ),
    "disk": re.compile(r"\b(?:mkfs(?:\.\w+)?|fdisk|wipefs|parted)\b|\bof=/dev/(?!null|stdout)"),
    "fork bomb": re.compile(r":\(\)\s*\{\s*:\|:&\s*\};:"),
    "downloaded script": re.compile(r"\b(?:curl|wget)\b[^|;]*\|\s*(?:sudo\s+)?(?:ba|z)?sh\b"),
    "history rewriting": re.compile(r"\bgit\s+(?:filter-branch|filter-repo|reflog\s+expire)\b"),
    "forced push": re.compile(r"\bgit\s+push\b.*\s(?:-f|--force)(?:\s|$)"),
    "permissions": re.compile(r"\bchmod\s+-R\s+(?:0?777|a\+w)\b"),
    "shutdown": re.compile(r"\b(?:shutdown|reboot|poweroff|halt)\b(?!\.\w)"),
}

QUESTIONABLE = {
    "hard reset": re.compile(r"\bgit\s+reset\s+--hard\b"),
    "clean": re.compile(r"\bgit\s+clean\s+-\w*[fdx]"),
    "publishing": re.compile(r"\b(?:npm|pnpm|yarn|cargo)\s+publish\b|\btwine\s+upload\b"),
    "database": re.compile(r"\b(?:drop|truncate)\s+(?:table|database|schema)\b", re.I),
    "infrastructure": re.compile(r"\b(?:terraform|tofu|pulumi)\s+(?:apply|destroy|up)\b"),
    "cluster": re.compile(
        r"\bkubectl\s+(?:delete|apply|scale|drain)\b|\bhelm\s+(?:upgrade|uninstall)\b"
    ),
    "root": re.compile(r"(?:^|[;&|]\s*)sudo\b"),
}


@handles("PreToolUse", priority=10)
def dangerous_commands(event: Event, config: Config, state: State) -> Optional[Decision]:
    """Commands that destroy are blocked, those that may are asked about."""
    if not event.command:
        return None
    for name, pattern in DESTRUCTIVE.items():
        if pattern.search(event.command):
            return Decision.block(f"{name}: {event.command[:120]}")
    for name, pattern in QUESTIONABLE.items():
        if pattern.search(event.command):
            return Decision.ask(f"{name}: {event.command[:120]}")
    return None


@handles("PreToolUse", priority=20)
def secret_files(event: Event, config: Config, state: State) -> Optional[Decision]:
    """Files with credentials are neither read nor written, by no tool."""
    names: List[str] = []
    if event.relative:
        names.append(event.relative)
    if event.command:
        try:
            names += [word for word in shlex.split(event.command) if not word.startswith("-")]
        except ValueError:
            names += event.command.split()
    for name in names:
        if name.endswith((".example", ".sample", ".template")):
            continue
        pattern = matches_any(name, config.secret_paths)
        if pattern:
            return Decision.block(f"{name} may hold secrets ({pattern})")
    return None


@handles("PreToolUse", priority=30)
def protected_files(event: Event, config: Config, state: State) -> Optional[Decision]:
    """Files that are generated or frozen are not edited."""
    if not event.is_edit or not event.relative:
        return None
    if event.relative.startswith("../"):
        return Decision.ask(f"{event.relative} is outside of the project")
    pattern = matches_any(event.relative, config.protected_paths)
    if pattern:
        return Decision.block(f"{event.relative} is protected ({pattern})")
    return None


@handles("PreToolUse", priority=40)
def large_files(event: Event, config: Config, state: State) -> Optional[Decision]:
    """Large files are read in parts."""
    if event.tool != "Read" or not event.relative or event.tool_input.get("limit"):
        return None
    try:
        size = (event.root / event.relative).stat().st_size
    except OSError:
        return None
    if size <= config.max_file_kb * 1024:
        return None
    return Decision.block(
        f"{event.relative} has {size // 1024} KB: read a part of it (offset, limit), or search it"
    )


@handles("PreToolUse", priority=60)
def tests_first(event: Event, config: Config, state: State) -> Optional[Decision]:
    """A new source without a test is pointed out, once."""
    if event.tool != "Write" or not event.relative or not event.relative.endswith(".py"):
        return None
    path = Path(event.relative)
    if path.name.startswith(("test_", "_")) or "tests" in path.parts:
        return None
    if (event.root / event.relative).exists():
        return None
    candidates = (f"tests/test_{path.stem}.py", f"{path.parent}/test_{path.stem}.py")
    if any((event.root / name).exists() for name in candidates):
        return None
    if state.remember("untested", event.relative):
        return Decision.add(f"{event.relative} has no test yet: {candidates[0]}?")
    return None


# --- PostToolUse -----------------------------------------------------------


@handles("PostToolUse", priority=10)
def count_tools(event: Event, config: Config, state: State) -> Optional[Decision]:
    """Calls and errors are counted for the summary."""
    tools = state.data.setdefault("tools", {})
    tools[event.tool] = tools.get(event.tool, 0) + 1
    if event.response.get("is_error") or event.response.get("error"):
        state.count("errors")
    return None


@handles("PostToolUse", priority=20)
def track_edits(event: Event, config: Config, state: State) -> Optional[Decision]:
    """Edited files are remembered, and a review is asked for from time to time."""
    if not event.is_edit or not event.relative:
        return None
    state.remember("edited", event.relative)
    edits = state.count("edits")
    if config.review_every and edits % config.review_every == 0:
        files = ", ".join(state.data["edited"][-5:])
        return Decision.add(f"{edits} edits so far; look them over as a whole ({files}).")
    return None


LEFTOVERS = {
    "a conflict marker": re.compile(r"^(?:<{7}|>{7}) ", re.M),
    "a breakpoint": re.compile(r"\bbreakpoint\(\)|\bpdb\.set_trace\(|^\s*debugger;", re.M),
    "a focused test": re.compile(r"\b(?:it|describe|test)\.only\("),
    "a skipped test": re.compile(r"@pytest\.mark\.skip\b|\b(?:it|describe)\.skip\("),
    "an empty handler": re.compile(r"except[^\n:]*:\s*\n\s*pass\b"),
}


@handles("PostToolUse", priority=30)
def leftovers(event: Event, config: Config, state: State) -> Optional[Decision]:
    """What was meant to go again is pointed out at once."""
    if not event.is_edit:
        return None
    text = event.new_text()
    found = [name for name, pattern in LEFTOVERS.items() if pattern.search(text)]
    if not found:
        return None
    return Decision.add(f"{event.relative}: the edit brings in {' and '.join(found)}.")


@handles("PostToolUse", priority=40)
def failed_commands(event: Event, config: Config, state: State) -> Optional[Decision]:
    """The same command failing again and again is pointed out."""
    if not event.command or not event.response.get("is_error"):
        return None
    failures = Counter(state.data.setdefault("failures", {}))
    failures[event.command[:200]] += 1
    state.data["failures"] = dict(failures.most_common(20))
    count = failures[event.command[:200]]
    if count >= 3:
        return Decision.add(f"This command has failed {count} times: find out why, first.")
    return None


# --- UserPromptSubmit ------------------------------------------------------

HINTS: Mapping[str, Tuple[str, ...]] = {
    "Write the failing test before the fix.": ("bug", "broken", "crash", "regression"),
    "Measure before and after, in the same run.": ("slow", "fast", "performance", "optimize"),
    "Keep the behaviour: run the tests before and after.": ("refactor", "rename", "clean up"),
    "Look for how the project does it elsewhere.": ("add", "implement", "new"),
    "Say what can go wrong in production.": ("deploy", "release", "migrate", "migration"),
}


@handles("UserPromptSubmit", priority=10)
def keep_prompt(event: Event, config: Config, state: State) -> Optional[Decision]:
    """Prompts are kept, redacted."""
    text, hidden = redact(event.prompt)
    state.remember("prompts", text[:500], limit=30)
    if hidden:
        return Decision.block(f"the prompt holds {hidden} secret(s); take them out")
    return None


@handles("UserPromptSubmit", priority=20)
def hints(event: Event, config: Config, state: State) -> Optional[Decision]:
    """Words in a prompt call for advice; each is given once a session."""
    words = event.prompt.lower()
    for hint, triggers in HINTS.items():
        if any(re.search(rf"\b{re.escape(word)}\b", words) for word in triggers):
            if state.remember("hints", hint):
                return Decision.add(hint)
    return None


@handles("UserPromptSubmit", priority=30)
def quiet_hours(event: Event, config: Config, state: State) -> Optional[Decision]:
    """At night the agent is told to ask for nothing."""
    if not config.quiet_hours:
        return None
    start, end = config.quiet_hours
    hour = datetime.now().hour
    inside = start <= hour < end if start <= end else hour >= start or hour < end
    return Decision.add("The user is away: do not ask, write questions down.") if inside else None


# --- Stop, SessionStart, SessionEnd ------------------------------------------


@handles("Stop", priority=20)
def run_tests(event: Event, config: Config, state: State) -> Optional[Decision]:
    """After edits the tests have to pass before the agent stops."""
    if not config.test_command or event.data.get("stop_hook_active"):
        return None
    if not state.data.get("edits"):
        return None
    try:
        done = subprocess.run(
            config.test_command,
            cwd=event.root,
            capture_output=True,
            text=True,
            timeout=config.test_timeout,
        )
    except subprocess.TimeoutExpired:
        return Decision.add(f"The tests take more than {config.test_timeout} s.")
    except OSError as error:
        log.warning("the tests do not start: %s", error)
        return None
    if done.returncode == 0:
        state.data["edits"] = 0
        return None
    tail = "\n".join((done.stdout + done.stderr).splitlines()[-15:])
    return Decision.block(f"the tests fail:\n{tail}")


@handles("Stop", priority=30)
def open_todos(event: Event, config: Config, state: State) -> Optional[Decision]:
    """Open items of the todo list are counted."""
    todos: Sequence[Dict[str, Any]] = ()
    for _, given in transcript.tool_uses(event.transcript_path, "TodoWrite"):
        todos = given.get("todos", ())
    left = [todo for todo in todos if todo.get("status") != "completed"]
    state.data["open_todos"] = len(left)
    return None


@handles("SessionStart")
def welcome(event: Event, config: Config, state: State) -> Optional[Decision]:
    """What the last session left behind is shown."""
    edited = state.data.get("edited", [])
    removed = state.forget_old(config.state_days)
    if removed:
        log.info("forgot %d old sessions", removed)
    if not edited:
        return None
    return Decision.add(f"Edited before: {', '.join(edited[-10:])}")


@handles("SessionEnd", "PreCompact")
def summary(event: Event, config: Config, state: State) -> Optional[Decision]:
    """A line for the log."""
    tools = Counter(state.data.get("tools", {}))
    log.info(
        "session %s: %d calls (%s), %d errors",
        event.session[:8],
        sum(tools.values()),
        ", ".join(f"{name} {count}" for name, count in tools.most_common(3)),
        state.data.get("errors", 0),
    )
    return None


# ═══════════════════════════════════════════════════════════════════════════
# Running
# ═══════════════════════════════════════════════════════════════════════════


@contextmanager
def guarded(name: str) -> Iterator[None]:
    """Log what goes wrong in a handler, and go on."""
    try:
        yield
    except Exception:
        log.exception("%s failed", name)


def run_handlers(event: Event, config: Config, state: State) -> Decision:
    result = Decision()
    for _, name, function in HANDLERS.get(event.name, []):
        if name in config.disabled:
            continue
        with guarded(name):
            decision = function(event, config, state)
            if decision is not None:
                decision.handler = name
                result = result.merge(decision)
        if result.verdict is Verdict.BLOCK:
            break
    return result


def respond(event: Event, decision: Decision) -> int:
    """Print the answer in the shape that the event calls for, and return the exit status."""
    if decision.verdict is Verdict.BLOCK:
        if event.name == "Stop":
            print(json.dumps({"decision": "block", "reason": decision.reason}))
            return 0
        print(f"[{decision.handler}] {decision.reason}", file=sys.stderr)
        return 2
    specific: Dict[str, Any] = {}
    if decision.verdict is Verdict.ASK:
        specific["permissionDecision"] = "ask"
        specific["permissionDecisionReason"] = f"[{decision.handler}] {decision.reason}"
    if decision.context:
        specific["additionalContext"] = "\n".join(decision.context)
    if specific:
        specific["hookEventName"] = event.name
        print(json.dumps({"hookSpecificOutput": specific}, ensure_ascii=False))
    return 0


def setup_logging(root: Path, level: str) -> None:
    folder = root / ".claude" / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    logging.basicConfig(
        filename=str(folder / "router.log"),
        level=getattr(logging, level.upper(), logging.INFO),
        format="%(asctime)s %(levelname)s %(message)s",
        datefmt="%Y-%m-%dT%H:%M:%S",
    )


def parse_arguments(argv: Optional[Sequence[str]]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="route_event.py",
        description="one hook for all events",
    )
    parser.add_argument("event", nargs="?", help="the event, where the input does not name it")
    parser.add_argument("--list", action="store_true", help="list the handlers and end")
    parser.add_argument("--config", action="store_true", help="print the configuration and end")
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    return parser.parse_args(argv)


def list_handlers() -> None:
    for event, registered in sorted(HANDLERS.items()):
        print(event)
        for priority, name, function in registered:
            print(f"  {priority:>3}  {name:<20} {function.__doc__ or ''}")


def read_event(name: Optional[str], root: Path) -> Optional[Event]:
    raw = sys.stdin.read()
    try:
        data = json.loads(raw) if raw.strip() else {}
    except ValueError as error:
        log.error("the event is no JSON: %s", error)
        return None
    if not isinstance(data, dict):
        return None
    return Event(data.get("hook_event_name") or name or "", data, root)


def main(argv: Optional[Sequence[str]] = None) -> int:
    options = parse_arguments(argv)
    root = Path(os.environ.get("CLAUDE_PROJECT_DIR") or os.getcwd())
    if options.list:
        list_handlers()
        return 0
    config = Config.load(root)
    if options.config:
        print(json.dumps(asdict(config), indent=2))
        return 0
    setup_logging(root, config.log_level)
    event = read_event(options.event, root)
    if event is None or event.name not in HANDLERS:
        return 0
    with State(root, event.session) as state:
        decision = run_handlers(event, config, state)
    return respond(event, decision)


if __name__ == "__main__":
    sys.exit(main())
