"""Targets of aliases that no request can follow: another alias, and a name that leaves the choice to proxx.

A target is a model. The planner takes such a name for a model that nobody has; here it is told to the operator.
"""

from collections.abc import Iterable, Iterator

from routing import auto, names, targets
from routing.snapshot import Snapshot


def told(texts: Iterable[str], snapshot: Snapshot, *, aliases: Iterable[str] = ()) -> Iterator[str]:
    """Yield a sentence on each of an alias's targets that leads nowhere for such a reason. `aliases` are lower-case
    names beyond those of the picture, which may not know yet what was just saved."""
    known = {*snapshot.aliases, *aliases}
    for name in dict.fromkeys(targets.read(text).name for text in texts):
        if _is_model(name, snapshot):
            continue
        if auto.order_of(name):
            yield f"The target “{name}” is not a model: an alias cannot leave the choice to proxx."
        elif name.lower() in known:
            yield f"The target “{name}” is an alias itself, which is not followed: name the models that it stands for."


def _is_model(name: str, snapshot: Snapshot) -> bool:
    return name.lower() in snapshot.declared or any(
        names.spelling_at(snapshot.providers[one], snapshot.catalogs.get(one), name) for one in snapshot.order
    )
