"""What stands beside the choices of a reply: usage, and errors in each shape that imitators use (D142)."""

import msgspec

from proxx.protocols.framing.lenient import FAULTS, decode

NOTHING = (b"", b"null", b'""', b"false", b"{}", b"[]")  # what imitators write where there is nothing


class Head(msgspec.Struct):
    """What a chunk or a whole completion may say beside its choices."""

    usage: msgspec.Raw = msgspec.Raw()
    error: msgspec.Raw = msgspec.Raw()
    errors: msgspec.Raw = msgspec.Raw()
    detail: msgspec.Raw = msgspec.Raw()
    msg: msgspec.Raw = msgspec.Raw()
    x_groq: msgspec.Raw = msgspec.Raw()
    object: str | None = None
    model: str | None = None
    service_tier: msgspec.Raw = msgspec.Raw()


class _Groq(msgspec.Struct):
    usage: msgspec.Raw = msgspec.Raw()


_anything = msgspec.json.Decoder()
_groq = msgspec.json.Decoder(_Groq)


def usage_in(head: Head) -> bytes:
    """Return the usage object as it stands in the chunk; one of `NOTHING` if there is none."""
    usage = bytes(head.usage)
    if usage not in NOTHING or bytes(head.x_groq) in NOTHING:
        return usage
    try:
        return bytes(decode(_groq, bytes(head.x_groq)).usage)
    except FAULTS:
        return usage


def is_error(head: Head, *, answers: bool) -> bool:
    """Tell whether this is an error; `answers` says that it has choices, beside which some words mean nothing."""
    if bytes(head.error) not in NOTHING or head.object == "error":
        return True
    return not answers and any(bytes(one) not in NOTHING for one in (head.errors, head.detail, head.msg))


def error_of(head: Head, data: bytes) -> dict[str, object]:
    """Return the error as an object with a message: error object or text, list of errors, detail, code and msg, or
    the data itself."""
    raws = (bytes(head.error), bytes(head.errors), bytes(head.detail))
    raw = next((raw for raw in raws if raw not in NOTHING), data)
    try:
        found = decode(_anything, raw)
    except FAULTS:
        found = None
    if isinstance(found, list) and found:
        found = found[0]
    if not isinstance(found, dict):
        return {"message": str(found or "The provider reported an error.")}
    if "message" not in found and isinstance(found.get("msg"), str):
        return {**found, "message": found["msg"]}
    return found
