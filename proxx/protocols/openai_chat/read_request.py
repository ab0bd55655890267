"""A client's chat completion body -> Envelope. Only the head is decoded; the rest is the upstream's to judge."""

import msgspec

from proxx.protocols.framing.lenient import FAULTS, decode
from proxx.protocols.framing.members import Unclear, may_repeat, spans
from proxx.protocols.hub.errors import Unreadable
from proxx.protocols.hub.request import Envelope

NAME = "openai_chat"
LONGEST_NAME = 256  # characters: names are remembered, and a name of megabytes would be, too
CONTROL_FIELDS = (b"model", b"stream", b"stream_options")


class _Head(msgspec.Struct):
    model: str | None = None
    stream: bool | None = None
    stream_options: msgspec.Raw = msgspec.Raw()


class _StreamOptions(msgspec.Struct):
    include_usage: bool | None = None


_head = msgspec.json.Decoder(_Head)
_options = msgspec.json.Decoder(_StreamOptions | None)


def read_envelope(body: bytes, *, model: str = "", stream: bool | None = None) -> Envelope:
    """Read the head of a chat completion body; raise `Unreadable` naming the field at fault."""
    try:
        head = decode(_head, body)
    except msgspec.ValidationError as fault:
        raise _unreadable(str(fault)) from None
    except FAULTS:
        raise Unreadable("The body is not valid JSON.") from None
    for field in CONTROL_FIELDS:
        _refuse_repeats(body, field)
    if not head.model or not head.model.strip():
        raise Unreadable("You must provide a model.", code="missing_model", param="model")
    if len(head.model) > LONGEST_NAME or not head.model.isprintable():
        raise Unreadable("This is no model name.", code="invalid_model", param="model")
    options = bytes(head.stream_options)
    if options not in body:  # it was read from a mended copy
        options = next((body[start:end] for start, end in spans(body, b"stream_options")), b"")
    return Envelope(
        dialect=NAME,
        model=head.model,
        stream=bool(head.stream),
        wants_usage=_wants_usage(options),
        body=body,
        options=options,
    )


def _wants_usage(options: bytes) -> bool:
    if not options:
        return False
    try:
        read = decode(_options, options)
    except FAULTS:
        raise Unreadable("stream_options must be an object.", code="invalid_type", param="stream_options") from None
    return bool(read and read.include_usage)


def _refuse_repeats(body: bytes, field: bytes) -> None:
    # Two parsers may disagree on which of two equal keys counts; the cheap test first, the exact one only on suspicion.
    if not may_repeat(body, field):
        return
    name = field.decode()
    try:
        repeated = len(spans(body, field)) > 1
    except Unclear as unclear:
        raise Unreadable(str(unclear), param=name) from None
    except FAULTS:
        raise Unreadable("The body is not valid JSON.") from None
    if repeated:
        raise Unreadable(f"The field '{name}' stands more than once in the body.", param=name)


def _unreadable(fault: str) -> Unreadable:
    field = fault.partition("$.")[2].rstrip("`") or None
    if field is None:
        return Unreadable("The body must be a JSON object.")
    return Unreadable(f"Invalid type for '{field}'.", code="invalid_type", param=field)
