"""Where a call enters at a provider, and in which dialect: the caller's own if it can be, else one that it is
translated to."""

from dataclasses import dataclass

from routing.addresses import fill, join_url
from routing.dialects import EXCHANGEABLE
from routing.providers import Provider
from routing.rules import Rule

# The dialects that are best, in order, and all that will do.
Wanted = tuple[tuple[str, ...], tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Door:
    """Where a kind of credential enters, or the code of why it does not."""

    url: str
    fault: str
    protocol: str = ""
    quirks: frozenset[str] = frozenset()


def wanted(dialects: tuple[str, ...]) -> Wanted:
    """Return which dialects are best, in order, and all that will do. A preferred one, the first of two, counts only if
    the caller's own can be translated to it."""
    own = dialects[-1]
    family = next((family for family in EXCHANGEABLE if own in family), (own,))
    return tuple(one for one in dialects if one in (*family, own)), (own, *family)


def at(provider: Provider, place: tuple[bool, str], model: str, wanted: Wanted, rule: Rule | None = None) -> Door:
    """Return where a kind of credential (by sign-in or not, its own base URL) enters for a model."""
    is_oauth, own_base = place
    base = provider.base_for(oauth=is_oauth, own=own_base)
    if not base:
        return Door("", "no_base_url")
    paths = provider.paths_at(base)
    protocol = _protocol([name for name in provider.protocols_for(model) if name in paths], wanted, rule)
    if protocol is None:
        return Door("", "dialect_not_served")
    return Door(join_url(base, fill(paths[protocol], model)), "", protocol, provider.quirks_at(base))


def _protocol(spoken: list[str], wanted: Wanted, rule: Rule | None) -> str | None:
    """Return the first of the best dialects that the provider speaks, else its own best of those that will do.

    A rule's dialects come before the caller's own, behind a profile's; one that it excludes is used only if there is no
    other.
    """
    best, others = wanted
    if rule is not None and len(others) > 1:
        best = (*best[:-1], *(name for name in rule.protocols if name in others), *best[-1:])
        allowed = [name for name in spoken if name not in rule.excluded_protocols]
        spoken = allowed if any(name in others for name in allowed) else spoken
    return next((name for name in best if name in spoken), None) or next((one for one in spoken if one in others), None)
