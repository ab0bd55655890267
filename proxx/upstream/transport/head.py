"""Request heads as bytes. What frames a message (host, lengths, connection) is written here and taken from nobody."""

import re

import httpx

from proxx.upstream.message import HeaderList

TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
OURS = frozenset(
    (
        b"host",
        b"content-length",
        b"transfer-encoding",
        b"connection",
        b"proxy-connection",
        b"keep-alive",
        b"te",
        b"trailer",
        b"upgrade",
        b"expect",
        b"http2-settings",
    )
)
WITH_BODY = frozenset((b"POST", b"PUT", b"PATCH"))
NAMES_LIMIT = 1024

_checked_names: dict[bytes, bool] = {}  # header name -> whether it may be sent; names repeat, checks need not


def write(method: str, url: httpx.URL, headers: HeaderList, body_size: int) -> bytes:
    """Return the head of a request; framing headers among `headers` are left out.

    Raises `httpx.LocalProtocolError` for anything that could begin a line of its own (CR, LF), for NUL, and for names
    and methods that are no tokens.
    """
    verb = method.encode("ascii", "replace")
    if TOKEN.fullmatch(verb) is None:
        raise httpx.LocalProtocolError("The request method is not a token.")
    target = url.raw_path
    if b" " in target:
        raise httpx.LocalProtocolError("The request target holds a blank.")
    lines = [b"%b %b HTTP/1.1\r\nhost: %b" % (verb, target, url.netloc)]
    for name, value in headers:
        sendable = _checked_names.get(name)
        if sendable or (sendable is None and _check(name)):
            lines.append(name + b": " + value)
    if body_size or verb in WITH_BODY:
        lines.append(b"content-length: %d" % body_size)
    head = b"\r\n".join(lines) + b"\r\n\r\n"
    ends = len(lines) + 2
    if head.count(b"\n") != ends or head.count(b"\r") != ends or b"\0" in head:
        raise httpx.LocalProtocolError("A header value holds CR, LF or NUL.")
    return head


def _check(name: bytes) -> bool:
    if TOKEN.fullmatch(name) is None:
        raise httpx.LocalProtocolError("A header name is not a token.")
    if len(_checked_names) >= NAMES_LIMIT:
        _checked_names.clear()
    sendable = _checked_names[name] = name.lower() not in OURS
    return sendable
