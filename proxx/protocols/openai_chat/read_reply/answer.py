"""One choice of a reply while it arrives: its open parts, its calls, and how it ends."""

from typing import Any

from proxx.protocols.framing.encode import encoded
from proxx.protocols.hub import media
from proxx.protocols.hub.events import (
    BlobGiven,
    Cited,
    Event,
    Finished,
    LogprobsGiven,
    PartClosed,
    PartOpened,
    ReasoningDelta,
    TextDelta,
)
from proxx.protocols.hub.parts import Blob, Image
from proxx.protocols.hub.target import Target
from proxx.protocols.openai_chat.dialect import NAME, habits
from proxx.protocols.openai_chat.read_reply.calls import OpenCall
from proxx.protocols.openai_chat.read_reply.chunks import Call, Choice, Delta, LeanCall, LeanDelta
from proxx.protocols.openai_chat.read_reply.numbers import Numbers
from proxx.protocols.openai_chat.slots import read_signature, read_source

_OLD_FUNCTION = -1  # the place of a call in the old form, of which there is one

# What upstreams say at the end, in small letters. Whatever else they say is `other`.
REASONS = {
    "stop": "stop",
    "eos": "stop",
    "eos_token": "stop",
    "end_turn": "stop",
    "stop_sequence": "stop_sequence",
    "length": "length",
    "max_tokens": "length",
    "model_length": "context_window",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "tool_use": "tool_calls",
    "content_filter": "content_filter",
    "safety": "content_filter",
    "sensitive": "content_filter",
    "refusal": "refusal",
    "malformed_function_call": "malformed_call",
    "error": "error",
    "network_error": "error",
    "insufficient_system_resource": "error",
}


class Answer:
    """The state of one choice."""

    def __init__(self, index: int, target: Target, numbers: Numbers) -> None:
        self._index, self._numbers = index, numbers
        self._family = target.facts.family or target.provider
        self._keeps_thoughts = "wants_reasoning_content" in habits(target.quirks, target.model)
        self._thoughts: list[str] = []
        self._details: list[dict[str, Any]] = []
        self._kind = ""  # of the open part of prose
        self.part = -1
        self._signature: Blob | None = None
        self._calls: dict[int, OpenCall] = {}
        self._closed: list[OpenCall] = []  # those whose index was taken by another
        self._last: OpenCall | None = None
        self._refused = self.spoke = False
        self._stop: str | None = None
        self.raw: str | None = None  # the last finish reason

    @property
    def failed(self) -> bool:
        """Whether the upstream says that its answer is none."""
        return REASONS.get((self.raw or "").lower()) == "error"

    def more(self, delta: LeanDelta, events: list[Event]) -> bool:
        """Add more of what is open, the usual case; return whether that was all there was to do."""
        if delta.tool_calls is not None:
            return not delta.content and len(delta.tool_calls) == 1 and self._more_of_call(delta.tool_calls[0], events)
        thought = delta.reasoning_content or delta.reasoning
        if delta.content:
            if self._kind != "text" or thought:
                return False
            events.append(TextDelta(self.part, delta.content))
        elif thought:
            if self._kind != "reasoning" or self._keeps_thoughts:
                return False
            events.append(ReasoningDelta(self.part, thought))
        return True

    def _more_of_call(self, call: LeanCall, events: list[Event]) -> bool:
        known = self._calls.get(call.index)
        return known is not None and known.more(call.function.arguments, events)

    def take(self, choice: Choice, events: list[Event]) -> None:
        """Add what one chunk says of this choice."""
        delta = choice.delta or choice.message
        if delta is not None:
            self._delta(delta, events)
        if choice.logprobs is not None:
            self._logprobs(choice.logprobs, events)
        if choice.finish_reason:
            self.raw = choice.finish_reason
            self._stop = choice.stop_reason if isinstance(choice.stop_reason, str) else None

    def finish(self, events: list[Event]) -> None:
        """Close all parts and say how the choice ends."""
        self._close_prose(events)
        for call in sorted((*self._closed, *self._calls.values()), key=_part_or_last):
            call.close(self._index, events)
        if self._details:
            self._open("reasoning", events)
            self._close_prose(events)
        reason, raw = self._reason(), self.raw or ""
        stop = self._stop if reason == "stop_sequence" else None
        events.append(Finished(reason, self._index, raw, stop_sequence=stop))

    def _delta(self, delta: Delta, events: list[Event]) -> None:
        self._prose(delta, events)
        if delta.tool_calls is not None:
            for call in delta.tool_calls:
                self._call(call, events)
        if delta.function_call is not None:
            self._call(Call(_OLD_FUNCTION, function=delta.function_call), events)
        if delta.annotations:
            self._cite(delta.annotations, events)
        if delta.images:
            self._show(delta.images, events)
        if delta.audio is not None and delta.audio.transcript:
            self._say("text", delta.audio.transcript, events)

    def _prose(self, delta: Delta, events: list[Event]) -> None:
        thought = delta.reasoning_content or delta.reasoning
        if delta.reasoning_details:
            told = self._detail(delta.reasoning_details)
            thought = thought or told
        if thought:
            self._say("reasoning", thought, events)
        if delta.extra_content is not None:
            self._signature = read_signature(delta.extra_content) or self._signature
        if delta.content:
            self._say("text", delta.content, events)
        if delta.refusal:
            self._refused = True
            self._say("refusal", delta.refusal, events)

    def _say(self, kind: str, text: str, events: list[Event]) -> None:
        self._open(kind, events)
        if kind == "reasoning":
            if self._keeps_thoughts:
                self._thoughts.append(text)
            events.append(ReasoningDelta(self.part, text))
        else:
            events.append(TextDelta(self.part, text))

    def _open(self, kind: str, events: list[Event]) -> None:
        if self._kind == kind:
            return
        self._close_prose(events)
        self._settle_calls(events)
        self.spoke = True
        self._kind, self.part = kind, self._numbers.part()
        events.append(PartOpened(self.part, kind, self._index))

    def _close_prose(self, events: list[Event]) -> None:
        if not self._kind:
            return
        blob = self._thinking_blob() if self._kind == "reasoning" else None
        if self._kind == "text":
            blob, self._signature = self._signature, None
        if blob is not None:
            events.append(BlobGiven(self.part, blob))
        events.append(PartClosed(self.part))
        self._kind = ""

    def _thinking_blob(self) -> Blob | None:
        """Return what the upstream wants back of its thinking, so that clients of all dialects can keep it."""
        if self._details:
            value = encoded(self._details).decode()
            self._details = []
            return Blob("encrypted", value, NAME, self._family)
        if not self._thoughts:
            return None
        value = "".join(self._thoughts)
        self._thoughts = []
        return Blob("thinking", value, NAME, self._family)

    def _detail(self, items: list[dict[str, Any]]) -> str:
        """Keep the items of a router's own record, fragments of one item joined; return their text."""
        said = []
        for item in items:
            last = self._details[-1] if self._details else {}
            if last and last.get("type") == item.get("type") and last.get("index") == item.get("index", -1):
                self._details[-1] = {**last, **item, **_joined(last, item)}
            else:
                self._details.append(dict(item))
            said += [value for name in ("text", "summary") if isinstance(value := item.get(name), str)]
        return "".join(said)

    def _call(self, call: Call, events: list[Event]) -> None:
        found = self._which(call)
        if found is None:
            self._close_prose(events)
            self._settle_calls(events)
            found = OpenCall(self._numbers)
            self.spoke = True
            place = _OLD_FUNCTION - 1 - len(self._calls) if call.index is None else call.index
            if place in self._calls:
                self._closed.append(self._calls[place])
            self._calls[place] = found
        self._last = found
        found.take(call, events)
        if found.is_ready():
            found.open(self._index, events)

    def _which(self, call: Call) -> OpenCall | None:
        """Return the call that a fragment belongs to; None for one that begins: a new index, or else a new id."""
        known = self._last if call.index is None else self._calls.get(call.index)
        if known is None or (call.id and known.id and call.id != known.id):
            return None
        if call.index is None and not call.id and call.function is not None and call.function.name and known.begun:
            return None
        return known

    def _settle_calls(self, events: list[Event]) -> None:
        """Something else begins: open what waits for arguments, close what is complete."""
        for call in self._calls.values():
            if call.name:
                call.open(self._index, events)
            if call.is_complete():
                call.close(self._index, events)

    def _cite(self, annotations: list[dict[str, Any]], events: list[Event]) -> None:
        found = [one for one in (read_source(raw) for raw in annotations) if one is not None]
        if found and self._kind != "text":
            self._open("text", events)
        events += [Cited(self.part, one) for one in found]

    def _show(self, images: list[dict[str, Any]], events: list[Event]) -> None:
        for image in images:
            inner = image.get("image_url")
            url = inner.get("url") if isinstance(inner, dict) else None
            if not isinstance(url, str):
                continue
            found = media.data_url(url)
            shown = Image(url=url) if found is None else Image(data=found[1], media_type=found[0])
            self._close_prose(events)
            self._settle_calls(events)
            self.spoke = True
            part = self._numbers.part()
            events += [PartOpened(part, "whole", self._index), PartClosed(part, shown)]

    def _logprobs(self, logprobs: dict[str, Any], events: list[Event]) -> None:
        listed = logprobs.get("content")
        tokens = tuple(one for one in listed if isinstance(one, dict)) if isinstance(listed, list) else ()
        if tokens and self._kind == "text":
            events.append(LogprobsGiven(self.part, tokens))

    def _reason(self) -> str:
        reason = REASONS.get((self.raw or "stop").lower(), "other")
        if any(not call.name for call in self._calls.values()):
            return "malformed_call"
        if reason != "stop":
            return reason
        if self._calls:
            return "tool_calls"
        if self._refused:
            return "refusal"
        return "stop_sequence" if self._stop else "stop"


def _joined(last: dict[str, Any], item: dict[str, Any]) -> dict[str, str]:
    return {
        name: last[name] + item[name]
        for name in ("text", "summary", "data")
        if isinstance(last.get(name), str) and isinstance(item.get(name), str)
    }


def _part_or_last(call: OpenCall) -> int:
    return call.part if call.part >= 0 else 2**31
