"""A body that stays in its dialect: the client's own bytes, with another model name and the wish for usage."""

import msgspec
import orjson

from proxx.protocols.framing.lenient import FAULTS, decode
from proxx.protocols.framing.members import replaced, with_first
from proxx.protocols.hub.errors import Inexpressible, Unreadable
from proxx.protocols.hub.losses import Losses
from proxx.protocols.hub.request import Envelope
from proxx.protocols.hub.target import Target
from proxx.protocols.openai_chat.dialect import NAME
from proxx.protocols.openai_chat.read_request import read_request
from proxx.protocols.openai_chat.write_request.body import write_request


class _Items(msgspec.Struct):
    """A conversation in items; texts alone may be something else, such as what is to be embedded."""

    input: list[dict[str, msgspec.Raw]]


_items = msgspec.json.Decoder(_Items)


def same_dialect(request: Envelope, *, model: str, ask_usage: bool) -> bytes:
    """Return the client's own bytes with another model name and, if told, the wish for usage; nothing else changes."""
    body = request.body
    if b'"messages"' not in body and b'"input"' in body:
        rewritten = _rewritten(request, model=model, ask_usage=ask_usage)
        if rewritten:
            return rewritten
    if model != request.model:
        body = replaced(body, b"model", orjson.dumps(model))
    if request.stream and ask_usage and not request.wants_usage:
        body = _asking_for_usage(body, request.options)
    return body


def _rewritten(request: Envelope, *, model: str, ask_usage: bool) -> bytes:
    """Return a body of the Responses kind, which some editors send to this path, as a chat body (E8); nothing if it
    is none."""
    quirks = frozenset(("openai_platform",) if ask_usage else ("openai_platform", "no_stream_options"))
    try:
        decode(_items, request.body)
        whole = read_request(request, Losses())
        return write_request(whole, Target("", model, NAME, quirks), Losses()).body
    except (*FAULTS, Unreadable, Inexpressible):
        return b""  # the provider says what is wrong with it


def _asking_for_usage(body: bytes, options: bytes) -> bytes:
    if not options:
        return with_first(body, b'"stream_options":{"include_usage":true}')
    wishes = b'{"include_usage":true}'
    if options != b"null":
        wishes = replaced(options, b"include_usage", b"true")
        if wishes == options:
            wishes = with_first(options, b'"include_usage":true')
    return replaced(body, b"stream_options", wishes)
