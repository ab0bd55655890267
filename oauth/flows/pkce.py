"""PKCE (RFC 7636) and states: proof that whoever comes back is whoever went. Pure, save for chance."""

import base64
import hashlib
import secrets

STATE_BYTES = VERIFIER_BYTES = 32


def new_state() -> str:
    """Return a state that nobody guesses."""
    return secrets.token_urlsafe(STATE_BYTES)


def new_verifier() -> str:
    """Return a verifier: 43 characters, the fewest that are allowed."""
    return secrets.token_urlsafe(VERIFIER_BYTES)


def challenge(verifier: str) -> str:
    """Return what the provider is shown of a verifier at first (S256)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
