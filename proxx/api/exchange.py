"""HTTP request -> Call, Reply -> HTTP response. The bridge between the doors and the walk; no decision is made here."""

import re
from functools import lru_cache
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from analytics.traffic_log import writer as traffic_log
from proxx.api import bodies, entrance
from proxx.api.answers import StreamedAnswer, WholeAnswer
from proxx.gateway import overheard, settle, walk
from proxx.gateway.call import Call
from proxx.gateway.errors import BadRequest, Forbidden, UnsupportedMedia
from proxx.gateway.pump import Reply
from proxx.kit import clock, ids
from proxx.kit.configured import settings
from proxx.protocols.hub.errors import Unreadable
from proxx.protocols.hub.request import Envelope
from proxx.protocols.profile import asked
from proxx.protocols.spec import Protocol
from routing import reload

_SAFE_ID = re.compile(r"[A-Za-z0-9._:\-]{1,128}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# The headers by which clients name a conversation: session_id or session-id, x-session-id, and so on.
_SESSION_ORDER = ("HTTP_SESSION_ID", "HTTP_X_SESSION_ID", "HTTP_X_SESSION_AFFINITY", "HTTP_CONVERSATION_ID")
_SESSIONS = frozenset(_SESSION_ORDER)
_KEYS = {"content-type": "CONTENT_TYPE"}
_SWITCH = {"": False, "0": False, "false": False, "off": False, "1": True, "true": True, "on": True}
_STREAM_HEADERS = [(b"cache-control", b"no-cache"), (b"x-accel-buffering", b"no")]


async def answer(request: HttpRequest, dialect: Protocol, endpoint: str, **path: Any) -> HttpResponseBase:
    """Walk one request in this dialect and return its HTTP answer; `path` is what the path says of it (model, stream,
    form)."""
    try:
        read = envelope_of(request, dialect, path)
    except BadRequest as error:
        unread = Envelope(dialect=dialect.name, model="", stream=False, wants_usage=False, body=b"")
        _refused(call_of(request, dialect, endpoint, unread, said=request.body), error)
        raise
    return respond(await walk.handle(call_of(request, dialect, endpoint, read)))


def respond(reply: Reply) -> HttpResponseBase:
    """Turn a reply into Django's terms; the slim handler sends it."""
    headers = [(b"content-type", reply.content_type.encode()), *reply.headers]
    if reply.pieces is None:
        return WholeAnswer(reply.body, status=reply.status, headers=headers, sent=reply.sent)
    return StreamedAnswer(
        reply.pieces,
        status=reply.status,
        headers=[*headers, *_STREAM_HEADERS],
        sent=reply.sent,
        heartbeat=reply.heartbeat,
        cut_short=reply.cut_short,
    )


def envelope_of(request: HttpRequest, dialect: Protocol, path: dict[str, Any]) -> Envelope:
    """Return the request's envelope; raise `BadRequest` or `UnsupportedMedia` for a body that has none."""
    said = request.META.get("CONTENT_TYPE", "")
    kind = said.partition(";")[0].strip().lower()
    if kind not in dialect.media_types:
        raise UnsupportedMedia(f"Send the body as {' or '.join(filter(None, dialect.media_types))}.")
    if kind == "multipart/form-data":
        path = {**path, "content_type": said}
    body, coding = request.body, request.META.get("HTTP_CONTENT_ENCODING")
    try:
        return dialect.read_envelope(bodies.decoded(body, coding) if coding else body, **path)
    except Unreadable as fault:
        raise BadRequest(fault.message, code=fault.code, param=fault.param) from None


def call_of(
    request: HttpRequest, dialect: Protocol, endpoint: str, read: Envelope, *, said: bytes | None = None
) -> Call:
    """Return the call that a request is; raise `Forbidden` if its tenant may make none. `said` is its body, where that
    could not be read."""
    snapshot = reload.current()
    holder = request.auth  # type: ignore[attr-defined]
    tenant = snapshot.tenants.get(holder.tenant_id)
    if tenant is None or not tenant.is_active:
        raise Forbidden("This tenant is not active.", code="tenant_inactive")
    said = read.body if said is None else said
    options, wishes = entrance.options(request, snapshot, holder), None
    if options is not None:
        read, wishes = asked.read(read, options, request.META)
    started, unix = clock.monotonic(), clock.unix()
    id = ids.new(unix)
    headers = request.META
    wished_id = headers.get("HTTP_X_REQUEST_ID") or headers.get("HTTP_X_CLIENT_REQUEST_ID") or ""
    call = Call(
        id=id,
        started=started,
        deadline=started + settings.UPSTREAM_REQUEST_TIMEOUT,
        endpoint=endpoint,
        dialect=dialect,
        envelope=read,
        holder=holder,
        tenant=tenant,
        snapshot=snapshot,
        client_address=headers.get("REMOTE_ADDR", ""),
        user_agent=_CONTROL.sub(" ", headers.get("HTTP_USER_AGENT", "")),
        client_request_id=wished_id if wished_id and _SAFE_ID.fullmatch(wished_id) else "",
        strict="HTTP_X_PROXX_STRICT" in headers and _strict(headers["HTTP_X_PROXX_STRICT"]),
        client_headers=_own_headers(headers, dialect.client_headers),
        backend_headers=_own_headers(headers, dialect.backend_headers) if dialect.backend_headers else (),
        session=""
        if _SESSIONS.isdisjoint(headers)
        else next(headers[name] for name in _SESSION_ORDER if name in headers),
        traceparent=headers.get("HTTP_TRACEPARENT", ""),
        options=options,
        wishes=wishes,
        own_key=entrance.own_key(request, snapshot, id) if holder.kind == "own" else None,
    )
    share = tenant.bodies if holder.bodies is None else holder.bodies
    if share or traffic_log.current is not None:
        overheard.begin(call, share, said, str(request.method), headers)
    request.call_id = call.id  # type: ignore[attr-defined]
    return call


def _own_headers(headers: dict[str, str], names: tuple[str, ...]) -> tuple[tuple[bytes, bytes], ...]:
    """Return the client's headers of these names."""
    return tuple([(name, headers[key].encode("latin-1")) for key, name in _keys(names) if key in headers])


@lru_cache(maxsize=64)
def _keys(names: tuple[str, ...]) -> tuple[tuple[str, bytes], ...]:
    return tuple((key_of(name), name.encode()) for name in names)


def key_of(name: str) -> str:
    """Return under which key a request keeps a header."""
    return _KEYS.get(name) or f"HTTP_{name.upper().replace('-', '_')}"


def _session(headers: dict[str, str]) -> str:
    return next((headers[name] for name in _SESSION_ORDER if name in headers), "")


def _strict(word: str) -> bool:
    """Read a switch; one that cannot be read is no switch that is off."""
    known = _SWITCH.get(word.strip().lower())
    if known is None:
        raise BadRequest("x-proxx-strict is true or false.", code="invalid_header", param="x-proxx-strict")
    return known


def _refused(call: Call, error: BadRequest) -> None:
    settle.when_done(call)
    settle.failed(call, error)
    if call.bodies is not None:
        overheard.refused(call, call.bodies, error)
