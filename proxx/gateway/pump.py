"""From the upstream's bytes to the client's, after the commit. No second try is possible here, and no silent end.

What arrives in one upstream read leaves as one write. A stream that breaks off says so in the caller's dialect; one
that only lacks its end mark gets it. How the HTTP answer is made of this is api/exchange.py.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from functools import partial
from urllib.parse import quote

from proxx.gateway import translate
from proxx.gateway.attempt import FAULTS, Speaking, discreet, repeats_secret
from proxx.gateway.call import Call
from proxx.gateway.errors import GatewayError
from proxx.kit import clock
from proxx.kit.configured import settings
from proxx.protocols.framing.sse import FrameTooLarge
from proxx.protocols.hub.errors import ErrorFacts
from proxx.protocols.profile.asked import FAST
from proxx.protocols.spec import Watch
from proxx.upstream import codex, failures

log = logging.getLogger("proxx.gateway")

SPED = "openai_responses"  # the dialect in which a profile asks for speed
LIMIT_HEADERS = (b"x-ratelimit-", b"anthropic-ratelimit-")
UPSTREAM_IDS = (b"x-request-id", b"request-id")

_BROKEN = {
    "truncated": ErrorFacts("upstream_truncated", "The provider's stream ended before the answer was complete."),
    "timed_out": ErrorFacts("timeout", "The provider stopped sending before the answer was complete."),
    "malformed": ErrorFacts("upstream_malformed", "The provider sent something that is not an answer."),
    "indiscreet": ErrorFacts("upstream_error", "The provider failed before the answer was complete."),
    "internal": ErrorFacts("internal", "The gateway failed before the answer was complete."),
}
_OF_THE_REQUEST = ("invalid_request", "context_length", "content_policy", "too_large", "rate_limit", "overloaded")
_KINDS = {
    **{kind: kind for kind in ("invalid_request", "context_length", "content_policy", "too_large", "overloaded")},
    "rate_limited": "rate_limit",
    "too_many_at_once": "rate_limit",
    "quota_spent": "billing",
    "timed_out": "timeout",
}
_ENDINGS = ("truncated", "timed_out")  # after which a complete answer may still lack only its end mark
_STOPPING = ErrorFacts("overloaded", "The gateway is shutting down; this answer is incomplete.", "gateway_stopping")
_LATE = ErrorFacts("timeout", "The call took longer than this gateway allows.")


class BrokenOff(Exception):
    """A stream of bytes that know no errors ended too soon: only a connection that is cut can say so."""


@dataclass(slots=True)
class Reply:
    """What goes back to the client: a whole body, or pieces that each end at an event's end; `raw` ones know no events,
    so nothing of ours may stand between them."""

    status: int
    content_type: str
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""
    pieces: AsyncGenerator[bytes, None] | None = None
    heartbeat: bytes = b""
    raw: bool = False
    cut_short: Callable[[], bytes] = lambda: b""  # what to say when the gateway itself must stop
    sent: Callable[[], None] = lambda: None  # to be called when the last byte has been handed over


def reply(call: Call, speaking: Speaking) -> Reply:
    """Make the reply of a candidate that has begun to speak."""
    call.seen, call.status = speaking.seen, 200
    headers = _headers(call, speaking)
    if speaking.pieces is not None:
        stream = _watched(call, speaking)
        return _streaming(call, headers, stream, speaking)
    body = speaking.held
    call.bytes_out, call.outcome = len(body), "ok"
    return Reply(200, _type(call, speaking, "application/json"), headers, body=body)


def reply_here(call: Call, body: bytes) -> Reply:
    """Make the reply of a call that asked no model anything."""
    call.status, call.outcome, call.bytes_out = 200, "ok", len(body)
    kind = call.dialect.stream_type if call.envelope.stream else "application/json"
    return Reply(200, kind, _own_headers(call), body=body)


def reply_early(call: Call, speaking: "asyncio.Task[Speaking]") -> Reply:
    """Commit a stream before its first event (PROXY_COMMIT_AFTER); failures are then spoken inside it."""
    call.status, call.fail = 200, partial(translate.unspoken, call)
    stream = _awaited(call, speaking)
    return _streaming(call, _own_headers(call), stream)


def _streaming(
    call: Call,
    headers: list[tuple[bytes, bytes]],
    pieces: AsyncGenerator[bytes, None],
    speaking: Speaking | None = None,
) -> Reply:
    dialect = call.dialect
    kind = dialect.stream_types.get(call.envelope.form, dialect.stream_type)
    if speaking is not None:
        kind = _type(call, speaking, kind)
        if speaking.seen.raw:
            return Reply(200, kind, headers, pieces=pieces, raw=True)
    return Reply(
        200,
        kind,
        headers,
        pieces=pieces,
        heartbeat=dialect.heartbeat,
        cut_short=lambda: call.fail(_broken(call, _STOPPING)),
    )


def _type(call: Call, speaking: Speaking, usual: str) -> str:
    if not call.dialect.keeps_type or speaking.route.translates:
        return usual
    return str(speaking.response.headers.get("content-type", usual))


async def _awaited(call: Call, waiting: "asyncio.Task[Speaking]") -> AsyncGenerator[bytes, None]:
    try:
        yield call.dialect.heartbeat
        speaking = await waiting
    except GatewayError as error:
        yield call.fail(_broken(call, error.facts))
        return
    finally:
        waiting.cancel()
    call.seen = speaking.seen
    async for piece in _watched(call, speaking):
        yield piece


async def _watched(call: Call, speaking: Speaking) -> AsyncGenerator[bytes, None]:
    watch, seen, pieces = speaking.watch, speaking.seen, speaking.pieces
    if watch is None or pieces is None:
        raise TypeError("a whole answer has no pieces")
    call.fail = watch.fail
    alarm = _Alarm(call)
    failure, whole = "truncated", False
    _noticed(call, speaking)
    call.bytes_out += len(speaking.held)
    yield speaking.held
    try:
        async for piece in pieces:
            ready = watch.feed(piece)
            decided = seen.ended or seen.malformed or seen.error is not None
            if decided:
                ready, failure = _last_words(call, speaking, ready)
            if ready:
                call.bytes_out += len(ready)
                yield ready
            if decided:
                break
        else:
            whole = True
    except FAULTS as fault:
        failure = failures.from_exception(fault).kind
    except FrameTooLarge:
        failure = "malformed"
    except Exception:  # a fault of ours: the client must hear of it, for nobody above us can tell it any more
        log.exception("call %s broke in its stream", call.id)
        failure = "internal"
    finally:
        alarm.cancel()
    tail = b""
    if failure in _ENDINGS and (whole or not seen.raw):
        tail, failure = _closed(call, watch, failure)
    _noticed(call, speaking)
    tail += _failed(call, watch, _LATE if alarm.rang else _BROKEN.get(failure, _BROKEN["truncated"]))
    if tail:
        call.bytes_out += len(tail)
        yield tail


def _closed(call: Call, watch: Watch, failure: str) -> tuple[bytes, str]:
    """Return what completes the stream, and how it stands: closing judges what was held back, and may fail like it."""
    try:
        return watch.close(), failure
    except Exception:
        log.exception("call %s broke at the end of its stream", call.id)
        return b"", "internal"


def _failed(call: Call, watch: Watch, facts: ErrorFacts) -> bytes:
    """Return the error that ends a stream which has not come to its end; nothing after a good one. Raises `BrokenOff`
    where no bytes could say it."""
    if watch.seen.ended or watch.seen.error is not None:
        return b""
    _broken(call, facts)
    if watch.seen.raw:
        raise BrokenOff(facts.message)
    return watch.fail(facts)


def _last_words(call: Call, speaking: Speaking, ready: bytes) -> tuple[bytes, str]:
    """A read that ended the answer: return what of it may be sent, and how the stream stands."""
    seen = speaking.seen
    if seen.error is not None and repeats_secret(ready, speaking.candidate):
        seen.error = None
        return b"", "indiscreet"
    _noticed(call, speaking)
    if seen.error is not None and speaking.route.translates and speaking.watch is not None:
        ready += speaking.watch.fail(_told(speaking))
    return ready, "malformed" if seen.malformed else "truncated"


def _told(speaking: Speaking) -> ErrorFacts:
    """An upstream's error inside its stream, for a client of another dialect: its class, and its words if they are
    about the request."""
    failure = failures.from_error_object(speaking.seen.error or {})
    kind = _KINDS.get(failure.kind, "upstream_error")
    said = discreet(failure.message, speaking.candidate) if kind in _OF_THE_REQUEST else ""
    return ErrorFacts(kind, said or _BROKEN["indiscreet"].message, retry_after=failure.retry_after)


class _Alarm:
    """Ends a stream that runs into PROXY_TOTAL_TIMEOUT, by closing its upstream; silent when that is 0."""

    __slots__ = ("_call", "_timer", "rang")

    def __init__(self, call: Call) -> None:
        self.rang, self._call = False, call
        self._timer: asyncio.TimerHandle | None = None
        if settings.PROXY_TOTAL_TIMEOUT:
            left = call.started + settings.PROXY_TOTAL_TIMEOUT - clock.monotonic()
            self._timer = asyncio.get_running_loop().call_later(left, self._ring)

    def _ring(self) -> None:
        self.rang = True
        if self._call.response is not None:
            self._call.response.abandon()

    def cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()


def _noticed(call: Call, speaking: Speaking) -> None:
    """Name the outcome as soon as it is known: a client may leave right after the end mark, and that is no
    cancellation."""
    if speaking.seen.error is not None:
        call.outcome, call.error_code = "error", "upstream_error"
    elif speaking.seen.ended:
        call.outcome = "ok"


def _broken(call: Call, facts: ErrorFacts) -> ErrorFacts:
    call.outcome, call.error_code = "error", facts.code or facts.kind
    return facts


def _headers(call: Call, speaking: Speaking) -> list[tuple[bytes, bytes]]:
    headers = _own_headers(call)
    headers.append((b"x-proxx-provider", speaking.candidate.provider.id.encode()))
    if len(call.attempts) > 1:
        headers.append((b"x-proxx-attempts", str(len(call.attempts)).encode()))
    if call.plan is not None and call.plan.alias:
        told = call.plan.told(speaking.candidate.model)
        headers += [(name, quote(said, safe=",/:->").encode()) for name, said in told]
    if call.wishes is not None and call.wishes.tier == FAST and speaking.candidate.protocol == SPED:
        headers.append((b"x-open-hax-fast-mode", FAST.encode()))
    if call.warnings:
        headers.append((b"x-proxx-warnings", quote(",".join(call.warnings), safe=" ,;[]().'/=").encode()))
    # Names begin with what is passed: a family by its dash, or the name itself.
    passed = UPSTREAM_IDS if speaking.route.translates else (*UPSTREAM_IDS, *call.dialect.reply_headers)
    if codex.QUIRK in speaking.candidate.quirks and codex.is_client(list(call.backend_headers)):
        passed = (*passed, *codex.ANSWERS)
    identified = False
    for given, value in speaking.response.raw_headers:
        name = given.lower()
        if not name.startswith(passed) or not _is_passed(name, passed):
            continue
        if call.held is not None and name.startswith(LIMIT_HEADERS):
            continue  # the caller has limits of its own, and paces itself by what it reads here
        if name in UPSTREAM_IDS:
            if identified:
                continue  # some providers give it under two names
            name, identified = b"x-proxx-upstream-request-id", True
        if not repeats_secret(value, speaking.candidate):
            headers.append((name, value))
    return headers


def _is_passed(name: bytes, passed: tuple[bytes, ...]) -> bool:
    return name in passed or any(name.startswith(one) for one in passed if one.endswith(b"-"))


def _own_headers(call: Call) -> list[tuple[bytes, bytes]]:
    return [(b"x-request-id", str(call.id).encode()), *call.limit_headers]
