"""Reads the head of an HTTP/1 request by one strict grammar, so that no proxy in front can have read it otherwise.

Whatever the grammar does not allow is refused with 400: obsolete folding, bare line feeds, blanks before a colon,
control characters, two lengths, transfer codings other than `chunked`, several Hosts (security D5, D7). Header names
with an underscore are dropped, because WSGI-like naming maps them onto their dashed twins (D4); two that clients use
to name a conversation are read as these twins.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from proxx.server import refusals
from proxx.server.refusals import Refused

# Possessive quantifiers: a head that does not match fails in linear time.
_GRAMMAR: Final = re.compile(
    rb"([A-Z]{1,24}+) ([\x21-\x7e]++) HTTP/1\.([01])\r\n"
    rb"((?:[!#$%&'*+\-.^_`|~0-9A-Za-z]++:[\t\x20-\x7e\x80-\xff]*+\r\n)*+)\r\n"
).fullmatch
_LENGTH: Final = re.compile(rb"[0-9]{1,18}").fullmatch
_HOST: Final = re.compile(rb"[A-Za-z0-9._~%:\[\]\-]*").fullmatch
_ORIGIN: Final = re.compile(rb"https?://[^/?#]*", re.IGNORECASE).match

# Codex writes them so. They decide nothing but which account a conversation goes to.
OLD_NAMES: Final = {b"session_id": b"session-id", b"conversation_id": b"conversation-id"}

# Headers that steer the server itself.
_STEERING: Final = frozenset(
    {b"content-length", b"transfer-encoding", b"connection", b"host", b"expect", b"upgrade", b"accept"}
)


@dataclass(slots=True)
class Head:
    """A request's head. `length` is None for a chunked body; names are lower-case, values without outer blanks."""

    method: str
    path: bytes
    query: bytes
    version: str
    headers: list[tuple[bytes, bytes]]
    length: int | None = 0
    keep_alive: bool = True
    wants_continue: bool = False
    websocket: bool = False
    browser: bool = False


def read(raw: bytes, most_headers: int) -> Head:
    """Read a complete head, up to and including its empty line; raise `Refused`."""
    match = _GRAMMAR(raw)
    if match is None:
        raise Refused(refusals.MALFORMED)
    method, target, minor, fields = match.groups()
    lines = fields.split(b"\r\n")
    lines.pop()
    if len(lines) > most_headers:
        raise Refused(refusals.HEAD_TOO_MANY)
    headers = []
    steering: dict[bytes, list[bytes]] = {}
    for line in lines:
        name, _, value = line.partition(b":")
        header = name, value = name.lower(), value.strip(b" \t")
        if name in _STEERING:
            steering.setdefault(name, []).append(value)
        elif b"_" in name:
            if name not in OLD_NAMES:
                continue
            header = OLD_NAMES[name], value
        headers.append(header)
    path, query = _path(target, method)
    head = Head(method.decode(), path, query, "1.1" if minor == b"1" else "1.0", headers)
    _check_host(head, steering.get(b"host", ()))
    if b"content-length" in steering or b"transfer-encoding" in steering:
        head.length = _length(head, steering.get(b"content-length", ()), steering.get(b"transfer-encoding", ()))
    _connection(head, steering)
    return head


def surely_bad(partial: bytes | bytearray) -> bool:
    """Tell whether an unfinished head can no longer become a good one, so that nobody waits for its end."""
    return not 65 <= partial[0] <= 90 or partial.count(b"\n") != partial.count(b"\r\n")


def scope_path(path: bytes) -> str:
    """Return the path as applications want it: percent-decoded text."""
    return unquote(path.decode("ascii")) if b"%" in path else path.decode("ascii")


def _path(target: bytes, method: bytes) -> tuple[bytes, bytes]:
    if target[0] != 47:
        origin = _ORIGIN(target)
        if origin is not None:
            target = target[origin.end() :]
            target = target if target.startswith(b"/") else b"/" + target
        elif method != b"OPTIONS" or target != b"*":
            raise Refused(refusals.BAD_TARGET)
    if b"#" in target:
        raise Refused(refusals.BAD_TARGET)
    path, _, query = target.partition(b"?")
    return path, query


def _check_host(head: Head, hosts: Sequence[bytes]) -> None:
    if len(hosts) > 1 or (not hosts and head.version == "1.1") or (hosts and _HOST(hosts[0]) is None):
        raise Refused(refusals.BAD_HOST)


def _length(head: Head, lengths: Sequence[bytes], codings: Sequence[bytes]) -> int | None:
    """Return the body's length, None if it is chunked; who states it twice, even equally, is refused."""
    if len(lengths) + len(codings) > 1:
        raise Refused(refusals.TWO_LENGTHS)
    if codings:
        if codings[0].lower() != b"chunked" or head.version == "1.0":
            raise Refused(refusals.BAD_LENGTH)
        return None
    if _LENGTH(lengths[0]) is None:
        raise Refused(refusals.BAD_LENGTH)
    return int(lengths[0])


def _connection(head: Head, steering: dict[bytes, list[bytes]]) -> None:
    """Draw the conclusions about what follows on this connection; an upgrade to anything but WebSocket is ignored."""
    tokens = {token.strip() for token in b",".join(steering.get(b"connection", ())).lower().split(b",")}
    head.keep_alive = b"close" not in tokens and head.version == "1.1"
    if b"accept" in steering:
        head.browser = b"text/html" in steering[b"accept"][0]
    if b"expect" in steering:
        head.wants_continue = steering[b"expect"][0].lower() == b"100-continue" and head.version == "1.1"
    if b"upgrade" in steering and b"upgrade" in tokens:
        head.websocket = steering[b"upgrade"][0].lower() == b"websocket" and head.method == "GET"
        if head.websocket and head.length != 0:
            raise Refused(refusals.UPGRADE_WITH_BODY)
