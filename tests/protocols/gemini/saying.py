"""Short ways to say Gemini's objects, and to run the package's halves on them."""

import json
from typing import Any

from proxx.protocols.gemini import PROTOCOL
from proxx.protocols.hub.facts import facts_of
from proxx.protocols.hub.losses import Losses
from proxx.protocols.hub.occasion import Occasion
from proxx.protocols.hub.parts import Text, Turn
from proxx.protocols.hub.request import Request
from proxx.protocols.hub.target import Target
from tests.upstreams import gemini_checks
from tests.upstreams.gemini_shapes import Parser

NEWEST, OLDER = "gemini-3-pro", "gemini-2.5-flash"
CALL_ID = "0123456789abcdef0123456789abcdef"
Data = dict[str, Any]


def target(model: str = NEWEST, **members: Any) -> Target:
    """Return whom a request is written for."""
    return Target("sim", model, "gemini", facts=facts_of(model), **members)


def occasion(**members: Any) -> Occasion:
    """Return a reply's circumstances."""
    return Occasion(id=CALL_ID, created=1, model="alias", **members)


def read(losses: Losses | None = None, **body: Any) -> Request:
    """Read a client's request."""
    body.setdefault("contents", [{"role": "user", "parts": [{"text": "hi"}]}])
    envelope = PROTOCOL.read_envelope(json.dumps(body).encode(), model="m", stream=False)
    return PROTOCOL.read_request(envelope, losses or Losses())


def asking(*turns: Turn, **members: Any) -> Request:
    """Return a request of a chat client."""
    return Request("openai_chat", "m", turns or (Turn("user", (Text("hi"),)),), **members)


def write(request: Request, model: str = NEWEST, losses: Losses | None = None, **members: Any) -> Data:
    """Write a request and have the simulated Gemini check it; return the body."""
    written = PROTOCOL.write_request(request, target(model, **members), losses or Losses())
    body = json.loads(written.body)
    accepted(body, model)
    return body


def accepted(body: Data, model: str) -> None:
    """Fail unless the simulated Gemini takes the body, all in camelCase."""
    parser = Parser()
    found = parser.read(body, "GenerateContentRequest")
    assert (parser.violations, parser.snake) == ([], [])
    gemini_checks.check(model, found)


def candidate(*parts: Data, **members: Any) -> Data:
    """Return one candidate."""
    return {"content": {"parts": list(parts), "role": "model"}, **members}


def chunk(*parts: Data, **members: Any) -> Data:
    """Return one object with one candidate; `finish`, `usage` and others beside it."""
    finish, usage = members.pop("finish", None), members.pop("usage", None)
    one = candidate(*parts, **({"finishReason": finish} if finish else {}), index=0, **members)
    told: Data = {"candidates": [one], "modelVersion": "gemini-x", "responseId": "r1"}
    if usage:
        told["usageMetadata"] = usage
    return told


def sse(*objects: Data, end: str = "\r\n") -> bytes:
    """Return objects as an event stream."""
    return "".join(f"data: {json.dumps(one)}{end}{end}" for one in objects).encode()


def events_of(stream: bytes, *, size: int = 0, model: str = NEWEST) -> list[Any]:
    """Read a stream, in pieces of `size` bytes, and its end."""
    reader = PROTOCOL.stream_reader(target(model), CALL_ID)
    pieces = [stream[at : at + size] for at in range(0, len(stream), size)] if size else [stream]
    events = [event for piece in pieces for event in reader.feed(piece)]
    return [*events, *reader.close()]


def objects_in(stream: bytes) -> list[Data]:
    """Return the objects of a written event stream, which holds nothing else."""
    if not stream:
        return []
    assert stream.endswith(b"\r\n\r\n")
    frames = stream.removesuffix(b"\r\n\r\n").split(b"\r\n\r\n")
    assert all(frame.startswith(b"data: {") and b"\n" not in frame for frame in frames)
    return [json.loads(frame[6:]) for frame in frames]
