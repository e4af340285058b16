"""The agents: where their hooks are configured and how they run them, from their documentation."""

from __future__ import annotations

from hooks_compile.agents.clients.base import FLAT, NESTED, Agent

_FACTORY = (".factory/settings.json", ".factory/hooks.json")
_GEMINI_VARIABLES = ("GEMINI_PROJECT_DIR", "GEMINI_CWD", "CLAUDE_PROJECT_DIR")
_QWEN_VARIABLES = ("QWEN_PROJECT_DIR", "GEMINI_PROJECT_DIR", "CLAUDE_PROJECT_DIR")

AGENTS = (
    # https://code.claude.com/docs/en/hooks and https://code.claude.com/docs/en/statusline
    Agent(
        "claude",
        "Claude Code",
        (".claude/settings.json", ".claude/settings.local.json"),
        user_names=(".claude/settings.json",),
        plugin_names=(
            *("hooks/hooks.json", "[!.]*/hooks/hooks.json"),
            *("plugins/*/hooks/hooks.json", ".claude/plugins/*/hooks/hooks.json"),
        ),
        plugin_variable="CLAUDE_PLUGIN_ROOT",
        entries=(NESTED, "statusLine", "subagentStatusLine", "fileSuggestion"),
        variables=("CLAUDE_PROJECT_DIR",),
        windows_shell="PowerShell (if Git Bash is missing)",
    ),
    # https://developers.openai.com/codex/hooks
    Agent(
        "codex",
        "Codex",
        (".codex/hooks.json", ".codex/config.toml"),
        trust="it skips them, `codex exec` in silence; to trust them: codex, then /hooks",
        windows_shell="cmd or PowerShell",
        windows_field="commandWindows",
    ),
    # https://geminicli.com/docs/hooks/reference
    Agent(
        "gemini",
        "Gemini CLI",
        (".gemini/settings.json",),
        variables=_GEMINI_VARIABLES,
        pastes=frozenset(_GEMINI_VARIABLES),
        trust="it asks when it is started next",
        windows_shell="PowerShell",
    ),
    # https://docs.github.com/en/copilot/reference/hooks-reference
    Agent(
        "copilot",
        "GitHub Copilot",
        (
            ".github/hooks/*.json",
            *(".github/copilot/settings.json", ".github/copilot/settings.local.json"),
        ),
        user_names=(".copilot/hooks/*.json", ".copilot/settings.json"),
        entries=(FLAT,),
        keys=("bash", "command", "exec"),
        variables=("COPILOT_PROJECT_DIR", "CLAUDE_PROJECT_DIR"),
        below=False,
        foreign="PowerShell as well",
    ),
    # https://qwenlm.github.io/qwen-code-docs/en/users/features/hooks
    Agent(
        "qwen",
        "Qwen Code",
        (".qwen/settings.json",),
        variables=_QWEN_VARIABLES,
        pastes=frozenset(_QWEN_VARIABLES),
        windows_shell="cmd or PowerShell",
    ),
    # https://cursor.com/docs/agent/hooks
    Agent(
        "cursor",
        "Cursor",
        (".cursor/hooks.json",),
        entries=(FLAT,),
        variables=("CURSOR_PROJECT_DIR", "CLAUDE_PROJECT_DIR"),
        starts=(".", ".cursor"),  # the second formerly
        user_starts=(".cursor",),
        windows_shell="cmd or PowerShell",
        ran=False,
    ),
    # https://docs.factory.ai/reference/hooks-reference: commands start in droid's current
    # directory, which may change, so a relative path is not certain.
    Agent(
        "factory",
        "Factory droid",
        (*_FACTORY, ".factory/settings.local.json"),
        user_names=_FACTORY,
        variables=("FACTORY_PROJECT_DIR",),
        starts=(),
        windows_shell="cmd or PowerShell",
        ran=False,
    ),
    # https://docs.windsurf.com/windsurf/cascade/hooks
    Agent(
        "windsurf",
        "Windsurf",
        (".windsurf/hooks.json",),
        user_names=(".codeium/windsurf/hooks.json",),
        entries=(FLAT,),
        below=False,
        windows_shell="PowerShell",
        ran=False,
    ),
    # https://kiro.dev/docs/cli/v3/hooks
    Agent(
        "kiro",
        "Kiro",
        (".kiro/hooks/*.json",),
        entries=("hooks.*.action",),
        below=False,
        windows_shell="cmd or PowerShell",
        ran=False,
    ),
)

# https://code.claude.com/docs/en/hooks: hooks of agents and skills
FRONT_MATTER = Agent(
    "claude",
    "Claude Code",
    (
        *(".claude/agents/**/*.md", ".claude/commands/**/*.md"),
        ".claude/skills/*/SKILL.md",
    ),
    entries=("*",),
    variables=("CLAUDE_PROJECT_DIR",),
    below=False,
    advice="it is in the front matter of a Markdown file: change it yourself, then run init again",
)

INSTALLED_PLUGINS = Agent(
    "claude",
    "Claude Code",
    (),
    plugin_names=(".claude/plugins/cache/*/*/*/hooks/hooks.json",),
    plugin_variable="CLAUDE_PLUGIN_ROOT",
)
"""What the user has installed, by the home directory."""
