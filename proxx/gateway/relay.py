"""A call that one provider gets as it came: any method, path and body, and the bytes of its answer.

Nothing is translated, and nobody but this provider's own accounts is asked. A dialect that is known by its path only
reads along, for the record's usage. Which paths lead here is api/prefixes.py.
"""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from functools import partial

from proxx.gateway import admit, overheard, recall, settle, signing, slots, verdict
from proxx.gateway.attempt import ERROR_BODY_LIMIT, ERROR_BODY_PATIENCE, FAULTS, lost, repeats_secret
from proxx.gateway.call import Attempt, Call
from proxx.gateway.errors import GatewayError, TimedOut, Unavailable, UpstreamFailed
from proxx.gateway.pump import UPSTREAM_IDS, BrokenOff, Reply
from proxx.kit import clock
from proxx.kit.configured import settings
from proxx.protocols.hub.errors import ErrorFacts
from proxx.protocols.spec import Watch
from proxx.upstream import auth, client, failures
from proxx.upstream.failures import Failure
from proxx.upstream.message import HeaderList, Timeouts, UpstreamRequest, UpstreamResponse
from routing import cooldown, health, planner
from routing.planner import Candidate

WATCHED_LIMIT = 16 * 1024 * 1024  # bytes of a whole answer that are kept to read its usage; a longer one has none

# Of the provider's answer to the client: what describes the body, and what tells when to come back.
REPLY_HEADERS = frozenset(
    {
        *(b"accept-ranges", b"content-disposition", b"content-encoding", b"content-language"),
        *(b"content-range", b"etag", b"last-modified", b"location", b"openai-processing-ms", b"openai-version"),
        *(b"retry-after", b"vary"),
    }
)
REPLY_BEGINNINGS = (b"x-ratelimit-", b"anthropic-ratelimit-")
_OF_THE_ACCOUNT = ("auth", "not_renewed", "rate_limited", "quota_spent", "too_many_at_once")
_TRIED_AGAIN = (*_OF_THE_ACCOUNT, "connect_failed")  # after these nothing has been done yet that could be done twice


@dataclass(frozen=True, slots=True)
class Asked:
    """What the provider is sent: the path below its base URL and the query as the client wrote them, and the headers
    that may go up. `judges` says that a refused key is the key's fault, not that of an odd path."""

    method: str
    path: str
    query: str
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    judges: bool


async def handle(call: Call, provider_id: str, asked: Asked) -> Reply:
    """Pass one call on; raise the `GatewayError` that its caller should see if the provider gives no answer."""
    settle.when_done(call)
    try:
        recall.check_passed(call, asked.path)
        call.plan = planner.accounts(
            provider_id,
            path=asked.path,
            protocol=call.dialect.name,
            snapshot=call.snapshot,
            now=clock.monotonic(),
            model=call.envelope.model,
            who=call.snapshot.restricted(call.tenant.id, call.holder.key_id, call.holder.lists),
        )
        if call.plan.refusal in verdict.BARRED:
            raise verdict.refusal(call.plan)
        if call.snapshot.limits:
            await admit.reserve(call, spends=asked.method == "POST")
        reply = await _first_answer(call, asked)
    except GatewayError as error:
        settle.failed(call, error)
        if call.bodies is not None:
            overheard.refused(call, call.bodies, error)
        raise
    except Exception:  # not cancellation, which is already the default outcome
        call.outcome, call.status, call.error_code = "error", 500, "internal_error"
        raise
    reply.sent = partial(settle.finish, call)
    if call.bodies is not None:
        overheard.told(call.bodies, reply)
    return reply


async def _first_answer(call: Call, asked: Asked) -> Reply:
    """Return the first account's answer that is not about the account itself; else the last one's refusal."""
    left = list(call.plan.candidates) if call.plan else []
    if call.tenant.passthrough is not None:
        left.sort(key=lambda one: one.credential is None or one.credential.id != call.tenant.passthrough)
    patience = slots.Patience()
    refused: Reply | None = None
    failure: Failure | None = None
    while left and len(call.attempts) < settings.PROXY_MAX_ATTEMPTS:
        candidate = await patience.room(left, call.deadline) if call.snapshot.counts_calls else left[0]
        if candidate is None:
            raise slots.no_room()
        left.remove(candidate)
        attempt = Attempt(len(call.attempts) + 1, candidate, clock.monotonic())
        call.attempts.append(attempt)
        health.begin(candidate.key)
        try:
            response = call.response = await _sent(call, candidate, asked)
        except signing.Ended as ended:
            failure, refused = lost(call, attempt, ended.failure), None
        except FAULTS as fault:
            failure, refused = lost(call, attempt, failures.from_exception(fault)), None
        else:
            attempt.status, attempt.headers_at = response.status, clock.monotonic()
            if response.status < 400:
                return _answer(call, candidate, response)
            body = await response.read_some(ERROR_BODY_LIMIT, ERROR_BODY_PATIENCE)
            refused = _refusal(call, candidate, response, body)
            failure = lost(call, attempt, failures.classify(response.status, response.headers, body))
            if await signing.renewed_after(call, candidate, failure):
                left.insert(0, candidate)
                continue
        if failure.kind in _OF_THE_ACCOUNT and (asked.judges or failure.kind != "auth"):
            cooldown.apply(failure, candidate)
        if failure.kind not in _TRIED_AGAIN:
            break
    # A provider that refuses our key has said nothing about the client's: a 401 would make it log out.
    if refused is not None and failure is not None and failure.kind != "auth":
        call.outcome, call.status, call.error_code = "error", refused.status, "upstream_rejected_request"
        return refused
    raise _summary(call, failure)


async def _sent(call: Call, candidate: Candidate, asked: Asked) -> UpstreamResponse:
    if candidate.credential is not None and candidate.credential.sign_in:
        await signing.demand(call, candidate)
    request = _request(candidate, asked)
    if call.bodies is None:
        return await client.send(request)
    overheard.asked(call, call.bodies, candidate, request)
    return overheard.heard(call, call.bodies, await client.send(request))


def _summary(call: Call, failure: Failure | None) -> GatewayError:
    if failure is None:
        return Unavailable("This provider has no account that could be used.", code="upstream_url_not_configured")
    if failure.kind == "timed_out":
        return TimedOut(verdict.with_who(TimedOut.message, call.attempts), detail=failure.kind)
    said = verdict.with_who("The provider could not be asked.", call.attempts)
    if failure.kind == "not_renewed":
        return Unavailable(said, code="upstream_unavailable", detail=failure.kind, retry_after=failure.retry_after)
    return UpstreamFailed(said, code="upstream_connection_failed", detail=failure.kind)


def _request(candidate: Candidate, asked: Asked) -> UpstreamRequest:
    url = f"{candidate.url}?{asked.query}" if asked.query else candidate.url
    own = {name.lower().encode(): value.encode() for name, value in candidate.provider.headers}
    headers = {b"accept-encoding": b"identity", b"user-agent": b"proxx", **own, **dict(asked.headers)}
    shown = () if candidate.credential is None else auth.headers(candidate.auth, candidate.credential.secret.reveal())
    return UpstreamRequest(
        method=asked.method,
        url=client.url(url),
        headers=[*headers.items(), *shown],
        body=asked.body,
        timeouts=Timeouts(
            connect=settings.UPSTREAM_CONNECT_TIMEOUT,
            headers=settings.UPSTREAM_REQUEST_TIMEOUT,
            idle=settings.UPSTREAM_IDLE_TIMEOUT,
        ),
    )


def _refusal(call: Call, candidate: Candidate, response: UpstreamResponse, body: bytes) -> Reply:
    if repeats_secret(body, candidate):
        facts = ErrorFacts("invalid_request", "The provider refused this request.", "upstream_rejected_request")
        body = call.dialect.write_error(facts)
    return Reply(response.status, _type(response), _headers(call, candidate, response), body=body)


def _answer(call: Call, candidate: Candidate, response: UpstreamResponse) -> Reply:
    call.status, call.first_event_at = response.status, clock.monotonic()
    call.attempts[-1].first_event_at = call.first_event_at
    headers = _headers(call, candidate, response)
    return Reply(response.status, _type(response), headers, pieces=_pieces(call, response), raw=True)


async def _pieces(call: Call, response: UpstreamResponse) -> AsyncGenerator[bytes, None]:
    along = _Along(call, _type(response))
    try:
        async for piece in response:
            along.read(piece)
            call.bytes_out += len(piece)
            yield piece
    except FAULTS as fault:
        along.note()
        call.outcome, call.error_code = "error", failures.from_exception(fault).kind
        raise BrokenOff("The provider's answer ended before it was complete.") from None
    along.end()
    call.outcome = "ok"


class _Along:
    """Reads an answer that passes, for its usage, if its dialect is known. Never in the way: what it cannot read is
    passed all the same."""

    def __init__(self, call: Call, kind: str) -> None:
        self._call = call
        self._watch: Watch | None = None
        self._body: list[bytes] = []
        self._left = WATCHED_LIMIT if call.envelope.model else 0
        if self._left and kind.startswith("text/event-stream"):
            form = {"form": call.envelope.form} if call.envelope.form else {}
            self._watch = call.dialect.watch_stream(strip_usage=False, **form)

    def read(self, piece: bytes) -> None:
        """Take a piece that passes."""
        if self._watch is not None:
            try:
                self._watch.feed(piece)
            except ValueError:
                self._watch, self._left = None, 0
        elif self._left:
            self._left = max(0, self._left - len(piece))
            self._body.append(piece)

    def end(self) -> None:
        """The answer is whole."""
        if self._watch is None and self._left:
            self._call.seen = self._call.dialect.watch_whole(b"".join(self._body))
        self.note()

    def note(self) -> None:
        """Put what was seen where the record looks for it."""
        if self._watch is not None:
            self._call.seen = self._watch.seen


def _type(response: UpstreamResponse) -> str:
    return str(response.headers.get("content-type", "application/octet-stream"))


def _headers(call: Call, candidate: Candidate, response: UpstreamResponse) -> HeaderList:
    headers = [
        (b"x-request-id", str(call.id).encode()),
        (b"x-proxx-provider", candidate.provider.id.encode()),
        *call.limit_headers,
    ]
    for given, value in response.raw_headers:
        name = given.lower()
        if name in UPSTREAM_IDS:
            name = b"x-proxx-upstream-request-id"
        elif name not in REPLY_HEADERS and not name.startswith(REPLY_BEGINNINGS):
            continue
        if call.held is not None and name.startswith(REPLY_BEGINNINGS):
            continue  # the caller has limits of its own, and paces itself by what it reads here
        if not repeats_secret(value, candidate):
            headers.append((name, value))
    return headers
