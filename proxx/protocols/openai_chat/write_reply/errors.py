"""What the gateway itself says in this dialect: errors, whole and in a stream, and keep-alives."""

import orjson

from proxx.protocols.framing.members import replaced
from proxx.protocols.hub.errors import ErrorFacts
from proxx.protocols.hub.openai_errors import error_object

HEARTBEAT = b": keepalive\n\n"


def write_error(facts: ErrorFacts) -> bytes:
    """Write the error envelope of a whole answer."""
    return orjson.dumps({"error": error_object(facts)})


def write_stream_error(facts: ErrorFacts) -> bytes:
    """Write an error into a stream that has begun; it is the stream's last event, no end mark follows."""
    return b"data: " + orjson.dumps({"error": error_object(facts)}) + b"\n\n"


def rename_whole(body: bytes, model: str) -> bytes:
    """Return a whole completion that names another model."""
    return replaced(body, b"model", orjson.dumps(model))
