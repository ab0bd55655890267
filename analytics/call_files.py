"""Calls in files: JSON lines, CSV for spreadsheets, and a ZIP with both what was asked for and what was found.

They are written while they are read, some hundred calls at a time, oldest first. Prompts and answers are in none of
them. What is in a file is in the words of docs/analytics.md.
"""

import io
import zipfile
from collections.abc import AsyncIterator, Generator, Iterable, Iterator
from typing import Any

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, StreamingHttpResponse

from accounts.sanitized import Masks
from analytics import calls, labels, tags
from analytics.calls import CallFilters
from analytics.models import COUNTS, RequestAttempt, RequestLog
from analytics.queries import Tenants
from proxx.kit import clock, fastjson, sheets

MOST = 200_000  # calls of one file; the newest are kept
FORMS = {"jsonl": "JSON lines", "csv": "CSV for spreadsheets", "zip": "ZIP with metadata"}
TYPES = {"jsonl": "application/x-ndjson", "csv": "text/csv; charset=utf-8", "zip": "application/zip"}
ATTEMPT = (
    "number", "provider_id", "account", "model", "protocol", "status", "failure", "message", "retry_after",
    "started_ms", "headers_ms", "first_event_ms", "duration_ms",
)  # fmt: skip
PLAIN = (
    "endpoint", "dialect", "stream", "model_requested", "model_routed", "provider_id", "status", "outcome",
    "error_code", "usage_state", "price_state", "price_version", "service_tier", "planned", *COUNTS,
)  # fmt: skip
NAMED = (
    "tenant",
    "tenant_id",
    "key",
    "key_id",
    "account",
    "credential_id",
    "client_address",
    "user_agent",
    "request_id",
)
HEAD = ("id", "started_at", "lifecycle", *NAMED, *PLAIN, "warnings", "labels", "tags", "attempts")

HIDDEN = ("tenant", "key", "account", "request_id")  # filters that name somebody

Fact = dict[str, Any]


def facts(filters: CallFilters, scope: Tenants, masks: Masks, *, most: int = MOST) -> Iterator[Fact]:
    """Yield what is known of each call that fits, oldest first. `masks` hide names, addresses and ids of people."""
    for part in calls.oldest_first(filters, scope, most=most):
        attempts, tagged = calls.attempts_of(part), tags.of(part)
        for call in part:
            yield fact(call, attempts[call.id], [one.tag for one in tagged[call.id]], masks)


def fact(call: RequestLog, attempts: Iterable[RequestAttempt], tagged: list[str], masks: Masks) -> Fact:
    """Return what is known of a call, as JSON has it: ids as text, the rest as docs/analytics.md names it."""
    key, credential, tenant, mask = call.key, call.credential, call.tenant, masks.names
    return {
        "id": str(call.id),
        "started_at": call.started_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "lifecycle": "interrupted" if call.outcome == "cancelled" else "completed",
        "tenant": mask(tenant.name) if tenant else "",
        "tenant_id": mask(str(call.tenant_id or "")),
        "key": mask(key.label) if key else "",
        "key_id": mask(str(call.key_id or "")),
        "account": masks.accounts(credential.label) if credential else "",
        "credential_id": mask(str(call.credential_id or "")),
        "client_address": mask(call.client_address),
        "user_agent": call.user_agent,
        "request_id": mask(call.request_id),
        **{name: getattr(call, name) for name in PLAIN},
        "warnings": list(call.warnings),
        "labels": labels.of(call),
        "tags": tagged,
        "attempts": [_attempt(attempt, masks) for attempt in attempts],
    }


def jsonl(found: Iterable[Fact]) -> Iterator[bytes]:
    """Yield a line for each call."""
    for one in found:
        yield fastjson.dumps(one) + b"\n"


def as_csv(found: Iterable[Fact]) -> Iterator[bytes]:
    """Yield a head and a line for each call; of its attempts only how many there were."""
    yield sheets.line(HEAD).encode()
    for one in found:
        listed = {name: "; ".join(map(str, one[name])) for name in ("warnings", "labels", "tags")}
        cells = {**one, **listed, "attempts": len(one["attempts"])}
        yield sheets.line("" if cells[name] is None else cells[name] for name in HEAD).encode()


def zipped(found: Iterable[Fact], asked: Fact) -> Iterator[bytes]:
    """Yield a ZIP: `traces.jsonl`, then `metadata.json` with when, how many, and what was asked for."""
    pipe, count = _Pipe(), 0
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as file:
        with file.open("traces.jsonl", "w", force_zip64=True) as traces:
            for line in jsonl(found):
                traces.write(line)
                count += 1
                if pipe.size > PIECE:
                    yield pipe.taken()
        about = {"exportedAt": clock.now().isoformat(timespec="seconds"), "count": count, "filters": asked}
        file.writestr("metadata.json", fastjson.dumps(about))
    yield pipe.taken()


def answer(
    request: HttpRequest, form: str, filters: CallFilters, scope: Tenants, masks: Masks
) -> StreamingHttpResponse:
    """Return a file of what fits, written while it is sent."""
    found = facts(filters, scope, masks)
    said = {name: _plain(value) for name, value in filters.said().items()}
    asked = {name: masks.names(value) if name in HIDDEN else value for name, value in said.items()}
    pieces = {"jsonl": lambda: jsonl(found), "csv": lambda: as_csv(found), "zip": lambda: zipped(found, asked)}[form]()
    whole = _gathered(pieces)
    name = f"traces-{clock.now():%Y-%m-%dT%H-%M-%SZ}.{form}"
    return StreamingHttpResponse(
        _in_steps(whole) if isinstance(request, ASGIRequest) else whole,
        content_type=TYPES[form],
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _attempt(attempt: RequestAttempt, masks: Masks) -> Fact:
    said = {name: getattr(attempt, name) for name in ATTEMPT}
    return {**said, "account": masks.accounts(attempt.account), "message": masks.names(attempt.message)}


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [str(one) for one in value]
    return value if isinstance(value, bool) else str(value)


def _gathered(pieces: Iterable[bytes]) -> Generator[bytes]:
    """Yield the same in larger pieces: each one is a turn of the server's loop."""
    waiting: list[bytes] = []
    size = 0
    for piece in pieces:
        waiting.append(piece)
        size += len(piece)
        if size > PIECE:
            yield b"".join(waiting)
            waiting, size = [], 0
    if waiting:
        yield b"".join(waiting)


async def _in_steps(pieces: Generator[bytes]) -> AsyncIterator[bytes]:
    """Yield what a blocking generator does, each step in the request's own thread."""
    try:
        while (piece := await sync_to_async(lambda: next(pieces, None))()) is not None:
            yield piece
    finally:
        await sync_to_async(pieces.close)()


class _Pipe(io.RawIOBase):
    """A file that is only written to, and emptied from time to time."""

    def __init__(self) -> None:
        self._waiting: list[bytes] = []
        self.size = 0

    def writable(self) -> bool:
        """Tell that it is."""
        return True

    def write(self, data: Any) -> int:
        """Keep what is written."""
        self._waiting.append(bytes(data))
        self.size += len(data)
        return len(data)

    def taken(self) -> bytes:
        """Return what was written since the last time."""
        found, self._waiting, self.size = b"".join(self._waiting), [], 0
        return found


PIECE = 64 * 1024  # bytes
