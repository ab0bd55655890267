"""A period is priced again: by the prices that hold now, custom ones first. What limits were charged stays as it was.

Rows are read in the order of their ids, a few thousand at a time, and changed only where cost, state or price differ;
each step is a transaction that also puts the touched sums on the work list, so it may be broken off and run again.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby

import msgspec
from django.db import transaction

from analytics import rollup
from analytics.models import RequestLog
from analytics.rows import touch
from proxx.kit import clock, ids
from proxx.protocols.hub.events import Usage
from routing import price_versions, pricing
from routing.buckets import Buckets
from routing.snapshot import Snapshot, build

STEP = 2_000  # rows of one transaction
FIELDS = ("cost_nano", "price_state", "price_version")


@dataclass(slots=True)
class Change:
    """What became of one model's calls whose cost, state or price is another one now; money in nano-dollars."""

    calls: int = 0
    before: int = 0
    after: int = 0


@dataclass(slots=True)
class Repriced:
    """What was looked at and what changed; money in nano-dollars. `without_price` counts models that have none."""

    looked_at: int = 0
    changed: int = 0
    before: int = 0
    after: int = 0
    without_price: dict[str, int] = field(default_factory=dict)
    models: dict[str, Change] = field(default_factory=dict)


def run(since: datetime, until: datetime, *, dry_run: bool = False) -> Repriced:
    """Price the calls that began in a period again; with `dry_run` only say what would change."""
    snapshot, done = build(), Repriced()
    for rows in _steps(since, until):
        prices: dict[int, dict[str, object]] = {}
        changed = [row for row in rows if _reprice(row, snapshot, done, prices)]
        if changed and not dry_run:
            _write(changed, prices)
    return done


def _steps(since: datetime, until: datetime) -> Iterator[list[RequestLog]]:
    last, end = ids.earliest(since.timestamp()), ids.earliest(until.timestamp())
    used = RequestLog.objects.exclude(usage_state="none").filter(id__lt=end).order_by("id")
    rows = list(used.filter(id__gte=last)[:STEP])
    while rows:
        yield rows
        rows = list(used.filter(id__gt=rows[-1].id)[:STEP])


def _reprice(row: RequestLog, snapshot: Snapshot, done: Repriced, prices: dict[int, dict[str, object]]) -> bool:
    """Put what a call costs now into its row; tell whether that is a change."""
    done.looked_at += 1
    done.before += row.cost_nano or 0
    old = tuple(getattr(row, name) for name in FIELDS)
    if row.provider_id in snapshot.providers:  # of a provider that is gone nobody knows the price any more
        price = snapshot.facts_of(row.provider_id, row.model_routed).price
        cost = pricing.cost(usage_of(row), price, buckets_of(row))
        row.cost_nano, row.price_state, row.price_version = cost, "unpriced", None
        if cost is None or price is None:
            done.without_price[row.model_routed] = done.without_price.get(row.model_routed, 0) + 1
        elif price.is_free:
            row.price_state = "free"
        else:
            row.price_state, row.price_version = "priced", price_versions.version_of(price)
            prices[row.price_version] = {"source": price.source, **pricing.to_dict(price)}
    done.after += row.cost_nano or 0
    if old == tuple(getattr(row, name) for name in FIELDS):
        return False
    done.changed += 1
    change = done.models.setdefault(row.model_routed, Change())
    change.calls += 1
    change.before += old[0] or 0
    change.after += row.cost_nano or 0
    return True


def usage_of(row: RequestLog) -> Usage:
    """Return what is not in the buckets of a row, and whether its sides were counted."""
    return Usage(
        input_total=row.input_tokens,
        output_total=row.output_tokens,
        pictures=row.pictures,
        web_searches=row.server_tools,
        tier=row.service_tier,
    )


def buckets_of(row: RequestLog) -> Buckets:
    """Return the buckets of a row."""
    shares = Buckets(
        cache_read=row.cache_read_tokens or 0,
        cache_write=row.cache_write_tokens or 0,
        cache_write_1h=row.cache_write_1h_tokens or 0,
        audio_in=row.audio_in_tokens or 0,
        image_in=row.image_in_tokens or 0,
        reasoning=row.reasoning_tokens or 0,
        audio_out=row.audio_out_tokens or 0,
        image_out=row.image_out_tokens or 0,
    )
    # Rows of earlier versions have no buckets of what is left.
    fresh = row.fresh_tokens if row.fresh_tokens is not None else max(0, (row.input_tokens or 0) - shares.total_in)
    text = row.text_tokens if row.text_tokens is not None else max(0, (row.output_tokens or 0) - shares.total_out)
    return msgspec.structs.replace(shares, fresh=fresh, text=text)


@transaction.atomic
def _write(rows: list[RequestLog], prices: dict[int, dict[str, object]]) -> None:
    price_versions.keep(prices)
    RequestLog.objects.bulk_update(rows, FIELDS, batch_size=200)
    now = clock.now()
    moments = sorted(datetime.fromtimestamp(ids.moment(row.id), UTC) for row in rows)
    for place, _ in groupby(rollup.due(moment, now) for moment in moments):
        touch(*place)
