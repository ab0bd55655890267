"""The numbers of the console's first page: once in the page itself, then again and again as JSON.

The page's script (static/traffic.js) draws them; what is read is queries.py's. Several operators who look at the
same tenants at the same time share one reading.
"""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.urls import reverse

from accounts.admin.scope import who
from accounts.models import ApiKey
from accounts.rights import Right
from accounts.sanitized import is_sanitized, masked
from analytics import losses, queries, queue
from analytics.models import RequestLog
from proxx.kit import clock, ids
from routing import health, reload

FRESH = 0.9  # seconds in which a reading is shared
SHOWN = 12  # calls on the first page
LATE = timedelta(minutes=5)  # sums that are later than this need somebody to look

_readings: dict[queries.Tenants, tuple[float, dict[str, Any]]] = {}
_has_succeeded = False  # once true it stays so


def numbers(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add the first page's numbers and addresses to its context (unfold's DASHBOARD_CALLBACK)."""
    may_see = request.user.has_perm("analytics.view_requestlog")
    context["title"] = "Live"
    context["traffic"] = _shown(request) if may_see else None
    context["api_address"] = settings.PUBLIC_URL or f"{request.scheme}://{request.get_host()}"
    return context


def live(request: HttpRequest) -> JsonResponse:
    """Answer the page's question for newer numbers; the admin has checked who asks and forbids caches."""
    return JsonResponse(_shown(request))


def tenants_of(request: HttpRequest) -> queries.Tenants:
    """Return the tenants whose traffic this operator sees now."""
    return who(request).tenants(Right.REQUESTS_READ)


def reading(tenants: queries.Tenants = None) -> dict[str, Any]:
    """Return the first page's numbers, at most a second old. Times are milliseconds, `at` is unix milliseconds.

    Of some tenants they say nothing about the house: what runs now, what waits, what is wrong.
    """
    now = clock.monotonic()
    found = _readings.get(tenants)
    if found is None or now - found[0] > FRESH:
        for old in [one for one, (at, _) in _readings.items() if now - at > FRESH]:
            del _readings[old]
        found = _readings[tenants] = (now, _read(tenants))
    return found[1]


def forget() -> None:
    """Drop the shared readings."""
    global _has_succeeded
    _readings.clear()
    _has_succeeded = False


def _shown(request: HttpRequest) -> dict[str, Any]:
    """Return the reading for who looks; the shared one itself is left as it is."""
    read = reading(tenants_of(request))
    if not is_sanitized(request):
        return read
    return {**read, "calls": [{**call, "tenant": masked(call["tenant"])} for call in read["calls"]]}


def _read(tenants: queries.Tenants) -> dict[str, Any]:
    minutes = queries.traffic(tenants=tenants)
    calls = queries.newest_calls(SHOWN, tenants=tenants)
    state = queue.state()
    times = queries.first_event_percentiles(tenants=tenants)
    is_house = tenants is None
    count = {name: sum(getattr(minute, name) for minute in minutes) for name in (*queries.COUNTED, *queries.SUMMED)}
    return {
        "now": int(clock.unix() * 1000),
        "counts": {**count, "requests": sum(minute.requests for minute in minutes)},
        "first_event": {"p50": times[0], "p95": times[1]} if times else None,
        "in_flight": health.all_in_flight() if is_house else None,
        "waiting": state.waiting if is_house else 0,
        "minutes": [
            [int(minute.at.timestamp()) * 1000, minute.ok, minute.errors + minute.refused, minute.cancelled]
            for minute in minutes
        ],
        "calls": [_call(call) for call in calls],
        "alarms": _alarms(state) if is_house else [],
        **_first_steps(minutes, calls, is_house=is_house),
    }


def _first_steps(minutes: list[queries.Minute], calls: list[RequestLog], *, is_house: bool) -> dict[str, Any]:
    """Tell whether the first steps are still to do (`is_new`), and which of the three are done: an account to send
    calls to, a key, a call that succeeded. Keys are asked for only while the steps are shown."""
    called, leads = _has_called(minutes, calls), _has_accounts()
    if not is_house or (called and leads):
        return {"is_new": False, "steps": []}
    return {"is_new": True, "steps": [leads, ApiKey.objects.filter(revoked_at=None).exists(), called]}


def _has_called(minutes: list[queries.Minute], calls: list[RequestLog]) -> bool:
    """Tell whether any call ever succeeded; once it has, that stays so."""
    global _has_succeeded
    _has_succeeded = (
        _has_succeeded
        or any(call.outcome == "ok" for call in calls)
        or any(minute.ok for minute in minutes)
        or queries.has_succeeded()
    )
    return _has_succeeded


def _has_accounts() -> bool:
    picture = reload.current()
    # A shipped loopback address that nobody configured is none.
    return bool(picture.credentials) or any(picture.providers[one].base_is_set for one in picture.order)


def _call(call: RequestLog) -> dict[str, Any]:
    return {
        "url": reverse("admin:analytics_requestlog_change", args=[call.pk]),
        "at": int(ids.moment(call.id) * 1000),
        "tenant": call.tenant.name if call.tenant else "",
        "requested": call.model_requested,
        "model": call.model_routed,
        "provider": call.provider_id,
        "outcome": call.outcome,
        "status": call.status,
        "stream": call.stream,
        "input_tokens": call.input_tokens,
        "output_tokens": call.output_tokens,
        "duration_ms": call.duration_ms,
        "first_event_ms": call.first_event_ms,
        "attempts": call.attempt_count,
    }


def _alarms(state: queue.State) -> list[str]:
    alarms = []
    if settings.PROXY_TRAFFIC_LOG:
        alarms.append("Prompts and answers of all calls are written to a file of the server: PROXY_TRAFFIC_LOG is set.")
    if state.fault:
        alarms.append(
            f"The database takes no records ({state.fault}). {state.waiting:,} wait in the journal until it does."
        )
    alarms += [losses.sentence(reason, lost) for reason, lost in queries.recent_losses().items()]
    if (late := queries.behind()) > LATE:
        minutes = int(late.total_seconds() // 60)
        alarms.append(f"Sums are {minutes:,} minutes behind, so the chart may show too little. Is the worker running?")
    return alarms
