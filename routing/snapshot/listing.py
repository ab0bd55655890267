"""The public model list (F-010..F-012): what catalogues list, in the operator's order, declared names, aliases.

Also the rules on names that come with it: disabled, declared, aliases and the automatic aliases of Ollama tags (F-064).
"""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from routing import pricing, targets
from routing.capabilities import NOTHING, Facts, Known, facts_of
from routing.models import CatalogModel, ModelPreference
from routing.providers import Provider
from routing.snapshot.views import ModelEntry, forms, stands_in

SIZE = re.compile(r"(\d+(?:\.\d+)?)([bt])")
NOBODY = "proxx"  # owner of a declared model while no provider can be called


class Listing:
    """Everything that follows from catalogues and preferences, worked out once."""

    def __init__(
        self,
        order: Sequence[str],
        providers: Mapping[str, Provider],
        rows: Sequence[CatalogModel],
        preferences: Sequence[ModelPreference],
        declared: Sequence[str],
        known: Known,
    ) -> None:
        place = {provider_id: index for index, provider_id in enumerate(order)}
        self._order, self._providers, self._known = order, providers, known
        self._rows: dict[str, list[CatalogModel]] = defaultdict(list)  # lower-case name -> best provider first
        for row in sorted(rows, key=lambda row: (place[row.provider_id], row.position)):
            self._rows[row.model_id.lower()].append(row)
        said = [row for row in preferences if row.declared]
        self._declared = {name.lower(): name for name in (*(row.name for row in said), *declared)}
        self._owners = {row.name.lower(): row.owned_by for row in said if row.owned_by}
        self.declared = frozenset(self._declared)
        self.disabled = frozenset(forms(row.name)[0] for row in preferences if row.disabled)
        ranked = sorted((row for row in preferences if row.rank is not None), key=lambda row: (row.rank or 0, row.name))
        self.preferred = tuple(row.name for row in ranked)
        tagged = [row.model_id for row in rows if "ollama_tags" in providers[row.provider_id].quirks]
        said_so = [row for row in preferences if row.alias_of and row.alias_enabled]
        tags = {name: (tag,) for name, tag in biggest_tags(tagged).items() if name not in self._rows}
        self.aliases = tags | {row.name.lower(): row.targets for row in said_so}
        self._alias_names = {row.name.lower(): row.name for row in said_so}

    def models(self) -> tuple[ModelEntry, ...]:
        """Return the public list: preferred first, then discovered, then declared, then aliases whose target exists."""
        names = dict.fromkeys([name.lower() for name in self.preferred if name.lower() in self._rows])
        names |= dict.fromkeys(self._rows) | dict.fromkeys(self._declared)
        entries = [self._entry(name) for name in names if not stands_in(self.disabled, name)]
        entries += [
            self._alias(name, existing)
            for name, texts in self.aliases.items()
            if name not in names and not stands_in(self.disabled, name) and (existing := self._existing(texts))
        ]
        return tuple(entries)

    def _entry(self, name: str) -> ModelEntry:
        rows = self._rows.get(name, [])
        first = rows[0] if rows else None
        owners = list(dict.fromkeys(row.provider_id for row in rows))
        owner = owners[0] if owners else self._owners.get(name) or next(iter(self._order), NOBODY)
        created = next((row.created for row in rows if row.created), 0)
        if not created and first:
            created = int(first.first_seen_at.timestamp())
        facts = self._facts(name, owners or [owner])
        metadata: dict[str, Any] = {
            "context_window": facts.context_window,
            "max_output_tokens": facts.max_output,
            "supports_reasoning": facts.reasoning,
            "supports_tools": facts.tools,
            "supported_tool_types": next((row.tool_types for row in rows if row.tool_types), ["function"]),
            "supports_structured_output": facts.schema,
            "input_modalities": inputs(facts),
            "output_modalities": None if facts.outputs is None else list(facts.outputs),
            "price": pricing.in_dollars(facts.price),
            "provider": owner,
            "provider_candidates": owners or [owner],
            "is_alias": False,
        }
        if metadata["supports_reasoning"] is None and ("gpt-5" in name or "codex" in name):
            metadata["supports_reasoning"] = True
        return ModelEntry(first.model_id if first else self._declared[name], owner, created, metadata)

    def _alias(self, name: str, existing: list[str]) -> ModelEntry:
        like = self._entry(self._known_name(existing[0]))
        metadata = {**like.metadata, "is_alias": True, "alias_targets": existing}
        return ModelEntry(self._alias_names.get(name, name), like.owned_by, like.created, metadata)

    def _existing(self, texts: Sequence[str]) -> list[str]:
        """Return the targets that lead somewhere, by name."""
        names = dict.fromkeys(targets.read(text).name for text in texts)
        return [name for name in names if self._known_name(name) and not stands_in(self.disabled, name)]

    def _facts(self, name: str, provider_ids: Sequence[str]) -> Facts:
        """Return what is known of a name, the first provider's word before the others'."""
        named = [self._providers[one] for one in provider_ids if one in self._providers]
        return NOTHING.over(*(facts_of(provider, name, self._known) for provider in named))

    def _known_name(self, target: str) -> str:
        """Return the listed name behind an alias target: itself, or without the provider that it names."""
        key = target.lower()
        forms = [key]
        forms += [key[len(start) :] for one in self._order for start in (f"{one}/", f"{one}:") if key.startswith(start)]
        return next((form for form in forms if form in self._rows or form in self._declared), "")


def biggest_tags(ids: Sequence[str]) -> dict[str, str]:
    """Return aliases `family` and `family:latest` -> the biggest tag of each Ollama family."""
    families: dict[str, list[str]] = defaultdict(list)
    listed = {model_id.lower() for model_id in ids}
    for model_id in dict.fromkeys(ids):
        family, colon, tag = model_id.partition(":")
        if colon and _size(tag) > 0:
            families[family.lower()].append(model_id)
    found: dict[str, str] = {}
    for family, tagged in families.items():
        winner = min(tagged, key=lambda one: (-_size(one.partition(":")[2]), len(one), one))
        # To Ollama a bare name and `:latest` are the same model: where either exists, it is meant.
        if not {family, f"{family}:latest"} & listed:
            found |= {family: winner, f"{family}:latest": winner}
    return found


def inputs(facts: Facts) -> list[str] | None:
    """Return the kinds of input a model is known to read, text among them; None if nothing is known."""
    kinds = {"image": facts.images, "audio": facts.audio, "pdf": facts.pdf, "video": facts.video}
    if all(able is None for able in kinds.values()):
        return None
    return ["text", *(kind for kind, able in kinds.items() if able)]


def _size(tag: str) -> float:
    found = SIZE.search(tag.lower())
    return float(found[1]) * (1000 if found[2] == "t" else 1) if found else 0.0
