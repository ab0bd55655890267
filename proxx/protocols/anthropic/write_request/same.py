"""The same dialect on both sides: the client's own bytes, for signatures of thinking verify only unchanged."""

from proxx.protocols.framing.model_name import renamed
from proxx.protocols.hub.request import Envelope


def same_dialect(request: Envelope, *, model: str, ask_usage: bool = True) -> bytes:
    """Return the client's bytes with another model name; usage comes unasked in this dialect."""
    return renamed(request, model)
