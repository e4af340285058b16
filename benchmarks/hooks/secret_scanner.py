#!/usr/bin/env python3
"""
Secret scanner, as a hook and on the command line.

As a PreToolUse hook it reads the event from stdin and looks at what Write, Edit
and MultiEdit are about to put into a file. On the command line it scans files:

    secret_scanner.py --scan PATH [PATH ...] [--json]

A finding is a rule that matched, whose value is random enough and on no list of
placeholders. A line that ends in "secret-scanner: ignore" is left alone, and so
is what .secretsignore names (one pattern a line, as fnmatch knows them).

Exit status: 0 nothing found, 2 something found, 1 on errors.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import math
import os
import re
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, Optional, Pattern, Sequence, Tuple

# ---------------------------------------------------------------------------
# Rules
# ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Rule:
    """What a kind of secret looks like."""

    id: str
    description: str
    pattern: Pattern[str]
    entropy: float = 0.0
    severity: str = "high"
    group: int = 0


def rule(
    id: str,
    description: str,
    pattern: str,
    *,
    entropy: float = 0.0,
    severity: str = "high",
    group: int = 0,
    flags: int = 0,
) -> Rule:
    return Rule(id, description, re.compile(pattern, flags), entropy, severity, group)


RULES: Tuple[Rule, ...] = (
    rule(
        "aws-access-key",
        "AWS access key id",
        r"\b(?:AKIA|ASIA|AGPA|AIDA|AROA)[0-9A-Z]{16}\b",
        entropy=2.5,
    ),
    rule(
        "aws-secret-key",
        "AWS secret access key",
        r"(?i)aws.{0,20}(?:secret|key).{0,20}['\"]([0-9a-z/+]{40})['\"]",
        entropy=3.5,
        group=1,
    ),
    rule(
        "github-token",
        "GitHub token",
        r"\bgh[pousr]_[A-Za-z0-9]{36,255}\b",
        entropy=3.0,
    ),
    rule(
        "github-fine-grained",
        "GitHub fine-grained token",
        r"\bgithub_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}\b",
    ),
    rule(
        "gitlab-token",
        "GitLab token",
        r"\bglpat-[A-Za-z0-9_-]{20}\b",
        entropy=3.0,
    ),
    rule(
        "slack-token",
        "Slack token",
        r"\bxox[abeoprs]-(?:\d+-)*[A-Za-z0-9-]{10,}\b",
    ),
    rule(
        "slack-webhook",
        "Slack webhook",
        r"https://hooks\.slack\.com/services/T\w{8,}/B\w{8,}/\w{20,}",
    ),
    rule(
        "stripe-key",
        "Stripe key",
        r"\b(?:sk|rk)_(?:live|test)_[0-9A-Za-z]{24,}\b",
    ),
    rule(
        "google-api-key",
        "Google API key",
        r"\bAIza[0-9A-Za-z_-]{35}\b",
    ),
    rule(
        "google-oauth",
        "Google OAuth token",
        r"\bya29\.[0-9A-Za-z_-]{20,}",
    ),
    rule(
        "openai-key",
        "API key of a model provider",
        r"\bsk-(?:proj-|ant-)?[A-Za-z0-9_-]{32,}\b",
        entropy=3.5,
    ),
    rule(
        "npm-token",
        "npm token",
        r"\bnpm_[A-Za-z0-9]{36}\b",
    ),
    rule(
        "pypi-token",
        "PyPI token",
        r"\bpypi-AgE[A-Za-z0-9_-]{50,}\b",
    ),
    rule(
        "sendgrid-key",
        "SendGrid key",
        r"\bSG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}\b",
    ),
    rule(
        "twilio-key",
        "Twilio key",
        r"\bSK[0-9a-f]{32}\b",
    ),
    rule(
        "telegram-token",
        "Telegram bot token",
        r"\b\d{8,10}:AA[A-Za-z0-9_-]{33}\b",
    ),
    rule(
        "discord-token",
        "Discord token",
        r"\b[MNO][A-Za-z\d_-]{23,25}\.[\w-]{6}\.[\w-]{27,38}\b",
    ),
    rule(
        "heroku-key",
        "Heroku key",
        r"(?i)heroku.{0,30}\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b",
    ),
    rule(
        "azure-storage",
        "Azure storage key",
        r"AccountKey=([A-Za-z0-9+/]{86}==)",
        group=1,
    ),
    rule(
        "private-key",
        "private key",
        r"-----BEGIN (?:RSA |DSA |EC |OPENSSH |PGP |ENCRYPTED )?PRIVATE KEY(?: BLOCK)?-----",
    ),
    rule(
        "jwt",
        "JSON web token",
        r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}",
        severity="medium",
    ),
    rule(
        "basic-auth",
        "password in a URL",
        r"\b[a-z][a-z0-9+.-]*://[^/\s:@'\"]+:([^/\s:@'\"]{3,})@[\w.-]+",
        severity="medium",
        group=1,
    ),
    rule(
        "password",
        "password in an assignment",
        r"(?i)\b(?:password|passwd|pwd)\s*[=:]\s*['\"]([^'\"\s]{8,})['\"]",
        entropy=2.8,
        severity="medium",
        group=1,
    ),
    rule(
        "generic-secret",
        "secret in an assignment",
        r"(?i)\b\w*(?:secret|token|api_?key|auth_?key)\w*\s*[=:]\s*['\"]([A-Za-z0-9+/_=.-]{16,})['\"]",
        entropy=3.6,
        severity="low",
        group=1,
    ),
    rule(
        "hex-secret",
        "long hexadecimal secret",
        r"(?i)(?:secret|key|salt)\s*[=:]\s*['\"]([0-9a-f]{32,64})['\"]",
        entropy=3.0,
        severity="low",
        group=1,
    ),
)

PLACEHOLDERS = (
    "example",
    "placeholder",
    "changeme",
    "change_me",
    "your_",
    "your-",
    "xxxx",
    "dummy",
    "sample",
    "insert",
    "redacted",
    "<",
    "${",
    "{{",
    "os.environ",
    "process.env",
    "getenv",
)

IGNORE_COMMENT = "secret-scanner: ignore"

SKIPPED_SUFFIXES = {
    ".png",
    ".jpg",
    ".jpeg",
    ".gif",
    ".ico",
    ".pdf",
    ".zip",
    ".gz",
    ".whl",
    ".so",
    ".pyc",
    ".woff",
    ".woff2",
    ".lock",
}

SEVERITIES = ("low", "medium", "high")


# ---------------------------------------------------------------------------
# Findings
# ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Finding:
    """A secret, and where it is."""

    rule: str
    description: str
    severity: str
    line: int
    value: str
    path: str = ""

    @property
    def masked(self) -> str:
        """The value so that a person knows it again and nobody learns it."""
        if len(self.value) <= 8:
            return "*" * len(self.value)
        return self.value[:4] + "*" * min(16, len(self.value) - 6) + self.value[-2:]

    def as_dict(self) -> Dict[str, Any]:
        return {
            "rule": self.rule,
            "severity": self.severity,
            "path": self.path,
            "line": self.line,
            "value": self.masked,
        }

    def __str__(self) -> str:
        where = f"{self.path}:{self.line}" if self.path else f"line {self.line}"
        return f"[{self.severity}] {where}: {self.description} ({self.masked})"


def shannon(text: str) -> float:
    """Return the entropy of a text in bits per character."""
    if not text:
        return 0.0
    total = len(text)
    return -sum(n / total * math.log2(n / total) for n in Counter(text).values())


def is_placeholder(value: str) -> bool:
    lowered = value.lower()
    return any(word in lowered for word in PLACEHOLDERS) or len(set(value)) <= 3


def scan_line(number: int, line: str, path: str = "") -> Iterator[Finding]:
    """Give what is found in one line; a value counts once, for the first rule that has it."""
    if line.rstrip().endswith(IGNORE_COMMENT):
        return
    seen = set()
    for each in RULES:
        for match in each.pattern.finditer(line):
            value = match.group(each.group)
            if value in seen or is_placeholder(value):
                continue
            if each.entropy and shannon(value) < each.entropy:
                continue
            seen.add(value)
            yield Finding(each.id, each.description, each.severity, number, value, path)


def scan_text(text: str, path: str = "", start: int = 1) -> List[Finding]:
    findings: List[Finding] = []
    for number, line in enumerate(text.splitlines(), start):
        if len(line) > 20_000:  # minified: the rules would take seconds
            line = line[:20_000]
        findings.extend(scan_line(number, line, path))
    return findings


# ---------------------------------------------------------------------------
# What to leave out
# ---------------------------------------------------------------------------


class Ignore:
    """The patterns of .secretsignore."""

    def __init__(self, patterns: Iterable[str], root: Path) -> None:
        self.patterns = list(patterns)
        self.root = root

    @classmethod
    def load(cls, root: Path) -> "Ignore":
        try:
            lines = (root / ".secretsignore").read_text(encoding="utf-8").splitlines()
        except OSError:
            lines = []
        return cls([line.strip() for line in lines if line.strip() and line[0] != "#"], root)

    def __contains__(self, path: str) -> bool:
        if Path(path).suffix.lower() in SKIPPED_SUFFIXES:
            return True
        relative = os.path.relpath(path, self.root)
        return any(
            fnmatch.fnmatch(relative, pattern) or fnmatch.fnmatch(os.path.basename(path), pattern)
            for pattern in self.patterns
        )


# ---------------------------------------------------------------------------
# The hook
# ---------------------------------------------------------------------------


def texts_of(event: Dict[str, Any]) -> Iterator[Tuple[str, str]]:
    """Give path and new text of everything that the event writes."""
    tool = event.get("tool_name")
    tool_input = event.get("tool_input") or {}
    path = tool_input.get("file_path", "")
    if tool == "Write":
        yield path, tool_input.get("content", "")
    elif tool == "Edit":
        yield path, tool_input.get("new_string", "")
    elif tool == "MultiEdit":
        for edit in tool_input.get("edits", []):
            yield path, edit.get("new_string", "")
    elif tool == "NotebookEdit":
        yield tool_input.get("notebook_path", ""), tool_input.get("new_source", "")


def hook(minimum: str) -> int:
    try:
        event = json.load(sys.stdin)
    except json.JSONDecodeError as error:
        print(f"secret_scanner: no event: {error}", file=sys.stderr)
        return 1
    ignore = Ignore.load(Path(os.environ.get("CLAUDE_PROJECT_DIR", os.getcwd())))
    findings: List[Finding] = []
    for path, text in texts_of(event):
        if path not in ignore:
            findings += scan_text(text, os.path.basename(path))
    findings = at_least(minimum, findings)
    if not findings:
        return 0
    print(f"{len(findings)} possible secret(s), the file was not written:", file=sys.stderr)
    for finding in findings[:10]:
        print(f"  {finding}", file=sys.stderr)
    print("Read them from the environment instead.", file=sys.stderr)
    return 2


# ---------------------------------------------------------------------------
# The command line
# ---------------------------------------------------------------------------


def files_below(paths: Sequence[str]) -> Iterator[Path]:
    for name in paths:
        path = Path(name)
        if path.is_dir():
            yield from sorted(p for p in path.rglob("*") if p.is_file() and ".git" not in p.parts)
        else:
            yield path


def scan_files(paths: Sequence[str], minimum: str, as_json: bool) -> int:
    ignore = Ignore.load(Path.cwd())
    findings: List[Finding] = []
    for path in files_below(paths):
        if str(path) in ignore:
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            continue
        findings += scan_text(text, str(path))
    findings = at_least(minimum, findings)
    if as_json:
        print(json.dumps([finding.as_dict() for finding in findings], indent=2))
    else:
        for finding in findings:
            print(finding)
    return 2 if findings else 0


def at_least(minimum: str, findings: Iterable[Finding]) -> List[Finding]:
    wanted = SEVERITIES[SEVERITIES.index(minimum) :]
    return [finding for finding in findings if finding.severity in wanted]


def main(argv: Optional[Sequence[str]] = None) -> int:
    parser = argparse.ArgumentParser(description="finds secrets before they are written")
    parser.add_argument("--scan", nargs="+", metavar="PATH", help="files and folders to scan")
    parser.add_argument("--json", action="store_true", help="findings as JSON")
    parser.add_argument("--minimum", choices=SEVERITIES, default="low", help="lowest severity")
    options = parser.parse_args(argv)
    if options.scan:
        return scan_files(options.scan, options.minimum, options.json)
    return hook(options.minimum)


if __name__ == "__main__":
    sys.exit(main())
