"""The head of a chat completion body: model, stream, stream options."""

import msgspec

from proxx.protocols.framing.heads import read_head
from proxx.protocols.framing.lenient import FAULTS, decode
from proxx.protocols.hub.errors import Unreadable
from proxx.protocols.hub.request import Envelope
from proxx.protocols.openai_chat.dialect import NAME


class _StreamOptions(msgspec.Struct):
    include_usage: bool | None = None


_options = msgspec.json.Decoder(_StreamOptions | None)


def read_envelope(body: bytes, *, model: str = "", stream: bool | None = None) -> Envelope:
    """Read the head of a chat completion body; raise `Unreadable` naming the field at fault."""
    return read_head(body, dialect=NAME, model=model, stream=stream, wants_usage=_wants_usage)


def _wants_usage(options: bytes) -> bool:
    if not options:
        return False
    try:
        read = decode(_options, options)
    except FAULTS:
        raise Unreadable("stream_options must be an object.", code="invalid_type", param="stream_options") from None
    return bool(read and read.include_usage)
