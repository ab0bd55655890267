"""The files in which Factory's CLI keeps its sign-in: `auth.v2.key` and `auth.v2.file`. Pure.

The key file is base64 of 32 bytes; the other is `base64(iv):base64(tag):base64(ciphertext)` of AES-256-GCM around a
JSON object with both tokens. They are read once; the tokens then live, renewed, in the database.
"""

import base64
import binascii

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from proxx.kit import fastjson

KEY_BYTES, TAG_BYTES = 32, 16
IV_BYTES = range(8, 129)  # what the cipher takes; 16 when its CLI writes
LARGEST = 1024 * 1024  # characters
NAMES = ("auth.v2.file", "auth.v2.key")


class FilesFault(ValueError):
    """These files cannot be used; the text is a sentence without any of their content."""


def read(data: str, key: str) -> dict[str, str]:
    """Return the access token and, if there is one, the refresh token; raise `FilesFault`."""
    secret = _decoded(key, "auth.v2.key")
    if len(secret) != KEY_BYTES:
        raise FilesFault("auth.v2.key does not hold a key of 32 bytes.")
    parts = data.strip().split(":")
    if len(parts) != 3 or len(data) > LARGEST:
        raise FilesFault("auth.v2.file is not as Factory's CLI writes it: three parts with colons between them.")
    iv, tag, text = (_decoded(part, "auth.v2.file") for part in parts)
    if len(iv) not in IV_BYTES or len(tag) != TAG_BYTES:
        raise FilesFault("auth.v2.file is not as Factory's CLI writes it: its first two parts have other lengths.")
    try:
        said = fastjson.loads(AESGCM(secret).decrypt(iv, text + tag, None))
    except InvalidTag:
        raise FilesFault("The key does not open the file: take both from the same machine.") from None
    except ValueError:
        raise FilesFault("auth.v2.file opens, but does not hold JSON.") from None
    tokens = {name: said.get(name) for name in ("access_token", "refresh_token")} if isinstance(said, dict) else {}
    if not tokens.get("access_token"):
        raise FilesFault("There is no access token in auth.v2.file.")
    return {name: value.strip() for name, value in tokens.items() if isinstance(value, str)}


def _decoded(text: str, name: str) -> bytes:
    try:
        return base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        raise FilesFault(f"{name} is not base64.") from None
