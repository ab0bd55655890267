"""Everything that can be wrong with a call, as the caller may know it.

GatewayError
├── BadRequest            400  the body, a field, an option
│   ├── RejectedUpstream  4xx  the provider blamed the request; its own words are passed on
│   └── UnsupportedMedia  415
├── Unauthorized          401
├── Forbidden             403
├── NotFound              404  unknown model, unknown endpoint
├── MethodNotAllowed      405
├── TooLarge              413
├── OverLimit             429  every credential rests
│   └── OverOwnLimit      429  a limit of the tenant or key
│       └── OverBudget    429  a budget has no room (402 in dialects that know it)
├── Unavailable           503  nothing configured, everything disabled, the key store is away
├── UpstreamFailed        502  every candidate failed
└── TimedOut              504

Each class fixes the status and the error class of docs/failures.md that a dialect's writer maps to its own words.
`detail` is for logs only and never leaves the house.
"""

from proxx.protocols.hub.errors import ErrorFacts


class GatewayError(Exception):
    """One refused or failed call."""

    status = 500
    kind = "internal"
    code: str | None = None
    message = "The gateway failed to answer this call."
    # Some clients retry 401 and 429 for minutes unless told that a retry cannot mend it.
    worth_retrying = True
    # The call is not acceptable, which is its caller's matter: records must not show it as a failure of the house.
    refuses = False

    def __init__(
        self,
        message: str | None = None,
        *,
        code: str | None = None,
        param: str | None = None,
        detail: str = "",
        retry_after: float | None = None,
        headers: tuple[tuple[bytes, bytes], ...] = (),
    ) -> None:
        super().__init__(message or self.message)
        self.facts = ErrorFacts(self.kind, message or self.message, code or self.code, param, retry_after)
        self.detail = detail
        self.retry_after = retry_after
        self.headers = headers


class BadRequest(GatewayError):
    """The request itself is at fault."""

    status, kind, code = 400, "invalid_request", "invalid_body"
    message = "The request is not valid."
    worth_retrying = False
    refuses = True


class RejectedUpstream(BadRequest):
    """The provider refused the request and blamed the request. `body` is its own answer, if it is of the caller's
    dialect."""

    code = "upstream_rejected_request"

    def __init__(self, message: str, *, kind: str, status: int, code: str | None, body: bytes = b"") -> None:
        super().__init__(message, code=code)
        self.status = status
        self.facts = ErrorFacts(kind, message, code)
        self.body = body


class UnsupportedMedia(BadRequest):
    """The body's type or encoding is none we read."""

    status, code = 415, "unsupported_media_type"
    message = "Send the body as application/json, without content-encoding."


class Unauthorized(GatewayError):
    """No key, or none that we know."""

    status, kind, code = 401, "auth", "invalid_api_key"
    message = (
        "No valid API key was given. Send a proxx key as 'Authorization: Bearer KEY', 'x-api-key: KEY' or "
        "'x-goog-api-key: KEY'."
    )
    worth_retrying = False
    refuses = True


class Forbidden(GatewayError):
    """The key is good, but not for this."""

    status, kind = 403, "permission"
    message = "This key may not do that."
    worth_retrying = False
    refuses = True


class NotFound(GatewayError):
    """No such model, no such endpoint."""

    status, kind, code = 404, "not_found", "model_not_found"
    message = "The model does not exist or you do not have access to it."
    worth_retrying = False
    refuses = True


class MethodNotAllowed(GatewayError):
    """The path exists, the method does not."""

    status, kind, code = 405, "invalid_request", "method_not_allowed"
    message = "This method is not allowed here."
    worth_retrying = False
    refuses = True


class TooLarge(GatewayError):
    """The body is larger than the limit."""

    status, kind, code = 413, "too_large", "request_too_large"
    message = "The request body is too large."
    worth_retrying = False
    refuses = True


class OverLimit(GatewayError):
    """Come back later: every credential is at its limit."""

    status, kind, code = 429, "rate_limit", "no_available_key"
    message = "Every account that could serve this model is rate limited. Please retry later."


class OverOwnLimit(OverLimit):
    """A limit of the tenant or key, of ours, has no room for this call."""

    code = "rate_limit_exceeded"
    message = "This key is at its limit. Please retry later."
    refuses = True


class OverBudget(OverOwnLimit):
    """A budget of the tenant or key has no room for this call: to ask again at once is no use."""

    kind, code = "billing", "insufficient_quota"
    message = "The budget of this key is used up."
    worth_retrying = False


class Unavailable(GatewayError):
    """We cannot serve now, through no fault of the caller."""

    status, kind, code = 503, "overloaded", "service_unavailable"
    message = "The gateway cannot serve this call now."


class UpstreamFailed(GatewayError):
    """Every candidate failed in a way that says nothing about the request."""

    status, kind, code = 502, "upstream_error", "upstream_unavailable"
    message = "No provider could answer this call."


class TimedOut(GatewayError):
    """No provider began to answer in time."""

    status, kind, code = 504, "timeout", "timeout"
    message = "No provider began to answer in time."
