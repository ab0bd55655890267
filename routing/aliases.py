"""What people are told of an alias: which of its targets lead nowhere now and why, and whether it counts at all.

A target is a model. Another alias, and a name that leaves the choice to proxx, are none: the planner takes such a name
for a model that nobody has; here it is told to the operator.
"""

from collections.abc import Iterable, Iterator

from routing import auto, names, targets
from routing.plan import REFUSALS, Plan
from routing.snapshot import Snapshot

AN_ALIAS = "It is an alias itself, which is not followed: name the models that it stands for."
A_CHOICE = "It is not a model: an alias cannot leave the choice to proxx."


def nowhere(texts: Iterable[str], snapshot: Snapshot, *, aliases: Iterable[str] = ()) -> dict[str, str]:
    """Return the targets of an alias that lead nowhere now, as they are written, each with a sentence that says why.

    `aliases` are lower-case names beyond those of the picture, which may not know yet what was just saved.
    """
    known = {*snapshot.aliases, *aliases}
    found = {text: _why(targets.read(text).name, snapshot, known) for text in texts}
    return {text: why for text, why in found.items() if why}


def in_vain(plan: Plan, snapshot: Snapshot) -> Iterator[str]:
    """Say which targets of an alias a plan passed over, and that an alias of such targets alone counts for nothing."""
    name = plan.requested.strip()
    missing = nowhere(snapshot.aliases.get(name.lower(), ()), snapshot)
    for text, why in missing.items():
        yield f"Its target {text} is passed over. {why}"
    if missing and plan.alias is None:
        yield f"{name} is an alias, but all that it stands for is missing. It counts as if it were none."


def _why(name: str, snapshot: Snapshot, known: set[str]) -> str:
    is_choice, is_alias = bool(auto.order_of(name)), name.lower() in known
    if (is_choice or is_alias) and not _is_model(name, snapshot):
        return A_CHOICE if is_choice else AN_ALIAS
    refusal = names.meaning(name, snapshot).refusal
    return REFUSALS[refusal] if refusal is not None else ""


def _is_model(name: str, snapshot: Snapshot) -> bool:
    return name.lower() in snapshot.declared or any(
        names.spelling_at(snapshot.providers[one], snapshot.catalogs.get(one), name) for one in snapshot.order
    )
