#!/usr/bin/env python3
"""Stop: adds up what a session cost, from the usage records of its transcript.

Writes .claude/state/costs.json: per session and per day, in dollars. Shows a
line where a session or a day goes over its budget.
"""

import json
import os
import re
import sys
import tempfile
from collections import defaultdict
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from lib.transcript import lines

# dollars for a million tokens: input, output, cache write, cache read
PRICES = {
    "opus": (15.0, 75.0, 18.75, 1.5),
    "sonnet": (3.0, 15.0, 3.75, 0.3),
    "haiku": (0.8, 4.0, 1.0, 0.08),
}
DEFAULT_MODEL = "sonnet"
BUDGETS = {
    "session": float(os.environ.get("SESSION_BUDGET", "5")),
    "day": float(os.environ.get("DAY_BUDGET", "20")),
}


@dataclass
class Usage:
    """Tokens of one model."""

    input: int = 0
    output: int = 0
    cache_write: int = 0
    cache_read: int = 0

    def add(self, usage):
        self.input += usage.get("input_tokens", 0)
        self.output += usage.get("output_tokens", 0)
        self.cache_write += usage.get("cache_creation_input_tokens", 0)
        self.cache_read += usage.get("cache_read_input_tokens", 0)

    def cost(self, model):
        """Return the dollars for it."""
        prices = PRICES[family(model)]
        amounts = (self.input, self.output, self.cache_write, self.cache_read)
        return sum(n * price for n, price in zip(amounts, prices)) / 1_000_000


def family(model):
    match = re.search("|".join(PRICES), model or "")
    return match.group() if match else DEFAULT_MODEL


def read_usage(transcript):
    """Return the usage by model; a message that is logged twice counts once."""
    seen = set()
    by_model = defaultdict(Usage)
    for record in lines(transcript):
        message = record.get("message")
        if not isinstance(message, dict) or "usage" not in message:
            continue
        key = message.get("id"), record.get("requestId")
        if key in seen and any(key):
            continue
        seen.add(key)
        by_model[message.get("model", DEFAULT_MODEL)].add(message["usage"])
    return by_model


def load(path):
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        return {"sessions": {}, "days": {}}


def save(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(
        "w", dir=path.parent, prefix=path.name, delete=False
    ) as file:
        json.dump(data, file, indent=2, sort_keys=True)
    os.replace(file.name, path)


def update(data, session, day, cost, usage):
    """Put a session's new cost in, and take its old one out of the day's."""
    before = data["sessions"].get(session, {})
    already = before.get("cost", 0.0) if before.get("day") == day else 0.0
    data["sessions"][session] = {
        "day": day,
        "cost": round(cost, 6),
        "models": {model: asdict(each) for model, each in usage.items()},
    }
    total = data["days"].get(day, 0.0) + cost - already
    data["days"][day] = round(total, 6)
    return total


def main():
    event = json.load(sys.stdin)
    usage = read_usage(event.get("transcript_path", ""))
    if not usage:
        return 0
    cost = sum(each.cost(model) for model, each in usage.items())

    root = Path(os.environ.get("CLAUDE_PROJECT_DIR", event.get("cwd", ".")))
    path = root / ".claude" / "state" / "costs.json"
    data = load(path)
    day_total = update(
        data,
        event.get("session_id", "unknown"),
        date.today().isoformat(),
        cost,
        usage,
    )
    save(path, data)

    if cost > BUDGETS["session"]:
        print(f"This session has cost ${cost:.2f} so far.")
    if day_total > BUDGETS["day"]:
        print(f"Today's sessions have cost ${day_total:.2f}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
