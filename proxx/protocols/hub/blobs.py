"""Blobs on their way through a foreign dialect: wrapped with their origin, so that they return to their maker and to
nobody else.

A wrapped blob is `gw1.<family>.<base64url of JSON>`. Between client and upstream of one dialect blobs travel bare.
"""

import base64
import binascii
import re

import msgspec

from proxx.protocols.hub.parts import Blob

PREFIX = "gw1."
_UNSAFE = re.compile(r"[^a-z0-9_-]")


def wrap(blob: Blob) -> str:
    """Return the text under which a foreign client keeps this blob and sends it back."""
    payload = base64.urlsafe_b64encode(msgspec.json.encode(blob)).rstrip(b"=").decode()
    return f"{PREFIX}{_UNSAFE.sub('-', blob.family.lower() or blob.dialect)}.{payload}"


def unwrap(text: str) -> Blob | None:
    """Return the blob inside a wrapped text; None for a bare one, or one that was damaged on its way."""
    if not text.startswith(PREFIX):
        return None
    payload = text.rpartition(".")[2]
    try:
        found = msgspec.json.decode(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)), type=Blob)
    except (msgspec.DecodeError, UnicodeDecodeError, binascii.Error, ValueError):
        return None
    return found


def received(text: str, *, kind: str, dialect: str, family: str = "", item_id: str = "") -> Blob:
    """Read what a client sent in its dialect's own place: a wrapped blob, else a bare one of that dialect."""
    return unwrap(text) or Blob(kind, text, dialect, family, item_id)


def fits(blob: Blob, *, dialect: str, family: str) -> bool:
    """Tell whether an upstream of this dialect and model family can read the blob.

    A bare blob from a client names no family: it came from its own dialect's vendor, as far as anyone can tell.
    """
    return blob.dialect == dialect and (not blob.family or not family or blob.family == family)
