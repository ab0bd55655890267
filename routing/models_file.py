"""models.json in all its forms (F-061..F-063): text -> wishes on model names. Pure; seeding.py makes rows of them."""

from dataclasses import dataclass, replace
from typing import Any

from routing.keys_file import FileFault, loaded

PREFERENCE_KEYS = ("preferred", "disabled", "aliases")
NAME_LIMIT = 200


@dataclass(frozen=True, slots=True)
class Wish:
    """What a file says about one model name."""

    name: str
    rank: int | None = None
    disabled: bool = False
    alias_of: str = ""
    declared: bool = False
    owned_by: str = ""
    alias_is_off: bool = False
    notes: str = ""


def parse(text: str, *, name: str) -> list[Wish]:
    """Return the wishes in a text, one per name; raise `FileFault` whose sentence begins with `name`."""
    data = loaded(text, name)
    if isinstance(data, list):
        data = {"models": data}
    if not isinstance(data, dict):
        raise FileFault(f"{name} must be an object or a list of models.")
    declared = [*_entries(data, "models", name), *_entries(data, "data", name)]
    preferred = [model for model, _ in _entries(data, "preferred", name)]
    if "models" in data and not any(key in data for key in PREFERENCE_KEYS):
        preferred = [model for model, _ in _entries(data, "models", name)]  # the legacy form means both (F-063)
    wishes: dict[str, Wish] = {}
    for model, owner in declared:
        wishes[model.lower()] = replace(_of(wishes, model), declared=True, owned_by=owner)
    for rank, model in enumerate(preferred, start=1):
        wishes[model.lower()] = replace(_of(wishes, model), rank=rank)
    for model, _ in _entries(data, "disabled", name):
        wishes[model.lower()] = replace(_of(wishes, model), disabled=True)
    for alias, target in _aliases(data, name):
        wishes[alias.lower()] = replace(_of(wishes, alias), alias_of=target)
    return list(wishes.values())


def _of(wishes: dict[str, Wish], model: str) -> Wish:
    return wishes.get(model.lower()) or Wish(model)


def _entries(data: dict[str, Any], key: str, name: str) -> list[tuple[str, str]]:
    entries = data.get(key, [])
    if not isinstance(entries, list):
        raise FileFault(f"{name}: {key} must be a list.")
    found = []
    for entry in entries:
        model = entry
        if isinstance(entry, dict):
            model = entry.get("id") or entry.get("name") or entry.get("model")
        if not _is_name(model):
            raise FileFault(f"{name}: {key} must hold names, or objects with an id.")
        owner = entry.get("owned_by") if isinstance(entry, dict) else ""
        found.append((model.strip(), owner.strip()[:64] if isinstance(owner, str) else ""))
    return found


def _aliases(data: dict[str, Any], name: str) -> list[tuple[str, str]]:
    aliases = data.get("aliases", {})
    if not isinstance(aliases, dict) or not all(_is_name(word) for pair in aliases.items() for word in pair):
        raise FileFault(f"{name}: aliases must be an object of names.")
    pairs = [(alias.strip(), target.strip()) for alias, target in aliases.items()]
    return [(alias, target) for alias, target in pairs if alias.lower() != target.lower()]


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value.strip()) <= NAME_LIMIT
