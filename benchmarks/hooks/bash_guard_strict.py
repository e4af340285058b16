#!/usr/bin/env python3
"""Command guard that parses instead of matching: which program, which flags, which targets."""

import json
import os
import re
import shlex
import sys
from typing import Dict, Iterator, List, Optional, Tuple

SEPARATORS = {"&&", "||", ";", "|", "&", "|&"}
WRAPPERS = {"sudo", "env", "nohup", "time", "nice", "command", "exec", "xargs"}
ASSIGNMENT = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*=")

SYSTEM_FOLDERS = (
    "/",
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/home",
    "/lib",
    "/opt",
    "/root",
    "/sbin",
    "/sys",
    "/usr",
    "/var",
)

FORBIDDEN: Dict[str, str] = {
    "shutdown": "turns the machine off",
    "reboot": "restarts the machine",
    "halt": "turns the machine off",
    "mkfs": "formats a disk",
    "fdisk": "changes partitions",
    "parted": "changes partitions",
    "userdel": "removes a user",
    "visudo": "changes who is root",
    "crontab": "installs jobs",
}


def split(command: str) -> List[str]:
    """Split as a shell would; operators are words of their own."""
    lexer = shlex.shlex(command, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    lexer.commenters = ""
    return list(lexer)


def simple_commands(words: List[str]) -> Iterator[List[str]]:
    """Give each simple command of a pipeline or list."""
    current: List[str] = []
    for word in words:
        if word in SEPARATORS:
            if current:
                yield current
            current = []
        else:
            current.append(word)
    if current:
        yield current


def unwrap(words: List[str]) -> List[str]:
    """Take assignments and wrappers like sudo off the front."""
    while words and (
        ASSIGNMENT.match(words[0]) or os.path.basename(words[0]) in WRAPPERS
    ):
        words = words[1:]
        while words and words[0].startswith("-"):
            words = words[1:]
    return words


def flags_and_targets(words: List[str]) -> Tuple[str, List[str]]:
    """Return the letters of all short flags (long ones by their first), and the rest."""
    flags, targets = "", []
    for number, word in enumerate(words):
        if word == "--":
            targets += words[number + 1 :]
            break
        if word.startswith("--"):
            flags += {"--recursive": "r", "--force": "f"}.get(word, "")
        elif word.startswith("-") and len(word) > 1:
            flags += word[1:]
        else:
            targets.append(word)
    return flags, targets


def is_system_folder(target: str, cwd: str) -> bool:
    expanded = os.path.expandvars(os.path.expanduser(target.rstrip("*")))
    path = os.path.normpath(os.path.join(cwd, expanded))
    return path in SYSTEM_FOLDERS or path == os.path.expanduser("~")


def check_rm(words: List[str], cwd: str) -> Optional[str]:
    flags, targets = flags_and_targets(words[1:])
    if "r" not in flags.lower():
        return None
    for target in targets:
        if is_system_folder(target, cwd):
            return f"removes {target} and all below it"
    return None


def check_git(words: List[str], cwd: str) -> Optional[str]:
    if "push" in words:
        flags, targets = flags_and_targets(words[words.index("push") + 1 :])
        if "f" in flags and {"main", "master"} & set(targets):
            return "rewrites a shared branch"
    if "filter-branch" in words or "filter-repo" in words:
        return "rewrites the history"
    return None


def check_chmod(words: List[str], cwd: str) -> Optional[str]:
    flags, targets = flags_and_targets(words[1:])
    if "R" in flags and targets[:1] in (["777"], ["0777"], ["a+rwx"]):
        return "opens everything to everybody"
    return None


CHECKS = {"rm": check_rm, "git": check_git, "chmod": check_chmod}


def objections(command: str, cwd: str) -> Iterator[str]:
    try:
        words = split(command)
    except ValueError as error:
        yield f"cannot be parsed ({error})"
        return
    for simple in simple_commands(words):
        simple = unwrap(simple)
        if not simple:
            continue
        program = os.path.basename(simple[0])
        if program.partition(".")[0] in FORBIDDEN:
            yield FORBIDDEN[program.partition(".")[0]]
        check = CHECKS.get(program)
        reason = check(simple, cwd) if check else None
        if reason:
            yield reason


def main() -> None:
    event = json.load(sys.stdin)
    if event.get("tool_name") not in ("Bash", "shell", "run_terminal_cmd"):
        sys.exit(0)
    command = event.get("tool_input", {}).get("command", "")
    found = list(objections(command, event.get("cwd", ".")))
    if found:
        print("Refused: this command", file=sys.stderr)
        for reason in found:
            print(f"  - {reason}", file=sys.stderr)
        sys.exit(2)
    sys.exit(0)


if __name__ == "__main__":
    main()
