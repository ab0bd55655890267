"""The candidates, one after another, until one speaks. Rotate first, wait last.

What an upstream failure does to its credential is routing/cooldown.py's table. Here its move is made, within one
budget per call: attempts (PROXY_MAX_ATTEMPTS) and time (no attempt begins after the call's deadline).
"""

import asyncio
import random
from operator import itemgetter

from django.conf import settings

from proxx.gateway import recall
from proxx.gateway.attempt import AttemptFailed, Blank, Speaking, repeats_secret, speak
from proxx.gateway.call import Call
from proxx.gateway.errors import (
    BadRequest,
    Forbidden,
    GatewayError,
    NotFound,
    OverLimit,
    RejectedUpstream,
    TimedOut,
    Unauthorized,
    Unavailable,
    UpstreamFailed,
)
from proxx.kit import clock
from proxx.upstream.failures import Failure
from routing import cooldown, planner
from routing.planner import Candidate, Plan

ERROR_LIMIT = 8 * 1024  # a longer error is retold, not passed on (security F4)
# What a tenant or key may not use.
FORBIDDEN = {
    "model_not_allowed": "This key may not use the model '{name}'.",
    "provider_not_allowed": "This key may not use the providers that have '{name}'.",
}
LONGEST_WAIT = 10.0  # seconds: a longer rest is told to the client as Retry-After instead of being waited out


async def first_to_speak(call: Call, plan: Plan) -> Speaking:
    """Try the plan's candidates until one begins to answer; raise the error that sums up why none did."""
    if plan.refusal is not None:
        raise refusal(plan, planner.misnamed(plan.requested, call.snapshot))
    again: list[tuple[float, Candidate]] = []  # and the seconds each asked for
    last: AttemptFailed | None = None
    for candidate in plan.candidates:
        if not _budget_left(call):
            break
        try:
            return await _spoken(call, candidate)
        except Blank as blank:
            raise _unreadable(call, blank) from None
        except AttemptFailed as failed:
            last = failed
            move = cooldown.apply(failed.failure, candidate, tried_in_place=0)
            if move == "give_up" and not (call.refers and failed.failure.code == recall.NOT_FOUND):
                break
            if move == "same_again":
                again.append((failed.failure.retry_after or 0.0, candidate))
    else:
        if again:
            wished, soonest = min(again, key=itemgetter(0))
            return await _in_place(call, soonest, wished)
    raise _summary(call, last)


async def _spoken(call: Call, candidate: Candidate) -> Speaking:
    """Let a candidate speak; one whose answer was blank, or that blamed what can be taken away, gets a second chance
    at once: each only once in a call."""
    try:
        return await speak(call, candidate)
    except Blank:
        if call.blanks > 1 or not _budget_left(call):
            raise
    except AttemptFailed as failed:
        if not failed.mendable or not _budget_left(call):
            raise
    return await speak(call, candidate)


async def _in_place(call: Call, candidate: Candidate, wished: float) -> Speaking:
    """Every candidate failed, one of them in a passing way: give it a few more chances, each after a longer pause."""
    last: AttemptFailed | None = None
    for turn in range(1, settings.UPSTREAM_TRANSIENT_RETRY_COUNT + 1):
        pause = _pause(call, turn, wished)
        if pause is None:
            break
        await asyncio.sleep(pause)
        try:
            return await _spoken(call, candidate)
        except Blank as blank:
            raise _unreadable(call, blank) from None
        except AttemptFailed as failed:
            last, wished = failed, failed.failure.retry_after or 0.0
            if cooldown.apply(failed.failure, candidate, tried_in_place=turn) != "same_again":
                break
    raise _summary(call, last)


def _pause(call: Call, turn: int, wished: float) -> float | None:
    # Jitter only upward: never earlier than the upstream asked.
    pause = max(wished, settings.UPSTREAM_TRANSIENT_RETRY_BACKOFF * turn) * random.uniform(1.0, 1.25)  # noqa: S311
    fits = _budget_left(call) and clock.monotonic() + pause < call.deadline
    return pause if fits and pause <= LONGEST_WAIT else None


def _budget_left(call: Call) -> bool:
    return len(call.attempts) < settings.PROXY_MAX_ATTEMPTS and clock.monotonic() < call.deadline


def refusal(plan: Plan, misnamed: str = "") -> GatewayError:
    """Turn a plan without candidates into the error its caller sees; `misnamed` is planner's word on the name."""
    name = plan.requested
    match plan.refusal:
        case "model_disabled":
            return Forbidden(f"The model '{name}' is disabled.", code="model_disabled")
        case "model_not_allowed" | "provider_not_allowed":
            return Forbidden(FORBIDDEN[plan.refusal].format(name=name), code=plan.refusal)
        case "no_credentials":
            return Unavailable(
                "No provider account is configured. Add one in the console, or set a provider's key such as "
                "OPENAI_API_KEY.",
                code="keys_unavailable",
            )
        case "all_resting":
            return OverLimit(code="all_keys_rate_limited", retry_after=plan.retry_after)
        case "dialect_not_served":
            return NotFound(
                f"The model '{name}' is only offered by providers that speak another dialect.",
                code="model_not_supported",
            )
        case _:
            said = misnamed or f"The model '{name}' does not exist or you do not have access to it."
            return NotFound(said, param="model")


def _summary(call: Call, last: AttemptFailed | None) -> GatewayError:
    """Sum up all attempts in one error: the request's own fault first, then limits, then the rest."""
    failures = [attempt.failure for attempt in call.attempts if attempt.failure is not None]
    detail = "; ".join(
        f"{attempt.candidate.provider.id}: {attempt.failure.kind}" for attempt in call.attempts if attempt.failure
    )
    if last is not None and last.failure.scope == "request":
        return _rejected(call, last)
    kinds = {failure.kind for failure in failures}
    if call.own_key is not None and kinds == {"auth"}:
        return Unauthorized("The provider does not know the key that you sent.", detail=detail)
    if call.own_key is not None and kinds == {"permission"}:
        return Forbidden("The provider says that the key that you sent may not do that.", detail=detail)
    if kinds & {"rate_limited", "too_many_at_once", "quota_spent"}:
        return OverLimit(detail=detail, retry_after=_soonest(failures))
    if kinds == {"not_found"}:
        said = planner.misnamed(call.envelope.model, call.snapshot)
        said = said or f"No provider knows the model '{call.envelope.model}'."
        return NotFound(said, param="model", detail=detail)
    if kinds & {"upstream_error", "overloaded"}:
        return UpstreamFailed(code="upstream_server_error", detail=detail, retry_after=_soonest(failures))
    if "timed_out" in kinds:
        return TimedOut(detail=detail)
    return UpstreamFailed(detail=detail)


def _unreadable(call: Call, blank: Blank) -> UpstreamFailed:
    """A model that cannot write its call will not do better elsewhere; an empty ending here would be taken for done."""
    detail = f"{call.attempts[-1].candidate.provider.id}: {blank.failure.kind}"
    return UpstreamFailed("The model's call of a tool could not be read.", code="upstream_malformed", detail=detail)


def _rejected(call: Call, last: AttemptFailed) -> BadRequest:
    failure = last.failure
    if failure.kind == "inexpressible":
        return BadRequest(failure.message, code="unsupported_parameter", param=last.param)
    return RejectedUpstream(
        failure.message or "The provider rejected this request.",
        kind=failure.kind,
        status=failure.status if failure.status and 400 <= failure.status < 500 else 400,
        code=_code(call, failure),
        body=_own_words(call, last.body),
    )


def _code(call: Call, failure: Failure) -> str | None:
    """Return the provider's own code where the caller's clients know it: an overflow has one word everywhere."""
    known = _family(call.attempts[-1].candidate.protocol) == _family(call.dialect.name)
    return failure.code if known and failure.kind != "context_length" else None


def _family(dialect: str) -> str:
    return dialect.partition("_")[0]


def _own_words(call: Call, body: bytes) -> bytes:
    """Return the provider's error as it came if it is of the caller's dialect: clients read its param and code."""
    candidate = call.attempts[-1].candidate
    if candidate.protocol != call.dialect.name or len(body) > ERROR_LIMIT or not call.dialect.watch_whole(body).error:
        return b""
    return b"" if repeats_secret(body, candidate) else body


def _soonest(failures: list[Failure]) -> float | None:
    waits = [failure.retry_after for failure in failures if failure.retry_after is not None]
    return min(waits) if waits else None
