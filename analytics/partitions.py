"""The tables of calls, attempts and bodies on Postgres: a partition for each day (each week where rows stay long), by
ranges of the ids, so that what is too old is dropped instead of deleted row by row.

What has no partition yet is kept in the default one, so no record ever waits for this job: when its day's partition is
made, its rows move there. SQLite has one table and batched deletes (retention.py).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db import connection, transaction

from analytics.models import RequestAttempt, RequestBody, RequestLog
from analytics.retention import KEEP
from proxx.kit import clock, ids

DAY = timedelta(days=1)
AHEAD = 7 * DAY  # made before they are needed, so that a worker may stand still for a week
MOST_DAYS = timedelta(days=120)  # of keeping, by days: more partitions than a few hundred slow down every plan
LOCK_TIMEOUT_MS = 3_000  # then somebody reads for long, and the next run tries again

_BOUNDS = re.compile(r"FROM \('([0-9a-f-]{36})'\) TO \('([0-9a-f-]{36})'\)")


@dataclass(frozen=True, slots=True)
class Table:
    """A partitioned table: its column of ids, and how long its rows are kept (a name in retention.KEEP)."""

    name: str
    column: str
    keep: str


LOG = Table(RequestLog._meta.db_table, "id", "log")
TABLES = (
    LOG,
    Table(RequestAttempt._meta.db_table, "call_id", "log"),
    Table(RequestBody._meta.db_table, "id", "bodies"),
)


@dataclass(frozen=True, slots=True)
class Partition:
    """One partition of a table, and the moments that it holds: from `start`, before `end`."""

    name: str
    start: datetime
    end: datetime


def is_native() -> bool:
    """Tell whether the database has partitions."""
    return connection.vendor == "postgresql"


def ensure() -> int:
    """Make the partitions that are missing, from the oldest row without one to a week ahead; return how many."""
    if not is_native():
        return 0
    return sum(_ensure(table) for table in TABLES)


def drop(before: datetime, keep: str = "log") -> int:
    """Drop what lies before a moment whole, of the tables with that rule; return how many calls that were."""
    if not is_native():
        return 0
    gone = 0
    for table in reversed(TABLES):  # attempts first: none is ever seen without its call
        for one in partitions(table.name) if table.keep == keep else ():
            if one.end <= before:
                count = _drop(one)
                gone += count if table is LOG else 0
    return gone


def partitions(table: str) -> list[Partition]:
    """Return a table's partitions by time, without the default one."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, pg_get_expr(c.relpartbound, c.oid) FROM pg_inherits i JOIN pg_class c "
            "ON c.oid = i.inhrelid WHERE i.inhparent = %s::regclass",
            [table],
        )
        found = [(name, _BOUNDS.search(bounds)) for name, bounds in cursor.fetchall()]
    whole = [Partition(name, _moment(said[1]), _moment(said[2])) for name, said in found if said]
    return sorted(whole, key=lambda one: one.start)


def rest_of(table: str) -> str:
    """Return the name of a table's default partition."""
    return f"{table}_rest"


def _ensure(table: Table) -> int:
    have = partitions(table.name)
    made = 0
    for start, end in _spans(_oldest(table), KEEP[table.keep]):
        if not any(one.start < end and start < one.end for one in have):
            _make(table, start, end)
            made += 1
    return made


def _spans(oldest: datetime | None, keep: timedelta) -> Iterator[tuple[datetime, datetime]]:
    now = clock.now()
    length = DAY if keep <= MOST_DAYS else 7 * DAY
    first = min(oldest or now, now).replace(hour=0, minute=0, second=0, microsecond=0)
    start = first - (first.weekday() * DAY if length > DAY else timedelta(0))
    while start <= now + AHEAD:
        yield start, start + length
        start += length


def _oldest(table: Table) -> datetime | None:
    """Return the moment of the oldest row without a partition, as far as it may be kept at all."""
    with connection.cursor() as cursor:
        # Names of ours only.
        earliest, column = ids.earliest((clock.now() - KEEP[table.keep]).timestamp()), table.column
        cursor.execute(
            f'SELECT "{column}" FROM "{rest_of(table.name)}" WHERE "{column}" >= %s ORDER BY "{column}" LIMIT 1',  # noqa: S608
            [earliest],
        )
        found = cursor.fetchone()
    return datetime.fromtimestamp(ids.moment(found[0]), UTC) if found else None


def _make(made: Table, start: datetime, end: datetime) -> None:
    table, column = made.name, made.column
    name, rest = f"{table}_{start:%Y%m%d}", rest_of(table)
    bounds = [ids.earliest(start.timestamp()), ids.earliest(end.timestamp())]
    low, high = (f"'{one}'" for one in bounds)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}")
        cursor.execute(f'CREATE TABLE "{name}" (LIKE "{table}" INCLUDING ALL)')
        cursor.execute(f'LOCK TABLE "{rest}" IN ACCESS EXCLUSIVE MODE')
        cursor.execute(
            f'WITH moved AS (DELETE FROM "{rest}" WHERE "{column}" >= {low} AND "{column}" < {high} RETURNING *) '  # noqa: S608
            f'INSERT INTO "{name}" SELECT * FROM moved'
        )
        cursor.execute(f'ALTER TABLE "{table}" ATTACH PARTITION "{name}" FOR VALUES FROM ({low}) TO ({high})')


def _drop(one: Partition) -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}")
        cursor.execute(f'SELECT count(*) FROM "{one.name}"')  # noqa: S608
        count: int = cursor.fetchone()[0]
        cursor.execute(f'DROP TABLE "{one.name}"')
    return count


def _moment(text: str) -> datetime:
    return datetime.fromtimestamp(ids.moment(UUID(text)), UTC)
