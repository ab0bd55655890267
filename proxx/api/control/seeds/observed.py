"""The old request log, overview, comparison of models and audit of prompt caches, below /api/ui and /api/v1.

Their numbers are those of the console's pages (analytics/readings). Names that end in `24h` hold the values of the
chosen window, as of old; the same stand beside them without the ending. Rates are percent here.
"""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from accounts.models import Credential
from accounts.rights import Right
from analytics import calls
from analytics.calls import CallFilters
from analytics.readings import accounts, cache, models, overview
from analytics.readings.accounts import Account
from analytics.readings.filters import Period
from analytics.readings.models import Line
from analytics.readings.reader import Reader
from analytics.readings.scores import confidence
from analytics.readings.sums import Sums
from proxx.api.control.callers import Needs
from proxx.api.control.seeds import asked, records
from proxx.api.control.seeds.records import Json
from proxx.api.control.seeds.ui import SEED
from proxx.api.control.shelves import answers
from proxx.kit import clock
from routing import footprint

both = Router()  # below /api/ui and /api/v1

_STATES = {"rests": "cooldown", "open": "cooldown"}
_SORTS: dict[str, Callable[[Json], float]] = {
    "health": lambda one: -one["healthScore"],
    "tokens": lambda one: -one["totalTokens"],
    "requests": lambda one: -one["requestCount"],
    "ttft": lambda one: one["avgTtftMs"] if one["avgTtftMs"] is not None else float("inf"),
    "tps": lambda one: -(one["avgDecodeTps"] or 0.0),
    "decode-tps": lambda one: -(one["avgDecodeTps"] or 0.0),
    "e2e-tps": lambda one: -(one["avgEndToEndTps"] or 0.0),
}
_ORDERS = {"decode-tps": "tps", "error-rate": "errors"}  # how the console's lists call them


class Windowed(Schema):
    """Whose traffic, over which window, in which order."""

    window: str = Field("daily", max_length=20, description="daily, weekly or monthly; anything else is daily.")
    sort: str = Field("", max_length=20)
    tenantId: str = Field("", max_length=64, description="Short name or id.")
    issuer: str = Field("", max_length=240, description="Understood; there is one issuer, `local`.")
    keyId: UUID | None = None


class Logged(Schema):
    """Which entries of the log."""

    providerId: str = Field("", max_length=64)
    accountId: str = Field("", max_length=200)
    tenantId: str = Field("", max_length=64)
    issuer: str = Field("", max_length=240)
    keyId: UUID | None = None
    limit: int = Field(200, ge=1, le=calls.AT_MOST)
    before: UUID | None = Field(None, description="An entry's id: only older ones.")


class Audited(Schema):
    """How many rows, and among how many of the newest calls they are looked for."""

    limit: int = Field(40, ge=1, le=200)
    scan: int = Field(cache.SCANNED, ge=1, le=cache.SCANNED_AT_MOST)


@both.get("/request-logs", auth=Needs(Right.REQUESTS_READ), response=answers(Json), tags=SEED)
def request_logs(request: HttpRequest, wish: Query[Logged]) -> Any:
    """List calls, newest first; `before` leads on."""
    scope = asked.scope(request, Right.REQUESTS_READ, wish.tenantId)
    filters = CallFilters(provider=wish.providerId, account=asked.account(request, wish.accountId), key=wish.keyId)
    found = calls.find(filters, scope, before=wish.before, limit=wish.limit)
    by = records.names(found.calls, asked.masks(request))
    older = str(found.older) if found.older else None
    return {"entries": [records.log_entry(call, by) for call in found.calls], "before": older}


@both.get("/dashboard/overview", auth=Needs(Right.USAGE_READ), response=answers(Json), tags=SEED)
def dashboard_overview(request: HttpRequest, wish: Query[Windowed]) -> Any:
    """Sum a window: in all, over time, and by account for who may see accounts."""
    scope = asked.scope(request, Right.USAGE_READ, wish.tenantId)
    filters = asked.window(wish.window, scope, wish.keyId)
    reader = Reader(filters)
    found = overview.read(filters, reader)
    # Whose accounts these are is the whole house's matter: of old everybody saw all of them.
    may_see = asked.caller_of(request).who.may(Right.CREDENTIALS_READ)
    show = asked.masks(request).accounts
    told = [_account(one, show) for one in accounts.read(filters, reader)] if may_see else []
    told.sort(key=_SORTS.get(wish.sort.lower(), _SORTS["health"]))
    active = sum(1 for one in told if one["requestCount"])
    trends = {
        "requests": [{"t": records.iso(at), "v": sums.requests} for at, sums in found.line],
        "tokens": [{"t": records.iso(at), "v": sums.tokens} for at, sums in found.line],
        "errors": [{"t": records.iso(at), "v": sums.errors} for at, sums in found.line],
    }
    head = {"window": wish.window, "generatedAt": records.iso(clock.now()), "coverage": _coverage(filters.period)}
    return {**head, "summary": _summary(found, active), "trends": trends, "accounts": told}


@both.get("/analytics/provider-model", auth=Needs(Right.USAGE_READ), response=answers(Json), tags=SEED)
def provider_model(request: HttpRequest, wish: Query[Windowed]) -> Any:
    """Compare models, providers and their pairs over a window."""
    scope = asked.scope(request, Right.USAGE_READ, wish.tenantId)
    filters = asked.window(wish.window, scope, wish.keyId)
    order = wish.sort.lower()
    found = models.read(Reader(filters), order=_ORDERS.get(order, order))
    return {
        "window": wish.window,
        "generatedAt": records.iso(clock.now()),
        "coverage": _coverage(filters.period),
        "models": [{**_compared(one), "providerCoverageCount": one.partners} for one in found.models],
        "providers": [{**_compared(one), "modelCoverageCount": one.partners} for one in found.providers],
        "providerModels": [_compared(one) for one in found.pairs],
    }


@both.get(
    "/credentials/openai/prompt-cache-audit",
    auth=Needs(Right.CREDENTIALS_READ, everywhere=True),
    response=answers(Json),
    tags=SEED,
)
def prompt_cache_audit(request: HttpRequest, wish: Query[Audited]) -> Any:
    """List which accounts served one prompt cache key, among the newest calls of a month; never the key itself."""
    filters = asked.window("monthly", None)
    found = cache.audit(filters, scan=wish.scan)
    shown = [*found.conversations[: wish.limit], *found.lost[: wish.limit]]
    wanted = {pk for one in shown for pk in one.accounts}
    show = asked.masks(request).accounts
    known = dict(Credential.objects.filter(pk__in=wanted).values_list("pk", "account_id"))
    names = {pk: show(known.get(pk, str(pk))) for pk in wanted}
    return {
        "generatedAt": records.iso(clock.now()),
        "scannedEntryCount": found.scanned,
        "distinctHashCount": len({one.digest for one in found.conversations}),
        "crossAccountHashCount": found.crossing,
        "crossSuccessfulAccountHashCount": len(found.lost),
        "rows": [_conversation(one, names) for one in found.conversations[: wish.limit]],
        "watchRows": [_conversation(one, names) for one in found.lost[: wish.limit]],
    }


def _summary(found: overview.Overview, active: int) -> Json:
    now = found.now
    named = {
        "requests": now.requests,
        **_tokens(now, "tokens"),
        "imageCount": now.pictures,
        "costUsd": now.cost,
        "unpricedRequests": now.unpriced,
        "energyJoules": round(found.footprint.joules, 1),
        "waterEvaporatedMl": round(found.footprint.water_ml, 1),
        "cacheKeyUses": now.ok + now.cancelled,
        "cacheHitRate": _percent(now.cache_hit_rate),
        "errorRate": _percent(now.error_rate),
    }
    return {
        **named,
        **{f"{name}24h": value for name, value in named.items()},
        "topModel": found.models[0].name if found.models else None,
        "topProvider": found.providers[0].name if found.providers else None,
        "activeAccounts": active,
        "routingRequests24h": {"local": now.requests, "federated": 0, "bridge": 0, "distinctPeers": 0, "topPeer": None},
    }


def _account(one: Account, show: Callable[[str], str]) -> Json:
    row, sums = one.credential, one.sums
    state = _STATES.get(one.mark, "healthy" if sums.requests else "idle")
    return {
        "accountId": show(row.account_id),
        "displayName": show(row.label or row.account_id),
        "providerId": row.provider_id,
        "authType": row.kind,
        "planType": row.plan_type or None,
        "status": state,
        "requestCount": sums.requests,
        **_tokens(sums),
        "costUsd": sums.cost,
        "cacheHitCount": sums.cache_hits,
        "cacheKeyUseCount": sums.ok + sums.cancelled,
        "avgTtftMs": _rounded(sums.ttft_ms),
        "avgDecodeTps": _rounded(sums.tps),
        "avgTps": _rounded(sums.tps),
        "avgEndToEndTps": _rounded(sums.whole_tps),
        "healthScore": round(one.health, 4),
    }


def _compared(one: Line) -> Json:
    sums = one.sums
    used = footprint.estimate(one.model, sums.input_tokens, sums.output_tokens) if one.model else None
    return {
        **({"providerId": one.provider} if one.provider else {}),
        **({"model": one.model} if one.model else {}),
        "requestCount": sums.requests,
        "errorCount": sums.errors,
        "errorRate": _percent(sums.error_rate),
        **_tokens(sums),
        "cacheHitRate": _percent(sums.cache_hit_rate),
        "costUsd": sums.cost,
        "energyJoules": round(used.joules, 1) if used else None,
        "waterEvaporatedMl": round(used.water_ml, 1) if used else None,
        "avgTtftMs": _rounded(sums.ttft_ms),
        "avgDecodeTps": _rounded(sums.tps),
        "avgTps": _rounded(sums.tps),
        "avgEndToEndTps": _rounded(sums.whole_tps),
        "confidenceScore": round(confidence(sums), 4),
        "suitabilityScore": round(one.suitability, 4),
    }


def _conversation(one: cache.Conversation, names: dict[UUID, str]) -> Json:
    lists = {"accountIds": one.accounts, "successfulAccountIds": one.good_accounts,
             "failedAccountIds": one.failed_accounts}  # fmt: skip
    return {
        "promptCacheKeyHash": f"sha256:{one.digest}",
        "providerId": one.provider,
        "requestCount": one.requests,
        "accountCount": len(one.accounts),
        "successfulAccountCount": len(one.good_accounts),
        "failedAccountCount": len(one.failed_accounts),
        **{name: sorted(names[pk] for pk in found) for name, found in lists.items()},
        "shapeFingerprints": [],
        "cacheHitCount": one.hits,
        "cachedPromptTokens": one.cache_read_tokens,
        "promptTokens": one.input_tokens,
        "latestModel": one.model,
        "firstSeenAt": records.iso(one.first_at),
        "lastSeenAt": records.iso(one.last_at),
    }


def _coverage(period: Period) -> Json:
    start = records.iso(period.start)
    return {"requestedWindowStart": start, "coverageStart": start, "hasFullWindowCoverage": True,
            "retainedEntryCount": None, "maxRetainedEntries": None,
            "retainedDays": settings.PROXY_RECORD_RETENTION_DAYS}  # fmt: skip


def _tokens(sums: Sums, whole: str = "totalTokens") -> Json:
    return {
        whole: sums.tokens,
        "promptTokens": sums.input_tokens,
        "completionTokens": sums.output_tokens,
        "cachedPromptTokens": sums.cache_read_tokens,
    }


def _percent(share: float | None) -> float | None:
    return None if share is None else round(100 * share, 2)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
