"""In which way a provider could not be reached: one word, and the same for people.

Nothing here holds an address: what is said may be told to clients. Who was meant is added by who may tell it.
"""

import errno
import socket
import ssl
from collections.abc import Iterator

import httpx

from proxx.upstream.message import NoReply

UNKNOWN = "unknown"
DEPTH = 8  # of an exception's causes


class NoAddress(OSError):
    """A name that exists without leading to an address."""


class LeadsBack(OSError):
    """An address that is ours."""


def way(fault: BaseException) -> str:
    """Return the word for what kept us from a provider; `UNKNOWN` if nothing in the exception or its causes says."""
    for one in _causes(fault):
        for known, word in _WORDS:
            if isinstance(one, known):
                return word
        if isinstance(one, OSError) and one.errno in _NUMBERS:
            return _NUMBERS[one.errno]
    return UNKNOWN


def sentence(fault: BaseException, who: str = "It") -> str:
    """Say in a sentence about `who` why there is no connection, for operators; a certificate's own fault is named."""
    found = next((one for one in _causes(fault) if isinstance(one, ssl.SSLCertVerificationError)), None)
    if found is not None and found.verify_message:
        return f"{who} could not prove who it is by its TLS certificate: {found.verify_message.rstrip('.')}."
    return f"{who} {WAYS[way(fault)]}."


def _causes(fault: BaseException) -> Iterator[BaseException]:
    one: BaseException | None = fault
    for _ in range(DEPTH):
        if one is None:
            return
        yield one
        one = one.__cause__ or one.__context__


# Each goes on after a provider's name.
WAYS = {
    "refused": "refused the connection (nothing listens at its address)",
    "late": "did not take the connection in time",
    "name": "could not be found (its name has no address)",
    "names": "could not be found (names cannot be looked up at the moment)",
    "certificate": "could not prove who it is (its TLS certificate is not trusted)",
    "tls": "did not agree with proxx on TLS",
    "route": "cannot be reached (no route leads to its network)",
    "closed": "closed the connection without an answer",
    "proxy": "could not be reached through the proxy on the way",
    "back": "has an address that is the address of proxx itself",
    UNKNOWN: "could not be reached",
}
# Most special first.
_WORDS: tuple[tuple[type[BaseException], str], ...] = (
    (LeadsBack, "back"),
    (NoAddress, "name"),
    (ssl.SSLCertVerificationError, "certificate"),
    (ssl.SSLError, "tls"),
    (httpx.ProxyError, "proxy"),
    (httpx.ConnectTimeout, "late"),
    (httpx.PoolTimeout, "late"),
    (NoReply, "closed"),
    (httpx.ReadError, "closed"),
    (httpx.WriteError, "closed"),
    (ConnectionRefusedError, "refused"),
    (ConnectionError, "closed"),
    (TimeoutError, "late"),
)
_NUMBERS = {
    socket.EAI_NONAME: "name",
    getattr(socket, "EAI_NODATA", socket.EAI_NONAME): "name",  # not every C library tells these two apart
    socket.EAI_AGAIN: "names",
    errno.ENETUNREACH: "route",
    errno.EHOSTUNREACH: "route",
}
