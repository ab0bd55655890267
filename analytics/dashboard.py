"""The numbers of the console's first page: once in the page itself, then again and again as JSON.

The page's script (static/traffic.js) draws them; what is read is queries.py's. Several operators who look at the
same time share one reading.
"""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.urls import reverse

from analytics import queries, queue
from analytics.models import RequestLog
from proxx.kit import clock, ids
from routing import health, reload

FRESH = 0.9  # seconds in which a reading is shared
SHOWN = 12  # calls on the first page
LATE = timedelta(minutes=5)  # sums that are later than this need somebody to look

REASONS = {
    "journal full": "the database was away until the journal reached PROXY_JOURNAL_LIMIT",
    "disk full": "neither the disk nor memory would take them",
    "refused": "the database refused what they say",
}

_reading: tuple[float, dict[str, Any]] | None = None
_has_succeeded = False  # once true it stays so


def numbers(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add the first page's numbers and addresses to its context (unfold's DASHBOARD_CALLBACK)."""
    may_see = request.user.has_perm("analytics.view_requestlog")
    context["title"] = "Overview"
    context["traffic"] = reading() if may_see else None
    context["api_address"] = settings.PUBLIC_URL or f"{request.scheme}://{request.get_host()}"
    return context


def live(request: HttpRequest) -> JsonResponse:
    """Answer the page's question for newer numbers; the admin has checked who asks and forbids caches."""
    return JsonResponse(reading())


def reading() -> dict[str, Any]:
    """Return the first page's numbers, at most a second old. Times are milliseconds, `at` is unix milliseconds."""
    global _reading
    now = clock.monotonic()
    if _reading is None or now - _reading[0] > FRESH:
        _reading = (now, _read())
    return _reading[1]


def forget() -> None:
    """Drop the shared reading."""
    global _reading, _has_succeeded
    _reading, _has_succeeded = None, False


def _read() -> dict[str, Any]:
    minutes = queries.traffic()
    calls = queries.newest_calls(SHOWN)
    state = queue.state()
    times = queries.first_event_percentiles()
    count = {name: sum(getattr(minute, name) for minute in minutes) for name in (*queries.COUNTED, *queries.SUMMED)}
    return {
        "now": int(clock.unix() * 1000),
        "counts": {**count, "requests": sum(minute.requests for minute in minutes)},
        "first_event": {"p50": times[0], "p95": times[1]} if times else None,
        "in_flight": health.all_in_flight(),
        "waiting": state.waiting,
        "minutes": [
            [int(minute.at.timestamp()) * 1000, minute.ok, minute.errors + minute.refused, minute.cancelled]
            for minute in minutes
        ],
        "calls": [_call(call) for call in calls],
        "alarms": _alarms(state),
        "is_new": _is_new(minutes, calls),
    }


def _is_new(minutes: list[queries.Minute], calls: list[RequestLog]) -> bool:
    """Tell whether the first steps are still to do: there is no account to send calls to, or none ever succeeded."""
    global _has_succeeded
    _has_succeeded = (
        _has_succeeded
        or any(call.outcome == "ok" for call in calls)
        or any(minute.ok for minute in minutes)
        or queries.has_succeeded()
    )
    return not _has_succeeded or not _has_accounts()


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
    if state.fault:
        alarms.append(
            f"The database takes no records ({state.fault}). {state.waiting:,} wait in the journal until it does."
        )
    for reason, lost in queries.recent_losses().items():
        alarms.append(f"{lost:,} records were lost in the last 24 hours: {REASONS.get(reason, reason)}.")
    if (late := queries.behind()) > LATE:
        minutes = int(late.total_seconds() // 60)
        alarms.append(f"Sums are {minutes:,} minutes behind, so the chart may show too little. Is the worker running?")
    return alarms
