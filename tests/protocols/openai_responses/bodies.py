"""Short ways to read and write requests in tests of this dialect."""

import json
from typing import Any

from proxx.protocols.hub.losses import Losses
from proxx.protocols.hub.parts import Text, Turn
from proxx.protocols.hub.request import Request
from proxx.protocols.hub.target import Target
from proxx.protocols.openai_responses.read_request import read_envelope, read_request
from proxx.protocols.openai_responses.write_request import write_request
from proxx.protocols.spec import Written


def request(*items: dict[str, Any], losses: Losses | None = None, **members: Any) -> Request:
    """Read a body with these input items (one user message if there are none) and members."""
    body = {"model": "m", "input": list(items) or "hi"} | members
    return read_request(read_envelope(json.dumps(body).encode()), losses or Losses())


def message(role: str, text: str, **members: Any) -> dict[str, Any]:
    """Return a message item."""
    kind = "output_text" if role == "assistant" else "input_text"
    return {"type": "message", "role": role, "content": [{"type": kind, "text": text}], **members}


def call(call_id: str, name: str = "f", arguments: str = "{}", **members: Any) -> dict[str, Any]:
    """Return a function call item."""
    return {"type": "function_call", "call_id": call_id, "name": name, "arguments": arguments, **members}


def output(call_id: str, told: Any = "ok", **members: Any) -> dict[str, Any]:
    """Return a function's output item."""
    return {"type": "function_call_output", "call_id": call_id, "output": told, **members}


def written(asked: Request, losses: Losses | None = None, **about: Any) -> dict[str, Any]:
    """Write a request for an upstream (OpenAI's own unless `about` says otherwise); return its body."""
    return json.loads(wrote(asked, losses, **about).body)


def wrote(asked: Request, losses: Losses | None = None, **about: Any) -> Written:
    """Write a request; return all of what was written."""
    target = Target(**({"provider": "openai", "model": "gpt-5.1", "dialect": "openai_responses"} | about))
    return write_request(asked, target, losses or Losses())


def foreign(*turns: Turn, dialect: str = "anthropic", **members: Any) -> Request:
    """Return a request as another dialect's reader makes it."""
    return Request(dialect, "m", turns or (Turn("user", (Text("hi"),)),), **members)
