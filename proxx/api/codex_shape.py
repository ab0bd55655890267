"""The model list as Codex CLI reads it: a catalogue in which every member it has no default for must stand.

One missing member, or one word it does not know, and the client drops the whole list without telling anybody and goes
on with what it was built with, wrong context sizes included. So only words are said that all its versions know.
"""

from collections.abc import Sequence
from typing import Any

from proxx.protocols.hub.facts import facts_of
from routing.snapshot import ModelEntry

EFFORTS = {
    "minimal": "Answers at once",
    "low": "Thinks briefly",
    "medium": "Thinks as long as most tasks need",
    "high": "Thinks long, for hard problems",
    "xhigh": "Thinks longest",
}
USUAL_EFFORTS = ("low", "medium", "high")

# What the model is told when it works for this client: the catalogue's words replace the client's own.
INSTRUCTIONS = """\
You are a coding agent that works in a terminal on the user's machine, together with the user. You read and change files
and run commands with the tools you are given.

How to work:
- Understand before you change: read the files that matter, and follow instructions in AGENTS.md files for the folders
  they stand in; the deeper file counts, and what the user says counts most.
- Carry the task through to its end before you hand back: change what is needed, run or test it where you can, and mend
  what you broke. Ask only when you cannot go on without an answer.
- Change as little as the task needs, in the style of the code around it. Fix causes, not symptoms. Leave unrelated
  faults alone, but mention them. Never undo changes that you did not make, and commit only when asked.
- Search with rg where it exists. Edit files with the apply_patch tool if there is one, never by asking the user to
  save something. Do not run what destroys data unless the user asked for just that.
- If commands are limited by a sandbox, or need the user's consent, say why you need what you ask for.
- For work of several steps keep a short plan up to date if there is a tool for it.

How to talk: briefly, as to a colleague. Say in a sentence what you are about to do before a group of commands. At the
end say what was done, what was checked and what was not, and name files as path:line. Never claim what you did not see.
"""


def page(entries: Sequence[ModelEntry], _query: dict[str, str]) -> dict[str, Any]:
    """Return all models, best first."""
    return {"models": [one(entry, place) for place, entry in enumerate(entries)]}


def one(entry: ModelEntry, place: int = 0) -> dict[str, Any]:
    """Return a model as the catalogue has it; `place` orders the client's list, lower numbers first."""
    facts = facts_of(entry.id)
    efforts = _efforts(entry)
    window = entry.metadata.get("context_window") or facts.context_window
    return {
        "slug": entry.id,
        "display_name": entry.id,
        "description": f"{entry.id} ({entry.owned_by})",
        "default_reasoning_level": "medium" if "medium" in efforts else (efforts[0] if efforts else None),
        "supported_reasoning_levels": [{"effort": name, "description": EFFORTS[name]} for name in efforts],
        "shell_type": "shell_command",
        "visibility": "list",
        "supported_in_api": True,
        "priority": place,
        "additional_speed_tiers": [],
        "availability_nux": None,
        "upgrade": None,
        "base_instructions": INSTRUCTIONS,
        "supports_reasoning_summaries": bool(efforts),
        "default_reasoning_summary": "auto",
        "support_verbosity": facts.family == "gpt",
        "default_verbosity": None,
        "apply_patch_tool_type": "freeform",
        "web_search_tool_type": "text",
        "truncation_policy": {"mode": "tokens", "limit": 10_000},
        "supports_parallel_tool_calls": entry.metadata.get("supports_tools") is not False,
        "supports_image_detail_original": False,
        "context_window": window,
        "max_context_window": window,
        "auto_compact_token_limit": None,
        "effective_context_window_percent": 95,
        "experimental_supported_tools": [],
        "input_modalities": ["text"] if facts.images is False else ["text", "image"],
        "supports_search_tool": False,
        # Members that older clients had no default for.
        "minimal_client_version": [0, 1, 0],
        "reasoning_summary_format": "none",
    }


def _efforts(entry: ModelEntry) -> list[str]:
    known = facts_of(entry.id).efforts
    if known:
        return [name for name in EFFORTS if name in known]
    return list(USUAL_EFFORTS) if entry.metadata.get("supports_reasoning") else []
