"""Hooks that Codex skips: by its own state, whatever that holds. The hashes are those that its
``hooks/list`` (0.171.0) gave for these commands."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from hooks_compile.doctor.trust_checks import check_codex_trust

if TYPE_CHECKING:
    from pathlib import Path

ENTRIES = {
    "PreToolUse": [
        {
            "matcher": "Bash",
            "hooks": [
                {"type": "command", "command": 'sh ./hook_wrapper.sh größe.py "x"', "timeout": 30}
            ],
        }
    ],
    "Stop": [
        {
            "hooks": [
                {"type": "command", "command": "sh ./hook_wrapper.sh s.py", "statusMessage": "hm"}
            ]
        }
    ],
}
TRUSTED = {
    "pre_tool_use": "sha256:2da7c0555cca074d8209aed9090f2469d60d14df10276e4d4e194ab618569f9f",
    "stop": "sha256:8514a5c91fadf3b4f792f705a96957640aceb5dc68f2e0acbca8d8924fff1cc9",
}


def found(root: Path, state: bytes | None) -> list[str]:
    """What doctor says about a project, if ``state`` is Codex's configuration of the user."""
    path = root / ".codex/hooks.json"
    path.parent.mkdir()
    path.write_text(json.dumps({"hooks": ENTRIES}))
    (root / "home").mkdir()
    if state is not None:
        (root / "home/config.toml").write_bytes(state)
    return [each.text for each in check_codex_trust([path], {"CODEX_HOME": str(root / "home")})]


def state_of(root: Path, hashes: dict[str, str]) -> bytes:
    path = root / ".codex/hooks.json"
    rows = [
        f'[hooks.state."{path}:{event}:0:0"]\ntrusted_hash = "{it}"\n'
        for event, it in hashes.items()
    ]
    return "".join(rows).encode()


def test_a_trusted_hook_is_no_finding_and_a_changed_one_is(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    first.mkdir()
    second.mkdir()
    assert found(first, state_of(first, TRUSTED)) == []
    (text,) = found(second, state_of(second, {**TRUSTED, "stop": "sha256:old"}))
    assert text.endswith(
        "1 hook is not trusted in Codex, which skips them: hooks.Stop[0].hooks[0].command"
    )


@pytest.mark.parametrize("state", [None, b"", b"hooks = 3", b"[hooks]\nstate = ['x']"])
def test_without_a_state_no_hook_is_trusted(tmp_path: Path, state: bytes | None) -> None:
    (text,) = found(tmp_path, state)
    assert "2 hooks are not trusted" in text


@pytest.mark.parametrize("state", [b"\xff", b"[", b"a = 1\n" * 100_000, b"#" * (5 << 20)])
def test_a_state_that_can_not_be_read_is_told_in_a_line(tmp_path: Path, state: bytes) -> None:
    (text,) = found(tmp_path, state)
    assert text.startswith(f"{tmp_path}/home/config.toml: ")
    assert text.endswith(", so nobody knows which hooks Codex trusts")
    assert "\n" not in text


def test_time_limits_count_as_codex_takes_them_and_events_that_it_knows(tmp_path: Path) -> None:
    """At least 1 s; at the end of a session 1 s without a limit, and at most 3 s."""
    command = "sh ./hook_wrapper.sh x.py"
    at_end = "73c4347bac88c3162b7cbbb658cea5d9e9eaf7d7a7db87ea7b12393003b1192f"
    expected = [
        ("SessionEnd", {}, at_end),
        ("SessionEnd", {"timeout": 0}, at_end),
        (
            "SessionEnd",
            {"timeout": 9},
            "e931246e4c3443f7f051a4a0307698a28005ecaaaa652fedfc586059f0bffd52",
        ),
        (
            "Stop",
            {"timeout": 0},
            "22cd7318fd6bb504cd42e6d72b79c85ecd57935ba94470162044fe43c206d612",
        ),
        ("Notification", {}, ""),
    ]
    for number, (event, limit, trusted) in enumerate(expected):
        home = tmp_path / str(number)
        home.mkdir()
        entry = {"type": "command", "command": command, **limit}
        (home / "hooks.json").write_text(json.dumps({"hooks": {event: [{"hooks": [entry]}]}}))
        label = {"SessionEnd": "session_end", "Stop": "stop"}.get(event, "")
        state = (
            f'[hooks.state."{home}/hooks.json:{label}:0:0"]\ntrusted_hash = "sha256:{trusted}"\n'
        )
        (home / "config.toml").write_text(state)
        assert not list(check_codex_trust([], {"CODEX_HOME": str(home)})), (event, limit)


def test_hooks_of_the_user_are_looked_at_too(tmp_path: Path) -> None:
    """In both files of Codex's directory: one is trusted, the other is not."""
    home = tmp_path / "home"
    home.mkdir()
    hooks = json.dumps({"hooks": {"Stop": ENTRIES["Stop"]}})
    (home / "hooks.json").write_text(hooks)
    state = f'[hooks.state."{home}/hooks.json:stop:0:0"]\ntrusted_hash = "{TRUSTED["stop"]}"\n'
    group = "[[hooks.Stop]]\n[[hooks.Stop.hooks]]\ntype = 'command'\n"
    (home / "config.toml").write_text(f"{group}command = 'sh ./hook_wrapper.sh x.py'\n{state}")
    (finding,) = check_codex_trust([], {"CODEX_HOME": str(home)})
    assert finding.text.startswith(f"{home}/config.toml: 1 hook is not trusted in Codex")
    (home / "config.toml").write_text("")
    (finding,) = check_codex_trust([], {"CODEX_HOME": str(home)})
    assert finding.text.startswith(f"{home}/hooks.json: 1 hook is not trusted in Codex")


@pytest.mark.parametrize("name", ["HOME", "CODEX_HOME"])
def test_codex_knows_a_symlinked_home_as_written_and_its_own_directory_by_its_real_path(
    tmp_path: Path, name: str
) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    (real / ".codex").mkdir(parents=True)
    link.symlink_to(real)
    (real / ".codex/hooks.json").write_text(json.dumps({"hooks": {"Stop": ENTRIES["Stop"]}}))
    known = link if name == "HOME" else real
    key = f"{known}/.codex/hooks.json:stop:0:0"
    state = f'[hooks.state."{key}"]\ntrusted_hash = "{TRUSTED["stop"]}"\n'
    (real / ".codex/config.toml").write_text(state)
    value = link if name == "HOME" else link / ".codex"
    assert not list(check_codex_trust([], {"HOME": str(tmp_path), name: str(value)}))


def test_a_directory_of_codex_that_may_not_be_entered_is_told_in_a_line(
    unprivileged: Path,
) -> None:
    home = unprivileged / "home"
    home.mkdir()
    (home / "config.toml").write_text("")
    home.chmod(0o600)
    (finding,) = check_codex_trust([], {"CODEX_HOME": str(home)})
    assert finding.text.startswith(f"{home}/config.toml: it can't be read: Permission denied, so ")


def test_a_machine_without_codex_has_nothing_to_trust(tmp_path: Path) -> None:
    (tmp_path / ".codex").mkdir()
    (tmp_path / ".codex/hooks.json").write_text(json.dumps({"hooks": ENTRIES}))
    path = tmp_path / ".codex/hooks.json"
    assert not list(check_codex_trust([path], {"HOME": str(tmp_path / "nobody")}))
