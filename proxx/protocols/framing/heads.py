"""Read the head of a client's body: the model, whether it streams, and its stream options. Nothing else is decoded.

The rest of the body is the upstream's to judge while the dialect stays the same, and a dialect's `read_request` when it
does not. Where the path names the model, or says whether to stream, the caller hands that in.
"""

from collections.abc import Callable

import msgspec

from proxx.protocols.framing.lenient import FAULTS, T, decode
from proxx.protocols.framing.members import Unclear, escapes_letters, spans
from proxx.protocols.hub.conversation import Traits
from proxx.protocols.hub.errors import Unreadable
from proxx.protocols.hub.request import Envelope

LONGEST_NAME = 256  # characters: names are remembered, and a name of megabytes would be, too

CONTROL_FIELDS = {field: b'"%b"' % field for field in (b"model", b"stream", b"stream_options")}


class _Head(Traits):
    model: str | None = None
    stream: bool | None = None
    stream_options: msgspec.Raw = msgspec.Raw()


_head = msgspec.json.Decoder(_Head)
# A body whose path says it all: it must be an object, no more.
_path_head = msgspec.json.Decoder(Traits)
_SILENT = _Head()


def read_head(
    body: bytes,
    *,
    dialect: str,
    stream_default: bool = False,
    model: str = "",
    stream: bool | None = None,
    wants_usage: Callable[[bytes], bool] | None = None,
) -> Envelope:
    """Read the head of a JSON body; raise `Unreadable` naming the field at fault.

    A given `model` comes from the path, which then says whether to stream, too: the body's own members of these names
    are not looked at. `wants_usage` reads the raw stream options, empty if there are none; only dialects that have
    such options give it.
    """
    head, traits = (_SILENT, _decoded(_path_head, body)) if model else _head_of(body)
    name = model or head.model
    if not name or not name.strip():
        raise Unreadable("You must provide a model.", code="missing_model", param="model")
    if len(name) > LONGEST_NAME or not name.isprintable():
        raise Unreadable("This is no model name.", code="invalid_model", param="model")
    if stream is None:
        stream = stream_default if head.stream is None else head.stream
    if wants_usage is None:
        return Envelope(dialect, name, stream, wants_usage=False, body=body, traits=traits, is_named=not model)
    options = bytes(head.stream_options)
    if options not in body:  # it was read from a mended copy
        options = next((body[start:end] for start, end in spans(body, b"stream_options")), b"")
    return Envelope(dialect, name, stream, wants_usage(options), body, options, traits=traits, is_named=not model)


def _head_of(body: bytes) -> tuple[_Head, Traits]:
    head = _decoded(_head, body)
    escaped = escapes_letters(body)
    for field, key in CONTROL_FIELDS.items():
        # Two parsers may disagree on which of two equal keys counts; the exact test only on suspicion.
        if escaped or body.count(key) > 1:
            _refuse_repeats(body, field)
    return head, head


def _decoded(decoder: "msgspec.json.Decoder[T]", body: bytes) -> T:
    try:
        return decode(decoder, body)
    except msgspec.ValidationError as fault:
        raise _unreadable(str(fault)) from None
    except FAULTS:
        raise Unreadable("The body is not valid JSON.") from None


def _refuse_repeats(body: bytes, field: bytes) -> None:
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
