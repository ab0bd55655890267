"""A GatewayError -> the caller's dialect and status, with the headers that tell clients whether a retry can help."""

import logging
import math
from functools import partial

from django.http import HttpRequest, HttpResponse

from proxx.api import dialects, seed_errors
from proxx.gateway.errors import GatewayError, RejectedUpstream

PATIENCE = 60  # seconds: official clients ignore a longer Retry-After and ask again at once, for minutes

log = logging.getLogger("proxx.api")


def respond(request: HttpRequest, error: GatewayError) -> HttpResponse:
    """Write one error as an HTTP answer."""
    dialect = dialects.of(request.path_info, request.META)
    facts, write = error.facts, dialect.write_error
    if seed_errors.speaks(request.path_info):
        facts, write = seed_errors.coded(facts), partial(seed_errors.written, dialect)
    own = error.body if isinstance(error, RejectedUpstream) else b""
    response = HttpResponse(
        own or write(facts),
        content_type="application/json",
        status=dialect.statuses.get(facts.kind, error.status),
    )
    response["x-proxx-error-code"] = facts.code or facts.kind
    call_id = getattr(request, "call_id", None)
    if call_id is not None:
        response["x-request-id"] = str(call_id)
    for name, value in error.headers:
        response[name.decode()] = value.decode()
    if error.retry_after is not None:
        response["retry-after"] = str(max(1, math.ceil(error.retry_after)))
    if not error.worth_retrying or (error.retry_after or 0) > PATIENCE:
        response["x-should-retry"] = "false"
    if error.status >= 500:
        log.warning("call %s failed: %s %s", call_id, error.status, error.detail or error.facts.code)
    return response


def unexpected(request: HttpRequest, error: Exception) -> HttpResponse:
    """Answer for a fault of ours: the log gets the trace, the caller only the fact."""
    log.error("call %s broke", getattr(request, "call_id", None), exc_info=error)
    return respond(request, GatewayError())
