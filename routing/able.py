"""Which candidates can do what a request needs, as far as anything is known of their models: unknown never excludes.

What a model cannot take at all (pictures, audio, tools) strikes it out; what can be answered by a poorer way, or by a
provider that helps itself, strikes it out only while others remain.
"""

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from routing.capabilities import Facts
from routing.plan import Candidate
from routing.question import NEEDS, WISHED
from routing.snapshot import Snapshot

# No tokenizer makes longer pieces of a whole text, on average: what exceeds a window by this does not fit.
BYTES_PER_TOKEN = 6
TOO_LONG = "too_long"

Model = tuple[str, str]  # a provider, and its name for a model


@dataclass(frozen=True, slots=True)
class Limits:
    """What a name's candidates are known to lack, and how many bytes of text begin to be too many for one of them."""

    lacking: frozenset[str] = frozenset()
    narrow: float = float("inf")


NO_LIMITS = Limits()


def limits(candidates: Sequence[Candidate], snapshot: Snapshot) -> Limits:
    """Return what must be asked of a request before it goes to one of these; most names have nothing to ask."""
    known = [snapshot.facts_of(provider_id, model) for provider_id, model in _models(candidates)]
    lacking = frozenset(need for need in NEEDS if any(getattr(facts, need) is False for facts in known))
    if len(known) < 2:  # a wish, or a window, matters only while there is somebody else
        return Limits(lacking - set(WISHED))
    windows = [facts.context_window for facts in known if facts.context_window]
    return Limits(lacking, min(windows) * BYTES_PER_TOKEN if windows else float("inf"))


def chosen(
    candidates: list[Candidate], needs: AbstractSet[str], tokens: int, snapshot: Snapshot
) -> tuple[list[Candidate], dict[Model, str]]:
    """Return who can serve a request with these needs and at least so many tokens, and which models were struck out,
    with the code of the reason."""
    if not needs and not tokens:
        return candidates, {}
    known = {one: snapshot.facts_of(*one) for one in _models(candidates)}
    struck: dict[Model, str] = {}
    for need in NEEDS:
        if need in needs and need not in WISHED:
            _strike(struck, f"lacks_{need}", (one for one, facts in known.items() if getattr(facts, need) is False))
    if tokens:
        _strike_if_others(struck, known, TOO_LONG, [one for one, facts in known.items() if short(facts, tokens)])
    for need in WISHED:
        if need in needs:
            lacks = [one for one, facts in known.items() if getattr(facts, need) is False]
            _strike_if_others(struck, known, f"lacks_{need}", lacks)
    able = [one for one in candidates if (one.provider.id, one.model) not in struck]
    return able, struck


def short(facts: Facts, tokens: int) -> bool:
    """Tell whether so many tokens are known not to fit."""
    return facts.context_window is not None and facts.context_window < tokens


def at_least(text_bytes: int) -> int:
    """Return how many tokens a text has at the very least, rounded down to a few steps, so that answers can be
    remembered."""
    tokens = text_bytes // BYTES_PER_TOKEN
    spare = max(0, tokens.bit_length() - 4)
    return tokens >> spare << spare


def _models(candidates: Iterable[Candidate]) -> list[Model]:
    return list(dict.fromkeys((one.provider.id, one.model) for one in candidates))


def _strike(struck: dict[Model, str], code: str, who: Iterable[Model]) -> None:
    for one in who:
        struck.setdefault(one, code)


def _strike_if_others(struck: dict[Model, str], known: Iterable[Model], code: str, who: list[Model]) -> None:
    if any(one not in struck and one not in who for one in known):
        _strike(struck, code, who)
