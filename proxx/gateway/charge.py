"""What a call is charged by its limits when it ends: what it really used, and what that cost.

Called by settle before the record is offered, so that the bill travels with it. Nothing here waits.
"""

from fnmatch import fnmatchcase

from accounts import limits
from accounts.limit import LimitView
from accounts.limits import Held
from analytics.record import UsageRecord
from proxx.gateway.call import Attempt, Call
from proxx.protocols.hub.events import Usage
from routing import pricing
from routing.snapshot.views import forms


def settle(call: Call, held: Held, record: UsageRecord) -> None:
    """Correct what the call reserved, and put the bill on its record.

    Nothing is charged where nobody answered. An answer whose tokens nobody counted is charged as the worst case.
    """
    winner = call.attempts[-1] if call.attempts else None
    if winner is None or winner.failure is not None or winner.first_event_at is None:
        record.bill = limits.settle(held, tokens=0, nano=0)
        return
    known = record.usage_state != "none"
    tokens = (record.input_tokens or 0) + (record.output_tokens or 0) if known else held.worst.tokens
    mine = [limit for limit, *_ in (*held.buckets, *held.budgets)]
    counts = None
    if any(limit.model for limit in mine):
        names = (call.envelope.model, winner.candidate.model)
        counts = [limit.id for limit in mine if is_about(limit, names)]
    record.bill = limits.settle(held, tokens=tokens, nano=_money(call, winner, held, record), counts=counts)


def is_about(limit: LimitView, names: tuple[str, ...]) -> bool:
    """Tell whether a limit is about a model, by any name it has in a call."""
    return not limit.model or any(fnmatchcase(form, limit.model) for name in names for form in forms(name))


def _money(call: Call, winner: Attempt, held: Held, record: UsageRecord) -> int:
    if record.cost_nano is not None:
        return record.cost_nano
    if not held.worst.nano:
        return 0
    tenant = call.tenant
    price = call.snapshot.facts_of(winner.candidate.provider.id, winner.candidate.model).price or tenant.fallback
    if price is None and tenant.unpriced == "flag":
        return 0
    cost = pricing.cost(_usage(record), price)
    return held.worst.nano if cost is None else cost


def _usage(record: UsageRecord) -> Usage:
    return Usage(
        input_total=record.input_tokens,
        cache_read=record.cache_read_tokens,
        cache_write=record.cache_write_tokens,
        output_total=record.output_tokens,
        reasoning=record.reasoning_tokens,
    )
