"""Whole configuration files: only the commands' words change, and everything comes back."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hooks_compile.agents.clients.base import ConfigFile, value_at
from hooks_compile.agents.wiring.command import Script, unwire_command, wire_command
from hooks_compile.agents.wiring.documents import read_settings
from hooks_compile.agents.wiring.rewrite import rewrite
from hooks_compile.errors import AgentConfigError
from tests.support import wiring_shapes as shapes
from tests.support.tiers import scaled

if TYPE_CHECKING:
    from hooks_compile.agents.clients.base import Agent, Found
from tests.support.wired_project import BY_NAME

ROOT = Path("/project")
some = settings(max_examples=scaled(12, 100, 2000), deadline=None)
COMMANDS = [
    shape.command.replace("{root}", str(ROOT)).replace("{home}", "/home/me")
    for shape in shapes.load()
    if shape.agent == "claude" and "hook_wrapper.sh" not in shape.command
]


def look(path: Path) -> Script | None:
    """Every file that a shape names is there; wrappers are not."""
    if path.name == "hook_wrapper.sh" or "gone" in path.name:
        return None
    outside = "" if path.is_relative_to(ROOT) else f"`{path}` is outside the project"
    return Script(b"#!/usr/bin/env python3\n", outside)


def project_file(agent: Agent, name: str) -> ConfigFile:
    variables = {"CLAUDE_PROJECT_DIR": str(ROOT), "GEMINI_PROJECT_DIR": str(ROOT)}
    return ConfigFile(agent, ROOT / name, ROOT, name, (ROOT,), variables)


SETTINGS = project_file(BY_NAME["claude"], ".claude/settings.json")


class Writer:
    """Writes JSON as people do: any spaces, line ends, comments, trailing commas and escapes.

    ``choices`` decide, over and over again: a draw for each space would take most of a test's time.
    """

    def __init__(self, choices: bytes, *, comments: bool) -> None:
        self.choices = itertools.cycle(choices)
        self.spaces = ["", " ", "\n", "\r\n", "\t", "  \n  "]
        if comments:
            self.spaces += ['// ] } " ü\n', "/* a, { \n */"]
        self.commas = ["", ","] if comments else [""]

    def pick(self, values: list[str]) -> str:
        return values[next(self.choices) % len(values)]

    def gap(self) -> str:
        return self.pick(self.spaces)

    def write(self, value: Any) -> str:
        if isinstance(value, str):
            return self.string(value)
        if isinstance(value, dict):
            pairs = [
                f"{self.gap()}{self.string(key)}{self.gap()}:{self.gap()}{self.write(inner)}"
                for key, inner in value.items()
            ]
            return self.wrapped("{", pairs, "}")
        if isinstance(value, list):
            return self.wrapped("[", [self.gap() + self.write(inner) for inner in value], "]")
        return json.dumps(value)

    def wrapped(self, opening: str, parts: list[str], closing: str) -> str:
        trailing = self.pick(self.commas) if parts else ""
        return f"{opening}{f'{self.gap()},'.join(parts)}{self.gap()}{trailing}{self.gap()}{closing}"

    def string(self, value: str) -> str:
        kind = self.pick(["plain", "ascii", "slashes", "all"])
        if kind == "all":
            return '"' + "".join(f"\\u{ord(char):04x}" for char in value) + '"'
        text = json.dumps(value, ensure_ascii=kind == "ascii")
        return text.replace("/", "\\/") if kind == "slashes" else text


ENTRY = st.fixed_dictionaries(
    {"type": st.just("command"), "command": st.sampled_from(COMMANDS)},
    optional={"timeout": st.integers(1, 900), "async": st.booleans(), "name": st.just("größe")},
)
GROUP = st.fixed_dictionaries(
    {"hooks": st.lists(ENTRY, min_size=1, max_size=3)},
    optional={"matcher": st.sampled_from(["Bash", "Write|Edit", "*", ""])},
)
DOCUMENT = st.fixed_dictionaries(
    {"hooks": st.dictionaries(st.sampled_from(["Stop", "a.b", "ü"]), st.lists(GROUP))},
    optional={
        "statusLine": ENTRY,
        "permissions": st.just({"allow": ["Bash(python3 x.py)"], "deny": []}),
        "env": st.just({"A": "python3 .claude/hooks/guard.py", "B": 1.5, "C": None}),
    },
)


@st.composite
def texts(draw: st.DrawFn, *, comments: bool) -> str:
    writer = Writer(draw(st.binary(min_size=61, max_size=61)), comments=comments)
    mark = draw(st.sampled_from(["", "\ufeff"])) if comments else ""
    return mark + writer.gap() + writer.write(draw(DOCUMENT)) + writer.gap()


GAP = r"(?:/\*[^*]*\*/|//[^\n]*|\s)*"
KEY = "|".join(['"command"', re.escape('"' + "".join(f"\\u{ord(c):04x}" for c in "command") + '"')])
ENTRY_COMMAND = re.compile(rf'((?:{KEY}){GAP}:{GAP})"(?:[^"\\]|\\.)*"', re.DOTALL)


@some
@given(texts(comments=True))
def test_nothing_but_command_strings_changes_and_all_of_it_comes_back(text: str) -> None:
    wired = rewrite(wire_command, text, SETTINGS, look)
    assert ENTRY_COMMAND.sub(r"\1", wired.text) == ENTRY_COMMAND.sub(r"\1", text)
    assert rewrite(unwire_command, wired.text, SETTINGS, look).text == text
    again = rewrite(wire_command, wired.text, SETTINGS, look)
    assert (again.text, again.changes) == (wired.text, ())
    commands = read_settings(text, SETTINGS.path)
    total = len(list(SETTINGS.agent.commands(commands)))
    assert len(wired.changes) + len(wired.left) + wired.wired == total


@some
@given(texts(comments=False))
def test_other_readers_see_the_new_commands_and_no_other_change(text: str) -> None:
    wired = rewrite(wire_command, text, SETTINGS, look)
    expected = json.loads(text)
    for change in wired.changes:
        put(expected, change.where, change.new)
    assert json.loads(wired.text) == expected


def put(settings: Any, where: str, command: str) -> None:
    for found in SETTINGS.agent.commands(settings):
        if found.where == where:
            for key in found.path[:-1]:
                settings = settings[key]
            settings[found.path[-1]] = command
            return
    raise AssertionError(where)


CODEX = '''\
# mine\r
model = "x"

[[hooks.PreToolUse]]
matcher = "^Bash$"

  [[hooks.PreToolUse.hooks]]
  type = "command"
  command = "python3 \\"$HOME\\"/x.py"   # elsewhere
  timeout = 30

[[hooks.Stop]]
hooks = [
  { type = 'command', command = 'python3 .codex/hooks/a.py "x"' }, # kept
  { type = "command", command = "python .codex/hooks/b.py", commandWindows = "py b.py" },
  { type = "command", command = """python3 .codex/hooks/c.py""" },
  { type = "command", command = """
python3 .codex/hooks/d.py \\
  --d""" },
  { type = "command", command = 'python3 .codex/"my hooks"/e.py' },
]
'''


def test_a_toml_file_changes_in_its_commands_only_and_comes_back() -> None:
    config = project_file(BY_NAME["codex"], ".codex/config.toml")
    wired = rewrite(wire_command, CODEX, config, look, environment={"HOME": "/home/me"})
    a, c = "python3 .codex/hooks/a.py", "python3 .codex/hooks/c.py"
    wrapped = "sh .codex/hooks/hook_wrapper.sh .codex/hooks"
    assert wired.text == CODEX.replace(
        f"""'{a} "x"'""", f"""'{wrapped}/a.py "x"', commandWindows = '{a} "x"'"""
    ).replace(
        '"python .codex/hooks/b.py',
        '"sh .codex/hooks/hook_wrapper.sh --python=python .codex/hooks/b.py',
    ).replace(f'"""{c}"""', f'"""{wrapped}/c.py""", commandWindows = """{c}"""')
    assert [left.reason for left in wired.left] == [
        "`/home/me/x.py` is outside the project",
        "its text is written in a form that can't be changed in place",
        "its string has quotes that can't hold the new command",
    ]
    assert rewrite(unwire_command, wired.text, config, look).text == CODEX


OLD = '"python3 .codex/hooks/a.py"'
NEW = '"sh .codex/hooks/hook_wrapper.sh .codex/hooks/a.py"'
TABLE = "[[hooks.Stop]]\n[[hooks.Stop.hooks]]\n"


def codex(entry: str, *, is_toml: bool) -> tuple[ConfigFile, str]:
    """Return a file of Codex with an entry in it."""
    name = ".codex/config.toml" if is_toml else ".codex/hooks.json"
    text = TABLE + entry if is_toml else f'{{"hooks": {{"Stop": [{{"hooks": [{entry}]}}]}}}}'
    return project_file(BY_NAME["codex"], name), text


@pytest.mark.parametrize(
    ("is_toml", "before", "added", "behind"),
    [
        (False, '{"command": OLD', ', "commandWindows": OLD', "}"),
        (False, '{"command":OLD', ',"commandWindows":OLD', "}"),
        (False, '{ "command" : OLD', ', "commandWindows" : OLD', ', "timeout": 3 }'),
        (False, '{\r\n\t"command": OLD', ',\r\n\t"commandWindows": OLD', ',\r\n\t"a": 1\r\n}'),
        (False, '{\n\n  "command":\n   OLD', ',\n  "commandWindows":\n   OLD', "\n}"),
        (True, "command = OLD", "\ncommandWindows = OLD", ""),
        (True, 'type = "command"\n  command=OLD', "\n  commandWindows=OLD", " # why\n"),
        (True, '"command" = OLD', '\n"commandWindows" = OLD', "\ntimeout = 3\n"),
        (True, "\r\ncommand = OLD", "\r\ncommandWindows = OLD", "\r\ntimeout = 3\r\n"),
    ],
)
def test_the_old_command_is_added_for_windows_in_the_same_layout_and_removed_again(
    is_toml: bool, before: str, added: str, behind: str
) -> None:
    config, text = codex((before + behind).replace("OLD", OLD), is_toml=is_toml)
    _, expected = codex(
        before.replace("OLD", NEW) + added.replace("OLD", OLD) + behind, is_toml=is_toml
    )
    wired = rewrite(wire_command, text, config, look, windows=True)
    assert wired.text == expected
    assert [(it.added, it.windows_shell) for it in wired.changes] == [("commandWindows", "")]
    again = rewrite(wire_command, wired.text, config, look)
    assert (again.text, again.wired, again.left) == (wired.text, 1, ())
    assert rewrite(unwire_command, wired.text, config, look).text == text


@pytest.mark.parametrize(
    ("is_toml", "entry", "reason"),
    [
        (False, '{"command": OLD, "commandWindows": OLD}', "commandWindows behind it is the same"),
        (True, "command = OLD # why\ncommandWindows = OLD", "commandWindows behind it is the same"),
        (False, '{"command" /**/ : OLD}', "its text is written in a form"),
        (False, '{"\\u0063ommand": OLD}', "its text is written in a form"),
    ],
)
def test_a_command_stays_if_its_old_form_for_windows_could_not_be_told_or_written(
    is_toml: bool, entry: str, reason: str
) -> None:
    config, text = codex(entry.replace("OLD", OLD), is_toml=is_toml)
    wired = rewrite(wire_command, text, config, look)
    assert wired.text == text
    assert [left.reason[: len(reason)] for left in wired.left] == [reason]
    assert rewrite(unwire_command, text, config, look).text == text


def test_a_command_in_a_table_over_several_lines_stays() -> None:
    config = project_file(BY_NAME["codex"], ".codex/config.toml")
    text = f"[[hooks.Stop]]\nhooks = [{{\n command = {OLD}\n}}]\n"
    assert rewrite(wire_command, text, config, look).text == text


@pytest.mark.parametrize(
    "entry",
    [
        '{"command": OLD, "timeout": 3, "commandWindows": OLD}',
        '{"commandWindows": OLD, "command": OLD}',
        '{"command": OLD, "command_windows": OLD}',
        '{"command": OLD, "commandWindows": "py a.py"}',
    ],
)
def test_a_command_for_windows_that_somebody_wrote_stays(entry: str) -> None:
    config, text = codex(entry.replace("OLD", OLD), is_toml=False)
    wired = rewrite(wire_command, text, config, look)
    assert wired.text == text.replace(f'"command": {OLD}', f'"command": {NEW}')
    assert rewrite(unwire_command, wired.text, config, look).text == text


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('a.py"\ncommandWindows', 'a.py"\n# mine\ncommandWindows'),
        ('commandWindows = "python3', 'commandWindows = "py'),
    ],
)
def test_a_command_for_windows_that_somebody_changed_stays(old: str, new: str) -> None:
    config, text = codex(f"command = {OLD}", is_toml=True)
    wired = rewrite(wire_command, text, config, look).text
    assert old in wired
    changed = wired.replace(old, new)
    back = rewrite(unwire_command, changed, config, look)
    assert back.text == changed.replace(NEW, OLD)
    assert back.left == ()


@some
@given(texts(comments=False))
def test_whole_files_come_back_without_what_was_added_for_windows(text: str) -> None:
    config = project_file(BY_NAME["codex"], ".codex/hooks.json")
    wired = rewrite(wire_command, text, config, look)
    entries = [value_at(json.loads(wired.text), it.path[:-1]) for it in commands_of(wired.text)]
    twins = [entry["commandWindows"] for entry in entries if "commandWindows" in entry]
    assert twins == [change.old for change in wired.changes]
    assert rewrite(unwire_command, wired.text, config, look).text == text


def commands_of(text: str) -> list[Found]:
    return list(BY_NAME["codex"].commands(json.loads(text)))


@pytest.mark.parametrize("literal", [r'"\u0070ython3 top.py"', r'"python3 .\/a\/top.py"'])
def test_a_command_with_escapes_that_would_not_come_back_stays(literal: str) -> None:
    text = f'{{"statusLine": {{"command": {literal}, "type": "command"}}}}'
    wired = rewrite(wire_command, text, SETTINGS, look)
    assert wired.text == text
    (left,) = wired.left
    assert left.reason == "its text is written in a form that can't be changed in place"
    assert left.suggestion.startswith("sh ./")


def test_a_string_with_an_escape_for_each_character_beyond_ascii_keeps_them() -> None:
    text = r'{"statusLine": {"command": "python3 \u00fc/x.py \u00e9"}}'
    wired = rewrite(wire_command, text, SETTINGS, look).text
    assert wired == text.replace("python3", r"sh '\u00fc'/hook_wrapper.sh")
    assert rewrite(unwire_command, wired, SETTINGS, look).text == text


def test_the_same_string_elsewhere_stays() -> None:
    command = '"python3 top.py"'
    text = (
        f'{{"a": {command}, {command}: 1, /* {command} */ "statusLine": {{"command": {command}}}}}'
    )
    wired = rewrite(wire_command, text, SETTINGS, look).text
    assert wired == '"sh ./hook_wrapper.sh top.py"'.join(text.rsplit(command, 1))


@pytest.mark.parametrize(
    ("extra", "reason"),
    [
        ({"args": ["x.py"]}, "it runs through `'python3 top.py'`"),
        ({"shell": "powershell"}, "it is read by powershell"),
        ({"env": {"PATH": "/x"}}, "its entry sets PATH, which decides about the launch"),
        (
            {"env": {"A": "b", "CLAUDE_PROJECT_DIR": "/x"}},
            "its entry sets CLAUDE_PROJECT_DIR, which decides about the launch",
        ),
    ],
)
def test_an_entry_that_no_plain_shell_reads_stays(extra: dict[str, object], reason: str) -> None:
    text = json.dumps({"statusLine": {"command": "python3 top.py", **extra}})
    wired = rewrite(wire_command, text, SETTINGS, look)
    assert wired.text == text
    assert [left.reason for left in wired.left] == [reason]


P = "${CLAUDE_PROJECT_DIR}/.claude/hooks/"
W = f'"{P}hook_wrapper.sh"'


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (f'"python3", "args": ["{P}x.py"]', f'"sh", "args": [{W}, "{P}x.py"]'),
        (
            f'"python", "args": [\n "-u",\n "{P}x.py",\n "it\'s $HOME"\n]',
            f'"sh", "args": [\n {W}, "--python=python", "-u",\n "{P}x.py",\n "it\'s $HOME"\n]',
        ),
        (f'"{P}run.py", "args": []', f'"sh", "args": [{W}, "--shebang", "{P}run.py"]'),
        (f'"{P}run.py", "args": [ ]', f'"sh", "args": [{W}, "--shebang", "{P}run.py" ]'),
        (
            f'"{P}run.py", "args": [/* why */ "", "b",]',
            f'"sh", "args": [/* why */ {W}, "--shebang", "{P}run.py", "", "b",]',
        ),
        (
            f'"uv", "args": ["run",\n "{P}x.py"]',
            f'"sh", "args": [{W}, "--uv",\n "{P}x.py"]',
        ),
        (
            f'"/usr/bin/env", "args": ["python3", "{P}x.py"]',
            f'"/usr/bin/env", "args": ["sh", {W}, "{P}x.py"]',
        ),
        (f'"{P}run.py", "args": [\n]', None),  # written in no usual form
        (f'"{P}run.py", "args": [1]', None),
        ('"python3", "args": ["$CLAUDE_PROJECT_DIR/x.py"]', None),  # nobody replaces it
        ('"python3", "args": ["~/x.py"]', None),
        ('"python3", "args": ["$(git rev-parse --show-toplevel)/x.py"]', None),
        ('"python3", "args": ["-c", "pass"]', None),
    ],
)
def test_a_command_with_arguments_changes_in_both_and_comes_back(old: str, new: str | None) -> None:
    def look_for_files(path: Path) -> Script | None:
        return None if set("$~") & set(str(path)) else look(path)

    text = f'{{"fileSuggestion": {{"command": {old}, "type": "command"}}}}'
    wired = rewrite(wire_command, text, SETTINGS, look_for_files)
    assert wired.text == text.replace(old, new or old)
    assert len(wired.left) == (new is None)
    assert rewrite(unwire_command, wired.text, SETTINGS, look_for_files).text == text
    again = rewrite(wire_command, wired.text, SETTINGS, look_for_files)
    assert (again.text, again.wired) == (wired.text, int(new is not None))


def test_other_kinds_of_hooks_are_no_commands() -> None:
    entries = [{"type": "prompt", "command": "python3 top.py"}, {"type": "command"}, 1, None]
    text = json.dumps({"hooks": {"Stop": [{"hooks": entries}, {"hooks": {}}, []], "X": 3}})
    wired = rewrite(wire_command, text, SETTINGS, look)
    assert (wired.text, wired.changes, wired.left) == (text, (), ())


def test_a_directory_that_can_not_have_the_wrapper_keeps_its_commands() -> None:
    text = '{"statusLine": {"command": "python3 .claude/hooks/guard.py"}}'
    wired = rewrite(
        wire_command,
        text,
        SETTINGS,
        look,
        blocked={ROOT / ".claude/hooks": "foreign wrapper there"},
    )
    assert [left.reason for left in wired.left] == ["foreign wrapper there"]


def test_copilot_commands_for_powershell_too_stay() -> None:
    config = project_file(BY_NAME["copilot"], ".github/hooks/a.json")
    entries = [
        {"type": "command", "bash": "python3 .github/hooks/h.py", "powershell": "py h.py"},
        {"command": "python3 .github/hooks/h.py"},
        {"exec": "python3", "args": [".github/hooks/h.py"]},
        {"bash": "python3 h.py", "cwd": ".github/hooks"},
        {"exec": ".github/hooks/run.py"},
        {"exec": ".github/hooks/run.py", "args": "one text"},
    ]
    text = json.dumps({"version": 1, "hooks": {"preToolUse": entries}})
    wired = rewrite(wire_command, text, config, look)
    assert [change.new for change in wired.changes] == [
        "sh .github/hooks/hook_wrapper.sh .github/hooks/h.py",
        "sh .github/hooks/hook_wrapper.sh .github/hooks/h.py",
        "sh ./hook_wrapper.sh h.py",
    ]
    assert json.loads(wired.text)["hooks"]["preToolUse"][2] == {
        "exec": "sh",
        "args": [".github/hooks/hook_wrapper.sh", ".github/hooks/h.py"],
    }
    assert wired.changes[2].wrappers == (ROOT / ".github/hooks/hook_wrapper.sh",)
    no_list = 'its entry has no list "args", which the wrapper needs'
    reasons = [left.reason for left in wired.left]
    assert reasons == ["it is read by PowerShell as well", no_list, no_list]


def test_what_changed_after_wiring_stays_and_the_commands_still_come_back() -> None:
    text = '{"statusLine": {"command": "python top.py"}}'
    wired = rewrite(wire_command, text, SETTINGS, look).text
    edited = wired.replace("top.py", "top.py --new || true").replace("{", "{ ", 1)
    assert rewrite(unwire_command, edited, SETTINGS, look).text == (
        '{ "statusLine": {"command": "python top.py --new || true"}}'
    )


def test_a_wrapper_that_somebody_wired_by_hand_comes_off_too() -> None:
    text = '{"statusLine": {"command": "./hook_wrapper.sh top.py"}}'
    assert rewrite(wire_command, text, SETTINGS, look).wired == 1
    assert (
        rewrite(unwire_command, text, SETTINGS, look).text
        == '{"statusLine": {"command": "python3 top.py"}}'
    )


def test_a_foreign_wrapper_of_the_same_name_stays() -> None:
    def look_at_foreign(path: Path) -> Script | None:
        return Script(b"#!/bin/sh\n# somebody else's\n") if path.suffix == ".sh" else look(path)

    text = '{"statusLine": {"command": "sh ./hook_wrapper.sh top.py"}}'
    assert rewrite(unwire_command, text, SETTINGS, look_at_foreign).text == text


def test_gemini_keeps_the_quoting_of_what_it_pastes() -> None:
    config = project_file(BY_NAME["gemini"], ".gemini/settings.json")
    command = "python3 $GEMINI_PROJECT_DIR/.gemini/hooks/h.py"
    text = json.dumps({"hooks": {"BeforeTool": [{"hooks": [{"command": command}]}]}})
    (change,) = rewrite(wire_command, text, config, look).changes
    assert change.new == (
        "sh $GEMINI_PROJECT_DIR/.gemini/hooks/hook_wrapper.sh "
        "$GEMINI_PROJECT_DIR/.gemini/hooks/h.py"
    )


@pytest.mark.parametrize("name", [".claude/settings.json", ".codex/config.toml"])
def test_a_file_that_does_not_parse_is_an_error_with_its_path(name: str) -> None:
    config = project_file(BY_NAME["claude"], name)
    for act in (wire_command, unwire_command):
        with pytest.raises(AgentConfigError) as caught:
            rewrite(act, "{ = ", config, look)
        assert caught.value.path == ROOT / name
        assert "line 1" in str(caught.value)


def test_a_command_wired_by_hand_over_several_lines_is_told() -> None:
    config = project_file(BY_NAME["codex"], ".codex/config.toml")
    text = (
        "[[hooks.Stop]]\n[[hooks.Stop.hooks]]\n"
        'command = """\nsh .codex/hooks/hook_wrapper.sh .codex/hooks/h.py"""\n'
    )
    back = rewrite(unwire_command, text, config, look)
    assert back.text == text
    assert [left.where for left in back.left if left.is_removable] == [
        "hooks.Stop[0].hooks[0].command"
    ]
