"""What one finished call says about itself: plain data, from the gateway to the journal and the database.

Both structs are written to the journal as arrays, so the order of the fields is a format: a new field goes last
and has a default, and nothing is ever moved or removed; then a new process still reads an old one's journal.
Nothing here holds a word of a prompt or of an answer.
"""

import uuid

import msgspec

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

    Token counts are None when nobody said them, never 0; `input_tokens` includes cached ones and `output_tokens`
    includes reasoning. Money is whole nano-dollars. `status` is what the client was sent, 499 if it had left.
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
