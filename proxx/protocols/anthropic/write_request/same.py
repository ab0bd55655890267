"""The same dialect on both sides: the client's own bytes, for signatures of thinking verify only unchanged."""

import orjson

from proxx.protocols.framing.members import replaced
from proxx.protocols.hub.request import Envelope


def same_dialect(request: Envelope, *, model: str, ask_usage: bool = True) -> bytes:
    """Return the client's bytes with another model name; usage comes unasked in this dialect."""
    return request.body if model == request.model else replaced(request.body, b"model", orjson.dumps(model))
