#!/usr/bin/env python3
"""Notification / Stop: posts to a chat, when WEBHOOK_URL is set.

Knows the shapes of Slack, Discord and plain JSON. Never lets the agent wait:
two seconds, one try, and no failure that anybody hears of unless WEBHOOK_DEBUG
is set.
"""

import json
import os
import socket
import ssl
import sys
import urllib.error
import urllib.request
from typing import Any, Dict, Optional

TIMEOUT_S = 2.0
MAX_TEXT = 1500
AGENT = "agent-webhook/1.2"


def debug(text: str) -> None:
    if os.environ.get("WEBHOOK_DEBUG"):
        print(f"webhook: {text}", file=sys.stderr)


def text_for(event: Dict[str, Any]) -> Optional[str]:
    """Return what to say, None where there is nothing."""
    kind = event.get("hook_event_name")
    where = os.path.basename(event.get("cwd", "").rstrip("/")) or "?"
    if kind == "Notification":
        return f"🔔 *{where}*: {event.get('message', '')}"
    if kind == "Stop":
        return f"✅ *{where}*: done"
    if kind == "SubagentStop":
        return None
    if kind == "SessionEnd":
        return f"👋 *{where}*: session ended ({event.get('reason', 'other')})"
    return None


def payload_for(url: str, text: str, event: Dict[str, Any]) -> Dict[str, Any]:
    text = text[:MAX_TEXT]
    if "hooks.slack.com" in url:
        return {
            "text": text,
            "unfurl_links": False,
            "username": f"agent on {socket.gethostname()}",
        }
    if "discord.com" in url or "discordapp.com" in url:
        return {
            "content": text.replace("*", "**"),
            "allowed_mentions": {"parse": []},
        }
    return {
        "text": text,
        "event": event.get("hook_event_name"),
        "session": event.get("session_id"),
        "host": socket.gethostname(),
    }


def post(url: str, payload: Dict[str, Any]) -> bool:
    request = urllib.request.Request(
        url,
        data=json.dumps(payload).encode("utf-8"),
        headers={
            "Content-Type": "application/json",
            "User-Agent": AGENT,
        },
        method="POST",
    )
    context = (
        ssl.create_default_context() if url.startswith("https:") else None
    )
    try:
        with urllib.request.urlopen(
            request, timeout=TIMEOUT_S, context=context
        ) as answer:
            debug(f"status {answer.status}")
            return 200 <= answer.status < 300
    except urllib.error.HTTPError as error:
        debug(f"status {error.code}: {error.read(200)!r}")
    except (urllib.error.URLError, OSError, ValueError) as error:
        debug(str(error))
    return False


def main() -> None:
    url = os.environ.get("WEBHOOK_URL", "").strip()
    if not url:
        # not set up on this machine
        sys.exit(0)
    try:
        event = json.load(sys.stdin)
    except json.JSONDecodeError as error:
        debug(f"no event: {error}")
        sys.exit(0)
    text = text_for(event)
    if text is None:
        sys.exit(0)
    post(url, payload_for(url, text, event))
    sys.exit(0)


if __name__ == "__main__":
    main()
