"""Settings in the shapes of 60 public repositories: what is wired, and that it comes back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

from hooks_compile.agents.wiring.command import unwire_command, wire_command
from hooks_compile.agents.wiring.config_files import look_in
from hooks_compile.agents.wiring.rewrite import rewrite
from tests.support.wired_project import BY_NAME

CORPUS = Path(__file__).parents[1] / "support" / "corpus.txt"
FILES = {"claude": ".claude/settings.json", "codex": ".codex/hooks.json"}
NOT_WIRED = {"git-common", "git-common-or", "git-uv-python", "loop"}


class Repository(NamedTuple):
    """The agent of a repository, and the shapes of its commands, one for each."""

    agent: str
    shapes: list[str]


class Corpus(NamedTuple):
    """The table: kind and command of each shape, and all repositories."""

    shapes: dict[str, tuple[str, str]]
    repositories: list[Repository]


def read() -> Corpus:
    corpus = Corpus({}, [])
    for line in CORPUS.read_text(encoding="utf-8").splitlines():
        first, _, rest = line.partition(" ")
        if line.startswith("@"):
            counts = [each.split("*") for each in rest.split()]
            shapes = [name for count, name in counts for _ in range(int(count))]
            corpus.repositories.append(Repository(first[1:], shapes))
        elif line and not line.startswith("#"):
            kind, _, command = rest.partition(" ")
            corpus.shapes[first] = (kind, command)
    return corpus


def write(root: Path, repository: Repository, commands: dict[str, tuple[str, str]]) -> Path:
    """Write a repository's settings and scripts; return the settings."""
    entries = []
    for number, shape in enumerate(repository.shapes):
        name = f"note_{number}"
        words = commands[shape][1].replace("{name}", name).split(" | ")
        entry: dict[str, object] = {"type": "command", "command": words[0], "timeout": 10}
        entries.append(entry | ({"args": words[1:]} if len(words) > 1 else {}))
        for directory in (".claude/hooks", ".codex/hooks"):
            script = root / directory / f"{name}.py"
            script.parent.mkdir(parents=True, exist_ok=True)
            script.write_text("print()\n", encoding="utf-8")
    settings = root / FILES[repository.agent]
    settings.parent.mkdir(parents=True, exist_ok=True)
    hooks = {"PreToolUse": [{"matcher": "Bash|Edit", "hooks": entries}]}
    settings.write_text(json.dumps({"hooks": hooks}, indent=2), encoding="utf-8")
    return settings


def test_of_60_repositories_85_percent_of_the_launches_are_wired(tmp_path: Path) -> None:
    corpus = read()
    assert len(corpus.repositories) == 60
    wired, total, stay = 0, 0, set()
    for number, repository in enumerate(corpus.repositories):
        root = tmp_path / str(number)
        (root / ".git").mkdir(parents=True)
        text = write(root, repository, corpus.shapes).read_text(encoding="utf-8")
        config = next(BY_NAME[repository.agent].files(root, None))
        done = rewrite(wire_command, text, config, look_in(root), {"HOME": str(tmp_path)})
        changed = {change.where for change in done.changes}
        for index, shape in enumerate(repository.shapes):
            is_wired = f"hooks.PreToolUse[0].hooks[{index}].command" in changed
            is_python = corpus.shapes[shape][0] == "python"
            assert is_python or not is_wired, shape
            stay |= {shape} if is_python and not is_wired else set()
            total += is_python
            wired += is_wired
        assert len(done.changes) + len(done.left) == len(repository.shapes)
        back = rewrite(unwire_command, done.text, config, look_in(root), {"HOME": str(tmp_path)})
        assert back.text == text
        assert rewrite(wire_command, text, config, lambda _: None).text == text  # without scripts
    assert stay == NOT_WIRED
    assert (wired, total) == (151, 161)
    assert wired / total >= 0.85
