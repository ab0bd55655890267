"""How many tokens a request would send: counted here, from the neutral reading, without asking anybody.

An estimate, as every count outside the model's own tokenizer is; it never touches a provider's health or a budget.
"""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse

from proxx.api.exchange import envelope_of
from proxx.gateway.errors import BadRequest
from proxx.kit import fastjson
from proxx.protocols.hub import estimate
from proxx.protocols.hub.errors import Unreadable
from proxx.protocols.hub.losses import Losses
from proxx.protocols.spec import Protocol


def answer(
    request: HttpRequest, dialect: Protocol, shape: Callable[[int], dict[str, Any]], **path: Any
) -> HttpResponse:
    """Count one request's tokens and say so in its dialect's `shape`."""
    envelope = envelope_of(request, dialect, path)
    try:
        tokens = estimate.tokens(dialect.read_request(envelope, Losses()))
    except Unreadable as fault:
        raise BadRequest(fault.message, code=fault.code, param=fault.param) from None
    return HttpResponse(fastjson.dumps(shape(tokens)), content_type="application/json")
