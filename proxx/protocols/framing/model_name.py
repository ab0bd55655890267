"""The client's own bytes with another model name: all that changes in a body that stays in its dialect."""

import orjson

from proxx.protocols.framing.members import only_place, replaced
from proxx.protocols.hub.request import Envelope


def renamed(request: Envelope, model: str) -> bytes:
    """Return the body with this model; unchanged if it names that already, or none.

    Nearly every body names its model once, in plain letters: then the place is known without a second reading.
    """
    body = request.body
    if model == request.model:
        return body
    name, old = orjson.dumps(model), b'"%b"' % request.model.encode()
    start = only_place(body, b"model") if request.is_named else -1
    if start >= 0 and b"\\" not in old and body.startswith(old, start):
        return body[:start] + name + body[start + len(old) :]
    return replaced(body, b"model", name)
