"""The head of a chat completion body: model, stream, stream options."""

from proxx.protocols.framing.heads import read_head
from proxx.protocols.framing.stream_options import wants_usage
from proxx.protocols.hub.request import Envelope
from proxx.protocols.openai_chat.dialect import NAME


def read_envelope(body: bytes, *, model: str = "", stream: bool | None = None) -> Envelope:
    """Read the head of a chat completion body; raise `Unreadable` naming the field at fault."""
    return read_head(body, dialect=NAME, model=model, stream=stream, wants_usage=wants_usage)
