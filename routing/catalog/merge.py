"""Lists of models -> rows: what is new, what changed, what is gone. The revision is raised once, if it matters."""

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from django.db import DataError, transaction

from proxx.kit import clock
from routing import revision
from routing.catalog.sources import Listed
from routing.models import CatalogModel, CatalogState
from routing.snapshot.building import FRESH_SECONDS

log = logging.getLogger(__name__)

FIELDS = (
    *("position", "display_name", "created", "context_window", "max_output_tokens"),
    *("supports_reasoning", "supports_tools", "tool_types", "supports_schema", "inputs", "outputs", "price"),
)


@dataclass(frozen=True, slots=True)
class Look:
    """One look at a provider's list: the models, or a fault; then the last good list stays and grows old."""

    provider_id: str
    models: tuple[Listed, ...] = ()
    fault: str = ""


@transaction.atomic
def store(looks: Sequence[Look]) -> bool:
    """Write what was seen; return whether any list changed or became believable again (then the revision is raised)."""
    now = clock.now()
    changed = [_store_apart(look, now) for look in looks]
    if any(changed):
        revision.raise_number()
    return any(changed)


def _store_apart(look: Look, now: datetime) -> bool:
    """Store one look in such a way that what the database does not take costs that provider's list alone."""
    try:
        with transaction.atomic():
            return _store_one(look, now)
    except (DataError, ValueError, OverflowError):
        log.exception("The list of models of %s could not be stored.", look.provider_id)
        return _store_one(Look(look.provider_id, fault="The list cannot be stored."), now)


def _store_one(look: Look, now: datetime) -> bool:
    state, _ = CatalogState.objects.get_or_create(provider_id=look.provider_id)
    state.tried_at, state.fault = now, look.fault[:240]
    if look.fault:
        state.save()
        return False
    was_fresh = state.fetched_at is not None and (now - state.fetched_at).total_seconds() < FRESH_SECONDS
    state.fetched_at, state.count = now, len(look.models)
    state.save()
    return _write_rows(look) or not was_fresh


def _write_rows(look: Look) -> bool:
    rows = {row.model_id: row for row in CatalogModel.objects.filter(provider_id=look.provider_id)}
    new, changed = [], []
    for position, listed in enumerate(look.models):
        # As they come back from a JSON column, so that the same list is no change.
        said = {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(listed).items()}
        facts = {**said, "position": position}
        row = rows.pop(listed.model_id, None)
        if row is None:
            new.append(CatalogModel(provider_id=look.provider_id, **facts))
        elif any(getattr(row, field) != facts[field] for field in FIELDS):
            for field in FIELDS:
                setattr(row, field, facts[field])
            changed.append(row)
    gone = [row.pk for row in rows.values()]
    # In bulk, past the signals: the caller raises the number once.
    CatalogModel.objects.filter(pk__in=gone)._raw_delete("default")
    CatalogModel.objects.bulk_update(changed, FIELDS, batch_size=500)
    CatalogModel.objects.bulk_create(new, batch_size=500)
    return bool(new or changed or gone)
