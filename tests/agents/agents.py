"""Coding agents: how each is pointed at proxx, started for one task, and what it calls its shell.

A start is what docs/clients.md tells a user to paste, as files and variables below a home folder of its own.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Place:
    """Where proxx is, its key, and the names of the models: the one that works, and a small one for titles."""

    origin: str
    key: str
    model: str
    small: str
    alias: str  # a name that looks like Anthropic's own and leads to `model`


@dataclass(frozen=True)
class Start:
    """Arguments after the program's name, variables, and files below the home folder."""

    arguments: tuple[str, ...]
    variables: Mapping[str, str]
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Agent:
    """One agent, set up in one way."""

    name: str
    program: str
    package: str
    dialect: str
    start: Callable[[Place, str], Start]
    shell: str
    command: Callable[[str], dict[str, Any]] = lambda line: {"command": line, "description": "Work on the file"}


def _codex(place: Place, task: str) -> Start:
    config = f"""
model = "{place.model}"
model_provider = "proxx"

[model_providers.proxx]
name = "proxx"
base_url = "{place.origin}/v1"
env_key = "PROXX_KEY"
wire_api = "responses"
"""
    return Start(_codex_arguments(task), {"PROXX_KEY": place.key}, {".codex/config.toml": config})


def _codex_built_in(place: Place, task: str) -> Start:
    """Its own provider with another address: it then tries a WebSocket first."""
    config = f'model = "{place.model}"\nopenai_base_url = "{place.origin}/v1"\n'
    auth = json.dumps({"auth_mode": "apikey", "OPENAI_API_KEY": place.key})
    return Start(_codex_arguments(task), {}, {".codex/config.toml": config, ".codex/auth.json": auth})


def _codex_arguments(task: str) -> tuple[str, ...]:
    return ("exec", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox", task)


def _claude(place: Place, task: str) -> Start:
    return _claude_with(place, task, place.model)


def _claude_alias(place: Place, task: str) -> Start:
    """A model named like Anthropic's: it then sends another form of thinking."""
    return _claude_with(place, task, place.alias)


def _claude_with(place: Place, task: str, model: str) -> Start:
    variables = {
        "ANTHROPIC_BASE_URL": place.origin,
        "ANTHROPIC_AUTH_TOKEN": place.key,
        "ANTHROPIC_MODEL": model,
        "ANTHROPIC_DEFAULT_HAIKU_MODEL": place.small,
        "DISABLE_AUTOUPDATER": "1",
        "DISABLE_TELEMETRY": "1",
        "DISABLE_ERROR_REPORTING": "1",
    }
    return Start(("-p", task, "--allowedTools", "Bash"), variables)


def _gemini(place: Place, task: str) -> Start:
    variables = {"GOOGLE_GEMINI_BASE_URL": place.origin, "GEMINI_API_KEY": place.key}
    chosen = {
        "security": {"auth": {"selectedType": "gemini-api-key"}},
        "privacy": {"usageStatisticsEnabled": False},
        "general": {"enableAutoUpdate": False},
    }
    arguments = ("--skip-trust", "--yolo", "-m", place.model, "-p", task)
    return Start(arguments, variables, {".gemini/settings.json": json.dumps(chosen)})


def _opencode(package: str) -> Callable[[Place, str], Start]:
    def start(place: Place, task: str) -> Start:
        provider = {
            "npm": package,
            "name": "proxx",
            "options": {"baseURL": f"{place.origin}/v1", "apiKey": "{env:PROXX_KEY}"},
            "models": {place.model: {"name": "main"}, place.small: {"name": "small"}},
        }
        chosen = {
            "model": f"proxx/{place.model}",
            "small_model": f"proxx/{place.small}",
            "provider": {"proxx": provider},
            "autoupdate": False,
            "share": "disabled",
        }
        files = {".config/opencode/opencode.json": json.dumps(chosen)}
        return Start(("run", task), {"PROXX_KEY": place.key}, files)

    return start


def _codex_command(line: str) -> dict[str, Any]:
    return {"cmd": line}


CODEX, CLAUDE = "@openai/codex", "@anthropic-ai/claude-code"
GEMINI, OPENCODE = "@google/gemini-cli", "opencode-ai"

AGENTS = {
    agent.name: agent
    for agent in (
        Agent("codex", "codex", CODEX, "openai_responses", _codex, "exec_command", _codex_command),
        Agent("codex-built-in", "codex", CODEX, "openai_responses", _codex_built_in, "exec_command", _codex_command),
        Agent("claude", "claude", CLAUDE, "anthropic", _claude, "Bash"),
        Agent("claude-alias", "claude", CLAUDE, "anthropic", _claude_alias, "Bash"),
        Agent("gemini", "gemini", GEMINI, "gemini", _gemini, "run_shell_command"),
        Agent("opencode", "opencode", OPENCODE, "openai_chat", _opencode("@ai-sdk/openai-compatible"), "bash"),
        Agent("opencode-openai", "opencode", OPENCODE, "openai_responses", _opencode("@ai-sdk/openai"), "bash"),
        Agent("opencode-anthropic", "opencode", OPENCODE, "anthropic", _opencode("@ai-sdk/anthropic"), "bash"),
    )
}
