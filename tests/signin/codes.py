"""An authenticator app, as RFC 6238 says: what it would show for a secret at a time."""

import base64
import hmac
import struct


def shown(secret: str, at: float) -> str:
    """Return the six digits."""
    key = base64.b32decode(secret.replace(" ", ""))
    digest = hmac.digest(key, struct.pack(">Q", int(at) // 30), "sha1")
    offset = digest[-1] & 15
    return f"{int.from_bytes(digest[offset : offset + 4], 'big') % 2**31 % 10**6:06}"
