"""A client's body -> Envelope: the path says the model and whether to stream, the query in which form."""

import msgspec

from proxx.protocols.framing.heads import read_head
from proxx.protocols.hub.request import Envelope

DIALECT = "gemini"


def read_envelope(body: bytes, *, model: str = "", stream: bool | None = None, form: str = "") -> Envelope:
    """Read what the walk must know; raise `Unreadable` for a body that is no object.

    `form` of a stream is "sse" (`?alt=sse`) or "array". Usage is part of every Gemini answer, so it is always wanted.
    """
    head = read_head(body, dialect=DIALECT, model=model, stream=stream)
    return msgspec.structs.replace(head, wants_usage=True, form=form)
