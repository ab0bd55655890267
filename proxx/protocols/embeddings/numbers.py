"""Vectors on their way: JSON lists in the upstream's own spelling, and OpenAI's base64 of little-endian float32."""

import base64
import binascii
import struct

import msgspec
import orjson

from proxx.protocols.framing.lenient import FAULTS, decode
from proxx.protocols.hub.estimate import tokens_of_text
from proxx.protocols.hub.occasion import Occasion
from proxx.protocols.hub.reply import Reply
from proxx.protocols.spec import Seen

NOT_VECTORS = "a body that holds no vectors"

_numbers = msgspec.json.Decoder(list[float])
_text = msgspec.json.Decoder(str)


def as_base64(vector: bytes) -> str:
    """Return a JSON list of numbers as base64 of float32, lowest byte first."""
    numbers = decode(_numbers, vector)
    return base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()


def as_list(vector: bytes) -> bytes:
    """Return a vector as a JSON list; one that came as base64 is unpacked. Raises ValueError for neither."""
    if vector[:1] == b"[":
        return vector
    packed = _packed(vector)
    return orjson.dumps(struct.unpack(f"<{len(packed) // 4}f", packed))


def _packed(vector: bytes) -> bytes:
    packed = base64.b64decode(decode(_text, vector), validate=True)
    if len(packed) % 4:
        raise ValueError("a vector that is no whole number of float32")
    return packed


def fits(reply: Reply, occasion: Occasion) -> bool:
    """Tell whether there is one vector for each text that was asked for."""
    texts = occasion.request.texts if occasion.request else None
    return texts is not None and len(reply.vectors) == len(texts.items) and len(reply.vectors) > 0


def input_tokens(reply: Reply, occasion: Occasion) -> int:
    """Return what the provider counted, else an estimate: OpenAI's clients cannot read an answer without it."""
    if reply.usage is not None and reply.usage.input_total is not None:
        return reply.usage.input_total
    texts = occasion.request.texts if occasion.request else None
    return sum(tokens_of_text(text) for text in texts.items) if texts else 0


def readable(vectors: tuple[bytes, ...] | None, seen: Seen) -> Seen:
    """Note whether a body's vectors are there, and are what they should be."""
    if vectors is None:
        seen.malformed = NOT_VECTORS
        return seen
    try:
        for vector in vectors:
            if vector[:1] != b"[":
                _packed(vector)
    except (ValueError, binascii.Error, *FAULTS):
        seen.malformed = NOT_VECTORS
        return seen
    seen.spoke = seen.finished = seen.ended = True
    return seen
