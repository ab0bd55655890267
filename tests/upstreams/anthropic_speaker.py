"""How Anthropic answers: whole messages and streams of blocks that never interleave."""

import json
from collections.abc import Sequence
from typing import Any

from tests.upstreams import signatures
from tests.upstreams.answer import SSE, Frame, Refusal
from tests.upstreams.anthropic_blocks import VENDOR
from tests.upstreams.anthropic_written import arguments, blocks, frame, location, results, usage
from tests.upstreams.dialect import Ask, Speaker
from tests.upstreams.ids import letters
from tests.upstreams.said import Citation, Counts, Declined, End, Said, Searched, Thought, ToolCall

REASONS = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tools": "tool_use",
    "filter": "refusal",
    "refusal": "refusal",
    "stop_sequence": "stop_sequence",
    "pause": "pause_turn",
    "context_window": "model_context_window_exceeded",
}
_IDS = {"call": "toolu_01", "custom": "toolu_01", "search": "srvtoolu_01"}


class AnthropicSpeaker(Speaker):
    """One reply in Messages."""

    stream_type = SSE

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._id = f"msg_01{letters(22)}"
        self._index = -1
        self._open = ""  # the type of the block that is open
        self._cited = False
        self._pinged = False
        self._first = ""  # the delta type of the first block
        self._end = End()
        self._declined = ""
        self._expected = Counts(ask.prompt_tokens, 0)

    def headers(self, request_id: str) -> tuple[tuple[str, str], ...]:
        """Return what Anthropic sends beside a good answer."""
        limits = [
            (f"anthropic-ratelimit-{kind}-{name}", value)
            for kind, most in (("requests", 4000), ("input-tokens", 2_000_000), ("output-tokens", 400_000))
            for name, value in (("limit", str(most)), ("remaining", str(most - 1)), ("reset", "2030-01-01T00:00:00Z"))
        ]
        return (
            ("x-request-id", request_id),
            ("request-id", request_id),
            ("anthropic-organization-id", "org-sim"),
            *limits,
        )

    def new_id(self, kind: str) -> str:
        """Return an id as Anthropic makes them."""
        return _IDS[kind] + letters(22)

    def sign(self, thought: str) -> str:
        """Return a signature that this provider recognises."""
        return signatures.sign(VENDOR, thought)

    def expect(self, counts: Counts) -> None:
        """Keep what message_start will report."""
        self._expected = counts

    # A stream.

    def open(self, choice: int) -> list[Frame]:
        """Begin the message."""
        message = {**self._message(), "content": [], "stop_reason": None, "usage": usage(self._expected, output=1)}
        return [frame("open", {"type": "message_start", "message": message})]

    def text(self, piece: str, choice: int) -> list[Frame]:
        """Say a piece of text; after a source, in a block of its own."""
        shut = self._shut() if self._cited else []
        delta = {"type": "text_delta", "text": piece}
        return [*shut, *self._begin("text", {"type": "text", "text": ""}), self._delta("text", delta)]

    def thought(self, piece: str, choice: int) -> list[Frame]:
        """Show a piece of reasoning, unless the caller wants none of its text."""
        if self._ask.wishes["thoughts"] == "omitted":
            return []
        return [
            *self._begin("thinking", {"type": "thinking", "thinking": "", "signature": ""}),
            self._delta("thought", {"type": "thinking_delta", "thinking": piece}),
        ]

    def thought_done(self, thought: Thought, choice: int) -> list[Frame]:
        """Sign what was thought and close its block."""
        signatures.remember(VENDOR, thought.signature, thought.text)
        if thought.redacted:
            block = {"type": "redacted_thinking", "data": thought.signature}
            return [*self._begin("redacted_thinking", block), *self._shut()]
        return [
            *self._begin("thinking", {"type": "thinking", "thinking": "", "signature": ""}),
            self._delta("thought", {"type": "signature_delta", "signature": thought.signature}),
            *self._shut(),
        ]

    def call(self, call: ToolCall, pieces: Sequence[str], choice: int) -> list[Frame]:
        """Call a tool: its input in pieces of JSON text, the first of them empty."""
        block = {"type": "tool_use", "id": call.id, "name": call.name, "input": {}}
        said = [arguments(call)] if call.custom else pieces
        return [*self._shut(), *self._input(block, said if call.text != "{}" else ())]

    def declined(self, piece: str, choice: int) -> list[Frame]:
        """Keep the words of a refusal: they stand beside the stop reason."""
        self._declined += piece
        return []

    def cite(self, citation: Citation, choice: int) -> list[Frame]:
        """Name a source of the text block that is open."""
        delta = {"type": "citations_delta", "citation": location(citation)}
        frames = [*self._begin("text", {"type": "text", "text": ""}), self._delta("text", delta)]
        self._cited = True
        return frames

    def searched(self, searched: Searched, choice: int) -> list[Frame]:
        """Show a hosted search: the call in pieces, then its results whole."""
        query = json.dumps({"query": searched.query})
        use = {"type": "server_tool_use", "id": searched.id, "name": "web_search", "input": {}}
        return [
            *self._shut(),
            *self._input(use, [query[:8], query[8:]]),
            *self._begin("web_search_tool_result", results(searched)),
            *self._shut(),
        ]

    def finish(self, end: End, choice: int) -> list[Frame]:
        """Close the last block; why the message ends is said with its usage."""
        self._end = end
        return self._shut()

    def close(self, counts: Counts) -> list[Frame]:
        """End the message."""
        delta = self._ending(self._end, self._declined)
        return [
            frame("finish", {"type": "message_delta", "delta": delta, "usage": usage(counts)}),
            frame("end", {"type": "message_stop"}),
        ]

    def error(self, refused: Refusal) -> list[Frame]:
        """Say an error inside the stream."""
        body = refused.body if isinstance(refused.body, dict) else {}
        inner = body.get("error") if isinstance(body.get("error"), dict) else None
        error = inner or {"type": "api_error", "message": str(refused.body)}
        return [frame("error", {"type": "error", "error": error})]

    def without_usage(self, written: Frame) -> Frame:
        """Return message_delta without its usage."""
        if written.kind != "finish":
            return written
        data = json.loads(written.data.partition(b"data: ")[2])
        return frame("finish", {name: value for name, value in data.items() if name != "usage"})

    def huge(self, text: str) -> list[Frame]:
        """Say a long text in the first block, whatever it holds."""
        kind = self._first or "text_delta"
        member = {"text_delta": "text", "thinking_delta": "thinking", "input_json_delta": "partial_json"}[kind]
        said = " " * len(text) if kind == "input_json_delta" else text
        return [frame("text", {"type": "content_block_delta", "index": 0, "delta": {"type": kind, member: said}})]

    def late(self) -> list[Frame]:
        """Return a ping that comes after the end."""
        return [frame("text", {"type": "ping"})]

    # A whole message.

    def whole(self, said: Sequence[Said], counts: Counts) -> list[Frame]:
        """Return the message as one body."""
        one = said[0]
        content: list[dict[str, Any]] = []
        for part in one.parts:
            if isinstance(part, Citation):
                if not content or content[-1]["type"] != "text":
                    content.append({"type": "text", "text": ""})
                content[-1].setdefault("citations", []).append(location(part))
            elif not isinstance(part, Declined):
                content += blocks(part, omitted=self._ask.wishes["thoughts"] == "omitted")
        body = {**self._message(), "content": content, **self._ending(one.end, one.declined), "usage": usage(counts)}
        return [Frame("whole", json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode())]

    def _message(self) -> dict[str, Any]:
        return {
            "id": self._id,
            "type": "message",
            "role": "assistant",
            "model": self._ask.model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
        }

    def _ending(self, end: End, declined: str) -> dict[str, Any]:
        reason = end.among(REASONS, "end_turn")
        details = {"type": "refusal", "category": None, "explanation": declined or None}
        return {
            "stop_reason": reason,
            "stop_sequence": end.value if reason == "stop_sequence" else None,
            "stop_details": details if reason == "refusal" else None,
        }

    def _begin(self, kind: str, block: dict[str, Any]) -> list[Frame]:
        if self._open == kind:
            return []
        shut = self._shut()
        self._index += 1
        self._open = kind
        self._first = self._first or _DELTAS.get(kind, "")
        begun = frame("open", {"type": "content_block_start", "index": self._index, "content_block": block})
        if self._pinged:
            return [*shut, begun]
        self._pinged = True
        return [*shut, begun, frame("open", {"type": "ping"})]

    def _delta(self, kind: str, delta: dict[str, Any]) -> Frame:
        return frame(kind, {"type": "content_block_delta", "index": self._index, "delta": delta})

    def _input(self, block: dict[str, Any], pieces: Sequence[str]) -> list[Frame]:
        begun = self._begin(block["type"], block)
        deltas = [self._delta("call", {"type": "input_json_delta", "partial_json": piece}) for piece in ("", *pieces)]
        return [*begun, *deltas, *self._shut()]

    def _shut(self) -> list[Frame]:
        if not self._open:
            return []
        self._open, self._cited = "", False
        return [frame("open", {"type": "content_block_stop", "index": self._index})]


_DELTAS = {"text": "text_delta", "thinking": "thinking_delta", "tool_use": "input_json_delta"}
