"""Short ways to make and read event streams in tests of this dialect."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from proxx.protocols.hub.events import Event
from proxx.protocols.hub.occasion import Occasion
from proxx.protocols.hub.request import Request
from proxx.protocols.hub.target import ModelFacts, Target
from proxx.protocols.openai_responses.read_reply import ReplyReader
from proxx.protocols.openai_responses.write_reply import ReplyWriter

TARGET = Target("openai", "gpt-5", "openai_responses", facts=ModelFacts(family="gpt"))
ID = "0123456789abcdef" * 2


def sse(*events: dict[str, Any], named: bool = True, end: str = "\n") -> bytes:
    """Return events as a stream; they are numbered, and named unless told otherwise."""
    told = []
    for number, event in enumerate(events):
        data = json.dumps({"sequence_number": number, **event})
        told.append((f"event: {event['type']}{end}" if named else "") + f"data: {data}{end}{end}")
    return "".join(told).encode()


def response(status: str = "completed", output: Sequence[dict[str, Any]] = (), **members: Any) -> dict[str, Any]:
    """Return a resource."""
    usage = {
        "input_tokens": 9,
        "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 1},
        "output_tokens": 5,
        "output_tokens_details": {"reasoning_tokens": 2},
        "total_tokens": 14,
    }
    about = {"id": "resp_1", "object": "response", "created_at": 7, "model": "gpt-5", "status": status}
    return {**about, "output": list(output), "usage": usage, "error": None, **members}


def created() -> dict[str, Any]:
    """Return the first event."""
    return {"type": "response.created", "response": response("in_progress", usage=None)}


def ended(status: str = "completed", output: Sequence[dict[str, Any]] = (), **members: Any) -> dict[str, Any]:
    """Return a last event."""
    return {"type": f"response.{status}", "response": response(status, output, **members)}


def about(kind: str, place: int = 0, **members: Any) -> dict[str, Any]:
    """Return an event about the item at a place."""
    return {"type": f"response.{kind}", "output_index": place, **members}


def said(text: str, **members: Any) -> dict[str, Any]:
    """Return a message item that is done."""
    content = [{"type": "output_text", "text": text, "annotations": [], "logprobs": []}]
    return {"type": "message", "id": "msg_1", "status": "completed", "role": "assistant", "content": content} | members


def read(stream: bytes, pieces: Iterable[bytes] = ()) -> list[Event]:
    """Read a whole stream, at once or in pieces."""
    reader = ReplyReader(TARGET, ID)
    events: list[Event] = []
    for piece in pieces or (stream,):
        events += reader.feed(piece)
    return [*events, *reader.close()]


def occasion(request: Request | None = None, **members: Any) -> Occasion:
    """Return an occasion to write a reply for."""
    return Occasion(ID, 1700, "alias", request=request, **members)


def write(events: Sequence[Event], request: Request | None = None, **members: Any) -> list[dict[str, Any]]:
    """Write events as a stream, each on its own; return the stream's events."""
    writer = ReplyWriter(occasion(request, **members))
    return parsed(b"".join(writer.write([event]) for event in events))


def parsed(stream: bytes) -> list[dict[str, Any]]:
    """Return a stream's events; their names must be their types."""
    found = []
    for frame in stream.decode().split("\n\n")[:-1]:
        name, data = frame.split("\n")
        event = json.loads(data.removeprefix("data: "))
        assert name == f"event: {event['type']}"
        found.append(event)
    return found
