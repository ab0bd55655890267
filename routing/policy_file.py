"""Default rules by model family, and policy files of other gateways (F-146): JSON -> rules as fields of `PolicyRule`.

A file is laid over the defaults: objects member by member, lists whole. What it says beyond rules by model has no
counterpart here and is named in a sentence. Pure; seeding.py makes rows of it, and so does the console's button.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from routing.keys_file import FileFault, loaded

Fields = dict[str, Any]

_GPT = ["openai", "factory", "openrouter", "requesty", "vivgrid"]
_RESPONSES_FIRST = ["openai_responses", "openai_chat"]
_OLLAMA_FIRST = ["ollama", "openai_chat"]
# The families that the programs which proxx unites treated apart, first match wins. Their last rule, chat for all else,
# is left out: a request goes best to who understands it as it is.
DEFAULTS: Mapping[str, Any] = {
    "modelRouting": {
        "rules": [
            {
                "name": "GLM",
                "modelPattern": "^glm-",
                "preferredProviders": [
                    *("zai", "rotussy", "requesty", "factory", "openrouter", "vivgrid", "ollama-cloud")
                ],
                "excludedProviders": ["openai"],
                "preferredStrategies": _OLLAMA_FIRST,
                "accountOrdering": {"kind": "prefer_free"},
            },
            {
                "name": "Claude",
                "modelPattern": "^claude-",
                "preferredProviders": ["factory", "openrouter", "requesty", "vivgrid"],
                "excludedProviders": ["openai", "ollama-cloud"],
                "preferredStrategies": ["anthropic", "openai_chat"],
                "accountOrdering": {"kind": "prefer_free"},
            },
            {
                "name": "GPT-OSS",
                "modelPattern": "^gpt-oss",
                "preferredProviders": ["ollama-cloud"],
                "preferredStrategies": _OLLAMA_FIRST,
                "accountOrdering": {"kind": "prefer_free"},
            },
            {
                "name": "GPT for paid plans",
                "modelPattern": "^(gpt-5\\.3-codex|gpt-5-mini)$|^gpt-[6-9]",
                "preferredProviders": _GPT,
                "excludedProviders": ["ollama-cloud", "rotussy"],
                "preferredStrategies": _RESPONSES_FIRST,
                "accountOrdering": {"kind": "custom_weight"},
                "requiresPaidPlan": True,
            },
            {
                "name": "GPT",
                "modelPattern": "^gpt-",
                "preferredProviders": _GPT,
                "excludedProviders": ["ollama-cloud", "rotussy"],
                "preferredStrategies": _RESPONSES_FIRST,
                "accountOrdering": {"kind": "prefer_free"},
            },
        ]
    }
}


def default_rules() -> list[Fields]:
    """Return the rules that are offered, as fields of rows."""
    return parse("{}", name="defaults")[0]


def parse(text: str, *, name: str) -> tuple[list[Fields], list[str]]:
    """Return the rules of a file laid over the defaults, and sentences on what it says in vain.

    Raises `FileFault`, whose sentence begins with `name`, for a file that cannot be read.
    """
    said = loaded(text, name)
    if not isinstance(said, dict):
        raise FileFault(f"{name} must be an object.")
    routing = _merged(DEFAULTS, said).get("modelRouting")
    entries = routing.get("rules") if isinstance(routing, dict) else None
    if not isinstance(entries, list) or not all(isinstance(one, dict) for one in entries):
        raise FileFault(f"{name}: modelRouting.rules must be a list of objects.")
    notes = [f"{name}: {member} has no counterpart and is ignored." for member in sorted(said.keys() - _READ)]
    rules: list[Fields] = []
    for number, entry in enumerate(entries, start=1):
        fields, unread = _fields(entry, f"{name}, rule {number}")
        rules.append({**fields, "position": number * 10})
        notes += [f"{name}, rule {number}: {member} has no counterpart and is ignored." for member in unread]
    return rules, notes


def _merged(base: Any, over: Any) -> Any:
    if not isinstance(base, Mapping) or not isinstance(over, Mapping):
        return over
    return {**base, **{key: _merged(base[key], value) if key in base else value for key, value in over.items()}}


def _fields(entry: Mapping[str, Any], place: str) -> tuple[Fields, list[str]]:
    pattern = entry.get("modelPattern")
    if not isinstance(pattern, str) or not pattern.strip():
        raise FileFault(f"{place}: modelPattern must be a text.")
    is_regex = any(mark in pattern for mark in "^$|()[]\\+?")
    ordering = entry.get("accountOrdering")
    kind = ordering.get("kind") if isinstance(ordering, dict) else None
    plans = ordering.get("plans", []) if isinstance(ordering, dict) and kind == "exclude_plans" else []
    fields: Fields = {
        "name": str(entry.get("name") or pattern)[:120],
        # A text without marks of an expression means all names that begin with it.
        "pattern": pattern if is_regex or "*" in pattern else f"{pattern}*",
        "kind": "regex" if is_regex else "glob",
        "providers": _lines(entry, "preferredProviders", place),
        "excluded_providers": _lines(entry, "excludedProviders", place),
        "protocols": _lines(entry, "preferredStrategies", place, names=PROTOCOLS),
        "excluded_protocols": _lines(entry, "excludedStrategies", place, names=PROTOCOLS),
        "accounts": ORDERS.get(str(kind), ""),
        "paid_plans": entry.get("requiresPaidPlan") is True,
        "excluded_plans": _lines({"plans": plans}, "plans", place),
    }
    return fields, list(_unread(entry, kind))


def _unread(entry: Mapping[str, Any], kind: Any) -> Iterator[str]:
    yield from sorted(entry.keys() - _RULE_MEMBERS)
    if kind is not None and kind not in ORDERS:
        yield f"accountOrdering {kind}"


def _lines(entry: Mapping[str, Any], member: str, place: str, *, names: Mapping[str, str] | None = None) -> str:
    said = entry.get(member, [])
    if not isinstance(said, list) or not all(isinstance(one, str) for one in said):
        raise FileFault(f"{place}: {member} must be a list of names.")
    known = [one.strip() for one in said] if names is None else [names[one] for one in said if one in names]
    return "\n".join(dict.fromkeys(known))


# The ways to ask, by all names that policy files give them.
PROTOCOLS = {
    "openai_chat": "openai_chat",
    "chat": "openai_chat",
    "chat_completions": "openai_chat",
    "openai_chat_completions": "openai_chat",
    "openai_responses": "openai_responses",
    "openai_responses_passthrough": "openai_responses",
    "responses": "openai_responses",
    "responses_passthrough": "openai_responses",
    "anthropic": "anthropic",
    "messages": "anthropic",
    "gemini": "gemini",
    "gemini_chat": "gemini",
    "ollama": "ollama",
    "ollama_chat": "ollama",
    "local_ollama_chat": "ollama",
}
ORDERS = {"prefer_free": "free_first", "custom_weight": "plan_aware", "prefer_plans": "plan_aware", "exclude_plans": ""}
_READ = {"version", "modelRouting"}
_RULE_MEMBERS = {
    *("name", "modelPattern", "preferredProviders", "excludedProviders", "preferredStrategies", "excludedStrategies"),
    *("accountOrdering", "requiresPaidPlan"),
}
