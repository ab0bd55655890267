"""Forms of the kind multipart/form-data: small text fields are found in the body and changed in place, files never
touched.

The boundary comes from the content type. Every byte but the replaced value stays as it was.
"""

import re

from proxx.protocols.hub.errors import Unreadable

FIELDS_LIMIT = 1000
HEAD_LIMIT = 8 * 1024  # bytes of one part's own headers
TEXT_LIMIT = 64 * 1024  # bytes of a field that is read here

_BOUNDARY = re.compile(r"""boundary=(?:"([^"]{1,70})"|([!-~]{1,70}?))(?:\s*;|\s*$)""", re.IGNORECASE)
_NAME = re.compile(rb"""content-disposition:[^\r\n]*?;\s*name=(?:"([^"\r\n]*)"|([^\s;"]+))""", re.IGNORECASE)
_FILE = re.compile(rb"""content-disposition:[^\r\n]*?;\s*filename\*?=""", re.IGNORECASE)

Spans = dict[bytes, list[tuple[int, int]]]


def fields(body: bytes, content_type: str) -> Spans:
    """Return where the values of the text fields stand, by name; raise `Unreadable` for what is no form."""
    delimiter = b"--" + boundary(content_type)
    at = 0 if body.startswith(delimiter) else body.find(b"\r\n" + delimiter) + 2
    if at == 1:
        raise _broken()
    found: Spans = {}
    for _ in range(FIELDS_LIMIT):
        at += len(delimiter)
        if body.startswith(b"--", at):
            return found
        at = _add(found, body, at, delimiter)
    raise Unreadable(f"The form has more than {FIELDS_LIMIT} fields.")


def boundary(content_type: str) -> bytes:
    """Return the boundary that a content type names; raise `Unreadable` if it names none."""
    named = _BOUNDARY.search(content_type)
    if named is None:
        raise Unreadable("The content type must name the form's boundary.")
    return (named[1] or named[2]).encode("latin-1")


def text(body: bytes, spans: Spans, name: bytes) -> str:
    """Return the value of one field, empty if it is not there; raise `Unreadable` if it stands twice or is no text."""
    places = spans.get(name, [])
    if len(places) > 1:
        raise Unreadable(f"The field '{name.decode()}' stands more than once in the form.", param=name.decode())
    if not places:
        return ""
    start, end = places[0]
    try:
        return body[start : min(end, start + TEXT_LIMIT)].decode().strip()
    except UnicodeDecodeError:
        raise Unreadable(f"The field '{name.decode()}' is not UTF-8 text.", param=name.decode()) from None


def replaced(body: bytes, spans: Spans, name: bytes, value: bytes) -> bytes:
    """Return the form with another value in one field."""
    for start, end in reversed(spans.get(name, [])):
        body = body[:start] + value + body[end:]
    return body


def _add(found: Spans, body: bytes, at: int, delimiter: bytes) -> int:
    """Note one field, and return where the next delimiter begins."""
    head_end = body.find(b"\r\n\r\n", at, at + HEAD_LIMIT)
    end = body.find(b"\r\n" + delimiter, max(head_end + 2, at)) if head_end >= 0 else -1
    if end < 0:
        raise _broken()
    head = body[at : head_end + 2]
    name = _NAME.search(head)
    if name is not None and _FILE.search(head) is None:
        found.setdefault(name[1] if name[1] is not None else name[2], []).append((min(head_end + 4, end), end))
    return end + 2


def _broken() -> Unreadable:
    return Unreadable("The body is not a multipart form, or it breaks off.")
