"""Request -> the body that goes to a chat completions upstream."""

import orjson

from proxx.protocols.framing.members import replaced, with_first
from proxx.protocols.hub.request import Envelope


def same_dialect(request: Envelope, *, model: str, ask_usage: bool) -> bytes:
    """Return the client's own bytes with another model name and, if told, the wish for usage; nothing else changes."""
    body = request.body
    if model != request.model:
        body = replaced(body, b"model", orjson.dumps(model))
    if request.stream and ask_usage and not request.wants_usage:
        body = _asking_for_usage(body, request.options)
    return body


def _asking_for_usage(body: bytes, options: bytes) -> bytes:
    if not options:
        return with_first(body, b'"stream_options":{"include_usage":true}')
    wishes = b'{"include_usage":true}'
    if options != b"null":
        wishes = replaced(options, b"include_usage", b"true")
        if wishes == options:
            wishes = with_first(options, b'"include_usage":true')
    return replaced(body, b"stream_options", wishes)
