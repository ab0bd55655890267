"""A GatewayError -> the caller's dialect and status, with the headers that tell clients whether a retry can help."""

import logging
import math

from django.http import HttpRequest, HttpResponse

from proxx.gateway.errors import GatewayError, RejectedUpstream
from proxx.protocols import registry
from proxx.protocols.spec import Protocol

log = logging.getLogger("proxx.api")


def respond(request: HttpRequest, error: GatewayError) -> HttpResponse:
    """Write one error as an HTTP answer."""
    dialect = dialect_of(request)
    own = error.body if isinstance(error, RejectedUpstream) else b""
    response = HttpResponse(
        own or dialect.write_error(error.facts), content_type="application/json", status=error.status
    )
    response["x-proxx-error-code"] = error.facts.code or error.facts.kind
    call_id = getattr(request, "call_id", None)
    if call_id is not None:
        response["x-request-id"] = str(call_id)
    if error.retry_after is not None:
        response["retry-after"] = str(max(1, math.ceil(error.retry_after)))
    if not error.worth_retrying:
        response["x-should-retry"] = "false"
    if error.status >= 500:
        log.warning("call %s failed: %s %s", call_id, error.status, error.detail or error.facts.code)
    return response


def unexpected(request: HttpRequest, error: Exception) -> HttpResponse:
    """Answer for a fault of ours: the log gets the trace, the caller only the fact."""
    log.error("call %s broke", getattr(request, "call_id", None), exc_info=error)
    return respond(request, GatewayError())


def dialect_of(request: HttpRequest) -> Protocol:
    """Return the dialect in which this request's errors are written."""
    return registry.get("openai_chat")
