"""What one finished call says about itself: plain data, from the gateway to the journal and the database.

Both structs are written to the journal as arrays, so the order of the fields is a format: a new field goes last
and has a default, and nothing is ever moved or removed; then a new process still reads an old one's journal.
Nothing here holds a word of a prompt or of an answer.
"""

import uuid
from typing import Any

import msgspec

from accounts.bill import Bill
from routing.buckets import Buckets

OUTCOMES = ("ok", "error", "cancelled", "refused")


class AttemptRecord(msgspec.Struct, array_like=True, kw_only=True, gc=False):
    """One try at one candidate. Times are milliseconds; `started_ms` counts from the call's start.

    `failure` is the kind of failure, empty if the attempt was good; `status` is None if no status line arrived;
    `account` is the credential's label at that time; `retry_after` is in seconds.
    """

    number: int
    provider_id: str
    credential_id: uuid.UUID | None = None
    account: str = ""
    model: str = ""
    protocol: str = ""
    status: int | None = None
    failure: str = ""
    message: str = ""
    retry_after: float | None = None
    started_ms: int = 0
    headers_ms: int | None = None
    first_event_ms: int | None = None
    duration_ms: int = 0


class UsageRecord(msgspec.Struct, array_like=True, kw_only=True, gc=False):
    """One call of a client, whole. The id is a UUIDv7: the call's start is inside it.

    Token counts are None when nobody said them, never 0. `input_tokens` and `output_tokens` are whole sides; all others
    are disjoint buckets that add up to them, and `tokens` holds all of these. Money is whole nano-dollars.
    `price_version` is the price that was taken, and `price` that price itself until the database has it. `status` is
    what the client was sent, 499 if it had left. `conversation` is a digest of tenant and name, where it mattered.
    `traits` are bits of traits.py: what kind of request it was.
    `planned` says in short words why its first account was asked, or why none.
    """

    id: uuid.UUID
    tenant_id: uuid.UUID
    key_id: uuid.UUID | None = None
    endpoint: str = ""
    dialect: str = ""
    stream: bool = False
    model_requested: str = ""
    model_routed: str = ""
    provider_id: str = ""
    credential_id: uuid.UUID | None = None
    status: int = 0
    outcome: str = "cancelled"
    error_code: str = ""
    duration_ms: int = 0
    first_event_ms: int | None = None
    bytes_in: int = 0
    bytes_out: int = 0
    client_address: str = ""
    user_agent: str = ""
    request_id: str = ""
    input_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None
    usage_state: str = "none"
    cost_nano: int | None = None
    price_state: str = "unpriced"
    warnings: list[str] = []
    attempts: list[AttemptRecord] = []
    bill: Bill | None = None
    tokens: Buckets | None = None
    pictures: int | None = None
    server_tools: int | None = None
    service_tier: str = ""
    price_version: int | None = None
    price: dict[str, Any] | None = None
    conversation: str = ""
    traits: int = 0
    planned: str = ""


def mended(record: UsageRecord) -> UsageRecord:
    """Return a copy that journal and database will take: cut to width, valid Unicode, counts unknown if absurd.

    Only for a record that was refused as it is: the ordinary one is not looked at twice.
    """
    attempts = [_mend(attempt, WIDTHS) for attempt in record.attempts[:MOST_ATTEMPTS]]
    copy: UsageRecord = _mend(record, WIDTHS)
    copy.attempts = attempts
    copy.warnings = [_text(warning, WIDTHS["message"]) for warning in record.warnings[:MOST_WARNINGS]]
    return copy


def _mend(record: Any, widths: dict[str, int]) -> Any:
    changes: dict[str, Any] = {}
    for field in record.__struct_fields__:
        value = getattr(record, field)
        if isinstance(value, str):
            changes[field] = _text(value, widths.get(field, 24))
        elif isinstance(value, int) and not isinstance(value, bool) and not 0 <= value <= _most(field):
            changes[field] = 0 if field in NEVER_EMPTY else None
    return msgspec.structs.replace(record, **changes)


def _text(value: str, width: int) -> str:
    return value[:width].replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


def _most(field: str) -> int:
    return MOST_SMALL if field in SMALL else MOST


MOST = 2**63 - 1
MOST_SMALL = 2**15 - 1
MOST_ATTEMPTS = 100
MOST_WARNINGS = 20
SMALL = {"status", "number"}
NEVER_EMPTY = {"status", "number", "duration_ms", "bytes_in", "bytes_out", "started_ms", "traits"}
WIDTHS = {
    "endpoint": 120,
    "model_requested": 200,
    "model_routed": 200,
    "model": 200,
    "provider_id": 64,
    "error_code": 80,
    "client_address": 64,
    "user_agent": 200,
    "request_id": 128,
    "account": 120,
    "failure": 40,
    "message": 240,
    "planned": 240,
}
