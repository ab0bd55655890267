"""/metrics: what this process counts, in Prometheus' text format, for those who run the house (security G5).

PROXY_METRICS_TOKEN opens this door and no other; PROXY_AUTH_TOKEN opens it too. A tenant's key does not: the figures
are everybody's. Each process answers for itself.
"""

import asyncio
import hmac

from django.http import HttpRequest, HttpResponse
from ninja import Router

from accounts import scopes
from accounts.keys import KeyHolder
from analytics import gauges as _gauges  # noqa: F401 - joins in
from proxx.api.auth import Policy, everybody
from proxx.api.carriers import presented
from proxx.gateway.errors import Forbidden
from proxx.kit import metrics
from proxx.kit.configured import settings

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


_NOT_A_TENANTS = (
    "These figures are everybody's, so no tenant's key opens them: send PROXY_METRICS_TOKEN or PROXY_AUTH_TOKEN."
)


class _Reader(Policy):
    """Lets in who carries one of the two tokens."""

    async def __call__(self, request: HttpRequest) -> KeyHolder:
        """Return a holder that may do nothing else, or raise what every policy raises."""
        token, own = presented(request.META), settings.PROXY_METRICS_TOKEN
        if token and own and hmac.compare_digest(token.encode(), own.encode()):
            return await everybody(request)
        try:
            return await super().__call__(request)
        except Forbidden as error:
            if error.facts.code != "missing_scope":
                raise
            raise Forbidden(_NOT_A_TENANTS, code="missing_scope") from None


router = Router(auth=_Reader(scopes.ADMIN), tags=["Health"])


@router.get("/metrics", summary="Metrics of this process, for Prometheus")
async def scrape(request: HttpRequest) -> HttpResponse:
    """Answer with everything this process counts; worked out beside the loop."""
    return HttpResponse(await asyncio.to_thread(metrics.render), content_type=CONTENT_TYPE)
