"""One reply of Ollama: lines of JSON, or one object. Chat and generate differ in where the text stands."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tests.upstreams.answer import Frame, Refusal
from tests.upstreams.dialect import Ask, Speaker
from tests.upstreams.ids import letters
from tests.upstreams.ollama_models import gives_ids
from tests.upstreams.openai_media_vectors import vector
from tests.upstreams.said import Counts, End, Said, ToolCall

NDJSON = "application/x-ndjson"
# Tool calls and everything else end with stop.
REASONS = {"length": "length", "context_window": "length"}
METRICS = ("prompt_eval_count", "eval_count")
SIZE = 768  # of an embedding


@dataclass(frozen=True, slots=True)
class OllamaAsk(Ask):
    """A request with what its answer needs: the model as it was written, and what to do instead of answering."""

    named: str = ""
    loads: str = ""  # load or unload: nothing is said
    inputs: tuple[str, ...] = ()  # to embed
    dimensions: int = 0
    raw: bool = False


class _OllamaSpeaker(Speaker):
    """What both ways have in common."""

    stream_type = NDJSON

    def __init__(self, ask: OllamaAsk) -> None:
        self._ask = ask
        self._end = End()
        self._began = time.monotonic_ns()

    def said(self, text: str, **others: Any) -> dict[str, Any]:
        """Return the members that hold text, thinking and calls."""
        raise NotImplementedError

    def last(self) -> dict[str, Any]:
        """Return what only the last line has."""
        return {}

    def headers(self, request_id: str) -> tuple[tuple[str, str], ...]:
        """Ollama adds nothing."""
        return (("x-request-id", request_id),)

    def new_id(self, kind: str) -> str:
        """Return the id of a call; older servers give none."""
        return f"call_{letters(8).lower()}" if gives_ids(self._ask.model) else ""

    def open(self, choice: int) -> list[Frame]:
        """Begin: nothing is sent before there is something to say."""
        return []

    def text(self, piece: str, choice: int) -> list[Frame]:
        """Say a piece of text."""
        return [self._line("text", self.said(piece))]

    def thought(self, piece: str, choice: int) -> list[Frame]:
        """Show a piece of thinking."""
        return [self._line("thought", self.said("", thinking=piece))]

    def call(self, call: ToolCall, pieces: Sequence[str], choice: int) -> list[Frame]:
        """Call a tool, whole."""
        return self.calls([(call, pieces)], choice)

    def calls(self, calls: Sequence[tuple[ToolCall, Sequence[str]]], choice: int) -> list[Frame]:
        """Call tools in one line. Arguments that are no object are given out as text, as the parser leaves them."""
        good = [made for call, _ in calls if (made := _made(call)) is not None]
        broken = [call.text for call, _ in calls if _made(call) is None]
        frames = [self._line("call", self.said("", tool_calls=good))] if good else []
        return frames + [self._line("text", self.said(text)) for text in broken]

    def finish(self, end: End, choice: int) -> list[Frame]:
        """Remember why: the last line says it."""
        self._end = end
        return []

    def close(self, counts: Counts) -> list[Frame]:
        """End with the line that is done."""
        return [self._line("end", {**self.said(""), **self._done(self._end, counts)})]

    def error(self, refusal: Refusal) -> list[Frame]:
        """Say an error as a line of its own."""
        body = refusal.body
        told = body.get("error", body) if isinstance(body, dict) else body
        text = told if isinstance(told, str) else str(told.get("message", told))
        return [Frame("error", _json({"error": text}) + b"\n")]

    def whole(self, said: Sequence[Said], counts: Counts) -> list[Frame]:
        """Return the reply as one object."""
        one = said[0]
        if self._ask.loads:
            body = {**self._head(), **self.said(""), "done": True, "done_reason": self._ask.loads}
            return [Frame("whole", _json(body))]
        others: dict[str, Any] = {"thinking": one.thought} if one.thought else {}
        good = [made for call in one.calls if (made := _made(call)) is not None]
        if good:
            others["tool_calls"] = good
        text = one.text + one.declined + "".join(call.text for call in one.calls if _made(call) is None)
        body = {**self._head(), **self.said(text, **others), **self._done(one.end, counts)}
        return [Frame("whole", _json(body))]

    def without_usage(self, frame: Frame) -> Frame:
        """Return the last line without its counts."""
        if frame.kind not in ("end", "whole"):
            return frame
        data = json.loads(frame.data)
        kept = {name: value for name, value in data.items() if name not in METRICS}
        return Frame(frame.kind, _json(kept) + b"\n")

    def comment(self) -> list[Frame]:
        """Lines of JSON have no comments; a line without words keeps the connection alive."""
        return [self._line("open", self.said(""))]

    def late(self) -> list[Frame]:
        """Return a line after the last."""
        return [self._line("text", self.said("late"))]

    def _done(self, end: End, counts: Counts) -> dict[str, Any]:
        took = time.monotonic_ns() - self._began + 1_000_000
        metrics = {
            "total_duration": took,
            "load_duration": took // 10,
            "prompt_eval_count": counts.prompt,
            "prompt_eval_duration": took // 5,
            "eval_count": counts.output,
            "eval_duration": took // 2,
        }
        done = {"done": True, "done_reason": end.among(REASONS, "stop"), **self.last()}
        return {**done, **{name: value for name, value in metrics.items() if value}}

    def _head(self) -> dict[str, Any]:
        when = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")
        return {"model": self._ask.named, "created_at": f"{when}000Z"}

    def _line(self, kind: str, members: dict[str, Any]) -> Frame:
        return Frame(kind, _json({**self._head(), "done": False, **members}) + b"\n")


class ChatSpeaker(_OllamaSpeaker):
    """One reply of /api/chat."""

    def said(self, text: str, **others: Any) -> dict[str, Any]:
        """Return a message."""
        return {"message": {"role": "assistant", "content": text, **others}}


class GenerateSpeaker(_OllamaSpeaker):
    """One reply of /api/generate."""

    def said(self, text: str, **others: Any) -> dict[str, Any]:
        """Return a response."""
        return {"response": text, **others}

    def last(self) -> dict[str, Any]:
        """Return the encoded conversation."""
        return {} if self._ask.raw else {"context": [1, 2, 3]}


class EmbedSpeaker(_OllamaSpeaker):
    """The answer of /api/embed; nothing of the script is said."""

    def said(self, text: str, **others: Any) -> dict[str, Any]:
        """Say nothing."""
        return {}

    def whole(self, said: Sequence[Said], counts: Counts) -> list[Frame]:
        """Return the vectors."""
        size = self._ask.dimensions if 0 < self._ask.dimensions < SIZE else SIZE
        body: dict[str, Any] = {
            "model": self._ask.named,
            "embeddings": [vector(text, size) for text in self._ask.inputs],
        }
        if self._ask.inputs:
            body |= {"total_duration": 14_000_000, "load_duration": 1_000_000, "prompt_eval_count": counts.prompt}
        return [Frame("whole", _json(body))]


class OldEmbedSpeaker(EmbedSpeaker):
    """The answer of /api/embeddings."""

    def whole(self, said: Sequence[Said], counts: Counts) -> list[Frame]:
        """Return the one vector."""
        made = vector(self._ask.inputs[0], SIZE) if self._ask.inputs else []
        return [Frame("whole", _json({"embedding": made}))]


def _made(call: ToolCall) -> dict[str, Any] | None:
    try:
        arguments = json.loads(call.text or "{}")
    except ValueError:
        return None
    if not isinstance(arguments, dict):
        return None
    function = {"index": call.index, "name": call.name, "arguments": arguments}
    return {**({"id": call.id} if call.id else {}), "function": function}


def _json(data: Any) -> bytes:
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False).encode()
