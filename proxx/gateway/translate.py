"""What one candidate is asked and how its answer is told: bytes that pass, or a translation.

Same dialect on both sides: the client's own bytes go up, the upstream's come back, and only a watcher reads along. Else
the client's dialect reads the request once per call, the upstream's writes it, and the way back runs through
protocols/translation.py. Which candidate is asked, and what its failures mean, is decided elsewhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import msgspec
from django.conf import settings

from proxx.gateway import keepsakes
from proxx.gateway.call import Call
from proxx.gateway.errors import BadRequest
from proxx.gateway.pacing import PacedWatch
from proxx.kit import clock
from proxx.protocols import registry
from proxx.protocols.framing.sse import FrameTooLarge
from proxx.protocols.hub.errors import ErrorFacts, Inexpressible, Unreadable
from proxx.protocols.hub.estimate import tokens
from proxx.protocols.hub.facts import facts_of
from proxx.protocols.hub.losses import Losses
from proxx.protocols.hub.occasion import Occasion
from proxx.protocols.hub.reply import Reply, fold, joined, unfold
from proxx.protocols.hub.request import Envelope, Request
from proxx.protocols.hub.target import Target
from proxx.protocols.profile import replies, requests
from proxx.protocols.profile.bodies import applied
from proxx.protocols.spec import Mend, Protocol, Seen, Watch
from proxx.protocols.translation import StreamTranslation, mended, note
from routing.planner import Candidate

ALWAYS_REWRITTEN = "codex_backend"  # a backend so far from its dialect that no body passes unchanged
ASKS_NO_USAGE = "no_stream_options"
FEATURES = b"anthropic-beta"

Headers = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True, slots=True)
class Route:
    """One candidate's way: the upstream's dialect, the body it gets, and how its answer comes back.

    `mends` is None where bytes pass as they are.
    """

    upstream: Protocol
    candidate: Candidate
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()
    mends: tuple[Mend, ...] | None = None
    notes: Sequence[str] = ()
    more: tuple[bytes, ...] = ()

    @property
    def translates(self) -> bool:
        """Tell whether the answer's bytes are ours, not the provider's."""
        return self.mends is not None

    @property
    def target(self) -> Target:
        """Return whom the request was, or would be, written for."""
        return target_of(self.candidate)


def route(call: Call, candidate: Candidate) -> Route:
    """Return how this candidate is asked; raise `BadRequest` for what no dialect could read, `Inexpressible` for what
    this one cannot say."""
    upstream = registry.get(candidate.protocol)
    passing = _passing(call, candidate) if upstream is call.dialect else None
    if passing is not None:
        ask_usage = ASKS_NO_USAGE not in candidate.quirks
        body = upstream.same_dialect(passing, model=candidate.model, ask_usage=ask_usage)
        return Route(upstream, candidate, body, call.client_headers)
    request = read(call)
    if call.wishes is not None:
        request = requests.edited(request, call.wishes, target_of(candidate))
    losses = Losses(strict=call.strict)
    losses.notes.extend(call.reading_notes)
    target = target_of(candidate)
    kept = keepsakes.restored(call.tenant.id, request)
    if kept:
        target = msgspec.structs.replace(target, restored=kept)
    written = upstream.write_request(request, target, losses)
    more = written.more or (written.body,) * (request.repeats - 1)
    if call.wishes is None:
        return Route(upstream, candidate, written.body, written.headers, written.mends, losses.notes, more)
    # Written anew for a profile's sake alone, a request keeps what its dialect's headers said.
    own = call.client_headers if upstream is call.dialect and ALWAYS_REWRITTEN not in candidate.quirks else ()
    mends = (*written.mends, *replies.mends(call.wishes.shown))
    return Route(upstream, candidate, written.body, _both(own, written.headers), mends, losses.notes, more)


def _passing(call: Call, candidate: Candidate) -> Envelope | None:
    """Return the request whose bytes a provider of the client's own dialect gets; None if it must be written anew."""
    if ALWAYS_REWRITTEN in candidate.quirks or call.recalled is not None:
        return None
    envelope, target = call.envelope, target_of(candidate)
    if call.wishes is not None:
        wished = applied(envelope, call.wishes, target)
        if wished is None:
            return None
        envelope = wished
    return envelope if call.dialect.passes(envelope, target) else None


def _both(own: Headers, written: Headers) -> Headers:
    """Return the client's headers and those of the written request; of lists of features, both."""
    said = dict(own)
    for name, value in written:
        earlier = said.get(name, b"") if name == FEATURES else b""
        said[name] = earlier + b"," + value if earlier else value
    return tuple(said.items())


def read(call: Call) -> Request:
    """Return the call's request in no dialect, read when first asked for."""
    if call.request is None:
        losses = Losses(strict=call.strict)
        try:
            call.request = call.dialect.read_request(call.envelope, losses)
        except Unreadable as fault:
            raise BadRequest(fault.message, code=fault.code, param=fault.param) from None
        except Inexpressible as fault:
            raise BadRequest(fault.message, code="unsupported_parameter", param=fault.param) from None
        call.reading_notes = losses.notes
    return call.request


def answered_here(call: Call) -> bytes | None:
    """Return the answer to a request that asks no model anything, if the first candidate could not even be told so."""
    ask, plan = call.dialect.local_reply, call.plan
    if ask is None or plan is None or not plan.candidates or plan.candidates[0].protocol == call.dialect.name:
        return None
    reply = ask(read(call))
    if reply is None:
        return None
    if call.envelope.stream:
        return call.dialect.stream_writer(_occasion(call)).write(unfold(reply))
    return call.dialect.write_whole(reply, _occasion(call))


def stream(call: Call, chosen: Route) -> Watch:
    """Return what takes the candidate's stream and gives the client's."""
    if chosen.mends is None:
        form = {"form": call.envelope.form} if call.envelope.form else {}
        return call.dialect.watch_stream(strip_usage=not call.envelope.wants_usage, rename=_renamed(call, chosen), **form)
    return _translation(call, chosen)


def replayed(call: Call, chosen: Route, body: bytes) -> tuple[Watch, bytes]:
    """Tell a whole answer as the stream that was asked for; return the stream and its bytes so far: all of them, or
    none yet if the profile wants pauses."""
    watch, reply = _translation(call, chosen), _whole(call, chosen, body)
    if call.options is not None and call.options.delay is not None:
        return PacedWatch(watch, reply), b""
    return watch, watch.replay(reply)


def whole(call: Call, chosen: Route, bodies: Sequence[bytes]) -> tuple[Seen, bytes]:
    """Return what a whole answer says, and the client's bytes of it; the bytes are empty if it is no answer. Where one
    request did not carry it all, `bodies` has several parts of it."""
    if chosen.mends is None and not _is_stream(chosen, bodies[0]):
        seen = chosen.upstream.watch_whole(bodies[0])
        if seen.error is not None or seen.malformed or not seen.spoke:
            return seen, b""
        renamed = _renamed(call, chosen)
        return seen, call.dialect.rename_whole(bodies[0], renamed) if renamed else bodies[0]
    replies = []
    for body in bodies:
        seen, reply = _collected(call, chosen, body) if _is_stream(chosen, body) else _read(call, chosen, body)
        if reply is None:
            return seen, b""
        replies.append(reply)
    return seen, _written(call, joined(replies), seen)


def _renamed(call: Call, chosen: Route) -> str:
    """Return the model's name that a passing answer gets instead of its own; nothing if it keeps that."""
    asked = call.envelope.model
    if call.tenant.answer_with_alias:
        return asked
    return asked if call.dialect.echoes_model and chosen.candidate.model != asked else ""


def _is_stream(chosen: Route, body: bytes) -> bool:
    return body.lstrip()[:6].startswith((b"data:", b"event:", b":")) and not chosen.upstream.streams_json


def _read(call: Call, chosen: Route, body: bytes) -> tuple[Seen, Reply | None]:
    seen = chosen.upstream.watch_whole(body)
    if seen.error is not None or seen.malformed or not seen.spoke:
        return seen, None
    return seen, _whole(call, chosen, body)


def unspoken(call: Call, facts: ErrorFacts) -> bytes:
    """Return an error as the first and last word of a stream that was begun without an answer."""
    if call.dialect.name not in registry.PROTOCOLS:
        return call.dialect.write_stream_error(facts)
    return call.dialect.stream_writer(_occasion(call)).fail(facts)


def _collected(call: Call, chosen: Route, body: bytes) -> tuple[Seen, Reply | None]:
    """A stream where a whole answer was asked for: some backends know no other way."""
    reader, seen = chosen.upstream.stream_reader(chosen.target, call.id.hex), Seen()
    try:
        events = [*reader.feed(body), *reader.close()]
    except FrameTooLarge:
        return Seen(malformed="an event that is too large"), None
    note(seen, events, {})
    if seen.error is not None or seen.malformed:
        return seen, None
    if not seen.ended:
        return Seen(malformed="an answer that breaks off"), None
    return seen, mended(fold(events), chosen.mends or ())


def _whole(call: Call, chosen: Route, body: bytes) -> Reply:
    reply = chosen.upstream.read_whole(body, chosen.target, call.id.hex)
    return mended(reply, chosen.mends or ())


def _written(call: Call, reply: Reply, seen: Seen) -> bytes:
    seen.usage = reply.usage
    kept = Seen()
    note(kept, unfold(reply), {})
    seen.blobs = kept.blobs
    told = call.dialect.write_whole(reply, _occasion(call))
    if not told:
        seen.malformed = "an answer without what was asked for"
    if _may_be_referred_to(call):
        call.whole = lambda: told
    return told


def _translation(call: Call, chosen: Route) -> StreamTranslation:
    reader = chosen.upstream.stream_reader(chosen.target, call.id.hex)
    writer = call.dialect.stream_writer(_occasion(call))
    if _may_be_referred_to(call):
        call.whole = lambda: getattr(writer, "whole", b"")
    return StreamTranslation(reader, chosen.mends or (), writer)


def _may_be_referred_to(call: Call) -> bool:
    """Tell whether the client may name this answer later, and expects it to be known."""
    asked = call.request
    if call.dialect.name != "openai_responses" or call.envelope.form or asked is None:
        return False
    return asked.state.store is not False and settings.PROXY_RESPONSES_KEPT_SECONDS > 0


def _occasion(call: Call) -> Occasion:
    return Occasion(
        id=call.id.hex,
        created=int(clock.unix()),
        model=call.envelope.model,
        wants_usage=call.envelope.wants_usage,
        input_estimate=tokens(call.request) if call.request is not None else 0,
        elapsed_ns=lambda: int((clock.monotonic() - call.started) * 1e9),
        request=_as_asked(call),
        form=call.envelope.form,
    )


def _as_asked(call: Call) -> Request | None:
    """Return the request as the client thinks of it: with its reference to an earlier response."""
    if call.request is None or call.recalled is None:
        return call.request
    state = msgspec.structs.replace(call.request.state, previous_response_id=call.recalled.previous)
    return msgspec.structs.replace(call.request, state=state)


def target_of(candidate: Candidate) -> Target:
    """Return whom a request is written for."""
    return _target(candidate.provider.id, candidate.model, candidate.protocol, candidate.quirks)


@lru_cache(maxsize=4096)
def _target(provider_id: str, model: str, protocol: str, quirks: frozenset[str]) -> Target:
    return Target(
        provider=provider_id,
        model=model,
        dialect=protocol,
        quirks=quirks,
        facts=facts_of(model),
        default_max_output=settings.PROXY_DEFAULT_MAX_TOKENS or None,
    )
