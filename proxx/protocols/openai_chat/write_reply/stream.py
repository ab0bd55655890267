"""Events -> a chat client's stream.

The text of a delta is put between two prepared pieces of bytes; everything else is rare and written member by member.
"""

from collections.abc import Sequence
from typing import Any

import orjson

from proxx.protocols.framing.encode import encoded
from proxx.protocols.hub import blobs
from proxx.protocols.hub.errors import ErrorFacts
from proxx.protocols.hub.events import (
    ArgsDelta,
    BlobGiven,
    Cited,
    Ended,
    Event,
    Finished,
    LogprobsGiven,
    PartClosed,
    PartOpened,
    ReasoningDelta,
    Started,
    SummaryDelta,
    TextDelta,
    Usage,
    UsageReported,
)
from proxx.protocols.hub.occasion import Occasion
from proxx.protocols.hub.parts import Image
from proxx.protocols.openai_chat.slots import write_signature, write_source
from proxx.protocols.openai_chat.write_reply import members
from proxx.protocols.openai_chat.write_reply.errors import write_stream_error
from proxx.protocols.openai_chat.write_reply.spoken import Choice, Spoken

Json = dict[str, Any]

DONE = b"data: [DONE]\n\n"
BLANK_LINE = "\n\n"
_TRUNCATED = ErrorFacts("upstream_malformed", "The provider's answer broke off inside a tool call.")
_NO_ANSWER = ErrorFacts("upstream_malformed", "The provider ended its answer with an error.")


class ChatWriter:
    """Write one stream."""

    def __init__(self, occasion: Occasion) -> None:
        self._occasion = occasion
        self._old = occasion.request is not None and occasion.request.old_functions
        head = {
            "id": f"chatcmpl-{occasion.id}",
            "object": "chat.completion.chunk",
            "created": occasion.created,
            "model": occasion.model,
        }
        self._head = b"data: " + orjson.dumps(head)[:-1]
        self._tail = b',"usage":null}\n\n' if occasion.wants_usage else b"}\n\n"
        self._choices: dict[int, Choice] = {}
        self._parts: dict[int, Spoken] = {}
        self._usage: Usage | None = None
        self._over = False

    def write(self, events: Sequence[Event]) -> bytes:
        """Return the frames of these events, possibly none."""
        if self._over:
            return b""
        if len(events) == 1 and type(events[0]) is TextDelta:  # the usual case
            return self._text(events[0])
        return b"".join([self._frame(event) for event in events])

    def fail(self, facts: ErrorFacts) -> bytes:
        """Return the error that ends the stream."""
        self._over = True
        return write_stream_error(facts)

    def _frame(self, event: Event) -> bytes:
        if self._over:
            return b""
        write = _WRITERS.get(type(event))
        return write(self, event) if write is not None else b""

    def _text(self, event: TextDelta) -> bytes:
        part = self._parts[event.part]
        part.texts.append(event.text)
        return part.before + quoted(event.text) + part.after

    def _args(self, event: ArgsDelta) -> bytes:
        part = self._parts[event.part]
        if not part.told:
            return b""
        part.texts.append(event.text)
        return part.before + quoted(event.text) + part.after

    def _summary(self, event: SummaryDelta) -> bytes:
        part = self._parts[event.part]
        while len(part.summary) <= event.index:
            part.summary.append("")
        gap = BLANK_LINE if event.index and not part.summary[event.index] else ""
        part.summary[event.index] += event.text
        return part.before + quoted(gap + event.text) + part.after

    def _opened(self, event: PartOpened) -> bytes:
        choice = self._choices.get(event.choice)
        begun = b""
        if choice is None:
            choice = self._choices[event.choice] = Choice(event.choice)
            begun = self._delta(choice, {"role": "assistant", "content": "", "refusal": None})
        part = self._parts[event.part] = Spoken(event, choice)
        if event.kind == "call":
            return begun + self._call(event, part)
        name = {"reasoning": "reasoning_content", "refusal": "refusal"}.get(event.kind, "content")
        part.before, part.after = self._around(choice, b'{"' + name.encode() + b'":', b"}")
        if event.kind == "text":
            begun += self._gap(event, choice)
        choice.refused = choice.refused or event.kind == "refusal"
        return begun

    def _gap(self, event: PartOpened, choice: Choice) -> bytes:
        """Return a blank line between two texts that were said as separate messages (D189)."""
        gap = choice.text_begins(event.phase)
        return self._delta(choice, {"content": gap}) if gap else b""

    def _call(self, event: PartOpened, part: Spoken) -> bytes:
        choice, name = part.choice, members.tool_name(event.name, event.namespace)
        part.told = choice.calls == 0 or not self._old
        if not part.told:
            return b""  # the old form knows one call
        part.place = choice.calls
        choice.calls += 1
        if self._old:
            part.before, part.after = self._around(choice, b'{"function_call":{"arguments":', b"}}")
            return self._delta(choice, {"function_call": {"name": name, "arguments": ""}})
        kind, text = ("custom", "input") if event.tool_kind == "custom" else ("function", "arguments")
        before = b'{"tool_calls":[{"index":%d,"%s":{"%s":' % (part.place, kind.encode(), text.encode())
        part.before, part.after = self._around(choice, before, b"}}]}")
        call = {"index": part.place, "id": event.id, "type": kind, kind: {"name": name, text: ""}}
        return self._delta(choice, {"tool_calls": [call]})

    def _closed(self, event: PartClosed) -> bytes:
        part = self._parts[event.part]
        if isinstance(event.whole, Image):
            return self._delta(part.choice, {"images": [members.picture(event.whole)]})
        if part.kind == "call" and part.told and not part.texts and part.tool_kind != "custom":
            return part.before + b'"{}"' + part.after
        if part.kind == "reasoning" and part.blob is not None:
            text = "".join(part.texts)
            return self._delta(
                part.choice,
                {
                    "reasoning_details": members.reasoning_details(text, part.summary, part.blob),
                    "thinking_blocks": members.thinking_blocks(text, part.blob),
                },
            )
        if part.kind == "text":
            part.choice.length += sum(map(len, part.texts))
        return b""

    def _blob(self, event: BlobGiven) -> bytes:
        part = self._parts[event.part]
        part.blob = event.blob
        if part.kind != "call" or not part.told or self._old:
            return b""
        inner = {"custom": {"input": ""}} if part.tool_kind == "custom" else {"function": {"arguments": ""}}
        call = {"index": part.place, **inner, "extra_content": write_signature(blobs.wrap(event.blob))}
        return self._delta(part.choice, {"tool_calls": [call]})

    def _cited(self, event: Cited) -> bytes:
        part = self._parts[event.part]
        note = write_source(event.citation, part.choice.length)
        return self._delta(part.choice, {"annotations": [note]})

    def _logprobs(self, event: LogprobsGiven) -> bytes:
        part = self._parts[event.part]
        told = {"content": list(event.tokens), "refusal": None}
        return self._delta(part.choice, {}, logprobs=told)

    def _reported(self, event: Started | UsageReported) -> bytes:
        self._usage = event.usage or self._usage
        return b""

    def _finished(self, event: Finished) -> bytes:
        choice = self._choices.get(event.choice)
        begun = b""
        if choice is None:
            choice = self._choices[event.choice] = Choice(event.choice)
            begun = self._delta(choice, {"role": "assistant", "content": "", "refusal": None})
        visible = any(part.choice is choice for part in self._parts.values())
        reason = members.finish_reason(event, old_functions=self._old, visible=visible)
        if reason == "error":
            return begun + self.fail(_TRUNCATED if event.reason == "malformed_call" else _NO_ANSWER)
        if event.reason == "refusal" and not choice.refused:
            begun += self._delta(choice, {"refusal": members.explanation(event)})
        return begun + self._delta(choice, {}, finish=reason)

    def _ended(self, event: Ended) -> bytes:
        del event
        self._over = True
        if not self._occasion.wants_usage:
            return DONE
        said = "".join(text for part in self._parts.values() for text in part.texts)
        usage = members.usage_object(self._usage, self._occasion, said)
        return self._head + b',"choices":[],"usage":' + orjson.dumps(usage) + b"}\n\n" + DONE

    def _around(self, choice: Choice, before: bytes, after: bytes) -> tuple[bytes, bytes]:
        begun = self._head + b',"choices":[{"index":%d,"delta":' % choice.index + before
        return begun, after + b',"logprobs":null,"finish_reason":null}]' + self._tail

    def _delta(self, choice: Choice, delta: Json, *, finish: str | None = None, logprobs: Json | None = None) -> bytes:
        told = {"index": choice.index, "delta": delta, "logprobs": logprobs, "finish_reason": finish}
        return self._head + b',"choices":[' + encoded(told) + b"]" + self._tail


def quoted(text: str) -> bytes:
    """Return a text as JSON; half a character becomes the replacement character."""
    try:
        return orjson.dumps(text)
    except TypeError:
        return orjson.dumps(text.encode(errors="replace").decode())


_WRITERS: dict[type, Any] = {
    TextDelta: ChatWriter._text,
    ReasoningDelta: ChatWriter._text,
    SummaryDelta: ChatWriter._summary,
    ArgsDelta: ChatWriter._args,
    PartOpened: ChatWriter._opened,
    PartClosed: ChatWriter._closed,
    BlobGiven: ChatWriter._blob,
    Cited: ChatWriter._cited,
    LogprobsGiven: ChatWriter._logprobs,
    Started: ChatWriter._reported,
    UsageReported: ChatWriter._reported,
    Finished: ChatWriter._finished,
    Ended: ChatWriter._ended,
}
