"""What people are told of an alias: which of its targets lead nowhere now, and whether it counts at all."""

from collections.abc import Iterable, Iterator

from routing import names, targets
from routing.plan import REFUSALS, Plan
from routing.snapshot import Snapshot


def nowhere(texts: Iterable[str], snapshot: Snapshot) -> dict[str, str]:
    """Return the targets of an alias that lead nowhere now, as they are written, each with its refusal as a code."""
    found = {text: names.meaning(targets.read(text).name, snapshot).refusal for text in texts}
    return {text: refusal for text, refusal in found.items() if refusal is not None}


def in_vain(plan: Plan, snapshot: Snapshot) -> Iterator[str]:
    """Say which targets of an alias a plan passed over, and that an alias of such targets alone counts for nothing."""
    name = plan.requested.strip()
    missing = nowhere(snapshot.aliases.get(name.lower(), ()), snapshot)
    for text, refusal in missing.items():
        yield f"Its target {text} is passed over. {REFUSALS[refusal]}"
    if missing and plan.alias is None:
        yield f"{name} is an alias, but all that it stands for is missing. It counts as if it were none."
