"""Call: all that is known about one request, from the door to the record. Only the gateway writes to it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

import msgspec

from accounts.held import Held
from accounts.keys import KeyHolder
from analytics.overhearing import Listeners
from proxx.protocols.hub.errors import ErrorFacts
from proxx.protocols.hub.events import Usage
from proxx.protocols.hub.request import Envelope, Request
from proxx.protocols.profile.options import Options, Wishes
from proxx.protocols.spec import Protocol, Seen
from proxx.upstream.failures import Failure
from proxx.upstream.failures.complaints import Complaint
from proxx.upstream.message import UpstreamResponse
from routing.planner import Candidate, Plan
from routing.snapshot import CredentialView, Snapshot, TenantView


@dataclass(slots=True)
class Attempt:
    """One candidate, tried once. Times are readings of the stopwatch (`clock.monotonic`)."""

    number: int
    candidate: Candidate
    started: float
    status: int | None = None
    headers_at: float | None = None
    first_event_at: float | None = None
    ended: float | None = None
    failure: Failure | None = None
    usage: Usage | None = None  # what the provider had reported when it failed
    token: int = 0  # the version of the sign-in token that it was asked with


@dataclass(frozen=True, slots=True)
class Recalled:
    """What a call referred to: the `previous` response, if any; `input` is the call's own, without what came before."""

    previous: str
    input: list[msgspec.Raw]


@dataclass(slots=True)
class Call:
    """One client request on its walk.

    `outcome` starts as cancelled: only a reply that was spoken to its end, or an error, says otherwise.
    `client_headers` are those of the caller that its own dialect's upstream gets (anthropic-beta and the like),
    `backend_headers` those that only the backend of its own maker gets; `session` is the name of its
    conversation, `traceparent` its span, where headers give them.
    `request` is the neutral reading, made only if someone must be asked in another dialect; `reading_notes` what it
    lost, `warnings` what the answering attempt lost in all. `strict` makes any loss an error.
    `fail` writes the error that ends the client's stream, in step with what was sent of it.
    `recalled` is what was put in place of references to kept responses; `refers` an id among them that only the
    provider can know. `whole` gives the response resource of an answer that is to be kept. `blanks` counts answers
    that ended before anything was seen of them, `reasoning_due` says that one without reasoning is none.
    `options` are those of the profile that applies, `wishes` what they
    come to for this request, `own_key` the key of a provider that the caller brought. `fetched` are media by
    their addresses: base64 and the media type they came with. `complaints` are what providers blamed that could be
    taken away, by provider, model and dialect. `held` is what it reserved with its limits, and `limit_headers` tell its
    client how these stand. `bodies` takes what is said, where that is kept or logged. `deadline` is the
    stopwatch reading after which no attempt begins, `waits_until` that at which waiting ends; it is set by the first
    wait.
    """

    id: UUID
    started: float
    deadline: float
    endpoint: str
    dialect: Protocol
    envelope: Envelope
    holder: KeyHolder
    tenant: TenantView
    snapshot: Snapshot
    client_address: str = ""
    user_agent: str = ""
    client_request_id: str = ""
    strict: bool = False
    client_headers: tuple[tuple[bytes, bytes], ...] = ()
    backend_headers: tuple[tuple[bytes, bytes], ...] = ()
    session: str = ""
    traceparent: str = ""
    request: Request | None = None
    reading_notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    plan: Plan | None = None
    attempts: list[Attempt] = field(default_factory=list)
    response: UpstreamResponse | None = None
    seen: Seen | None = None
    first_event_at: float | None = None
    options: Options | None = None
    wishes: Wishes | None = None
    own_key: CredentialView | None = None
    held: Held | None = None
    bodies: Listeners | None = None
    limit_headers: tuple[tuple[bytes, bytes], ...] = ()
    recalled: Recalled | None = None
    refers: str = ""
    whole: Callable[[], bytes] | None = None
    blanks: int = 0
    reasoning_due: bool = False
    fetched: dict[str, tuple[str, str]] | None = None
    complaints: dict[tuple[str, str, str], Complaint] = field(default_factory=dict)
    outcome: str = "cancelled"
    status: int = 499
    error_code: str = ""
    bytes_out: int = 0
    settled: bool = False
    waits_until: float | None = None
    fail: Callable[[ErrorFacts], bytes] = lambda facts: b""
