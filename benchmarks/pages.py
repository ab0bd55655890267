"""Every page of the console and every path of the control API that reads traffic, asked by Django's own client: rights,
templates and JSON are part of the time, the socket is not. Once as an owner of the house, once as a tenant's admin."""

from typing import Any
from uuid import UUID

from benchmarks import reading

ROUNDS = 12
DASHBOARDS = ("overview", "traffic", "cost", "models", "accounts", "errors", "cache")
WINDOWS = ("24h", "7d", "30d", "365d")
LOG = "/console/analytics/requestlog/"
API = (
    "/api/v1/usage",
    "/api/v1/usage?by=model&by=day&since={month}",
    "/api/v1/usage?by=tenant&by=key&since={month}",
    "/api/v1/requests",
    "/api/v1/requests?outcome=error",
    "/api/v1/requests/{call}",
    "/api/v1/request-logs",
    "/api/v1/request-logs?providerId=provider-1&limit=50",
    "/api/v1/dashboard/overview",
    "/api/v1/dashboard/overview?window=monthly",
    "/api/v1/analytics/provider-model?window=monthly",
    "/api/v1/events",
    "/api/v1/events?status_gte=500",
    "/api/v1/events/tags",
    "/api/metrics",
    "/api/metrics?hours=720",
    "/admin/traces",
    "/admin/traces?page=20",
    "/admin/traces/{call}",
    "/admin/stats/traces",
    "/admin/stats/usage",
)
OF_THE_HOUSE = ("/console/dashboards/accounts/", "/api/v1/credentials/openai/prompt-cache-audit")


def walk() -> float:
    """Ask for all of them; return the worst 95th percentile in seconds."""
    from accounts.rights import Role
    from tests import factories

    some, tenant = chosen()
    owner = factories.make_operator(role=Role.OWNER)
    bound = factories.make_operator(role=Role.TENANT_ADMIN, tenant=tenant)
    paths = _paths(some)
    mine = [path for path in paths if not path.startswith(OF_THE_HOUSE)]
    return max(_walk("owner", owner, paths), _walk("tenant", bound, mine))


def chosen() -> tuple[Any, Any]:
    """Return one of the newest calls, and its tenant, which is made if it is missing."""
    from accounts.models import Tenant
    from analytics.models import RequestLog
    from tests import factories

    some = RequestLog.objects.order_by("-id")[1000]
    tenant = Tenant.objects.filter(pk=some.tenant_id).first()
    return some, tenant or factories.make_tenant(id=some.tenant_id)


def _walk(who: str, operator: Any, paths: list[str]) -> float:
    from django.test import Client

    client = Client(headers={"host": "localhost"})
    client.force_login(operator)
    worst = 0.0
    for path in paths:
        answer = client.get(path)
        if answer.status_code != 200:
            print(f"{who} {path}: {answer.status_code}")
            worst = float("inf")
            continue
        short = path.replace("/console/dashboards/", "…/").replace(LOG, "…/requests/")[:38]
        worst = max(worst, reading.measured(f"{who:6} {short}", lambda path=path: client.get(path), rounds=ROUNDS))
    return worst


def _paths(some: Any) -> list[str]:
    from datetime import timedelta

    from proxx.kit import clock

    month = f"{clock.now() - timedelta(days=29):%Y-%m-%dT%H:%M:%SZ}"
    boards = [f"/console/dashboards/{name}/?period={window}" for name in DASHBOARDS for window in WINDOWS]
    narrow = f"/console/dashboards/cost/?period=30d&model={some.model_routed}"
    call = UUID(str(some.pk))
    log = [LOG, f"{LOG}?outcome=error", f"{LOG}?model={some.model_routed}&status=5xx",
           f"{LOG}{call}/change/", "/console/"]  # fmt: skip
    return [*boards, narrow, *log, *(path.format(call=call, month=month) for path in API)]
