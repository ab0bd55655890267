"""The client's own bytes for an upstream of the same dialect, and when they will not do."""

import msgspec

from proxx.protocols.framing.lenient import FAULTS, decode
from proxx.protocols.framing.model_name import renamed
from proxx.protocols.hub.errors import Inexpressible
from proxx.protocols.hub.request import Envelope
from proxx.protocols.hub.target import Target
from proxx.protocols.openai_responses.dialect import COMPACT_FORM
from proxx.protocols.openai_responses.write_request.vendor import knows_vendor_words

_WRAPPED = b'"gw1.'  # another vendor's blob, or our summary: nobody but this gateway can read it
_TRIGGER = b'"compaction_trigger"'
_NOT_COMPACTED = ("store", "stream", "include", "tool_choice", "parallel_tool_calls")

_members = msgspec.json.Decoder(dict[str, msgspec.Raw])


def same_dialect(request: Envelope, *, model: str, ask_usage: bool) -> bytes:
    """Return the client's own bytes with another model name; the usage comes unasked."""
    body = renamed(request, model)
    return body if request.form != COMPACT_FORM else _only_compacted(body)


def passes(request: Envelope, target: Target) -> bool:
    """Tell whether the upstream understands all of a body: no blob that was wrapped here, and no wish for a compaction
    that it never heard of."""
    if _WRAPPED in request.body:
        return False
    compacts = request.form == COMPACT_FORM or _TRIGGER in request.body
    return not compacts or knows_vendor_words(target)


def url_of(url: str, *, stream: bool, form: str = "") -> str:
    """Return the address of a call; compactions have one of their own."""
    return f"{url.rstrip('/')}/compact" if form == COMPACT_FORM else url


def _only_compacted(body: bytes) -> bytes:
    try:
        members = decode(_members, body)
    except FAULTS:
        raise Inexpressible("The body is not valid JSON.") from None
    return msgspec.json.encode({name: raw for name, raw in members.items() if name not in _NOT_COMPACTED})
