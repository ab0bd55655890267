"""How a credential is shown to a provider: auth styles by name.

Every style is a header: a secret in a URL ends up in logs. Which provider uses which style is data
(routing/data/providers.toml); which credential is sent is the planner's choice.
"""

from collections.abc import Callable

import httpx

from proxx.upstream.message import HeaderList

Headers = tuple[tuple[bytes, bytes], ...]


def known(style: str) -> bool:
    """Tell whether a style of that name exists."""
    return style in STYLES


def travels(secret: str) -> bool:
    """Tell whether a secret can stand in a header: printable ASCII only."""
    return secret.isascii() and secret.isprintable()


def headers(style: str, secret: str) -> Headers:
    """Return the headers that show `secret` in the manner of `style`.

    Raises `httpx.LocalProtocolError`, without the secret in it, for an unknown style, for a missing secret where the
    style needs one, and for a secret that cannot travel in a header: to a caller it is an attempt that failed.
    """
    write = STYLES.get(style)
    if write is None:
        raise httpx.LocalProtocolError(f"There is no auth style named {style!r}.")
    if write is _none:
        return ()
    if not secret:
        raise httpx.LocalProtocolError(f"The auth style {style!r} needs a secret.")
    if not travels(secret):
        raise httpx.LocalProtocolError("A secret may hold only printable ASCII characters: it travels in a header.")
    return write(secret.encode("ascii"))


def workspace(account_id: str) -> Headers:
    """Return the header that says for which ChatGPT workspace a sign-in token speaks; nothing for none, or for an id
    that cannot travel."""
    return ((b"chatgpt-account-id", account_id.encode()),) if account_id and travels(account_id) else ()


def without_auth(pairs: HeaderList) -> HeaderList:
    """Return the headers less every one that some style writes, so that no second credential travels along."""
    return [(name, value) for name, value in pairs if name.lower() not in NAMES]


def _bearer(secret: bytes) -> Headers:
    return ((b"authorization", b"Bearer " + secret),)


def _x_api_key(secret: bytes) -> Headers:
    return ((b"x-api-key", secret),)


def _x_goog_api_key(secret: bytes) -> Headers:
    return ((b"x-goog-api-key", secret),)


def _api_key(secret: bytes) -> Headers:
    return ((b"api-key", secret),)


def _none(_secret: bytes) -> Headers:
    return ()


STYLES: dict[str, Callable[[bytes], Headers]] = {
    "bearer": _bearer,
    "x-api-key": _x_api_key,
    "x-goog-api-key": _x_goog_api_key,
    "api-key": _api_key,
    "none": _none,
}
NAMES = frozenset(name for style in STYLES.values() for name, _ in style(b""))
