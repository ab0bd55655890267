"""What a call is charged by its limits when it ends: what it really used, and what that cost.

Called by settle before the record is offered, so that the bill travels with it. Nothing here waits.
"""

from fnmatch import fnmatchcase

from accounts import limits
from accounts.held import Held
from accounts.limit import LimitView
from analytics.record import UsageRecord
from proxx.gateway.call import Attempt, Call
from proxx.protocols.hub.events import Usage
from routing import pricing
from routing.snapshot.views import forms


def settle(call: Call, held: Held, record: UsageRecord) -> None:
    """Correct what the call reserved, and put the bill on its record.

    Nothing is charged where nobody answered, except what attempts that failed were reported to have used. An answer
    whose tokens nobody counted is charged as the worst case.
    """
    winner = call.attempts[-1] if call.attempts else None
    tokens, nano = _failed(call)
    counts = None
    if winner is not None and winner.failure is None and winner.first_event_at is not None:
        known = record.usage_state != "none"
        tokens += (record.input_tokens or 0) + (record.output_tokens or 0) if known else held.worst.tokens
        nano += _money(call, winner, held, record)
    if winner is not None and held.limits.names_models:
        names = (call.envelope.model, winner.candidate.model)
        counts = [limit.id for limit in held.limits if is_about(limit, names)]
    record.bill = limits.settle(held, tokens=tokens, nano=nano, counts=counts)


def _failed(call: Call) -> tuple[int, int]:
    """Return tokens and nano-dollars of the attempts whose provider reported what they used before they failed."""
    tokens = nano = 0
    for attempt in call.attempts:
        usage = attempt.usage if attempt.failure is not None else None
        if usage is not None and call.own_key is None:
            tokens += max(0, usage.input_total or 0) + max(0, usage.output_total or 0)
            facts = call.snapshot.facts_of(attempt.candidate.provider.id, attempt.candidate.model)
            nano += pricing.cost(usage, facts.price or call.tenant.fallback) or 0
    return tokens, nano


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
    # Tokens as they were sorted: what the report contradicts itself in is settled there.
    usage = Usage(
        input_total=record.input_tokens,
        output_total=record.output_tokens,
        pictures=record.pictures,
        web_searches=record.server_tools,
        tier=record.service_tier,
    )
    cost = pricing.cost(usage, price, record.tokens)
    return held.worst.nano if cost is None else cost
