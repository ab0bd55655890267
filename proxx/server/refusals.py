"""What the server itself answers, before or instead of the application: the table of refusals and their bytes.

Nobody's dialect is known here, so the body is the OpenAI envelope; a browser (Accept: text/html) gets plain text.
"""

from dataclasses import dataclass
from http import HTTPStatus

from proxx.kit import fastjson


@dataclass(frozen=True, slots=True)
class Refusal:
    """One way to say no: HTTP status, code of the envelope, a sentence, seconds until a retry makes sense (or 0)."""

    status: int
    code: str
    sentence: str
    retry_after: int = 0
    worth_retrying: bool = True  # some clients retry a 401 for minutes unless told


class Refused(Exception):
    """This request, or what arrived in its place, is refused."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.sentence)
        self.refusal = refusal


def answer(refusal: Refusal, *, text: bool = False, bodiless: bool = False) -> bytes:
    """Return the whole answer; it always ends the connection. `bodiless` is for HEAD."""
    headers, body = content(refusal, text=text)
    head = b"".join(b"%b: %b\r\n" % header for header in headers)
    reason = HTTPStatus(refusal.status).phrase.encode()
    shown = b"" if bodiless else body
    return b"HTTP/1.1 %d %b\r\n%bconnection: close\r\n\r\n%b" % (refusal.status, reason, head, shown)


def content(refusal: Refusal, *, text: bool = False) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """Return the headers and the body of a refusal."""
    if text:
        kind, body = b"text/plain; charset=utf-8", refusal.sentence.encode()
    else:
        kind, body = b"application/json", fastjson.dumps({"error": _envelope(refusal)})
    headers = [
        (b"content-type", kind),
        (b"content-length", b"%d" % len(body)),
        (b"x-proxx-error-code", refusal.code.encode()),
        (b"cache-control", b"no-store"),
    ]
    if not refusal.worth_retrying:
        headers.append((b"x-should-retry", b"false"))
    if refusal.retry_after:
        headers.append((b"retry-after", b"%d" % refusal.retry_after))
    return headers, body


def _envelope(refusal: Refusal) -> dict[str, str | None]:
    kind = "server_error" if refusal.status >= 500 else "invalid_request_error"
    return {"message": refusal.sentence, "type": kind, "code": refusal.code, "param": None}


UPGRADE_WITH_BODY = Refusal(400, "malformed_request", "A request for a WebSocket cannot have a body.")
NO_WEBSOCKETS = Refusal(426, "upgrade_required", "WebSockets are not served here.")
MALFORMED = Refusal(400, "malformed_request", "This is not a well-formed HTTP request.")
TWO_LENGTHS = Refusal(400, "malformed_request", "The request states the length of its body in two ways.")
BAD_LENGTH = Refusal(400, "malformed_request", "The length of the request's body is not readable.")
BAD_CHUNK = Refusal(400, "malformed_request", "The request's body is not well chunked.")
BAD_TARGET = Refusal(400, "malformed_request", "The request's target is not a path of this server.")
BAD_HOST = Refusal(400, "malformed_request", "The request must name exactly one Host.")
HEAD_TOO_LARGE = Refusal(431, "headers_too_large", "The request's headers are too large.")
HEAD_TOO_MANY = Refusal(431, "headers_too_many", "The request has too many headers.")
HEAD_LATE = Refusal(408, "request_timeout", "The request's headers did not arrive in time.")
BODY_LATE = Refusal(408, "request_timeout", "The request's body did not arrive in time.")
BODY_TOO_LARGE = Refusal(413, "request_too_large", "The request's body is larger than this server accepts.")
BODY_NEEDS_KEY = Refusal(401, "invalid_api_key", "A body of this size needs a valid API key.", worth_retrying=False)
NO_ROOM = Refusal(503, "overloaded", "The server holds too many request bodies; try again.", retry_after=2)
TOO_MANY_CONNECTIONS = Refusal(503, "too_many_connections", "The server holds too many connections.", retry_after=5)
NO_ANSWER = Refusal(500, "internal_error", "The server could not answer this request.")
STOPPING = Refusal(503, "gateway_stopping", "The server is shutting down; try again.", retry_after=5)
