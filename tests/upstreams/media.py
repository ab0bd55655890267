"""What encoded things really are: base64 read strictly, media known by their first bytes, text that is no Unicode."""

import base64
import json
from typing import Any

MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
)


def decoded(data: object) -> bytes | None:
    """Return the bytes of strict base64 text, or None."""
    if not isinstance(data, str):
        return None
    try:
        return base64.b64decode(data, validate=True)
    except ValueError:
        return None


def kind_of(data: bytes) -> str:
    """Return the media type that the first bytes tell, or an empty string."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for start, kind in MAGIC if data.startswith(start)), "")


def has_lone_surrogate(data: Any) -> bool:
    """Say whether a text anywhere in the data holds half of a surrogate pair."""
    try:
        json.dumps(data, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False
