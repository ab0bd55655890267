"""How a candidate's answer is told: bytes that pass, or a translation.

Same dialect on both sides: the upstream's bytes come back as they are, and only a watcher reads along. Else the way
back runs through protocols/translation.py. What the candidate was asked is asking.py; what its failures mean is decided
elsewhere.
"""

from collections.abc import Sequence

import msgspec

from proxx.gateway.asking import Route, read
from proxx.gateway.call import Call
from proxx.gateway.pacing import PacedWatch
from proxx.kit import clock
from proxx.kit.configured import settings
from proxx.protocols import registry
from proxx.protocols.continuation import ContinuedTranslation, one_of
from proxx.protocols.framing.lenient import FAULTS
from proxx.protocols.framing.members import Unclear
from proxx.protocols.framing.sse import FrameTooLarge
from proxx.protocols.hub.errors import ErrorFacts
from proxx.protocols.hub.estimate import tokens
from proxx.protocols.hub.occasion import Occasion
from proxx.protocols.hub.parts import Part
from proxx.protocols.hub.reply import Reply, fold, joined, unfold
from proxx.protocols.hub.request import Request
from proxx.protocols.spec import Seen, StreamReader, Watch
from proxx.protocols.translation import StreamTranslation, mended, note

LINES = "application/x-ndjson"


class NoReply(ValueError):
    """A whole answer that its dialect cannot read after all: a detail of it has a wrong form."""


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
        return call.dialect.watch_stream(
            strip_usage=not call.envelope.wants_usage, rename=_renamed(call, chosen), **form
        )
    return _translation(call, chosen)


def replayed(call: Call, chosen: Route, body: bytes) -> tuple[Watch, bytes]:
    """Tell a whole answer as the stream that was asked for; return the stream and its bytes so far: all of them, or
    none yet if the profile wants pauses. Raises `NoReply`."""
    # The mends are the stream's: they may remember what they did, and must not do it twice.
    watch, reply = _translation(call, chosen), _unmended(call, chosen, body)
    if call.options is not None and call.options.delay is not None:
        return PacedWatch(watch, reply), b""
    return watch, watch.replay(reply)


def whole(call: Call, chosen: Route, bodies: Sequence[bytes]) -> tuple[Seen, bytes]:
    """Return what a whole answer says, and the client's bytes of it; the bytes are empty if it is no answer. Where one
    request did not carry it all, `bodies` has several parts of it. Raises `NoReply`."""
    if chosen.mends is None and not _is_stream(chosen, bodies[0]):
        seen = chosen.upstream.watch_whole(bodies[0])
        if seen.error is not None or seen.malformed or not seen.spoke:
            return seen, b""
        renamed = _renamed(call, chosen)
        return seen, _with_name(call, bodies[0], renamed) if renamed else bodies[0]
    replies = []
    for body in bodies:
        seen, reply = _collected(call, chosen, body) if _is_stream(chosen, body) else _read(call, chosen, body)
        if reply is None:
            return seen, b""
        replies.append(reply)
    return seen, _written(call, one_of(replies) if chosen.pauses else joined(replies), seen)


def _with_name(call: Call, body: bytes, name: str) -> bytes:
    try:
        return call.dialect.rename_whole(body, name)
    except (Unclear, *FAULTS) as fault:
        raise NoReply(str(fault)) from fault


def _renamed(call: Call, chosen: Route) -> str:
    """Return the model's name that a passing answer gets instead of its own; nothing if it keeps that."""
    asked = call.envelope.model
    if call.tenant.answer_with_alias:
        return asked
    return asked if call.dialect.echoes_model and chosen.candidate.model != asked else ""


def paused(call: Call, chosen: Route, bodies: Sequence[bytes]) -> tuple[Part, ...] | None:
    """Return what a turn holds that ended in a pause with the last of these bodies; None for any other."""
    replies = []
    for body in bodies:
        seen, reply = _collected(call, chosen, body) if _is_stream(chosen, body) else _read(call, chosen, body)
        if reply is None or len(reply.choices) != 1 or seen.error is not None:
            return None
        replies.append(reply)
    if replies[-1].choices[0].finish.reason != "pause":
        return None
    return tuple(part for reply in replies for part in reply.choices[0].parts)


def reader(call: Call, chosen: Route) -> StreamReader:
    """Return what reads the candidate's stream."""
    return chosen.upstream.stream_reader(chosen.target, call.id.hex)


def _is_stream(chosen: Route, body: bytes) -> bool:
    if chosen.upstream.stream_type == LINES:
        return b"\n{" in body.rstrip()
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
    return mended(_unmended(call, chosen, body), chosen.mends or ())


def _unmended(call: Call, chosen: Route, body: bytes) -> Reply:
    try:
        return chosen.upstream.read_whole(body, chosen.target, call.id.hex)
    except (ValueError, *FAULTS) as fault:
        raise NoReply(str(fault)) from fault


def _written(call: Call, reply: Reply, seen: Seen) -> bytes:
    seen.usage = reply.usage
    kept = Seen()
    note(kept, unfold(reply), {})
    seen.blobs, seen.blank = kept.blobs, kept.blank
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
    kind = ContinuedTranslation if chosen.pauses else StreamTranslation
    return kind(reader, chosen.mends or (), writer)


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
