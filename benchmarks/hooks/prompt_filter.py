#!/usr/bin/env python3
"""UserPromptSubmit: looks a prompt over before the agent sees it.

* secrets that were pasted by accident stop it (exit status 2)
* invisible and bidirectional characters are pointed out
* words like “@standup” add context from .claude/snippets/
"""

import json
import os
import re
import sys
import unicodedata
from pathlib import Path

SECRETS = {
    "an AWS key": r"\bAKIA[0-9A-Z]{16}\b",
    "a GitHub token": r"\bgh[pousr]_[A-Za-z0-9]{36,}\b",
    "a private key": r"-----BEGIN (?:RSA |EC |OPENSSH )?PRIVATE KEY-----",
    "a Slack token": r"\bxox[abprs]-[A-Za-z0-9-]{10,}",
    "a password in a URL": r"\w+://[^/\s:@]+:[^/\s:@]{3,}@",
    "a credit card": r"\b(?:4\d{3}|5[1-5]\d{2})[ -]?\d{4}[ -]?\d{4}[ -]?\d{4}\b",
}

INVISIBLE = {
    "\u200b": "zero width space",
    "\u200c": "zero width non-joiner",
    "\u200d": "zero width joiner",
    "\u2060": "word joiner",
    "\ufeff": "byte order mark",
    "\u202a": "left-to-right embedding",
    "\u202b": "right-to-left embedding",
    "\u202d": "left-to-right override",
    "\u202e": "right-to-left override",
    "\u2066": "left-to-right isolate",
    "\u2067": "right-to-left isolate",
}

SNIPPET = re.compile(r"(?<!\w)@([a-z][a-z0-9-]{2,30})\b")
MAX_SNIPPET = 2000

DEFAULT_SNIPPETS = {
    "tests": "Run the tests that the change concerns, and show their last lines.",
    "review": "Look for errors first, then for what could be simpler. Change nothing.",
    "commit": "One commit for each purpose; the first line says what it does, in 50 characters.",
}


def luhn(text):
    """Whether the digits of a text are a valid card number."""
    digits = [int(c) for c in text if c.isdigit()]
    odd, even = digits[-1::-2], digits[-2::-2]
    return (sum(odd) + sum(sum(divmod(2 * d, 10)) for d in even)) % 10 == 0


def find_secret(prompt):
    for name, pattern in SECRETS.items():
        match = re.search(pattern, prompt)
        if not match:
            continue
        if name == "a credit card" and not luhn(match.group()):
            continue
        return name, match.group()
    return None, None


def mask(secret):
    return secret[:4] + "•" * min(12, len(secret) - 4)


def find_invisible(prompt):
    """Return the names of characters that nobody sees."""
    names = [INVISIBLE[c] for c in prompt if c in INVISIBLE]
    names += [
        unicodedata.name(c, "unnamed").lower()
        for c in prompt
        if c not in INVISIBLE and unicodedata.category(c) == "Cf"
    ]
    return sorted(set(names))


def snippet(name, folder):
    """Return a snippet's text: the project's own, or the default."""
    path = folder / f"{name}.md"
    try:
        return path.read_text(encoding="utf-8")[:MAX_SNIPPET].strip()
    except OSError:
        return DEFAULT_SNIPPETS.get(name)


def snippets(prompt, folder):
    found = []
    for name in dict.fromkeys(SNIPPET.findall(prompt)):
        text = snippet(name, folder)
        if text:
            found.append(f"[@{name}] {text}")
    return found


def main():
    try:
        event = json.loads(sys.stdin.read())
    except ValueError:
        sys.exit(0)

    prompt = event.get("prompt", "")
    name, secret = find_secret(prompt)
    if name:
        print(
            f"The prompt holds {name} ({mask(secret)}). It was not sent.",
            file=sys.stderr,
        )
        print(
            "Take it out, and revoke it if it was sent before.",
            file=sys.stderr,
        )
        sys.exit(2)

    folder = (
        Path(os.environ.get("CLAUDE_PROJECT_DIR", "."))
        / ".claude"
        / "snippets"
    )
    context = snippets(prompt, folder)
    hidden = find_invisible(prompt)
    if hidden:
        context.append(
            "The prompt holds invisible characters: " + ", ".join(hidden)
        )
    if context:
        answer = {
            "hookSpecificOutput": {
                "hookEventName": "UserPromptSubmit",
                "additionalContext": "\n".join(context),
            }
        }
        print(json.dumps(answer, ensure_ascii=False))
    sys.exit(0)


if __name__ == "__main__":
    main()
