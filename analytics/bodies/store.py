"""Bodies into the database and out of it again: redacted, packed, sealed; blocking, in a thread of its own.

Whoever reads them asks `read`, which opens one call's; that this is written down, and who may, is the page's
(page.py). How much is kept, and for how long, is pruning.py's.
"""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from accounts.fields import opened_bytes, sealed_bytes
from analytics.bodies.parts import Bodies, Part, Passing, pack, unpack
from analytics.bodies.redact import redacted, text_of
from analytics.bodies.table import RequestBody
from proxx.kit import logs, sealing

COLUMNS = ("id", "tenant_id", "why", "plain_bytes", "stored_bytes", "mark", "content")


def insert(batch: Sequence[Bodies]) -> None:
    """Store the bodies of calls, ignoring those that are there. Raises Django's database errors."""
    native = connection.vendor == "postgresql"
    rows = [_row(one, native=native) for one in batch]
    names, marks = ", ".join(f'"{name}"' for name in COLUMNS), ", ".join(["%s"] * len(COLUMNS))
    table = RequestBody._meta.db_table
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.executemany(
            f'INSERT INTO "{table}" ({names}) VALUES ({marks}) ON CONFLICT DO NOTHING',  # noqa: S608  names of ours
            rows,
        )


def read(row: RequestBody) -> list[Part]:
    """Return what a row holds; raise `sealing.SealBroken` if no key opens it, `ValueError` if it is damaged."""
    return unpack(opened_bytes(row.content, row.id))


def stored(parts: Sequence[Passing], known: Sequence[str]) -> Iterator[Part]:
    """Turn what passed into what may be stored; a part that says what an earlier one said names that instead."""
    seen: dict[bytes, int] = {}
    for number, passed in enumerate(parts):
        raw = b"".join(passed.pieces)
        part = Part(passed.kind, passed.attempt, passed.size, cut=passed.cut)
        if raw and (earlier := seen.setdefault(raw, number)) != number and passed.size == parts[earlier].size:
            part.same_as = earlier
        else:
            part.text = redacted(text_of(raw), known, is_cut=bool(passed.cut))
        yield part


def _row(one: Bodies, *, native: bool) -> tuple[Any, ...]:
    known = sorted({*(secret.reveal() for secret in one.secrets), *logs.configured_secrets()}, key=len, reverse=True)
    content = sealed_bytes(pack(stored(one.parts, known)), one.call_id)
    return (
        _id(one.call_id, native=native),
        _id(one.tenant_id, native=native),
        one.why,
        sum(part.size for part in one.parts),
        len(content),
        sealing.current_mark(),
        content,
    )


def _id(id: UUID, *, native: bool) -> Any:
    return id if native else id.hex
