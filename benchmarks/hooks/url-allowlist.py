#!/usr/bin/env python3
"""PreToolUse for WebFetch: which hosts the agent may read from.

Hosts come from hosts.txt beside this file, one a line; "*.example.org" takes subdomains.
Addresses of the own network are never fetched, whatever the list says.
"""

import ipaddress
import json
import os
import re
import sys
from urllib.parse import parse_qsl, unquote, urlsplit

DEFAULT_HOSTS = [
    "docs.python.org",
    "peps.python.org",
    "packaging.python.org",
    "pypi.org",
    "developer.mozilla.org",
    "www.rfc-editor.org",
    "*.readthedocs.io",
    "github.com",
    "raw.githubusercontent.com",
    "stackoverflow.com",
    "*.wikipedia.org",
    "pkg.go.dev",
    "docs.rs",
]
SCHEMES = {"http", "https"}
PORTS = {None, 80, 443, 8080, 8443}
SECRET_PARAMETER = re.compile(
    r"(?i)^(?:api_?key|token|secret|password|auth|session)$"
)
MAX_LENGTH = 2000


def hosts():
    folder = os.path.dirname(os.path.abspath(__file__))
    try:
        with open(os.path.join(folder, "hosts.txt"), encoding="utf-8") as file:
            lines = [line.partition("#")[0].strip().lower() for line in file]
    except OSError:
        return DEFAULT_HOSTS
    return [line for line in lines if line]


def host_matches(host, pattern):
    if pattern.startswith("*."):
        return host.endswith(pattern[1:]) or host == pattern[2:]
    return host == pattern


def is_internal(host):
    """Whether a host is a name or an address of the own network."""
    if host in ("localhost", "") or host.endswith(
        (".local", ".internal", ".lan", ".home.arpa")
    ):
        return True
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return not address.is_global


def objection(url):
    if len(url) > MAX_LENGTH:
        return f"the URL has {len(url)} characters"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        return f"the URL is malformed: {error}"
    host = (parts.hostname or "").lower().rstrip(".")
    if parts.scheme not in SCHEMES:
        return f"“{parts.scheme}” is no scheme to fetch"
    if parts.username or parts.password:
        return "the URL holds a user or a password"
    if port not in PORTS:
        return f"port {port} is none of the web's"
    if is_internal(host):
        return f"{host or 'this'} is in the own network"
    for name, value in parse_qsl(parts.query):
        if SECRET_PARAMETER.match(name) and value:
            return f"the parameter {name} looks like a secret"
    if ".." in unquote(parts.path).split("/"):
        return "the path goes upwards"
    if not any(host_matches(host, pattern) for pattern in hosts()):
        return f"{host} is not on the list (hosts.txt)"
    return None


def main():
    try:
        event = json.load(sys.stdin)
    except ValueError:
        sys.exit(0)
    if event.get("tool_name") != "WebFetch":
        sys.exit(0)
    reason = objection(event.get("tool_input", {}).get("url", ""))
    if reason is None:
        sys.exit(0)
    print(f"Not fetched: {reason}.", file=sys.stderr)
    sys.exit(2)


if __name__ == "__main__":
    main()
