"""What is known of a model at a provider: limits, what it reads, what it can do, what it costs.

`Snapshot.facts_of(provider_id, model)` is the way in: O(1) when asked again, never I/O. **None means unknown, and
unknown never excludes.** Four sources, the better one counts, member by member (a price counts as a whole):

1. the operator's word on this model at this provider, then on this model anywhere (`FactSetting` rows);
2. the provider's own list (`CatalogModel` rows), and habits of the provider (it refuses pictures, it is a machine of
   ours and costs nothing);
3. the list that ships with proxx or was imported (facts_file.py): this provider's entry, then the maker's; names are
   compared without case, vendor path and date (F-071), never by likeness, because a price of a like name is a lie;
4. what the name alone tells (proxx/protocols/hub/facts.py): pictures and thinking of known generations.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from operator import attrgetter

from proxx.protocols.hub import facts as by_name
from routing.pricing import FREE, Price
from routing.providers import Provider


@dataclass(frozen=True, slots=True)
class Facts:
    """What a model is and can do; None is unknown.

    `context_window` and `max_output` are tokens. `images`, `audio`, `pdf`, `video`: it reads them. `tools`: it calls
    functions. `schema`: it keeps to a JSON schema by itself; where False, proxx's translation asks by other means.
    `reasoning`: it can think. `outputs`: what it makes ("text", "image", "audio", "embedding").
    """

    context_window: int | None = None
    max_output: int | None = None
    images: bool | None = None
    audio: bool | None = None
    pdf: bool | None = None
    video: bool | None = None
    tools: bool | None = None
    schema: bool | None = None
    reasoning: bool | None = None
    outputs: tuple[str, ...] | None = None
    price: Price | None = None

    def over(self, *others: "Facts") -> "Facts":
        """Return these facts, with the first of the others' that knows better where these are unknown."""
        known = [one for one in (self, *others) if one is not NOTHING]
        if len(known) < 2:
            return known[0] if known else NOTHING
        return Facts(
            *[next((fact for fact in row if fact is not None), None) for row in zip(*map(_row, known), strict=True)]
        )


NAMES = tuple(one.name for one in fields(Facts))
NOTHING = Facts()
_row = attrgetter(*NAMES)
# Habits of providers (providers.toml) that say what any model lacks there.
LACKING_QUIRKS = {"no_images": Facts(images=False), "no_files": Facts(pdf=False)}


@dataclass(frozen=True, slots=True)
class PriceList:
    """Facts by provider id and lower-case name, and by name alone as the makers of the models say them."""

    providers: Mapping[str, Mapping[str, Facts]] = field(default_factory=dict)
    makers: Mapping[str, Facts] = field(default_factory=dict)
    origin: str = ""  # a sentence on where it comes from, for people
    # By provider id: beginnings and pieces of names ("gpt-x*", "*gpt-x*"), the longest first, beginnings before pieces.
    patterns: Mapping[str, tuple[tuple[str, Facts], ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Known:
    """All facts of one picture, by lower-case model name; `settings` by provider id and name, "" for any provider."""

    settings: Mapping[tuple[str, str], Facts] = field(default_factory=dict)
    listed: Mapping[str, Mapping[str, Facts]] = field(default_factory=dict)
    list: PriceList = PriceList()


def facts_of(provider: Provider, model: str, known: Known) -> Facts:
    """Return what is known of a model at a provider, merged from all sources; the planner asks the snapshot instead."""
    name = model.strip().lower()
    settings, listed = known.settings, known.listed.get(provider.id)
    return NOTHING.over(
        settings.get((provider.id, name), NOTHING) if settings else NOTHING,
        settings.get(("", name), NOTHING) if settings else NOTHING,
        listed.get(name, NOTHING) if listed else NOTHING,
        _habits(provider),
        _first(name, known.list.providers.get(provider.id, {})),
        _like(name, known.list.patterns.get(provider.id, ())),
        _as_made(provider, _first(name, known.list.makers)),
        _by_name(name),
    )


def spellings(name: str) -> Iterator[str]:
    """Yield a lower-case name and what else it is called: without vendor path, tag mark, date or cloud decoration."""
    tail = _DECORATION.sub("", name.rsplit("/", 1)[-1])
    dateless = _DATE.sub("", tail)
    for one in dict.fromkeys((name, tail, dateless)):
        yield one
        if one.startswith("claude") and "." in one:  # routers write the version with a dot
            yield one.replace(".", "-")
        if ":" in one:  # Ollama's mark of a size
            yield one.removesuffix(":latest").replace(":", "-")


def _first(name: str, facts: Mapping[str, Facts]) -> Facts:
    return next((facts[form] for form in spellings(name) if form in facts), NOTHING) if facts else NOTHING


def _like(name: str, patterns: tuple[tuple[str, Facts], ...]) -> Facts:
    """Return what a list says of all names of that form: only where the list itself says that it is so."""
    for pattern, facts in patterns:
        word = pattern.strip("*")
        if word in name if pattern.startswith("*") else name.startswith(word):
            return facts
    return NOTHING


def _as_made(provider: Provider, facts: Facts) -> Facts:
    """What the maker says holds anywhere; its price is a likely one at a known reseller, and none at a private one."""
    if facts.price is None:
        return facts
    return replace(facts, price=replace(facts.price, source="maker") if provider.shipped else None)


def _habits(provider: Provider) -> Facts:
    lacking = [facts for quirk, facts in LACKING_QUIRKS.items() if quirk in provider.quirks]
    return (_FREE if provider.is_local else NOTHING).over(*lacking)


def _by_name(name: str) -> Facts:
    facts = by_name.facts_of(name)
    if facts.images is None and not facts.thinking:
        return NOTHING
    return Facts(images=facts.images, reasoning=None if not facts.thinking else facts.thinking != "none")


_FREE = Facts(price=FREE)
# Of models that clouds offer under names of their own: the maker in front, a version of the offer behind.
_DECORATION = re.compile(r"^(?:[a-z]{2,6}\.)?anthropic\.|-v\d+(?::\d+)?$")
# A whole date only: four digits are a version whose price may be another.
_DATE = re.compile(r"(?:[-@](?:20\d{6}|20\d\d-\d\d-\d\d)|-latest)$")
