"""What a dialect must bring: the shape of every protocol package."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from typing import Protocol as Shape

from proxx.protocols.hub.errors import ErrorFacts
from proxx.protocols.hub.events import Event, Usage
from proxx.protocols.hub.losses import Losses
from proxx.protocols.hub.occasion import Occasion
from proxx.protocols.hub.parts import Blob, File, Image
from proxx.protocols.hub.reply import Reply
from proxx.protocols.hub.request import Envelope, Request
from proxx.protocols.hub.target import Target


@dataclass(slots=True)
class Seen:
    """What a watcher or a translation has understood of a reply so far."""

    spoke: bool = False  # something a reader of the answer would notice
    finished: bool = False  # a finish reason, or the dialect's own end
    finish: str = ""  # the word that it gives for why it ended; that of the last choice
    ended: bool = False  # the dialect's end mark itself
    frames: int = 0
    usage: Usage | None = None
    error: dict[str, object] | None = None  # the upstream's own error, in its own shape
    malformed: str = ""  # why the reply cannot be one of this dialect
    blobs: dict[str, Blob] = field(default_factory=dict)  # of tool calls, by the id the client knows
    thinking: Blob | None = None  # what was thought before the calls, where its maker wants it back with them
    blank: str = ""  # the reason of a translated answer that ended before anything was seen of it
    reply_id: str = ""  # the reply's own id, where clients may refer to it later
    raw: bool = False  # bytes without a grammar: that they ended too soon is told by breaking off, not in words


class Watch(Shape):
    """Reads a reply that passes by, or translates it. `feed` takes any piece and returns the bytes to forward, whole
    frames only."""

    seen: Seen

    def feed(self, piece: bytes) -> bytes:
        """Take bytes as they arrive; return those that may be forwarded now."""

    def close(self) -> bytes:
        """Say that the upstream has ended; return what completes a good ending, such as a missing end mark."""

    def fail(self, facts: ErrorFacts) -> bytes:
        """Return the error that ends the stream, in the client's dialect and in step with what was sent."""


class StreamReader(Shape):
    """Reads an upstream's stream, cut anywhere, into events; keeps the promises of hub/events.py."""

    def feed(self, piece: bytes) -> list[Event]:
        """Take bytes as they arrive; return the events that are complete."""

    def close(self) -> list[Event]:
        """Say that the upstream has ended; return what was still held back."""


class StreamWriter(Shape):
    """Writes events as a client's stream."""

    def write(self, events: Sequence[Event]) -> bytes:
        """Return the frames of these events, possibly none."""

    def fail(self, facts: ErrorFacts) -> bytes:
        """Return the frames that end a stream with an error; may be the first thing that is written."""


Mend = Callable[[Sequence[Event]], list[Event]]


@dataclass(frozen=True, slots=True)
class Written:
    """A request in its upstream's dialect, and what must be done to the reply because of how it was written.

    `mends` are applied to the reply's events in order (names restored, wrappers taken off). `headers` go upstream.
    `model` and everything else in the URL is the planner's. `more` are further bodies for what one request cannot
    carry: sent one after another, and their replies are one.
    """

    body: bytes
    mends: tuple[Mend, ...] = ()
    headers: tuple[tuple[bytes, bytes], ...] = ()
    more: tuple[bytes, ...] = ()


def _untranslated(*_: object) -> Any:
    """What a dialect has that stays in its own bytes: the planner never sends it anywhere else."""
    raise TypeError("this dialect is not translated")


@dataclass(frozen=True, slots=True)
class Protocol:
    """One dialect. The first group serves calls that stay in it, the second those that are translated.

    `read_envelope(body, model=, stream=)` gets `model` and `stream` where the path says them. `same_dialect(envelope,
    model=, ask_usage=)` is the body for an upstream of the same dialect. `local_reply(request)` is the answer to
    a request that asks no model anything, None for all others. `streams_json` says that a stream may open
    with a brace or bracket, `stream_types` the content types of forms that differ from `stream_type`.
    `url(url, stream=, form=)` fits a candidate's URL to the call; a translated one has no form. `write_error(facts)` is
    the body of an HTTP error. `headers` go to every upstream of the dialect, `client_headers` (names in lower case) are
    taken over from a client of the same dialect (`backend_headers` for its maker's own backend only), `reply_headers`
    (names, or beginnings that end with a hyphen) are given back; `statuses` are HTTP statuses of error classes that
    differ from the usual. `watch_stream(strip_usage=, rename=)` also gets `form=` where the envelope has one.

    `media_types` are the content types a client may send, "" being none said; a form's reader gets `content_type=`, the
    header whole. `keeps_type` gives the upstream's content type back instead of `stream_type` or JSON. `estimates` says
    that an answer without reported usage is counted by its bytes. `passes(envelope, target)` tells whether an upstream
    of the same dialect can be given the body as it is; else it is read and written anew. `echoes_model` says that an
    answer passes under the model's name that was asked for, whatever it is called upstream. `fetches(part, target)`
    tells whether an upstream cannot be given a medium by its address, so that somebody has to fetch it.
    """

    name: str
    label: str
    stream_type: str
    read_envelope: Callable[..., Envelope]
    same_dialect: Callable[..., bytes]
    watch_stream: Callable[..., Watch]
    watch_whole: Callable[[bytes], Seen]
    rename_whole: Callable[[bytes, str], bytes]
    write_error: Callable[[ErrorFacts], bytes]
    write_stream_error: Callable[[ErrorFacts], bytes]
    heartbeat: bytes

    read_request: Callable[[Envelope, Losses], Request] = _untranslated
    write_request: Callable[[Request, Target, Losses], Written] = _untranslated
    stream_reader: Callable[[Target, str], StreamReader] = _untranslated
    read_whole: Callable[[bytes, Target, str], Reply] = _untranslated
    stream_writer: Callable[[Occasion], StreamWriter] = _untranslated
    write_whole: Callable[[Reply, Occasion], bytes] = _untranslated

    local_reply: Callable[[Request], Reply | None] | None = None
    streams_json: bool = False
    stream_types: Mapping[str, str] = field(default_factory=dict)
    url: Callable[..., str] = lambda url, *, stream, form="": url
    headers: tuple[tuple[bytes, bytes], ...] = ()
    client_headers: tuple[str, ...] = ()
    backend_headers: tuple[str, ...] = ()
    reply_headers: tuple[bytes, ...] = ()
    statuses: Mapping[str, int] = field(default_factory=dict)

    media_types: tuple[str, ...] = ("", "application/json")
    keeps_type: bool = False
    estimates: bool = True
    fetches: Callable[[Image | File, Target], bool] = lambda part, target: False
    passes: Callable[[Envelope, Target], bool] = lambda envelope, target: True
    echoes_model: bool = False
