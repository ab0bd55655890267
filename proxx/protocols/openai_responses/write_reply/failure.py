"""What the gateway itself says in this dialect: errors, whole and in a stream, and keep-alives."""

import orjson

from proxx.protocols.hub.errors import ErrorFacts
from proxx.protocols.hub.occasion import Occasion
from proxx.protocols.hub.openai_errors import code_of, error_object
from proxx.protocols.openai_responses.write_reply.resource import Resource

HEARTBEAT = b": keep-alive\n\n"

_NO_ID = "resp_0"


def write_error(facts: ErrorFacts) -> bytes:
    """Write the error envelope of a whole answer."""
    return orjson.dumps({"error": error_object(facts)})


def write_stream_error(facts: ErrorFacts) -> bytes:
    """Write the failure of a stream of which nothing is known: coding agents look for this event and no other."""
    return failed_event(facts, sequence=0, id=_NO_ID, created=0, model="")


def failed_event(facts: ErrorFacts, *, sequence: int, id: str, created: int, model: str) -> bytes:
    """Write the event that ends a stream of another's making, with that stream's own id."""
    resource = Resource(Occasion("", created, model), id=id or _NO_ID)
    failed = resource.written("failed", error=stated(facts))
    return event(b"response.failed", sequence, b'"response":' + failed)


def stated(facts: ErrorFacts) -> dict[str, str]:
    """Return the `error` member of a failed resource."""
    return {"code": code_of(facts) or "server_error", "message": facts.message}


def event(kind: bytes, sequence: int, members: bytes) -> bytes:
    """Return one frame: `members` is what follows type and sequence number, as JSON without braces."""
    return b'event: %b\ndata: {"type":"%b","sequence_number":%d,%b}\n\n' % (kind, kind, sequence, members)
