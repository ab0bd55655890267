"""Ids of calls: made to fit an upstream that is stricter about them, and made where a dialect has none.

Everything is computed from what is there, nothing is stored and nothing random: the same history has the same ids each
time, so caches hit and results find their calls.
"""

import base64
import hashlib
import re
import string

CALL = "call_"
ANTHROPIC = re.compile(r"[a-zA-Z0-9_-]+")
MISTRAL = re.compile(r"[a-zA-Z0-9]{9}")
MISTRAL_LENGTH = 9
LONGEST = 64

_HASHED = 40  # base64url characters: 240 bits
_BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase


def fitted(id: str, *, pattern: re.Pattern[str], longest: int = LONGEST) -> str:
    """Return an id that matches `pattern` as a whole within `longest` characters: the id itself, else a hash of it, the
    same for call and result."""
    if len(id) <= longest and pattern.fullmatch(id):
        return id
    digest = hashlib.sha256(id.encode(errors="replace")).digest()
    hashed = CALL + base64.urlsafe_b64encode(digest).decode()[:_HASHED]
    if len(hashed) <= longest and pattern.fullmatch(hashed):
        return hashed
    number = int.from_bytes(digest, "big")
    signs = []
    for _ in range(min(longest, _HASHED)):
        number, digit = divmod(number, len(_BASE62))
        signs.append(_BASE62[digit])
    return "".join(signs)


def made(*parts: str | int) -> str:
    """Return an id for a call that has none: the same whenever it is made of the same parts."""
    digest = hashlib.sha256("\0".join(str(part) for part in parts).encode(errors="replace")).digest()
    return CALL + base64.urlsafe_b64encode(digest).decode()[:_HASHED]


def repeated(id: str, count: int) -> str:
    """Return an id for the `count`-th repetition of one that was given before; the first, number 0, keeps it."""
    if not count:
        return id
    return f"{id}_{hashlib.sha256(f'{id}|{count}'.encode(errors='replace')).hexdigest()[:8]}"
