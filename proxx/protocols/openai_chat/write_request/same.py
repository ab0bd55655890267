"""A body that stays in its dialect: the client's own bytes, with another model name and the wish for usage."""

import msgspec

from proxx.protocols.framing.lenient import FAULTS, decode
from proxx.protocols.framing.model_name import renamed
from proxx.protocols.framing.stream_options import asking_for_usage
from proxx.protocols.hub.request import Envelope
from proxx.protocols.hub.target import Target


class _Items(msgspec.Struct):
    """A conversation in items; texts alone may be something else, such as what is to be embedded."""

    input: list[dict[str, msgspec.Raw]]


_items = msgspec.json.Decoder(_Items)


def same_dialect(request: Envelope, *, model: str, ask_usage: bool) -> bytes:
    """Return the client's own bytes with another model name and, if told, the wish for usage; nothing else changes."""
    body = renamed(request, model)
    if request.stream and ask_usage and not request.wants_usage:
        body = asking_for_usage(body, request.options)
    return body


def passes(request: Envelope, target: Target) -> bool:
    """Tell whether a chat upstream takes this body as it is: some editors send those of Responses to this path (E8)."""
    if b'"messages"' in request.body or b'"input"' not in request.body:
        return True
    try:
        decode(_items, request.body)
    except FAULTS:
        return True  # the provider says what is wrong with it
    return False
