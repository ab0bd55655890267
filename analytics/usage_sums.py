"""How much was used in a stretch of time, by tenant, key, provider, account, model, hour or day: from sums, and for
what is not summed yet from the next smaller sums, at last from the rows of the newest minutes.

So the answer holds what ended a moment ago, and costs the same however many calls there were.
"""

from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any
from uuid import UUID

from django.db.models import F, Q, QuerySet

from analytics import queries, rollup, whole_sum
from analytics.models import NOBODY, RequestLog, RollupDue, UsageRollup
from analytics.rollup import FROM_ROWS, LENGTH, SMALLER, start_of
from proxx.kit import clock, ids

BY = ("tenant", "key", "provider", "account", "model", "hour", "day")
COLUMNS = {
    "tenant": "tenant_id",
    "key": "key_id",
    "provider": "provider_id",
    "account": "credential_id",
    "model": "model",
}
SUMMED = ("requests", "ok", "errors", "cancelled", "refused", "input_tokens", "fresh_tokens", "cache_read_tokens",
          "cache_write_tokens", "cache_write_1h_tokens", "audio_in_tokens", "image_in_tokens", "output_tokens",
          "text_tokens", "reasoning_tokens", "audio_out_tokens", "image_out_tokens", "pictures", "server_tools",
          "cost_nano", "unpriced", "estimated", "streams", "cache_hits", "duration_ms")  # fmt: skip
NEWEST_MINUTES = 60  # that are read from their rows, if sums are behind
WAITING_AT_MOST = 3 * NEWEST_MINUTES  # buckets on the work list that are looked at
HOURS_AT_MOST = 2 * 24  # a month of them may be more sums than an answer should wait for
LONGEST_STRETCH = timedelta(days=400)
FIRST, LAST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
TICK = timedelta(microseconds=1)  # an end on the hour begins no further one

Group = dict[str, Any]


def fault_of(since: datetime, until: datetime) -> str:
    """Say in a sentence why nobody can ask for this stretch of time; empty if they can."""
    if not timedelta(0) < until - since <= LONGEST_STRETCH:
        return "`since` lies before `until`, by 400 days at most."
    return "" if since > FIRST and until < LAST else "This lies in no time that proxx knows."


def earlier(until: datetime, length: timedelta) -> datetime:
    """Return the moment so long before another; of a moment that nobody can ask for, one that nobody can ask for."""
    return max(until, FIRST) - length


def behind_seconds() -> int:
    """Return how many whole seconds the sums are behind what was recorded."""
    return max(0, round(queries.behind().total_seconds()))


def sums(
    since: datetime,
    until: datetime,
    *,
    by: Collection[str] = (),
    tenants: Collection[UUID] | None = None,
    key: UUID | None = None,
) -> list[Group]:
    """Return one group for each combination of `by` words that has any calls, in their order, of these tenants (None
    is all of them) and, if one is named, of one key. `hour` reads hours, anything else days where the stretch is long;
    both ends are moved to the start of their hour or day (UTC)."""
    since, until = since.astimezone(UTC), until.astimezone(UTC)
    period = "hour" if "hour" in by or until - since <= LENGTH["hour"] * HOURS_AT_MOST else "day"
    start, end = start_of(period, since), start_of(period, until - TICK) + LENGTH[period]
    own = Q() if tenants is None else Q(tenant__in=tenants)
    own &= Q() if key is None else Q(key_id=key)
    columns = [COLUMNS[word] for word in by if word in COLUMNS]
    found: dict[tuple[Any, ...], Group] = {}
    grouped = [*columns, *(["bucket"] if {"hour", "day"} & set(by) else [])]
    for part in _parts(period, start, end, unsummed(start, end), own, grouped):
        bucket = part.get("bucket", start)
        place = {word: named(part[COLUMNS[word]]) if word in COLUMNS else start_of(word, bucket) for word in by}
        group = found.setdefault(tuple(map(str, place.values())), {**place, **dict.fromkeys(SUMMED, 0)})
        for name in SUMMED:
            group[name] += part[name]
    return [found[key] for key in sorted(found) if found[key]["requests"]]


def named(value: Any) -> Any:
    """Return nothing for the key or account that no call had."""
    return None if value == NOBODY else value


def unsummed(start: datetime, end: datetime) -> Mapping[str, set[datetime]]:
    """Return the buckets whose sums are not right now, with those that hold them. One query."""
    due: dict[str, set[datetime]] = {period: set() for period in LENGTH}
    rows = RollupDue.objects.filter(bucket__gte=start, bucket__lt=end).order_by("-bucket")
    for period, bucket in rows.values_list("period", "bucket")[:WAITING_AT_MOST]:
        if len(due[period]) < NEWEST_MINUTES:
            due[period].add(bucket)
    due["minute"] |= {start_of("minute", clock.now())} if start <= clock.now() < end else set()
    # An hour whose minutes are thrown away keeps its old sum until it is made anew from its rows.
    now = clock.now()
    due["hour"] = {one for one in due["hour"] if rollup.due(one, now)[0] == "minute"}
    due["hour"] |= {start_of("hour", one) for one in due["minute"]}
    due["day"] |= {start_of("day", one) for one in due["hour"]}
    return due


def _parts(
    period: str, start: datetime, end: datetime, due: Mapping[str, set[datetime]], own: Q, columns: list[str]
) -> Iterator[Group]:
    here = {one for one in due[period] if start <= one < end}
    sums: QuerySet[UsageRollup] = UsageRollup.objects.filter(own, period=period, bucket__gte=start, bucket__lt=end)
    totals = {name: whole_sum.of(name, default=0) for name in SUMMED}
    rows = sums.exclude(bucket__in=here)
    yield from [rows.aggregate(**totals)] if not columns else map(dict, rows.values(*columns).annotate(**totals))
    if period == "minute":
        yield from _from_rows(here, own, columns)
        return
    for bucket in here:
        yield from _parts(SMALLER[period], bucket, bucket + LENGTH[period], due, own, columns)


def _from_rows(minutes: set[datetime], own: Q, columns: list[str]) -> Iterator[Group]:
    if not minutes:
        return
    ranges = [
        Q(id__gte=ids.earliest(at.timestamp()), id__lt=ids.earliest((at + LENGTH["minute"]).timestamp()))
        for at in minutes
    ]
    rows = RequestLog.objects.filter(own, reduce(or_, ranges), tenant__isnull=False)
    columns = [name for name in columns if name != "bucket"]
    names = [F("model_routed") if name == "model" else F(name) for name in columns]
    grouped = rows.values(**{f"by_{name}": place for name, place in zip(columns, names, strict=True)})
    totals = {f"sum_{name}": FROM_ROWS[name] for name in SUMMED}
    found: Any = grouped.annotate(**totals).order_by() if columns else [rows.aggregate(**totals)]
    for group in found:
        told = {name: group[f"by_{name}"] for name in columns}
        yield {"bucket": min(minutes), **told, **{name: group[f"sum_{name}"] for name in SUMMED}}
