"""What a reply says, one event at a time, dialect-free. One vocabulary for whole and streamed replies.

A reader promises: `Started` first; a part is opened before its deltas, and closed before its choice finishes; part
numbers are dense from 0 over the whole reply; after the last choice's `Finished` and the usage comes `Ended`, or else
exactly one `Failed` or `Broken`. A reader that saw no end mark of its dialect sends no `Ended`: that is how a broken
stream is known.
"""

from typing import Any

import msgspec

from proxx.protocols.hub.parts import Blob, Citation, Part


class Usage(msgspec.Struct, frozen=True):
    """Token counts of one reply. `None` means unknown, never zero.

    `input_total` includes cache reads and writes, audio, images and `hosted_prompt` (what a hosted tool put in);
    `output_total` includes reasoning, audio and images. `cache_write` is the whole, the other two its known shares;
    `audio_cached` is the share of `audio_in` that was read from the cache. `pictures` and `web_searches` are numbers of
    them, not tokens. `estimated` marks numbers that no provider reported, `doubtful` a report in which a number stood
    that no count can be. `tier` is the service tier that made the reply, where it is none of the usual ones.
    """

    input_total: int | None = None
    output_total: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None
    reasoning: int | None = None
    estimated: bool = False
    cache_write_5m: int | None = None
    cache_write_1h: int | None = None
    hosted_prompt: int | None = None
    audio_in: int | None = None
    audio_out: int | None = None
    web_searches: int | None = None
    audio_cached: int | None = None
    image_in: int | None = None
    image_out: int | None = None
    pictures: int | None = None
    tier: str = ""
    doubtful: bool = False


class Started(msgspec.Struct, frozen=True):
    """The reply begins. `id` and `model` are the upstream's own, `created` unix seconds where it said so."""

    id: str = ""
    model: str = ""
    created: int | None = None
    usage: Usage | None = None


class PartOpened(msgspec.Struct, frozen=True):
    """A part begins. `kind`: text, reasoning, call, refusal, or whole (it comes entire, with `PartClosed`).

    For calls: `id`, `name`, `namespace` and `tool_kind` are known and final.
    """

    part: int
    kind: str
    choice: int = 0
    id: str = ""
    name: str = ""
    namespace: str = ""
    tool_kind: str = "function"
    item_id: str = ""
    phase: str = ""


class TextDelta(msgspec.Struct, frozen=True):
    """More of a text or refusal part."""

    part: int
    text: str


class ArgsDelta(msgspec.Struct, frozen=True):
    """More of a call's arguments, as text."""

    part: int
    text: str


class ReasoningDelta(msgspec.Struct, frozen=True):
    """More thinking."""

    part: int
    text: str


class SummaryDelta(msgspec.Struct, frozen=True):
    """More of a thinking summary's piece number `index`; pieces are numbered from 0 in their order."""

    part: int
    index: int
    text: str


class BlobGiven(msgspec.Struct, frozen=True):
    """The part's blob, whole; a later one replaces an earlier one, nothing never does."""

    part: int
    blob: Blob


class Cited(msgspec.Struct, frozen=True):
    """A text part names a source."""

    part: int
    citation: Citation


class LogprobsGiven(msgspec.Struct, frozen=True):
    """Token probabilities of the text so far unaccounted for, as OpenAI writes them."""

    part: int
    tokens: tuple[dict[str, Any], ...]


class PartClosed(msgspec.Struct, frozen=True):
    """A part is complete. `whole` is given for parts of kind whole."""

    part: int
    whole: Part | None = None


class UsageReported(msgspec.Struct, frozen=True):
    """A snapshot of the usage so far; the last one counts."""

    usage: Usage


class Finished(msgspec.Struct, frozen=True):
    """One choice is complete.

    `reason`: stop, stop_sequence, length, context_window, tool_calls, content_filter, refusal, pause, malformed_call,
    other or error. `raw` is the upstream's word, `details` what it said about a refusal.
    """

    reason: str
    choice: int = 0
    raw: str = ""
    stop_sequence: str | None = None
    details: dict[str, Any] | None = None


class Failed(msgspec.Struct, frozen=True):
    """The upstream reports an error inside its reply, in its own words; nothing follows."""

    error: dict[str, object]


class Broken(msgspec.Struct, frozen=True):
    """What came is no reply of the dialect: `why` completes "The provider sent ..."; nothing follows. `call` says that
    it was the model that wrote a call nobody can read."""

    why: str
    call: bool = False


class Ended(msgspec.Struct, frozen=True):
    """The dialect's own end of a complete reply; nothing follows."""


Event = (
    Started
    | PartOpened
    | TextDelta
    | ArgsDelta
    | ReasoningDelta
    | SummaryDelta
    | BlobGiven
    | Cited
    | LogprobsGiven
    | PartClosed
    | UsageReported
    | Finished
    | Failed
    | Broken
    | Ended
)
