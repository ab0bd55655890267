"""Blobs of tool calls that a client's dialect may lose: kept here until the call comes back as history.

Bounded in number, bytes and time, per process. What is lost costs a model its earlier thinking, never a conversation:
the writers know what to do without (Gemini's documented dummy, thinking left away).
"""

from collections import OrderedDict
from collections.abc import Iterable
from uuid import UUID

from proxx.kit import clock
from proxx.protocols.hub.parts import Blob, ToolCall
from proxx.protocols.hub.request import Request

SECONDS = 6 * 3600.0  # a conversation that rests longer begins anew
LARGEST = 64 * 1024  # characters of one blob
ROOM = 32 * 1024 * 1024  # characters of all blobs

_Kept = tuple[float, Blob]
_kept: OrderedDict[tuple[UUID | None, str], _Kept] = OrderedDict()
_size = 0


def keep(tenant_id: UUID | None, blobs: dict[str, Blob]) -> None:
    """Keep the blobs of these calls, by the id their client knows; the oldest of all give way."""
    global _size
    for call_id, blob in blobs.items():
        if not call_id or len(blob.value) > LARGEST:
            continue
        forget(tenant_id, call_id)
        _kept[(tenant_id, call_id)] = (clock.monotonic() + SECONDS, blob)
        _size += len(blob.value)
    while _kept and _size > ROOM:
        _, (_, oldest) = _kept.popitem(last=False)
        _size -= len(oldest.value)


def forget(tenant_id: UUID | None, call_id: str) -> None:
    """Drop one blob, if it is here."""
    global _size
    found = _kept.pop((tenant_id, call_id), None)
    if found is not None:
        _size -= len(found[1].value)


def restored(tenant_id: UUID | None, request: Request) -> dict[str, Blob]:
    """Return what is kept of the calls in this request's history that carry no blob of their own."""
    if not _kept:
        return {}
    found: dict[str, Blob] = {}
    for call_id in _bare_calls(request):
        kept = _kept.get((tenant_id, call_id))
        if kept is not None and kept[0] > clock.monotonic():
            found[call_id] = kept[1]
    return found


def _bare_calls(request: Request) -> Iterable[str]:
    for turn in request.turns:
        for part in turn.parts:
            if isinstance(part, ToolCall) and part.blob is None:
                yield part.id
