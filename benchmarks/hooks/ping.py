#!/usr/bin/env python3
import sys

payload = sys.stdin.read()
if not payload.strip():
    sys.exit(1)
if "rm -rf /" in payload:
    print("no, not the whole disk", file=sys.stderr)
    sys.exit(2)
sys.exit(0)
