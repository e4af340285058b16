#!/usr/bin/env python3
"""SubagentStop: writes down what a subagent was asked and what it answered."""

import argparse
import json
import logging
import os
import sys
from datetime import datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "lib"))

from hook_io import Event, state
from transcript import lines, text_of

log = logging.getLogger("subagent-stop")
MAX_TEXT = 4000


def last_exchange(transcript):
    """Return the last question and the answer to it."""
    question = answer = ""
    for record in lines(transcript):
        text = text_of(record)
        if not text:
            continue
        if record.get("type") == "user":
            question, answer = text, ""
        elif record.get("type") == "assistant":
            answer = text
    return question, answer


def write(path, event, question, answer):
    entry = {
        "at": datetime.now().isoformat(timespec="seconds"),
        "session": event.session,
        "agent": event.data.get("agent_type", "general"),
        "question": question[:MAX_TEXT],
        "answer": answer[:MAX_TEXT],
    }
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(entry, ensure_ascii=False) + "\n")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--quiet", action="store_true")
    parser.add_argument("--file", default="subagents.jsonl")
    options = parser.parse_args()
    level = logging.ERROR if options.quiet else logging.INFO
    logging.basicConfig(
        level=level, format="%(name)s: %(levelname)s: %(message)s"
    )

    event = Event.read()
    if event.data.get("stop_hook_active") or os.environ.get("NO_SUBAGENT_LOG"):
        sys.exit(0)
    transcript = event.data.get("agent_transcript_path") or event.data.get(
        "transcript_path"
    )
    if not transcript or not os.path.exists(transcript):
        log.warning("there is no transcript")
        sys.exit(0)
    question, answer = last_exchange(transcript)
    if not answer:
        log.info("it said nothing")
        sys.exit(0)
    write(state(options.file), event, question, answer)
    log.info("kept an answer of %d characters", len(answer))


if __name__ == "__main__":
    main()
