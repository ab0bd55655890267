"""A client's Messages body -> Envelope. Only the head is decoded; the rest is the upstream's to judge."""

from proxx.protocols.anthropic.read_request.shapes import DIALECT
from proxx.protocols.framing.heads import read_head
from proxx.protocols.hub.request import Envelope


def read_envelope(body: bytes, *, model: str = "", stream: bool | None = None) -> Envelope:
    """Read the head of a Messages body; raise `Unreadable` naming the field at fault."""
    return read_head(body, dialect=DIALECT, model=model, stream=stream)
