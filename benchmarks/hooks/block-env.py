#!/usr/bin/env python3
"""PreToolUse: keeps the agent away from files with credentials."""
import json
import os
import sys

PROTECTED = [".env", ".env.local", ".env.production", "id_rsa", "credentials.json"]
ALLOWED = (".env.example", ".env.sample")

try:
    event = json.load(sys.stdin)
except json.JSONDecodeError as e:
    print(f"block-env: no JSON: {e}", file=sys.stderr)
    sys.exit(1)

path = event.get("tool_input", {}).get("file_path", "")
name = os.path.basename(path)

if not name or name.endswith(ALLOWED):
    sys.exit(0)

if name in PROTECTED or name.endswith((".pem", ".key")):
    print(
        f"🔒 {name} holds credentials. Ask the user to edit it, "
        "or work with .env.example.",
        file=sys.stderr,
    )
    sys.exit(2)

sys.exit(0)
