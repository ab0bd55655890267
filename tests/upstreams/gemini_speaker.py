"""How Gemini answers: every chunk of a stream is a whole answer that holds what is new."""

import json
from collections.abc import Sequence
from typing import Any

from tests.upstreams import signatures
from tests.upstreams.answer import JSON, Frame, Refusal
from tests.upstreams.dialect import Ask, Speaker
from tests.upstreams.gemini_contents import VENDOR
from tests.upstreams.gemini_models import family
from tests.upstreams.gemini_written import REASONS, grounding, line, part_of, usage
from tests.upstreams.ids import letters
from tests.upstreams.said import Citation, Counts, Declined, End, Said, Searched, Text, Thought, ToolCall

BLOCKS = {"filter": "SAFETY", "refusal": "PROHIBITED_CONTENT"}


class GeminiSpeaker(Speaker):
    """One reply of generateContent or streamGenerateContent."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._events = bool(ask.wishes["events"])
        self.stream_type = "text/event-stream" if self._events else JSON
        self._id = letters(22)
        self._newest = family(ask.model).newest
        self._counts = Counts(ask.prompt_tokens, 0)
        self._said = [Said() for _ in range(ask.choices)]
        self._signatures = [""] * ask.choices  # of the last thought, until a part carries it
        self._ends: list[End] = []
        self._closed = 0  # choices whose last chunk is written

    def headers(self, request_id: str) -> tuple[tuple[str, str], ...]:
        """Return what Google sends beside a good answer."""
        return (
            ("x-request-id", request_id),
            ("vary", "Origin, X-Origin, Referer"),
            ("server", "scaffolding on HTTPServer2"),
            ("server-timing", "gfet4t7; dur=42"),
        )

    def new_id(self, kind: str) -> str:
        """Return an id as the newest models make them."""
        return letters(8).lower()

    def sign(self, thought: str) -> str:
        """Return a signature that this provider recognises."""
        return signatures.sign(VENDOR, f"thought {thought}")

    def expect(self, counts: Counts) -> None:
        """Keep what every chunk reports of the prompt."""
        self._counts = Counts(counts.prompt, 0, counts.cached, tool_prompt=counts.tool_prompt)

    # A stream.

    def open(self, choice: int) -> list[Frame]:
        """Begin an array; events need no beginning, their first part opens the answer."""
        return [] if self._events or choice else [Frame("open", b"[")]

    def text(self, piece: str, choice: int) -> list[Frame]:
        """Say a piece of text."""
        self._said[choice].add_text(piece)
        return [self._chunk("text", choice, [{"text": piece}])]

    def thought(self, piece: str, choice: int) -> list[Frame]:
        """Show a piece of reasoning to those who asked for it."""
        if not self._ask.wishes["thoughts"]:
            return []
        return [self._chunk("thought", choice, [{"text": piece, "thought": True}])]

    def thought_done(self, thought: Thought, choice: int) -> list[Frame]:
        """Keep the signature for the next part that may carry it."""
        signatures.remember(VENDOR, thought.signature, thought.text)
        self._signatures[choice] = thought.signature
        return []

    def call(self, call: ToolCall, pieces: Sequence[str], choice: int) -> list[Frame]:
        """Call a tool in one part; arguments that are no object end the answer as malformed."""
        self._said[choice].parts.append(call)
        signature = self._signature_of(call, self._signatures[choice])
        self._signatures[choice] = ""
        part = part_of(call, with_id=self._newest, signature=signature)
        return [] if part is None else [self._chunk("call", choice, [part])]

    def declined(self, piece: str, choice: int) -> list[Frame]:
        """Keep the words of a refusal: Gemini says only that it refuses."""
        self._said[choice].add_declined(piece)
        return []

    def cite(self, citation: Citation, choice: int) -> list[Frame]:
        """Keep a source for the last chunk."""
        self._said[choice].parts.append(citation)
        return []

    def searched(self, searched: Searched, choice: int) -> list[Frame]:
        """Keep a search for the last chunk."""
        self._said[choice].parts.append(searched)
        return []

    def finish(self, end: End, choice: int) -> list[Frame]:
        """Keep why the choice ends; it is said with the usage."""
        self._ends.append(end)
        return []

    def close(self, counts: Counts) -> list[Frame]:
        """End the stream: a chunk with the reason for each choice, or one that says the prompt was blocked."""
        self._counts = counts
        blocked = _blocked(self._said[0], self._ends[0])
        if blocked is not None:
            self._closed = self._ask.choices
            frames = [self._written("finish", {"promptFeedback": blocked, **self._facts()})]
        else:
            frames = [self._last_chunk(choice, end) for choice, end in enumerate(self._ends)]
        return frames if self._events else [*frames, Frame("end", b"]")]

    def error(self, refused: Refusal) -> list[Frame]:
        """Say an error inside the stream."""
        body = refused.body if isinstance(refused.body, dict) else {"error": {"code": 500, "message": refused.body}}
        return [self._written("error", body), *([] if self._events else [Frame("end", b"]")])]

    def first_error(self, refused: Refusal) -> list[Frame]:
        """Say an error as the first thing in the stream."""
        return [*self.open(0), *self.error(refused)]

    def without_usage(self, frame: Frame) -> Frame:
        """Return a chunk without its token counts."""
        begin, end = frame.data.find(b"{"), frame.data.rfind(b"}") + 1
        if begin < 0:
            return frame
        data = json.loads(frame.data[begin:end])
        data.pop("usageMetadata", None)
        return Frame(frame.kind, frame.data[:begin] + line(data) + frame.data[end:])

    def comment(self) -> list[Frame]:
        """Return a comment between events; an array has none, but it may have blank lines."""
        return [Frame("open", b": SIM PROCESSING\r\n\r\n" if self._events else b"\r\n")]

    def late(self) -> list[Frame]:
        """Return an object that comes after the end."""
        return [Frame("text", b"data: {}\r\n\r\n" if self._events else b"{}\n")]

    # A whole answer.

    def whole(self, said: Sequence[Said], counts: Counts) -> list[Frame]:
        """Return the answer as one body, indented as Google does."""
        self._counts = counts
        blocked = _blocked(said[0], said[0].end)
        if blocked is not None:
            body = {"promptFeedback": blocked, **self._facts()}
        else:
            body = {"candidates": [self._candidate(index, one) for index, one in enumerate(said)], **self._facts()}
        return [Frame("whole", json.dumps(body, indent=2, ensure_ascii=False).encode() + b"\n")]

    def _candidate(self, index: int, said: Said) -> dict[str, Any]:
        parts: list[dict[str, Any]] = []
        signature = ""
        for one in said.parts:
            if isinstance(one, Thought):
                signature = one.signature
                if self._ask.wishes["thoughts"] and not one.redacted:
                    parts.append({"text": one.text, "thought": True})
            elif isinstance(one, ToolCall):
                part = part_of(one, with_id=self._newest, signature=self._signature_of(one, signature))
                parts += [part] if part is not None else []
                signature = ""
            elif isinstance(one, Text):
                parts.append({"text": one.text})
        if self._newest and not said.calls and parts and not parts[-1].get("thought"):
            parts[-1]["thoughtSignature"] = signature or signatures.sign(VENDOR, f"text {said.text}")
        return {
            "content": {"parts": parts, "role": "model"} if parts else {"role": "model"},
            **_ending(said, said.end),
            "index": index,
            **grounding(said),
        }

    def _last_chunk(self, choice: int, end: End) -> Frame:
        self._closed += 1
        said = self._said[choice]
        content: dict[str, Any] = {"role": "model"}
        if self._newest:
            part = {"text": ""}
            if not said.calls:
                signature = self._signatures[choice] or signatures.sign(VENDOR, f"text {said.text}")
                part["thoughtSignature"] = signature
            content = {"parts": [part], **content}
        candidate = {"content": content, **_ending(said, end), "index": choice, **grounding(said)}
        return self._written("finish", {"candidates": [candidate], **self._facts()})

    def _signature_of(self, call: ToolCall, thought: str) -> str:
        """Return what a call is signed with: its thought's signature, or on newest models one for the first call."""
        if thought:
            return thought
        return signatures.sign(VENDOR, f"call {call.name}") if self._newest and call.index == 0 else ""

    def _facts(self) -> dict[str, Any]:
        return {"usageMetadata": usage(self._counts), "modelVersion": self._ask.model, "responseId": self._id}

    def _chunk(self, kind: str, choice: int, parts: list[dict[str, Any]]) -> Frame:
        candidate = {"content": {"parts": parts, "role": "model"}, "index": choice}
        return self._written(kind, {"candidates": [candidate], **self._facts()})

    def _written(self, kind: str, data: dict[str, Any]) -> Frame:
        if self._events:
            return Frame(kind, b"data: " + line(data) + b"\r\n\r\n")
        # What ends the array is written without a comma: the last choice, an error.
        last = kind == "error" or (kind == "finish" and self._closed == self._ask.choices)
        return Frame(kind, line(data) + (b"\n" if last else b"\n,\r\n"))


def _blocked(said: Said, end: End) -> dict[str, Any] | None:
    """Return the feedback on a prompt that was blocked before anything was said."""
    if end.reason not in BLOCKS or any(not isinstance(part, Declined | Thought) for part in said.parts):
        return None
    return {"blockReason": BLOCKS[end.reason]}


def _ending(said: Said, end: End) -> dict[str, Any]:
    broken = any(part_of(call, with_id=False, signature="") is None for call in said.calls)
    reason = "MALFORMED_FUNCTION_CALL" if broken else end.among(REASONS, "STOP")
    message = {"MALFORMED_FUNCTION_CALL": "Malformed function call"}.get(reason, said.declined)
    return {"finishReason": reason, **({"finishMessage": message} if message else {})}
