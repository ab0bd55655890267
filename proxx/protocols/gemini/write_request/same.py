"""The same dialect on both sides: the client's own bytes. The model stands in the URL, and so does the stream."""

import base64
import re

import orjson

from proxx.protocols.framing.lenient import FAULTS
from proxx.protocols.framing.members import Unclear, replaced
from proxx.protocols.gemini.write_request.parts import DUMMY
from proxx.protocols.hub.blobs import unwrap
from proxx.protocols.hub.request import Envelope

DIALECT = "gemini"

_WHOLE, _STREAM = ":generateContent", ":streamGenerateContent"
_NAMES_MODEL = re.compile(rb'"model"[ \t\r\n]*:')
# Blobs of other vendors that this gateway once wrapped for the client: base64 of "gw1.", as no signature begins.
_WRAPPED = re.compile(rb'"(Z3cxL[g-v][A-Za-z0-9+/_-]*={0,2})"')


def same_dialect(request: Envelope, *, model: str, ask_usage: bool) -> bytes:
    """Return the client's own bytes; usage is always told.

    A model that the body repeats is replaced. A signature that another vendor's model gave becomes the one that Google
    documents for such calls: the real ones stay as they are.
    """
    body = request.body
    if model != request.model and _NAMES_MODEL.search(body):
        try:
            body = replaced(body, b"model", orjson.dumps(f"models/{model}"))
        except (Unclear, *FAULTS):
            return body  # the upstream will say what it thinks of it
    return _WRAPPED.sub(_own, body) if b'"Z3cxL' in body else body


def url(url: str, *, stream: bool, form: str = "") -> str:
    """Return a candidate's URL for a stream, which is always asked for as events, or for a whole answer."""
    if not stream or not url.endswith(_WHOLE):
        return url
    return f"{url.removesuffix(_WHOLE)}{_STREAM}?alt=sse"


def _own(found: "re.Match[bytes]") -> bytes:
    text = found[1].translate(bytes.maketrans(b"-_", b"+/"))
    inside = base64.b64decode(text + b"=" * (-len(text) % 4))
    blob = unwrap(inside.decode("latin-1"))
    if blob is None:
        return found[0]
    return b'"' + (blob.value if blob.dialect == DIALECT else DUMMY).encode() + b'"'
