"""OpenAI's `stream_options`: whether a client wants its stream's usage told, and the wish for it put into a body."""

import msgspec

from proxx.protocols.framing.lenient import FAULTS, decode
from proxx.protocols.framing.members import replaced, with_first
from proxx.protocols.hub.errors import Unreadable


class _StreamOptions(msgspec.Struct):
    include_usage: bool | None = None


_options = msgspec.json.Decoder(_StreamOptions | None)


def wants_usage(options: bytes) -> bool:
    """Read raw stream options, empty if there are none; raise `Unreadable` for what is no object."""
    if not options:
        return False
    try:
        read = decode(_options, options)
    except FAULTS:
        raise Unreadable("stream_options must be an object.", code="invalid_type", param="stream_options") from None
    return bool(read and read.include_usage)


def asking_for_usage(body: bytes, options: bytes) -> bytes:
    """Return the body with the wish for usage in its stream options; `options` are those it has, raw."""
    if not options:
        return with_first(body, b'"stream_options":{"include_usage":true}')
    wishes = b'{"include_usage":true}'
    if options != b"null":
        wishes = replaced(options, b"include_usage", b"true")
        if wishes == options:
            wishes = with_first(options, b'"include_usage":true')
    return replaced(body, b"stream_options", wishes)
