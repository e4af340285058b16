#!/usr/bin/env python3
"""PreToolUse: allow, ask or deny shell commands by the project's policy file.

The policy (.claude/policy.conf) is read from top to bottom, and the first rule
that fits decides:

    # decision   program     arguments (globs, "..." for the rest)
    allow        git         status|log|diff|show ...
    ask          git         push ...
    deny         rm          -rf / ...
    allow        pytest      ...
    deny         *           ... --no-verify ...

Every program of a pipeline or list is looked up. The strictest decision counts.
Without a policy file the defaults below apply.

    command_policy.py --explain 'git push --force && ls'

prints how a command would be decided.
"""

import argparse
import fnmatch
import json
import os
import re
import shlex
import sys
from pathlib import Path
from typing import Iterator, List, NamedTuple, Optional, Sequence

DEFAULTS = """
deny   rm        -rf|-fr|-Rf /|/*|~|$HOME ...
deny   sudo      rm|dd|mkfs|fdisk ...
ask    sudo      ...
deny   dd        ... of=/dev/* ...
deny   mkfs*     ...
deny   chmod     -R 777 ...
ask    git       push ...
ask    git       reset --hard ...
ask    git       clean ...
deny   git       ... --no-verify ...
allow  git       ...
ask    rm        -r|-rf|-fr ...
ask    npm       publish ...
ask    pip       install ...
ask    docker    run|exec|rm|prune ...
allow  docker    ps|images|logs ...
ask    kubectl   delete|apply|exec ...
allow  kubectl   get|describe|logs ...
ask    curl      ... -X|--request POST|PUT|DELETE|PATCH ...
ask    ssh       ...
ask    scp       ...
deny   shutdown  ...
deny   reboot    ...
"""

ORDER = {"allow": 0, "none": 1, "ask": 2, "deny": 3}
OPERATORS = re.compile(r"^[;&|()<>]+$")
REDIRECTION = re.compile(r"^\d*[<>]+&?\d*$")
ASSIGNMENT = re.compile(r"^\w+=")
SHELL_WORDS = {
    "if",
    "then",
    "else",
    "elif",
    "fi",
    "do",
    "done",
    "while",
    "for",
    "in",
    "!",
    "{",
    "}",
}


class PolicyError(Exception):
    """A line of the policy file that is no rule."""


class Rule(NamedTuple):
    """One line of the policy."""

    decision: str
    program: str
    arguments: List[str]
    line: int

    @classmethod
    def parse(cls, text: str, line: int) -> "Rule":
        words = text.split()
        if len(words) < 2 or words[0] not in ("allow", "ask", "deny"):
            raise PolicyError(f"line {line}: no rule: {text.strip()}")
        return cls(words[0], words[1], words[2:] or ["..."], line)

    def fits(self, command: Sequence[str]) -> bool:
        program = os.path.basename(command[0])
        return fnmatch.fnmatchcase(program, self.program) and fit(
            self.arguments, command[1:]
        )

    def __str__(self) -> str:
        return f"{self.decision} {self.program} {' '.join(self.arguments)} (line {self.line})"


def fit(patterns: Sequence[str], words: Sequence[str]) -> bool:
    """Whether words fit patterns; "..." stands for any number of words."""
    if not patterns:
        return not words
    if patterns[0] == "...":
        return any(
            fit(patterns[1:], words[start:]) for start in range(len(words) + 1)
        )
    if not words:
        return False
    if not any(
        fnmatch.fnmatchcase(words[0], each) for each in patterns[0].split("|")
    ):
        return False
    return fit(patterns[1:], words[1:])


def parse_policy(text: str) -> Iterator[Rule]:
    for number, line in enumerate(text.splitlines(), 1):
        line = line.partition("#")[0]
        if line.strip():
            yield Rule.parse(line, number)


def load_policy(root: Path) -> List[Rule]:
    try:
        text = (root / ".claude" / "policy.conf").read_text(encoding="utf-8")
    except FileNotFoundError:
        text = DEFAULTS
    return list(parse_policy(text))


def substitutions(command: str) -> Iterator[str]:
    """Give what stands in $(...) and in backquotes."""
    yield from re.findall(r"`([^`]+)`", command)
    depth, start = 0, 0
    for position, character in enumerate(command):
        if command.startswith("$(", position) and not command.startswith(
            "$((", position
        ):
            if depth == 0:
                start = position + 2
            depth += 1
        elif character == ")" and depth:
            depth -= 1
            if depth == 0:
                yield command[start:position]


def programs(command: str) -> Iterator[List[str]]:
    """Give each program with its arguments; raise ValueError where quotes are open."""
    lexer = shlex.shlex(
        command.replace("\n", " ; "), posix=True, punctuation_chars=";&|()<>"
    )
    lexer.whitespace_split = True
    lexer.commenters = ""
    current: List[str] = []
    skip = False
    for word in lexer:
        if skip:  # the file of a redirection
            skip = False
        elif REDIRECTION.match(word):
            skip = not word.endswith("&1") and not word.endswith("&2")
        elif OPERATORS.match(word):
            if current:
                yield current
            current = []
        elif not current and (word in SHELL_WORDS or ASSIGNMENT.match(word)):
            continue
        else:
            current.append(word)
    if current:
        yield current
    for inner in substitutions(command):
        yield from programs(inner)


class Decided(NamedTuple):
    """What the policy says of one program."""

    decision: str
    words: List[str]
    rule: Optional[Rule]

    def __str__(self) -> str:
        shown = " ".join(self.words)[:80]
        return f"{self.decision:<6}{shown}   ← {self.rule or 'no rule'}"


def decide(command: str, rules: Sequence[Rule]) -> List[Decided]:
    found = []
    for words in programs(command):
        rule = next((rule for rule in rules if rule.fits(words)), None)
        found.append(Decided(rule.decision if rule else "none", words, rule))
    return found


def strictest(found: Sequence[Decided]) -> Optional[Decided]:
    return max(found, key=lambda each: ORDER[each.decision], default=None)


def as_hook(root: Path) -> int:
    event = json.loads(sys.stdin.read() or "{}")
    if event.get("tool_name") != "Bash":
        return 0
    command = event.get("tool_input", {}).get("command", "")
    try:
        worst = strictest(decide(command, load_policy(root)))
    except ValueError as error:
        print(
            f"command_policy: the command is not understood: {error}",
            file=sys.stderr,
        )
        return 2
    except PolicyError as error:
        print(f"command_policy: {error}", file=sys.stderr)
        return 1
    if worst is None or worst.decision == "none":
        return 0
    if worst.decision == "deny":
        print(
            f"Denied by the policy: {' '.join(worst.words)[:120]}",
            file=sys.stderr,
        )
        print(f"  rule: {worst.rule}", file=sys.stderr)
        return 2
    answer = {
        "hookEventName": "PreToolUse",
        "permissionDecision": worst.decision,
        "permissionDecisionReason": f"policy: {worst.rule}",
    }
    print(json.dumps({"hookSpecificOutput": answer}, ensure_ascii=False))
    return 0


def explain(command: str, root: Path) -> int:
    try:
        found = decide(command, load_policy(root))
    except (ValueError, PolicyError) as error:
        print(error, file=sys.stderr)
        return 1
    for each in found:
        print(each)
    worst = strictest(found)
    print("→", worst.decision if worst else "nothing to decide")
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--explain", metavar="COMMAND")
    options = parser.parse_args()
    root = Path(
        os.environ.get("CLAUDE_PROJECT_DIR") or Path(__file__).resolve().parents[2]
    )
    if options.explain:
        return explain(options.explain, root)
    return as_hook(root)


if __name__ == "__main__":
    sys.exit(main())
