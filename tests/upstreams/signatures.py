"""Blobs that only this provider can have issued: thinking signatures, encrypted search results.

A blob names its vendor and the digest of what it vouches for, sealed with a key. It is the same for the same text, so
that a history sent twice is the same twice. What a test's script signs with words of its own is remembered as issued.
"""

import base64
import hashlib
import hmac

_KEY = b"the simulated provider and nobody else"
_DIGEST = 16
_scripted: dict[tuple[str, str], str] = {}


def sign(vendor: str, text: str) -> str:
    """Return the blob that vouches for a text."""
    digest = hashlib.sha256(text.encode()).digest()[:_DIGEST]
    return base64.b64encode(digest + _seal(vendor, digest)).decode()


def remember(vendor: str, blob: str, text: str) -> None:
    """Note a blob of the script's own wording as issued for a text."""
    if not vouches(vendor, blob, text):
        _scripted[vendor, blob] = text


def vouches(vendor: str, blob: str, text: str | None) -> bool:
    """Say whether this vendor issued the blob for this text; None: for any text."""
    if (vendor, blob) in _scripted:
        return text is None or _scripted[vendor, blob] == text
    try:
        data = base64.b64decode(blob, validate=True)
    except ValueError:
        return False
    digest, seal = data[:_DIGEST], data[_DIGEST:]
    if not hmac.compare_digest(seal, _seal(vendor, digest)):
        return False
    return text is None or hashlib.sha256(text.encode()).digest()[:_DIGEST] == digest


def _seal(vendor: str, digest: bytes) -> bytes:
    return hmac.digest(_KEY, vendor.encode() + b"\0" + digest, "sha256")
