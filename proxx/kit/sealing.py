"""Secrets at rest: seal and unseal with AES-256-GCM, digest with HMAC-SHA-256.

A sealed text is `proxx1.<key id>.<base64 of nonce + ciphertext>`. The key id names one of `settings.SEALING_KEYS`
(32 bytes each, in base64 or as 64 hex digits): the first seals, all of them unseal, so keys rotate by putting a new
one in front.
The context (the row's id) is bound in: a value moved to another row does not open.
"""

import base64
import binascii
import hashlib
import hmac
import os
import re
from collections.abc import Iterator
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from proxx.kit.configured import settings

MARK = "proxx1"
NONCE_BYTES = 12
PEPPER_VERSION = 1  # of keys made before peppers had numbers
HEX_KEY = re.compile(r"[0-9a-fA-F]{64}")


class SealBroken(Exception):
    """A sealed text that no configured key opens, or that belongs to another row."""


class Secret:
    """A secret in memory: it prints as dots, and only `reveal` gives it away."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the plain text, for the one line that sends it."""
        return self._text

    def pinned(self) -> "Secret":
        """Return a secret that stays what this one is now; there are kinds that change (oauth/held.py)."""
        return self

    def __repr__(self) -> str:
        return "Secret(...)"

    __str__ = __repr__

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        return hash(self._text)


def seal(plain: str, *, context: str) -> str:
    """Seal a text under the first key, bound to `context`."""
    return seal_bytes(plain.encode(), context=context)


def seal_bytes(plain: bytes, *, context: str) -> str:
    """Seal bytes as `seal` seals a text."""
    key_id, key = _keys()[0]
    nonce = os.urandom(NONCE_BYTES)
    sealed = AESGCM(key).encrypt(nonce, plain, context.encode())
    return f"{MARK}.{key_id}.{base64.urlsafe_b64encode(nonce + sealed).decode()}"


def unseal(sealed: str, *, context: str) -> str:
    """Open a sealed text; raise `SealBroken` if the key is unknown, the text damaged or the context another."""
    return unseal_bytes(sealed, context=context).decode()


def unseal_bytes(sealed: str, *, context: str) -> bytes:
    """Open what `seal_bytes` sealed; raise `SealBroken` as `unseal` does."""
    try:
        mark, key_id, body = sealed.split(".", 2)
        raw = base64.urlsafe_b64decode(body)
    except (ValueError, binascii.Error):
        raise SealBroken("This value is not sealed.") from None
    key = dict(_keys()).get(key_id)
    if mark != MARK or key is None:
        raise SealBroken("This value was sealed with a key that is not configured.")
    try:
        return AESGCM(key).decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], context.encode())
    except InvalidTag:
        raise SealBroken("This value is damaged or belongs to another row.") from None


def is_sealed(text: str) -> bool:
    """Tell a sealed text from a plain one, by its mark."""
    return text.startswith(f"{MARK}.") and text.count(".") == 2


def sealed_under_current_key(sealed: str) -> bool:
    """Tell whether a sealed text needs no re-sealing."""
    return sealed.startswith(current_mark())


def current_mark() -> str:
    """Return how every text begins that is sealed under the first key."""
    return f"{MARK}.{_keys()[0][0]}."


def digest(secret: str) -> str:
    """Return the peppered digest (64 hex digits) under which a client key is stored and found."""
    return _digest(secret, settings.KEY_PEPPER)


def _digest(secret: str, pepper: str) -> str:
    inner, outer = _hmac_halves(pepper)
    inner, outer = inner.copy(), outer.copy()
    inner.update(secret.encode())
    outer.update(inner.digest())
    return outer.hexdigest()


def former_digests(secret: str) -> Iterator[str]:
    """Return the digests that a client key would have under the former peppers."""
    for pepper in settings.FORMER_PEPPERS:
        yield _digest(secret, pepper)


def pepper_version() -> int:
    """Return a number of the present pepper, which tells nothing of it: what keys are made under it from now on."""
    return PEPPER_VERSION + 1 + int(_digest("pepper version", settings.KEY_PEPPER)[:8], 16) % 32_000


def key_fault(text: str) -> str | None:
    """Say what is wrong with an encryption key, or nothing."""
    try:
        raw = _raw(text)
    except (ValueError, binascii.Error):
        return "is not base64"
    return None if len(raw) == 32 else "does not hold 32 bytes"


@lru_cache(maxsize=8)
def _hmac_halves(pepper: str) -> tuple["hashlib._Hash", "hashlib._Hash"]:
    # HMAC-SHA-256 (RFC 2104) with the pepper's two blocks hashed once: 1 instead of 2.5 µs, once in every call.
    key = pepper.encode()
    block = (hashlib.sha256(key).digest() if len(key) > 64 else key).ljust(64, b"\0")
    return hashlib.sha256(bytes(byte ^ 0x36 for byte in block)), hashlib.sha256(bytes(byte ^ 0x5C for byte in block))


def _keys() -> tuple[tuple[str, bytes], ...]:
    return _parse_keys(tuple(settings.SEALING_KEYS))


@lru_cache(maxsize=8)
def _parse_keys(texts: tuple[str, ...]) -> tuple[tuple[str, bytes], ...]:
    if not texts:
        raise SealBroken("No encryption key is configured.")
    for number, text in enumerate(texts, start=1):
        if fault := key_fault(text):
            raise SealBroken(f"PROXY_ENCRYPTION_KEYS: key {number} {fault}.")
    raws = [_raw(text) for text in texts]
    return tuple((hashlib.sha256(raw).hexdigest()[:8], raw) for raw in raws)


def _raw(text: str) -> bytes:
    if HEX_KEY.fullmatch(text):  # what some hosts generate; read as base64 it would hold 48 bytes, so it is no doubt
        return bytes.fromhex(text)
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
