"""What one call may still cost before it begins another attempt: a number of attempts, time, and money."""

from django.conf import settings

from proxx.gateway.call import Attempt, Call
from proxx.kit import clock
from proxx.protocols.hub.events import Usage
from routing import pricing

BYTES_PER_TOKEN = 4  # the usual rule of thumb for English text
NANO = 1_000_000_000


def left(call: Call) -> bool:
    """Tell whether the call may begin another attempt."""
    if len(call.attempts) >= settings.PROXY_MAX_ATTEMPTS or clock.monotonic() >= call.deadline:
        return False
    limit = settings.PROXY_RETRY_COST_LIMIT
    return not limit or not call.attempts or spent(call) < limit * NANO


def spent(call: Call) -> int:
    """Return what the failed attempts have cost at least, in nano-dollars: their input, by the prices that are known.

    Refusals cost nothing. What was answered with a 200, or given up on, may be billed.
    """
    return sum(_input_cost(call, attempt) for attempt in call.attempts if _may_be_billed(attempt))


def _may_be_billed(attempt: Attempt) -> bool:
    failure = attempt.failure
    return failure is not None and (failure.kind == "timed_out" or (attempt.status or 0) // 100 == 2)


def _input_cost(call: Call, attempt: Attempt) -> int:
    one = attempt.candidate
    if one.provider.id not in call.snapshot.providers:
        return 0
    usage = Usage(input_total=len(call.envelope.body) // BYTES_PER_TOKEN, output_total=0)
    return pricing.cost(usage, call.snapshot.facts_of(one.provider.id, one.model).price) or 0
