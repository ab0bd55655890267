"""What one candidate is asked: the client's own bytes, or its request written anew in the candidate's dialect.

Same dialect on both sides: the client's own bytes go up. Else the client's dialect reads the request once per call, and
the upstream's writes it. How the answer is told is translate.py; which candidate is asked, and what its failures mean,
is decided elsewhere.
"""

from dataclasses import dataclass, field
from functools import lru_cache, partial

import msgspec

from proxx.gateway import keepsakes
from proxx.gateway.call import Call
from proxx.gateway.errors import BadRequest
from proxx.kit.configured import settings
from proxx.protocols import registry
from proxx.protocols.fetched import Wanted, filled
from proxx.protocols.hub.errors import Inexpressible, Unreadable
from proxx.protocols.hub.facts import facts_of
from proxx.protocols.hub.losses import Losses
from proxx.protocols.hub.parts import File, Image, Part, Turn
from proxx.protocols.hub.request import Envelope, Request
from proxx.protocols.hub.target import Target
from proxx.protocols.profile import replies, requests
from proxx.protocols.profile.bodies import applied
from proxx.protocols.spec import Mend, Protocol
from proxx.upstream import codex
from routing.planner import Candidate

ALWAYS_REWRITTEN = codex.QUIRK  # a backend so far from its dialect that no body passes unchanged
ASKS_NO_USAGE = "no_stream_options"
PAUSING = "anthropic"
FEATURES = b"anthropic-beta"

Headers = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True, slots=True)
class Route:
    """One candidate's way: the upstream's dialect, the body it gets, and how its answer comes back.

    `mends` is None where bytes pass as they are. `pauses`: the provider may pause its turn and have to be asked again.
    """

    upstream: Protocol
    candidate: Candidate
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()
    mends: tuple[Mend, ...] | None = None
    notes: list[str] = field(default_factory=list)
    more: tuple[bytes, ...] = ()
    pauses: bool = False

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
    try:
        return _route(call, candidate)
    except RecursionError:
        raise Inexpressible("The request is nested too deeply.") from None


def _route(call: Call, candidate: Candidate) -> Route:
    upstream, call.whole = registry.get(candidate.protocol), None
    passing = _passing(call, candidate) if upstream is call.dialect else None
    if passing is not None:
        ask_usage = ASKS_NO_USAGE not in candidate.quirks
        body = upstream.same_dialect(passing, model=candidate.model, ask_usage=ask_usage)
        return Route(upstream, candidate, body, call.client_headers)
    return _rewritten(call, read(call), candidate)


def continued(call: Call, chosen: Route, parts: tuple[Part, ...]) -> Route:
    """Return how a candidate is asked to go on with a turn that it paused, of which `parts` are here."""
    asked = read(call)
    turns = (*asked.turns, Turn("assistant", parts))
    return _rewritten(call, msgspec.structs.replace(asked, turns=turns, resumes=True), chosen.candidate)


def _rewritten(call: Call, request: Request, candidate: Candidate) -> Route:
    upstream = registry.get(candidate.protocol)
    if call.wishes is not None:
        request = requests.edited(request, call.wishes, target_of(candidate, call.snapshot.limits_of(candidate.model)))
    if call.fetched:
        request = filled(request, call.fetched, fetches(candidate))
    losses = Losses(strict=call.strict)
    losses.notes.extend(call.reading_notes)
    target = target_of(candidate, call.snapshot.limits_of(candidate.model))
    kept = keepsakes.restored(call.tenant.id, request)
    if kept:
        target = msgspec.structs.replace(target, restored=kept)
    written = upstream.write_request(request, target, losses)
    more = written.more or (written.body,) * (request.repeats - 1)
    pauses = not more and _pauses(call, request, upstream)
    if call.wishes is None:
        return Route(upstream, candidate, written.body, written.headers, written.mends, losses.notes, more, pauses)
    # Written anew for a profile's sake alone, a request keeps what its dialect's headers said.
    own = call.client_headers if upstream is call.dialect and ALWAYS_REWRITTEN not in candidate.quirks else ()
    mends = (*written.mends, *replies.mends(call.wishes.shown))
    return Route(upstream, candidate, written.body, _both(own, written.headers), mends, losses.notes, more, pauses)


def fetches(candidate: Candidate) -> Wanted:
    """Return what tells of a medium whether this candidate cannot be given its address."""
    return partial(_fetches, registry.get(candidate.protocol), target_of(candidate))


def _fetches(upstream: Protocol, target: Target, part: Image | File) -> bool:
    return upstream.fetches(part, target)


def _pauses(call: Call, request: Request, upstream: Protocol) -> bool:
    """Tell whether the provider may pause its turn, which its own clients know how to go on with and no others do."""
    if upstream.name != PAUSING or call.dialect.name == PAUSING:
        return False
    return any(tool.kind in ("web_search", "hosted") for tool in request.tools)


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
        except RecursionError:
            raise BadRequest("The body is nested too deeply.") from None
        call.reading_notes = losses.notes
    return call.request


def target_of(candidate: Candidate, limits: tuple[int | None, int | None] = (None, None)) -> Target:
    """Return whom a request is written for; `limits` is what the catalogue knows: context window, longest answer."""
    return _target(candidate.provider.id, candidate.model, candidate.protocol, candidate.quirks, limits)


@lru_cache(maxsize=4096)
def _target(
    provider_id: str, model: str, protocol: str, quirks: frozenset[str], limits: tuple[int | None, int | None]
) -> Target:
    facts, (window, longest) = facts_of(model), limits
    if window or longest:
        facts = msgspec.structs.replace(
            facts, context_window=window or facts.context_window, max_output=longest or facts.max_output
        )
    return Target(
        provider=provider_id,
        model=model,
        dialect=protocol,
        quirks=quirks,
        facts=facts,
        default_max_output=settings.PROXY_DEFAULT_MAX_TOKENS or None,
    )
