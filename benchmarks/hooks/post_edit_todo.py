#!/usr/bin/env python3
# PostToolUse: reminds of TODO / FIXME / debug lines that an edit has just brought in
import json, re, sys, os
from datetime import datetime

MARKS = [
    (r"\bTODO\b(?!\(\w+\))", "TODO without a name: TODO(name)"),
    (r"\bFIXME\b", "FIXME"),
    (r"\bXXX\b", "XXX"),
    (r"^\s*(?:print|pprint)\(.*DEBUG", "debug print"),
    (r"\bconsole\.log\(", "console.log"),
    (r"\bbreakpoint\(\)|\bpdb\.set_trace\(\)", "breakpoint"),
    (r"^\s*debugger;?\s*$", "debugger statement"),
    (r"\b(?:it|describe|test)\.only\(", "only one test runs"),
    (r"^(?:<{7}|>{7}|={7})(?:\s|$)", "merge conflict"),
]
CODE = {".py", ".js", ".ts", ".tsx", ".jsx", ".go", ".rs", ".rb", ".java", ".sh"}

try:
    data = json.loads(sys.stdin.read())
except Exception:
    sys.exit(0)

tool = data.get("tool_name", "")
if tool not in ("Edit", "MultiEdit", "Write"):
    sys.exit(0)

inp = data.get("tool_input", {})
path = inp.get("file_path", "")
if os.path.splitext(path)[1] not in CODE:
    sys.exit(0)

old = inp.get("old_string", "")
new = inp.get("content") or inp.get("new_string", "")
for e in inp.get("edits", []):
    old += "\n" + e.get("old_string", "")
    new += "\n" + e.get("new_string", "")

hits = []
old_lines = set(old.splitlines())
for n, line in enumerate(new.splitlines(), 1):
    if line in old_lines:
        continue
    for pattern, name in MARKS:
        if re.search(pattern, line):
            hits.append(f"{n}: {name}: {line.strip()[:80]}")
            break

if hits:
    log = os.path.join(os.environ.get("CLAUDE_PROJECT_DIR", "."), ".claude", "marks.log")
    os.makedirs(os.path.dirname(log), exist_ok=True)
    with open(log, "a") as f:
        f.write(datetime.now().isoformat() + " " + os.path.basename(path) + " %d\n" % len(hits))
    print(os.path.basename(path) + ":")
    print("\n".join(hits))

sys.exit(0)
