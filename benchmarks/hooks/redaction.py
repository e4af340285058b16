"""Takes secrets out of text before it is kept anywhere."""

import re

PATTERNS = {
    "aws": re.compile(r"\bAKIA[0-9A-Z]{16}\b"),
    "github": re.compile(r"\bgh[pousr]_[A-Za-z0-9]{36,}\b"),
    "bearer": re.compile(r"(?i)\bbearer\s+[a-z0-9._~+/-]{16,}=*"),
    "assignment": re.compile(
        r"(?i)\b((?:api|secret|access)[_-]?(?:key|token)|password|passwd)(\s*[=:]\s*)(['\"]?)[^\s'\"]{6,}\3"
    ),
    "private key": re.compile(
        r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----",
        re.S,
    ),
    "url": re.compile(r"(?<=://)[^/\s:@]+:[^/\s:@]+(?=@)"),
}


def redact(text):
    """Return the text without secrets, and how many were taken out."""
    count = 0
    for name, pattern in PATTERNS.items():
        if name == "assignment":
            text, found = pattern.subn(r"\1\2‹redacted›", text)
        else:
            text, found = pattern.subn(f"‹{name} redacted›", text)
        count += found
    return text, count
