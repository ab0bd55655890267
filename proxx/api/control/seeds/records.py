"""One call in the words of those who asked the gateways that proxx replaces. Unknown is null, never 0.

A tenant's id is its short name, an account's its name at the provider; masks hide who called and with
what, where the caller may not know it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from accounts.models import Credential
from accounts.sanitized import Masks
from analytics import labels, tags
from analytics.models import CallTag, RequestLog
from routing import footprint
from routing.pricing import NANO

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Names:
    """What calls on one page are told with: their credentials by id, and how a name is shown."""

    accounts: Mapping[UUID, Json]
    masks: Masks

    def account(self, call: RequestLog) -> Json:
        """Return name, label and kind of a call's account; empty texts where nobody knows them."""
        found = self.accounts.get(call.credential_id) if call.credential_id else None
        return found or {"account_id": "", "label": "", "kind": ""}


def names(calls: Iterable[RequestLog], masks: Masks) -> Names:
    """Return the names for some calls. One query."""
    wanted = {call.credential_id for call in calls if call.credential_id}
    rows = Credential.objects.filter(pk__in=wanted).values("pk", "account_id", "label", "kind") if wanted else ()
    return Names({row["pk"]: dict(row) for row in rows}, masks)


def dollars(nano: int | None) -> float | None:
    """Return money in dollars."""
    return None if nano is None else nano / NANO


def iso(moment: datetime) -> str:
    """Return a moment as text."""
    return moment.isoformat().replace("+00:00", "Z")


def trace(call: RequestLog, by: Names) -> Json:
    """Return a call as MultiVibe's traces show it. Bodies are not in it: to read them is a right of its own."""
    began = call.started_at
    ended = began + timedelta(milliseconds=call.duration_ms)
    is_error = call.status >= 400
    return {
        "id": str(call.id),
        "at": _ms(began),
        "route": call.endpoint,
        "lifecycleState": "interrupted" if call.outcome == "cancelled" else "completed",
        "startedAt": _ms(began),
        "completedAt": _ms(ended),
        "clientDisconnected": call.outcome == "cancelled",
        "accountId": str(call.credential_id) if call.credential_id else None,
        "accountEmail": by.masks.accounts(call.credential.label) or None if call.credential else None,
        "provider": call.provider_id or None,
        "model": call.model_routed or call.model_requested or None,
        "requestedModel": call.model_requested or None,
        "resolvedModel": call.model_routed or None,
        "status": call.status,
        "isError": is_error,
        "stream": call.stream,
        "latencyMs": call.duration_ms,
        "ttftMs": call.first_event_ms,
        "error": call.error_code or None if is_error else None,
        "tokensInput": call.input_tokens,
        "tokensInputCached": call.cache_read_tokens,
        "tokensOutput": call.output_tokens,
        "tokensTotal": _total(call),
        "costUsd": dollars(call.cost_nano),
        "attempts": call.attempt_count,
        "hasRequestBody": False,
    }


def log_entry(call: RequestLog, by: Names) -> Json:
    """Return a call as the old request log lists it: one entry for each call, with the number of its attempts."""
    account, tps = by.account(call), _tps(call)
    used = footprint.estimate(call.model_routed, call.input_tokens or 0, call.output_tokens or 0)
    failed = call.status >= 400
    return {
        "id": str(call.id),
        "timestamp": _ms(call.started_at),
        "tenantId": by.masks.names(call.tenant.slug) if call.tenant else None,
        "issuer": "local",
        "keyId": str(call.key_id) if call.key_id else None,
        "routeKind": "local",
        "providerId": call.provider_id,
        "accountId": by.masks.accounts(account["account_id"]),
        "authType": account["kind"] or "none",
        "model": call.model_routed or call.model_requested,
        "upstreamMode": call.dialect,
        "upstreamPath": call.endpoint,
        "status": call.status,
        "latencyMs": call.duration_ms,
        "ttftMs": call.first_event_ms,
        "tps": tps,
        "decodeTps": tps,
        "endToEndTps": _rate(call.output_tokens, call.duration_ms),
        "serviceTier": call.service_tier or None,
        "serviceTierSource": "explicit" if call.service_tier else "none",
        "promptTokens": call.input_tokens,
        "completionTokens": call.output_tokens,
        "totalTokens": _total(call),
        "cachedPromptTokens": call.cache_read_tokens,
        "imageCount": call.pictures,
        "imageCostUsd": dollars(call.cost_nano) if call.pictures else None,
        "promptCacheKeyHash": f"sha256:{call.conversation}" if call.conversation else None,
        "promptCacheKeyUsed": bool(call.conversation),
        "cacheHit": bool(call.cache_read_tokens),
        "error": call.error_code or None if failed else None,
        "upstreamErrorCode": call.error_code or None if failed else None,
        "attemptCount": call.attempt_count,
        "costUsd": dollars(call.cost_nano),
        "energyJoules": round(used.joules, 3),
        "waterEvaporatedMl": round(used.water_ml, 3),
    }


def metric_row(call: RequestLog, by: Names) -> Json:
    """Return a call as OpenProxy's table of recent requests has it, without bodies."""
    return {
        "timestamp": iso(call.started_at),
        "request_method": "POST",
        "request_path": call.endpoint,
        "provider": call.provider_id,
        "model": call.model_routed or call.model_requested,
        "prompt_tokens": call.input_tokens,
        "completion_tokens": call.output_tokens,
        "total_tokens": _total(call),
        "cached_tokens": call.cache_read_tokens,
        "total_cost": dollars(call.cost_nano),
        "response_time": call.duration_ms,
        "response_status": call.status,
        "client_ip": by.masks.names(call.client_address) or None,
        "user_agent": call.user_agent,
        "request_size": call.bytes_in,
        "response_size": call.bytes_out,
        "stream": call.stream,
        "request_id": str(call.id),
    }


def events(calls: list[RequestLog], by: Names) -> list[Json]:
    """Return calls as events: how each ended, with proxx's own words and those that people put on it. One query."""
    said = tags.of(calls)
    return [_event(call, said[call.id], by) for call in calls]


def _event(call: RequestLog, said: list[CallTag], by: Names) -> Json:
    return {
        "id": str(call.id),
        "ts": iso(call.started_at),
        "kind": "error" if call.outcome in ("error", "refused") else "response",
        "entry_id": str(call.id),
        "provider_id": call.provider_id,
        "account_id": by.masks.accounts(by.account(call)["account_id"]),
        "model": call.model_routed or call.model_requested,
        "status": call.status,
        "tags": [*labels.of(call), *(tag.tag for tag in said)],
        "meta": {"tenant_id": by.masks.names(call.tenant.slug) if call.tenant else None, "outcome": call.outcome,
                 "error": call.error_code or None, "latency_ms": call.duration_ms},
        "payload": None,
        "payload_bytes": call.bytes_in,
    }  # fmt: skip


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _total(call: RequestLog) -> int | None:
    sides = (call.input_tokens, call.output_tokens)
    return None if sides == (None, None) else sum(side or 0 for side in sides)


def _tps(call: RequestLog) -> float | None:
    if not call.stream or call.first_event_ms is None:
        return None
    return _rate(call.output_tokens, call.duration_ms - call.first_event_ms)


def _rate(tokens: int | None, milliseconds: int) -> float | None:
    return round(tokens * 1000 / milliseconds, 2) if tokens and milliseconds > 0 else None
