"""One reply in OpenAI Responses: the ladder's events as bytes, the whole resource, and what is kept afterwards."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.upstreams.answer import SSE, Frame, Refusal
from tests.upstreams.dialect import Ask, Speaker
from tests.upstreams.ids import letters, number
from tests.upstreams.plan import Plan
from tests.upstreams.responses_ladder import Event, Ladder, Manner
from tests.upstreams.responses_resource import error_of, failed_with, resource, usage
from tests.upstreams.responses_store import Seal, Store, Stored
from tests.upstreams.responses_tools import Declared
from tests.upstreams.said import Citation, Counts, Declined, End, Said, Searched, Text, Thought, ToolCall

# Why a reply is incomplete; every other reason completes it.
INCOMPLETE = {"length": "max_output_tokens", "context_window": "max_output_tokens", "filter": "content_filter"}
ENDINGS = ("failed", "cancelled", "malformed")


@dataclass(frozen=True, slots=True)
class ResponsesAsk(Ask):
    """A request with what its answer needs: the body, the input items, whose it is, and which face is asked."""

    body: dict[str, Any] = field(default_factory=dict)
    items: tuple[dict[str, Any], ...] = ()
    declared: tuple[Declared, ...] = ()
    account: str = ""
    store: Store = field(default_factory=Store)
    named_events: bool = True  # imitators leave out the event lines, and end with [DONE]
    compacts: bool = False
    plan: Plan | None = None  # of the ChatGPT account that asks

    @property
    def kept(self) -> bool:
        """Say whether the response is stored."""
        return self.body.get("store") is not False


class ResponsesSpeaker(Speaker):
    """One reply; only one choice exists."""

    stream_type = SSE
    phases = False  # messages say whether they are commentary or the final answer, whatever the model

    def __init__(self, ask: ResponsesAsk) -> None:
        self._ask = ask
        self._resource = resource(ask.body, id=f"resp_{letters(48)}", created=int(time.time()))
        self._ladder = Ladder(self._manner())
        self._events: list[tuple[str, dict[str, Any]]] = []
        self._end = End()
        self._obfuscates = (ask.body.get("stream_options") or {}).get("include_obfuscation") is not False

    def _manner(self) -> Manner:
        body, model = self._ask.body, self._ask.model
        return Manner(
            summary=bool((body.get("reasoning") or {}).get("summary")),
            raw=model.rpartition("/")[2].startswith("gpt-oss"),
            sealed="reasoning.encrypted_content" in (body.get("include") or ()),
            phases=self.phases or model.startswith("gpt-5."),
        )

    def headers(self, request_id: str) -> tuple[tuple[str, str], ...]:
        """Return what OpenAI sends beside a good answer."""
        return (
            ("x-request-id", request_id),
            ("openai-organization", self._ask.account),
            ("openai-processing-ms", "42"),
            ("openai-version", "2020-10-01"),
            ("x-ratelimit-limit-requests", "500"),
            ("x-ratelimit-remaining-requests", "499"),
            ("x-ratelimit-reset-requests", "120ms"),
            ("x-ratelimit-limit-tokens", "200000"),
            ("x-ratelimit-remaining-tokens", "199800"),
            ("x-ratelimit-reset-tokens", "60ms"),
        )

    def new_id(self, kind: str) -> str:
        """Return an id: of a call, or of a search item."""
        return f"ws_{letters(48)}" if kind == "search" else f"call_{letters(24)}"

    # A stream.

    def open(self, choice: int) -> list[Frame]:
        """Begin the stream."""
        begun = [("open", f"response.{state}", {"response": self._copy()}) for state in ("created", "in_progress")]
        return self._frames(begun)

    def text(self, piece: str, choice: int) -> list[Frame]:
        """Say a piece of text."""
        return self._frames(self._say(self._ladder, Text(piece)))

    def declined(self, piece: str, choice: int) -> list[Frame]:
        """Say a piece of a refusal."""
        return self._frames(self._say(self._ladder, Declined(piece)))

    def thought(self, piece: str, choice: int) -> list[Frame]:
        """Show a piece of reasoning, as much of it as the request and the model allow."""
        return [] if self._ask.compacts else self._frames(self._ladder.think(piece))

    def thought_done(self, thought: Thought, choice: int) -> list[Frame]:
        """End a reasoning item."""
        return [] if self._ask.compacts else self._frames(self._thought_done(self._ladder, thought))

    def call(self, call: ToolCall, pieces: Sequence[str], choice: int) -> list[Frame]:
        """Call a tool."""
        return self.calls([(call, pieces)], choice)

    def calls(self, calls: Sequence[tuple[ToolCall, Sequence[str]]], choice: int) -> list[Frame]:
        """Call tools at once: their events interleave, told apart by output_index."""
        known = [(self._known(call), pieces) for call, pieces in calls]
        return [] if self._ask.compacts else self._frames(self._ladder.call(known))

    def cite(self, citation: Citation, choice: int) -> list[Frame]:
        """Name a source."""
        return self._frames(self._say(self._ladder, citation))

    def searched(self, searched: Searched, choice: int) -> list[Frame]:
        """Show a web search."""
        return self._frames(self._say(self._ladder, searched))

    def finish(self, end: End, choice: int) -> list[Frame]:
        """End the last item."""
        self._end = end
        return self._frames(self._finish(self._ladder, end))

    def close(self, counts: Counts) -> list[Frame]:
        """End the stream with the whole resource."""
        self._complete(self._ladder, self._end, counts)
        status = self._resource["status"]
        kind = "completed" if status == "cancelled" else status
        frames = self._frames([("end", f"response.{kind}", {"response": self._last_word()})])
        self._keep()
        if not self._ask.named_events:
            frames.append(Frame("end", b"data: [DONE]\n\n"))
        return frames

    def error(self, refusal: Refusal) -> list[Frame]:
        """Fail inside the stream: an error event, then the failed resource."""
        error = error_of(refusal)
        self._resource |= {"status": "failed", "error": failed_with(error), "output": [], "usage": None}
        events: list[Event] = [("error", "error", {"error": error})]
        events.append(("error", "response.failed", {"response": self._copy()}))
        frames = self._frames(events)
        self._keep()
        return frames

    def without_usage(self, frame: Frame) -> Frame:
        """Return the last event without its usage."""
        if frame.kind != "end" or b"{" not in frame.data:
            return frame
        before, data = frame.data.split(b"{", 1)
        event = json.loads(b"{" + data)
        event["response"]["usage"] = None
        return Frame(frame.kind, before + _json(event) + b"\n\n")

    def huge(self, text: str) -> list[Frame]:
        """Say a text in the middle of the first message."""
        return self._frames(self._ladder.more(text))

    # A whole reply.

    def whole(self, said: Sequence[Said], counts: Counts) -> list[Frame]:
        """Return the resource as one body, indented as OpenAI does."""
        ladder = Ladder(self._manner())
        for part in said[0].parts:
            if isinstance(part, Thought):
                _ = [] if part.redacted or self._ask.compacts else ladder.think(part.text)
                _ = [] if self._ask.compacts else self._thought_done(ladder, part)
            elif isinstance(part, ToolCall):
                _ = [] if self._ask.compacts else ladder.call([(self._known(part), ())])
            else:
                self._say(ladder, part)
        self._finish(ladder, said[0].end)
        self._complete(ladder, said[0].end, counts)
        self._events.clear()
        self._keep()
        answer = self._copy()
        if self._ask.body.get("background"):
            answer |= {"status": "queued", "output": [], "usage": None, "completed_at": None}
        return [Frame("whole", json.dumps(answer, indent=2, ensure_ascii=False).encode() + b"\n")]

    # What both have in common.

    def _say(self, ladder: Ladder, part: Text | Declined | Citation | Searched) -> list[Event]:
        if self._ask.compacts:
            return []
        match part:
            case Text(text):
                return ladder.say(text)
            case Declined(text):
                return ladder.decline(text)
            case Citation():
                return ladder.cite(part)
        return ladder.search(part, with_sources="web_search_call.action.sources" in self._included())

    def _included(self) -> Sequence[str]:
        return self._ask.body.get("include") or ()

    def _thought_done(self, ladder: Ladder, thought: Thought) -> list[Event]:
        def seal(item: str) -> str:
            return self._ask.store.seal(Seal(self._ask.account, item, thought.text), thought.signature)

        return ladder.thought_done(seal)

    def _known(self, call: ToolCall) -> ToolCall:
        """Return a call as its declaration wants it: custom or not, in its namespace."""
        tool = next((tool for tool in self._ask.declared if tool.name == call.name), None)
        if tool is None:
            return call
        custom, namespace = call.custom or tool.kind == "custom", call.namespace or tool.namespace
        return ToolCall(call.index, call.id, call.name, call.text, namespace, custom)

    def _finish(self, ladder: Ladder, end: End) -> list[Event]:
        if self._ask.compacts:
            id = f"cmp_{letters(48)}"
            words = json.dumps(self._ask.items)
            return ladder.compact(id, self._ask.store.seal(Seal(self._ask.account, id, words)))
        incomplete = end.reason in INCOMPLETE
        return ladder.close(status="incomplete" if incomplete else "completed", last=True)

    def _complete(self, ladder: Ladder, end: End, counts: Counts) -> None:
        """Fill the resource for its ending."""
        reason = end.among(INCOMPLETE, "")
        made = self._resource
        made |= {"output": ladder.items, "usage": usage(counts), "completed_at": int(time.time())}
        if made["service_tier"] == "auto":
            made["service_tier"] = "default"
        if reason in ENDINGS or end.reason in ENDINGS:
            status = "cancelled" if reason == "cancelled" else "failed"
            error = {"code": "server_error", "message": "The model made no sense."} if status == "failed" else None
            made |= {"status": status, "error": error, "completed_at": None}
        elif reason:
            made |= {"status": "incomplete", "incomplete_details": {"reason": reason}, "completed_at": None}
        else:
            made["status"] = "completed"

    def _last_word(self) -> dict[str, Any]:
        return self._copy()

    def _keep(self) -> None:
        if self._ask.kept:
            kept = Stored(self._ask.account, self._copy(), list(self._ask.items), list(self._events))
            kept.waits = bool(self._ask.body.get("background")) and not self._ask.stream
            self._ask.store.keep(kept)

    def _copy(self) -> dict[str, Any]:
        copied: dict[str, Any] = json.loads(json.dumps(self._resource))  # tools may be nested deeper than deepcopy goes
        return copied

    def _frames(self, events: Sequence[Event]) -> list[Frame]:
        return [Frame(kind, self._numbered(type, members)) for kind, type, members in events]

    def _numbered(self, type: str, members: dict[str, Any]) -> bytes:
        event = {"type": type, "sequence_number": len(self._events), **members}
        if self._obfuscates and type.endswith(".delta"):
            event["obfuscation"] = letters(number(2, 16))
        self._events.append((type, event))
        return sse(type, event, named=self._ask.named_events)


def sse(type: str, event: dict[str, Any], *, named: bool = True) -> bytes:
    """Return one event; `named` gives it an event line."""
    name = f"event: {type}\n".encode() if named else b""
    return name + b"data: " + _json(event) + b"\n\n"


def _json(data: Any) -> bytes:
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False).encode()
