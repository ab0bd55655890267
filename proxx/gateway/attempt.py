"""One candidate, once, up to its first meaningful event.

Until that event nothing has been sent to the client, so every failure here may still be mended by another candidate.
What a failure means is upstream/failures.py; what is tried next is failover.py; the bytes after the first event are
pump.py's.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from functools import partial

from proxx.gateway import continuing, fetching, mending, overheard, pacing, posting, reasoning, signing, translate
from proxx.gateway.asking import Route
from proxx.gateway.call import Attempt, Call
from proxx.kit import clock
from proxx.kit.configured import settings
from proxx.protocols.continuation import ContinuedTranslation
from proxx.protocols.framing.sse import FrameTooLarge
from proxx.protocols.hub.errors import Inexpressible
from proxx.protocols.spec import Seen, Watch
from proxx.upstream import client, failures
from proxx.upstream.failures import Failure
from proxx.upstream.failures.prose import without
from proxx.upstream.message import UpstreamResponse
from proxx.upstream.opening import opened
from routing import health, quota, workspaces
from routing.planner import Candidate

ERROR_BODY_LIMIT = 64 * 1024
ERROR_BODY_PATIENCE = 2.0  # seconds: the status is known, and words that come later change nothing
BLANKS = {"stop": "empty", "malformed_call": "malformed"}  # endings without a word, and the failures they are
HELD_LIMIT = 1024 * 1024  # comments and empty deltas before the first meaningful event

FAULTS = tuple(known for known, _ in failures.EXCEPTIONS)

WINDOW = 8  # a provider that quotes this much of our key in a row has said too much
_ESCAPED = re.compile(rb"\\u00([0-9a-fA-F]{2})")


class AttemptFailed(Exception):
    """This candidate did not speak; `body` is its error answer, for the case that it blamed the request, `param` the
    field that could not be said to it. `mendable`: without what it blamed it may be asked once more."""

    def __init__(self, failure: Failure, body: bytes = b"", *, param: str | None = None) -> None:
        super().__init__(failure.kind)
        self.failure, self.body, self.param, self.mendable = failure, body, param, False


class Blank(AttemptFailed):
    """The answer ended before anything was seen of it: the same candidate may do better the next time."""


@dataclass(slots=True)
class Speaking:
    """A candidate that has begun to answer: its first bytes in `held`, the rest in `pieces`, or all of it in `held`."""

    candidate: Candidate
    response: UpstreamResponse
    seen: Seen
    held: bytes
    route: Route
    watch: Watch | None = None
    pieces: AsyncIterator[bytes] | None = None


async def speak(call: Call, candidate: Candidate) -> Speaking:
    """Ask one candidate and wait for its first meaningful event; raise `AttemptFailed` if it does not come."""
    health.begin(candidate.key)  # before anything is waited for: who has found room keeps it
    try:
        await fetching.prepare(call, candidate)
        attempt = Attempt(len(call.attempts) + 1, candidate, clock.monotonic())
        chosen = _route(call, attempt)
    except BaseException:
        health.done(candidate.key)
        raise
    call.attempts.append(attempt)
    try:
        async with asyncio.timeout(_patience(call)):
            speaking = await _first_event(call, candidate, attempt, chosen)
    except AttemptFailed as failed:
        failed.mendable = _may_be_mended(call, chosen, failed)
        failed.failure = lost(call, attempt, failed.failure)
        raise
    except signing.Ended as ended:
        raise AttemptFailed(lost(call, attempt, ended.failure)) from None
    except FAULTS as fault:
        raise AttemptFailed(lost(call, attempt, failures.from_exception(fault))) from None
    except (FrameTooLarge, translate.NoReply):
        raise AttemptFailed(lost(call, attempt, failures.named("malformed"))) from None
    workspaces.settle(candidate)
    call.warnings = list(chosen.notes)
    attempt.first_event_at = call.first_event_at = clock.monotonic()
    return speaking


def _may_be_mended(call: Call, chosen: Route, failed: AttemptFailed) -> bool:
    if call.own_key is None and workspaces.leave(chosen.candidate, failed.failure):
        return True
    return mending.learn(call, chosen, failed.failure, failed.body)


def _route(call: Call, attempt: Attempt) -> Route:
    try:
        return mending.route(call, attempt.candidate)
    except Inexpressible as fault:
        attempt.failure, attempt.ended = failures.named("inexpressible", fault.message), attempt.started
        call.attempts.append(attempt)
        raise AttemptFailed(attempt.failure, param=fault.param) from None


async def _first_event(call: Call, candidate: Candidate, attempt: Attempt, chosen: Route) -> Speaking:
    response = await _sent(call, candidate, chosen)
    attempt.status, attempt.headers_at = response.status, clock.monotonic()
    if candidate.provider.quota and call.own_key is None:
        quota.heard(candidate, response.raw_headers)
    await _refuse_failure(response)
    if call.envelope.stream:
        return await _begin_stream(call, candidate, response, chosen)
    bodies = [await response.read(settings.PROXY_REPLY_LIMIT)]
    for more in chosen.more:
        response = await _sent(call, candidate, replace(chosen, body=more))
        await _refuse_failure(response)
        bodies.append(await response.read(settings.PROXY_REPLY_LIMIT))
    if chosen.pauses:
        bodies = await continuing.whole(call, chosen, bodies[0], partial(_sent, call, candidate))
    seen, written = translate.whole(call, chosen, bodies)
    _judge(call, seen, ended=True)
    _require_reasoning(call, bodies)
    return Speaking(candidate, response, seen, written, chosen)


async def _sent(call: Call, candidate: Candidate, chosen: Route) -> UpstreamResponse:
    """Send a request; its answer is the call's to close from here on."""
    if candidate.credential is not None and candidate.credential.sign_in:
        await signing.demand(call, candidate)
    if call.bodies is None:
        response = call.response = opened(await client.send(posting.request(call, candidate, chosen)))
        return response
    request = posting.request(call, candidate, chosen)
    overheard.asked(call, call.bodies, candidate, request)
    call.response = overheard.heard(call, call.bodies, opened(await client.send(request)))
    return call.response


async def _refuse_failure(response: UpstreamResponse) -> None:
    if not 200 <= response.status < 300:
        body = await response.read_some(ERROR_BODY_LIMIT, ERROR_BODY_PATIENCE)
        raise AttemptFailed(failures.classify(response.status, response.headers, body), body)


async def _begin_stream(call: Call, candidate: Candidate, response: UpstreamResponse, chosen: Route) -> Speaking:
    watch = translate.stream(call, chosen)
    pieces = aiter(response)
    if isinstance(watch, ContinuedTranslation):
        pieces = continuing.pieces(call, chosen, response, watch, partial(_sent, call, candidate))
    held, raw = [], []
    size, begun = 0, False
    async for piece in pieces:
        if not begun and not chosen.upstream.streams_json and piece.lstrip().startswith(b"{"):
            return await _not_a_stream(call, candidate, response, chosen, piece, pieces)
        begun = begun or bool(piece.strip())
        if call.reasoning_due:
            raw.append(piece)
        ready = watch.feed(piece)
        held.append(ready)
        size += len(ready)
        _judge(call, watch.seen, ended=watch.seen.ended or size > HELD_LIMIT)
        if watch.seen.spoke and (
            watch.seen.ended or not watch.seen.blank
        ):  # a blank answer's usage is worth waiting for
            break
    else:
        held.append(watch.close())
        _judge(call, watch.seen, ended=True)
    _require_reasoning(call, raw)
    return Speaking(candidate, response, watch.seen, b"".join(held), chosen, watch, pieces)


async def _not_a_stream(
    call: Call,
    candidate: Candidate,
    response: UpstreamResponse,
    chosen: Route,
    first: bytes,
    pieces: AsyncIterator[bytes],
) -> Speaking:
    """A JSON body where a stream was asked for, whatever its content type: an error that says so itself, or a whole
    answer, which is told as the stream it should have been."""
    body = first
    async for piece in pieces:
        body += piece
        if len(body) > settings.PROXY_REPLY_LIMIT:
            raise AttemptFailed(failures.named("malformed", "The provider's answer is too large."))
    _judge(call, chosen.upstream.watch_whole(body), ended=True)
    _require_reasoning(call, [body])
    watch, told = translate.replayed(call, chosen, body)
    if call.options is not None and call.options.delay is not None:
        while not watch.seen.spoke and not watch.seen.ended:
            told += watch.feed(b"")
        return Speaking(candidate, response, watch.seen, told, chosen, watch, pacing.ticks(call.options.delay))
    return Speaking(candidate, response, watch.seen, told, chosen, watch, _nothing())


async def _nothing() -> AsyncIterator[bytes]:
    nothing: tuple[bytes, ...] = ()
    for piece in nothing:
        yield piece


def _judge(call: Call, seen: Seen, *, ended: bool) -> None:
    """A 200 can still be a failure: an error inside, nonsense, or nothing at all."""
    call.attempts[-1].usage = seen.usage  # it may be billed all the same
    if seen.blank and (ended or seen.malformed):
        _judge_blank(call, seen)
    if seen.error is not None:
        raise AttemptFailed(failures.from_error_object(seen.error))
    if seen.malformed:
        raise AttemptFailed(failures.named("malformed", f"The provider sent {seen.malformed}."))
    if ended and not seen.spoke:
        raise AttemptFailed(failures.named("empty"))


def _require_reasoning(call: Call, bodies: list[bytes]) -> None:
    if call.reasoning_due and not reasoning.is_shown(bodies):
        raise AttemptFailed(failures.named("unreasoned"))


def _judge_blank(call: Call, seen: Seen) -> None:
    """An answer without a word may be a slip of the model's. A call that could not be read always is (D53, D62)."""
    if seen.frames or seen.blank not in BLANKS:
        return
    if seen.blank == "stop":
        limits = call.request.sampling.stop if call.request is not None else ()
        counted = seen.usage is not None and bool(seen.usage.output_total)
        if call.blanks or counted or limits or len(call.attempts) >= settings.PROXY_MAX_ATTEMPTS:
            return  # told as it is: empty
    elif call.dialect.name == "gemini":
        return  # it has a word for it
    call.blanks += 1
    raise Blank(failures.named(BLANKS[seen.blank]))


def _patience(call: Call) -> float:
    """Seconds this attempt may take to its first event (streams) or its last byte (whole answers)."""
    if call.envelope.stream:
        limit = settings.UPSTREAM_FIRST_EVENT_TIMEOUT
    else:
        limit = settings.UPSTREAM_REQUEST_TIMEOUT + settings.UPSTREAM_IDLE_TIMEOUT
    if settings.PROXY_TOTAL_TIMEOUT:
        limit = min(limit, call.started + settings.PROXY_TOTAL_TIMEOUT - clock.monotonic())
    return float(limit)


def lost(call: Call, attempt: Attempt, failure: Failure) -> Failure:
    """A losing attempt closes its upstream at once and no longer counts as in flight."""
    failure = replace(
        failure,
        message=discreet(failure.message, attempt.candidate),
        code=discreet(failure.code, attempt.candidate) if failure.code else None,
    )
    attempt.failure, attempt.ended = failure, clock.monotonic()
    health.done(attempt.candidate.key)
    if failure.kind == "quota_spent" and call.own_key is None:
        quota.refused(attempt.candidate, failure)
    if call.response is not None:
        call.response.abandon()
        call.response = None
    return failure


def discreet(said: str, candidate: Candidate) -> str:
    """An upstream that repeats our credential must not make us repeat it, whatever shape it has (security C3)."""
    return without(said, candidate.credential.secret.reveal()) if candidate.credential is not None else said


def repeats_secret(said: bytes, candidate: Candidate) -> bool:
    """Tell whether bytes that would be passed on as they came hold our credential, or a good part of it."""
    if candidate.credential is None:
        return False
    secret = candidate.credential.secret.reveal()
    if len(said) < min(WINDOW, len(secret)):
        return False
    if b"\\u00" in said:
        said = _ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), said)
    secret_bytes = secret.encode()
    for start in range(0, max(1, len(secret_bytes) - WINDOW + 1), WINDOW // 2):
        if secret_bytes[start : start + WINDOW] in said:
            return True
    return False
