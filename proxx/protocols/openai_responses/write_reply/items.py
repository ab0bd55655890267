"""Output items that are being written: each knows its ladder of events and, at last, itself whole."""

from typing import Any

import orjson

from proxx.protocols.framing.encode import encoded
from proxx.protocols.hub.blobs import wrap
from proxx.protocols.hub.parts import Blob, Citation
from proxx.protocols.openai_responses.citations import annotation
from proxx.protocols.openai_responses.dialect import CALL_ITEMS, NAME
from proxx.protocols.openai_responses.write_reply.ladder import Ladder


class Item:
    """An item: its place, its id, its first and last event."""

    __slots__ = ("at", "id", "ladder")

    def __init__(self, ladder: Ladder, *, prefix: str, given: str = "") -> None:
        self.ladder = ladder
        place = ladder.place()
        self.id = given if given.startswith(prefix) else ladder.new_id(prefix, place)
        self.at = b'"item_id":%b,"output_index":%d' % (orjson.dumps(self.id), place)

    def begin(self, **members: Any) -> bytes:
        """Return the event that adds the item."""
        return self.ladder.item_added(self.at, encoded({"id": self.id, **members}))

    def end(self, **members: Any) -> bytes:
        """Return the event that completes the item, which then stands in the output."""
        return self.ladder.item_done(self.at, encoded({"id": self.id, **members}))


class MessageItem(Item):
    """A message: content parts one after another."""

    __slots__ = ("_annotations", "_content", "_logprobs", "_refusal", "_said", "head", "key", "phase", "tail")

    def __init__(self, ladder: Ladder, *, given: str, phase: str) -> None:
        super().__init__(ladder, prefix="msg_", given=given)
        self.key, self.phase = given, phase
        self._content: list[dict[str, Any]] = []
        self.head = self.tail = b""

    def open(self) -> bytes:
        """Return the event that adds the message."""
        return self.begin(**self._members("in_progress", []))

    def open_part(self, *, refusal: bool) -> bytes:
        """Return the event that adds a content part; afterwards `head` and `tail` stand around each delta."""
        self._refusal = refusal
        self._said: list[str] = []
        self._annotations: list[dict[str, Any]] = []
        self._logprobs: list[dict[str, Any]] = []
        kind = "refusal" if refusal else "output_text"
        name = b"response.%b.delta" % kind.encode()
        self.head = b'event: %b\ndata: {"type":"%b",%b,"delta":' % (name, name, self._place)
        self.tail = b',"sequence_number":' if refusal else b',"logprobs":[],"sequence_number":'
        return self.ladder.event("response.content_part.added", self._place, part=self._part(""))

    def say(self, text: str) -> bytes:
        """Return the event of one delta."""
        self._said.append(text)
        return b"%b%b%b%d}\n\n" % (self.head, orjson.dumps(text), self.tail, self.ladder.next())

    def cite(self, citation: Citation) -> bytes:
        """Return the event of a source; nothing for one that names no page."""
        length = sum(len(one) for one in self._said)
        note = annotation(citation, length=length)
        if note is None or self._refusal:
            return b""
        self._annotations.append(note)
        place = b'%b,"annotation_index":%d' % (self._place, len(self._annotations) - 1)
        return self.ladder.event("response.output_text.annotation.added", place, annotation=note)

    def score(self, tokens: tuple[dict[str, Any], ...]) -> None:
        """Keep the tokens' probabilities for the part's last events."""
        self._logprobs += tokens

    def close_part(self) -> bytes:
        """Return the events that complete the content part."""
        text, place = "".join(self._said), self._place
        part = self._part(text)
        if self._refusal:
            done = self.ladder.event("response.refusal.done", place, refusal=text)
        else:
            done = self.ladder.event("response.output_text.done", place, text=text, logprobs=self._logprobs)
        closed = self.ladder.event("response.content_part.done", place, part=part)
        self._content.append(part)
        return done + closed

    def close(self, status: str) -> bytes:
        """Return the event that completes the message."""
        return self.end(**self._members(status, self._content))

    @property
    def _place(self) -> bytes:
        return b'%b,"content_index":%d' % (self.at, len(self._content))

    def _part(self, text: str) -> dict[str, Any]:
        if self._refusal:
            return {"type": "refusal", "refusal": text}
        return {"type": "output_text", "text": text, "annotations": self._annotations, "logprobs": self._logprobs}

    def _members(self, status: str, content: list[dict[str, Any]]) -> dict[str, Any]:
        said = {"type": "message", "status": status, "role": "assistant", "content": content}
        return said | ({"phase": self.phase} if self.phase else {})


class ReasoningItem(Item):
    """Reasoning: a summary in pieces, raw thoughts, a seal. `show` is what the client asked to see."""

    __slots__ = ("_blob", "_open", "_said", "_show", "_summary", "_thoughts")

    def __init__(self, ladder: Ladder, *, given: str, show: str) -> None:
        super().__init__(ladder, prefix="rs_", given=given)
        self._show = show
        self._summary: list[dict[str, str]] = []
        self._thoughts: list[str] = []
        self._said: list[str] = []
        self._open: int | None = None  # the maker's number of the open piece; -1 for plain thoughts
        self._blob: Blob | None = None

    def open(self) -> bytes:
        """Return the event that adds the item."""
        return self.begin(type="reasoning", summary=[])

    def think(self, text: str) -> bytes:
        """Return the event of raw thoughts: as a summary if that was asked for, as themselves, or not at all."""
        if self._show == "summary":
            return self.sum_up(-1, text)
        if self._show != "full":
            return b""
        self._thoughts.append(text)
        return self.ladder.event("response.reasoning_text.delta", self.at + b',"content_index":0', delta=text)

    def sum_up(self, index: int, text: str) -> bytes:
        """Return the events of a summary's piece; a new number opens a new piece."""
        if self._show not in ("summary", "full"):
            return b""
        opened = b""
        if self._open != index:
            opened = self._close_piece()
            self._open = index
            part = {"type": "summary_text", "text": ""}
            opened += self.ladder.event("response.reasoning_summary_part.added", self._place, part=part)
        self._said.append(text)
        return opened + self.ladder.event("response.reasoning_summary_text.delta", self._place, delta=text)

    def seal(self, blob: Blob) -> None:
        """Keep the seal for the item's last event."""
        self._blob = blob

    def close(self) -> bytes:
        """Return the events that complete the item."""
        done = self._close_piece()
        thoughts = "".join(self._thoughts)
        if thoughts:
            done += self.ladder.event("response.reasoning_text.done", self.at + b',"content_index":0', text=thoughts)
        members: dict[str, Any] = {"type": "reasoning", "summary": self._summary}
        if thoughts:
            members["content"] = [{"type": "reasoning_text", "text": thoughts}]
        if self._blob is not None:
            members["encrypted_content"] = sealed(self._blob)
        return done + self.end(**members)

    def _close_piece(self) -> bytes:
        if self._open is None:
            return b""
        text, place = "".join(self._said), self._place
        part = {"type": "summary_text", "text": text}
        done = self.ladder.event("response.reasoning_summary_text.done", place, text=text)
        done += self.ladder.event("response.reasoning_summary_part.done", place, part=part)
        self._summary.append(part)
        self._said, self._open = [], None
        return done

    @property
    def _place(self) -> bytes:
        return b'%b,"summary_index":%d' % (self.at, len(self._summary))


class CallItem(Item):
    """A call with its arguments, or input, as text."""

    __slots__ = ("_head", "_kind", "_named", "_said")

    def __init__(self, ladder: Ladder, *, kind: str, given: str, call_id: str, name: str, namespace: str) -> None:
        super().__init__(ladder, prefix="ctc_" if kind == "custom" else "fc_", given=given)
        self._kind = kind
        self._named = {"call_id": call_id, "name": name} | ({"namespace": namespace} if namespace else {})
        self._said: list[str] = []
        event = self._event("delta").encode()
        self._head = b'event: %b\ndata: {"type":"%b",%b,"delta":' % (event, event, self.at)

    def open(self) -> bytes:
        """Return the event that adds the call."""
        return self.begin(**self._members("in_progress", ""))

    def say(self, text: str) -> bytes:
        """Return the event of more arguments."""
        self._said.append(text)
        return b'%b%b,"sequence_number":%d}\n\n' % (self._head, orjson.dumps(text), self.ladder.next())

    def close(self) -> bytes:
        """Return the events that complete the call; a function called with nothing is called with no arguments."""
        empty = self.say("{}") if self._kind != "custom" and not "".join(self._said).strip() else b""
        text = "".join(self._said)
        member = CALL_ITEMS[self._kind][1]
        named = {"name": self._named["name"]} if self._kind == "function" else {}
        done = self.ladder.event(self._event("done"), self.at, **{member: text}, **named)
        return empty + done + self.end(**self._members("completed", text))

    def _event(self, step: str) -> str:
        what = "custom_tool_call_input" if self._kind == "custom" else "function_call_arguments"
        return f"response.{what}.{step}"

    def _members(self, status: str, text: str) -> dict[str, Any]:
        kind, member = CALL_ITEMS[self._kind]
        return {"type": kind, "status": status, **self._named, member: text}


def sealed(blob: Blob) -> str:
    """Return a blob as the client keeps it: bare if it is this dialect's own, else wrapped."""
    return blob.value if blob.dialect == NAME else wrap(blob)
