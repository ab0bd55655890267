"""Quotas, probes and reset credits by the paths and in the shapes of old, by the functions of our own paths."""

from typing import Any
from uuid import UUID, uuid4

from django.http import HttpRequest
from ninja import Router

from accounts.models import Credential
from accounts.rights import Right
from oauth.plan_usage import REVIEW, Window
from proxx.api.control import accounts
from proxx.api.control.callers import Caller, Needs
from proxx.api.control.credentials import SHELF
from proxx.api.control.seeds.ui import SEED, Json, Word, account_named
from proxx.api.control.shapes import Strict
from proxx.api.control.shelves import answers
from proxx.kit import clock
from routing import quota, quota_admin

both = Router()  # below /api/ui and /api/v1
admin = Router()  # below /admin
OPENAI = "openai"

_reads = Needs(Right.CREDENTIALS_READ, everywhere=True)
_writes = Needs(Right.CREDENTIALS_WRITE, everywhere=True)
_spends = Needs(Right.CREDENTIALS_WRITE, everywhere=True, steps_up=True)


class ProbeNamed(Strict):
    """One account of OpenAI, and perhaps a model."""

    accountId: Word
    model: Word | None = None


@both.get("/credentials/openai/quota", auth=_reads, response=answers(Json), tags=SEED)
def openai_quota(request: HttpRequest, accountId: str = "") -> Any:
    """Say what ChatGPT accounts have left, as it was heard last."""
    rows = Credential.objects.filter(provider_id=OPENAI, kind=Credential.Kind.OAUTH_BEARER).select_related("quota")
    rows = rows.filter(account_id=accountId) if accountId else rows.order_by("priority", "account_id")
    return {"generatedAt": clock.now().isoformat(), "accounts": [_account(row) for row in rows]}


@both.post("/credentials/openai/probe", auth=_writes, response=answers(Json), tags=SEED)
def openai_probe(request: HttpRequest, payload: ProbeNamed) -> Any:
    """Ask one account for a word."""
    row = account_named(OPENAI, payload.accountId)
    found = accounts.probed(row, payload.model or "")
    return {
        "providerId": OPENAI,
        "accountId": row.account_id,
        "ok": found["ok"],
        "matchesExpectedOutput": found["is_word"],
        "model": found["model"],
        "output": found["said"],
        "status": found["status"],
        "latencyMs": round(found["seconds"] * 1000),
        "message": found["fault"],
    }


@admin.get("/accounts/{uuid:pk}/rate-limit-reset-credit", auth=_reads, response=answers(Json), tags=SEED)
def reset_credit(request: HttpRequest, pk: UUID) -> Any:
    """Say how many reset credits an account has."""
    return {"ok": True, "availableCount": accounts.available(SHELF.one(_caller(request), SHELF.read, pk))}


@admin.post("/accounts/{uuid:pk}/rate-limit-reset-credit/consume", auth=_spends, response=answers(Json), tags=SEED)
def consume_reset_credit(request: HttpRequest, pk: UUID) -> Any:
    """Use one reset credit, and ask what is left. Each request uses one."""
    accounts.used(SHELF.one(_caller(request), SHELF.write, pk), uuid4())
    return {"ok": True}


def _account(row: Credential) -> Json:
    standing = quota_admin.standing_of(row)
    known = getattr(row, "quota", None)
    windows = {one.name: one for one in quota.windows_now(standing.usage)} if standing is not None else {}
    review = [one for name, one in windows.items() if name.startswith(REVIEW)]
    stopped = standing is not None and quota.rests_until(standing.usage, standing.heard_at) is not None
    return {
        "providerId": row.provider_id,
        "accountId": row.account_id,
        "displayName": row.label or row.account_id,
        "planType": row.plan_type or None,
        "chatgptAccountId": row.chatgpt_account_id or None,
        "status": "error" if known is not None and known.fault else "ok" if windows else "unknown",
        "error": (known.fault or None) if known is not None else None,
        "fetchedAt": known.heard_at.isoformat() if known is not None and known.heard_at else None,
        "rateLimit": {"allowed": not stopped, "limitReached": stopped} if windows else None,
        "fiveHour": _window(windows.get("five_hour")),
        "weekly": _window(windows.get("weekly")),
        "codeReviewRateLimit": _window(review[0]) if review else None,
    }


def _window(one: Window | None) -> Json | None:
    if one is None:
        return None
    left = one.resets_at - clock.unix() if one.resets_at is not None else None
    return {
        "usedPercent": one.used,
        "remainingPercent": 100.0 - one.used,
        "resetsAt": round(one.resets_at * 1000) if one.resets_at is not None else None,
        "resetAfterSeconds": max(0, round(left)) if left is not None else None,
        "limitWindowSeconds": one.seconds,
    }


def _caller(request: HttpRequest) -> Caller:
    caller: Caller = request.auth  # type: ignore[attr-defined]
    return caller
