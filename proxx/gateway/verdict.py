"""What the client is told when nobody spoke: the request's own fault first, then limits, then the rest."""

from collections.abc import Sequence
from dataclasses import dataclass

from proxx.gateway.attempt import AttemptFailed, Blank, repeats_secret
from proxx.gateway.call import Attempt, Call
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
from proxx.upstream import reaching
from proxx.upstream.failures import Failure
from routing import health, planner
from routing.plan import PASSING, RESTS
from routing.planner import Candidate, Plan
from routing.question import NEEDS, WISHED

NAMED_AT_MOST = 4  # of those who failed: a client reads no more
# What is said of a provider that failed so; all else "failed". One that could not be reached has words in reaching.py.
FAILED = {
    "connect_failed": "could not be reached",
    "timed_out": "did not answer in time",
    "overloaded": "is overloaded",
    "auth": "did not accept its account",
    "not_renewed": "has an account whose sign-in could not be renewed",
    "permission": "does not allow this to its account",
    "not_found": "does not know the model",
    "malformed": "gave an answer that could not be read",
    "truncated": "broke off before it had said anything",
    "empty": "gave an empty answer",
}
ERROR_LIMIT = 8 * 1024  # a longer error is retold, not passed on (security F4)
# What a tenant or key may not use: a model by name, and a path that names none.
FORBIDDEN = {
    "model_not_allowed": (
        "This key may not use the model '{name}'.",
        "This key may use some models only, and this request names none.",
    ),
    "provider_not_allowed": (
        "This key may not use the providers that have '{name}'.",
        "This key may not use this provider.",
    ),
}
BARRED = {*FORBIDDEN, "model_disabled", "excluded"}  # what also stands for paths that are passed on as they are


@dataclass(frozen=True, slots=True)
class Blamed:
    """A rejection of the request, and whose."""

    failed: AttemptFailed
    candidate: Candidate


def refusal(plan: Plan, misnamed: str = "") -> GatewayError:
    """Turn a plan without candidates into the error its caller sees; `misnamed` is planner's word on the name."""
    name = plan.requested
    match plan.refusal:
        case "model_disabled":
            return Forbidden(f"The model '{name}' is disabled.", code="model_disabled")
        case "model_not_allowed" | "provider_not_allowed":
            named, unnamed = FORBIDDEN[plan.refusal]
            return Forbidden(named.format(name=name) if name else unnamed, code=plan.refusal)
        case "not_able":
            return BadRequest(_lack(plan), code="model_lacks_capability", param="model")
        case "no_model_fits":
            return NotFound(f"No listed model fits this request for '{name}'.", param="model")
        case "no_credentials":
            return Unavailable(
                "No provider account is configured. Add one in the console, or set a provider's key such as "
                "OPENAI_API_KEY.",
                code="keys_unavailable",
            )
        case "all_resting" | "all_failing" | "all_refused":
            return _away(plan.refusal, plan.retry_after, _failing(plan))
        case "dialect_not_served":
            return NotFound(
                f"The model '{name}' is only offered by providers that speak another dialect.",
                code="model_not_supported",
            )
        case _:
            said = misnamed or f"The model '{name}' does not exist or you do not have access to it."
            return NotFound(said, param="model")


def _lack(plan: Plan) -> str:
    """Say what of the request no model of its name can take."""
    codes = {row.code for row in plan.excluded}
    lacks = [said for need, said in NEEDS.items() if need not in WISHED and f"lacks_{need}" in codes]
    return f"The model '{plan.requested}' {' and '.join(lacks)}."


def summary(call: Call, plan: Plan, last: AttemptFailed | None, blamed: Blamed | None) -> GatewayError:
    """Sum up all attempts in one error: the request's own fault first, then limits, then the rest."""
    failures = [attempt.failure for attempt in call.attempts if attempt.failure is not None]
    detail = "; ".join(
        f"{attempt.candidate.provider.id}: {attempt.failure.kind}" for attempt in call.attempts if attempt.failure
    )
    if blamed is None and last is not None and last.failure.scope == "request":
        blamed = Blamed(last, call.attempts[-1].candidate)
    if blamed is not None:
        return _rejected(call, blamed)
    kinds = {failure.kind for failure in failures}
    if call.own_key is not None and kinds == {"auth"}:
        return Unauthorized("The provider does not know the key that you sent.", detail=detail)
    if call.own_key is not None and kinds == {"permission"}:
        return Forbidden("The provider says that the key that you sent may not do that.", detail=detail)
    if not kinds:
        return _all_away(plan)
    if kinds & {"rate_limited", "too_many_at_once", "quota_spent"}:
        return OverLimit(detail=detail, retry_after=_soonest(failures, plan))
    if kinds == {"not_found"}:
        said = planner.misnamed(call.envelope.model, call.snapshot)
        said = said or f"No provider knows the model '{call.envelope.model}'."
        return NotFound(said, param="model", detail=detail)
    if kinds == {"permission"} and all(failure.scope == "model" for failure in failures):
        said = f"None of the provider accounts may use the model '{call.envelope.model}'."
        return Forbidden(said, code="model_not_supported_for_account", param="model", detail=detail)
    if kinds == {"not_renewed"}:
        said = with_who("No account could be asked.", call.attempts)
        return Unavailable(said, code="upstream_unavailable", detail=detail, retry_after=_soonest(failures, plan))
    if kinds & {"upstream_error", "overloaded"}:
        said = with_who(UpstreamFailed.message, call.attempts)
        return UpstreamFailed(said, code="upstream_server_error", detail=detail, retry_after=_given(failures))
    if "timed_out" in kinds:
        return TimedOut(with_who(TimedOut.message, call.attempts), detail=detail)
    return UpstreamFailed(with_who(UpstreamFailed.message, call.attempts), detail=detail)


def with_who(sentence: str, attempts: Sequence[Attempt]) -> str:
    """Return a sentence that goes on with who failed and in which way: providers by their labels, no addresses, and
    nothing of what they said."""
    said = [*dict.fromkeys(f"{one.candidate.provider.label} {_way(one.failure)}" for one in attempts if one.failure)]
    if not said:
        return sentence
    more = ["others failed, too"] if len(said) > NAMED_AT_MOST else []
    return f"{sentence.removesuffix('.')}: {'; '.join(said[:NAMED_AT_MOST] + more)}."


def _way(failure: Failure) -> str:
    return reaching.WAYS[failure.way] if failure.way else FAILED.get(failure.kind, "failed")


def unreadable(call: Call, blank: Blank) -> UpstreamFailed:
    """A model that cannot write its call will not do better elsewhere; an empty ending here would be taken for done."""
    detail = f"{call.attempts[-1].candidate.provider.id}: {blank.failure.kind}"
    return UpstreamFailed("The model's call of a tool could not be read.", code="upstream_malformed", detail=detail)


def _failing(plan: Plan) -> str:
    """Say how those failed who are left alone for it, by their ids: the plan knows no more of them."""
    now = clock.monotonic()
    said: dict[str, None] = {}
    for one in plan.excluded:
        rest = health.rest_of(one.credential_id or one.provider_id, one.model, now) if one.code == "failing" else None
        if rest is not None:
            said[f"{one.provider_id} {FAILED.get(rest.kind, 'failed')}"] = None
    return "; ".join([*said][:NAMED_AT_MOST])


def _away(refusal: str, retry_after: float | None, failing: str = "") -> GatewayError:
    """Nobody could be asked: for a limit, which is a 429, or for what the caller has no part in."""
    if refusal == "all_resting":
        return OverLimit(code="all_keys_rate_limited", retry_after=retry_after)
    if refusal == "all_refused":
        said = "The provider refused every account that could serve this model. An operator has to look at them."
        return Unavailable(said, code="keys_unavailable", retry_after=retry_after)
    how = f": {failing}" if failing else ""
    said = f"Every account that could serve this model has failed too often just now{how}. Please retry later."
    return Unavailable(said, code="upstream_unavailable", retry_after=retry_after)


def _all_away(plan: Plan) -> GatewayError:
    """Say why nobody was asked although the plan named some: calls beside this one learned that they rest."""
    now = clock.monotonic()
    found = [health.standing(one.key, one.site, one.model, now) for one in plan.candidates]
    rests = [rest for rest in found if rest is not None and not rest.is_soft]
    if not rests:
        return UpstreamFailed()
    codes = {RESTS.get(rest.kind, "resting") for rest in rests}
    refused = next(refused for code, refused in PASSING.items() if code in codes)
    return _away(refused, min(rest.until for rest in rests) - now)


def _rejected(call: Call, blamed: Blamed) -> BadRequest:
    failure = blamed.failed.failure
    if failure.kind == "inexpressible":
        return BadRequest(failure.message, code="unsupported_parameter", param=blamed.failed.param)
    return RejectedUpstream(
        failure.message or "The provider rejected this request.",
        kind=failure.kind,
        status=failure.status if failure.status and 400 <= failure.status < 500 else 400,
        code=_code(call, blamed),
        body=_own_words(call, blamed),
    )


def _code(call: Call, blamed: Blamed) -> str | None:
    """Return the provider's own code where the caller's clients know it: an overflow has one word everywhere."""
    known = _family(blamed.candidate.protocol) == _family(call.dialect.name)
    failure = blamed.failed.failure
    return failure.code if known and failure.kind != "context_length" else None


def _family(dialect: str) -> str:
    return dialect.partition("_")[0]


def _own_words(call: Call, blamed: Blamed) -> bytes:
    """Return the provider's error as it came if it is of the caller's dialect: clients read its param and code."""
    candidate, body = blamed.candidate, blamed.failed.body
    if candidate.protocol != call.dialect.name or len(body) > ERROR_LIMIT or not call.dialect.watch_whole(body).error:
        return b""
    return b"" if repeats_secret(body, candidate) else body


def _given(failures: list[Failure]) -> float | None:
    waits = [failure.retry_after for failure in failures if failure.retry_after is not None]
    return min(waits) if waits else None


def _soonest(failures: list[Failure], plan: Plan) -> float | None:
    """Return when the first of those who were asked is back: at the provider's word, or at our guess."""
    now = clock.monotonic()
    found = [health.standing(one.key, one.site, one.model, now) for one in plan.candidates]
    rests = [rest.until - now for rest in found if rest is not None and not rest.is_soft]
    return min(rests, default=_given(failures))
