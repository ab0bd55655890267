"""The trace of a key that was turned away at the door: a figure for every one, a record for those we know.

A figure has a reason and nothing else. A record names key, tenant and address; one a second for a key and a reason is
enough to see who tries what from where, and a flood writes no more.
"""

from django.http import HttpRequest

from accounts.keys import KeyHolder
from analytics import queue
from analytics.record import UsageRecord
from proxx.gateway.errors import GatewayError
from proxx.kit import clock, ids, metrics

EVERY = 1.0  # seconds between two records of one key and reason
MOST_REMEMBERED = 2000

_noted: dict[tuple[object, str], float] = {}


def count(reason: str) -> None:
    """Count one refusal by its reason, a word of ours."""
    metrics.count("proxx_keys_refused", reason=reason)


def note(request: HttpRequest, holder: KeyHolder, error: GatewayError) -> None:
    """Record that a known key was refused; from the event loop's thread, and never a query."""
    code = error.facts.code or error.facts.kind
    if holder.key_id is None or not _is_due((holder.key_id, code)):
        return
    id = ids.new(clock.unix())
    request.call_id = id  # type: ignore[attr-defined]  # the answer names it
    queue.offer(
        UsageRecord(
            id=id,
            tenant_id=holder.tenant_id,
            key_id=holder.key_id,
            endpoint=request.path_info[:200],
            status=error.status,
            outcome="refused",
            error_code=code,
            client_address=request.META.get("REMOTE_ADDR", ""),
            user_agent=request.META.get("HTTP_USER_AGENT", "")[:200],
            price_state="none",
        )
    )


def _is_due(place: tuple[object, str]) -> bool:
    now = clock.monotonic()
    if now - _noted.get(place, -EVERY) < EVERY:
        return False
    if len(_noted) >= MOST_REMEMBERED:
        _noted.clear()
    _noted[place] = now
    return True
