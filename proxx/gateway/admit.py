"""May this call be made now? It reserves the worst case with every limit of its tenant and key, or is refused.

It follows the plan, because the worst case costs what the plan's dearest candidate would. The limits themselves are
accounts/limits.py; what the call is charged in the end is charge.py. A call without limits never comes here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from math import ceil

from accounts import limits
from accounts.held import LedgerAway, OverTheLimit, Worst
from accounts.limit import MOST, NANO, LimitView
from accounts.limit_set import EMPTY, LimitSet, some, together
from proxx.gateway import length
from proxx.gateway.call import Call
from proxx.gateway.charge import is_about
from proxx.gateway.errors import Forbidden, GatewayError, OverBudget, OverOwnLimit, Unavailable
from proxx.kit import clock, metrics
from proxx.kit.configured import settings
from routing import pricing
from routing.capabilities import Facts
from routing.plan import Candidate, Plan
from routing.pricing import Price

BYTES_PER_TOKEN = 3  # fewer than any usual text has, so that the estimate is not too low
# Of each measure: how much in a minute, how much is left, and until when.
_TOLD = {
    "openai": {
        "requests": (b"x-ratelimit-limit-requests", b"x-ratelimit-remaining-requests", b"x-ratelimit-reset-requests"),
        "tokens": (b"x-ratelimit-limit-tokens", b"x-ratelimit-remaining-tokens", b"x-ratelimit-reset-tokens"),
    },
    "anthropic": {
        "requests": (
            b"anthropic-ratelimit-requests-limit",
            b"anthropic-ratelimit-requests-remaining",
            b"anthropic-ratelimit-requests-reset",
        ),
        "tokens": (
            b"anthropic-ratelimit-tokens-limit",
            b"anthropic-ratelimit-tokens-remaining",
            b"anthropic-ratelimit-tokens-reset",
        ),
    },
}
MINUTE = 60.0  # seconds: what official clients wait at most, and what is counted in whole seconds may end just after
RETRY_AFTER = 5.0  # seconds, when the database does not say whether there is room


Headers = tuple[tuple[bytes, bytes], ...]


async def reserve(call: Call, *, spends: bool = True) -> None:
    """Reserve what the call may need at most; raise `OverOwnLimit`, `OverBudget`, `Forbidden` or `Unavailable`.

    `spends` is False for a call that uses no model: it counts as a request, and that is all.
    """
    applying = _applying(call, spends=spends)
    if not applying:
        return
    try:
        call.held = await limits.reserve(call.id, applying, _worst(call, applying))
    except OverTheLimit as over:
        raise _refused(call, over, applying) from None
    except LedgerAway:
        metrics.count("proxx_ledger_faults")
        raise Unavailable(
            "The budget of this key cannot be checked at the moment.",
            code="limits_unavailable",
            retry_after=RETRY_AFTER,
        ) from None
    call.limit_headers = _headers(call, applying, call.held.lefts)


def priced(call: Call, plan: Plan) -> Plan:
    """Leave out who would cost nobody knows what, for a call under a budget in dollars whose tenant wants that."""
    held = call.held
    if call.tenant.unpriced != "block" or held is None or "money" not in held.limits.measures:
        return plan
    return _priced(call, plan, held.limits)


def _applying(call: Call, *, spends: bool) -> LimitSet:
    snapshot, holder, plan = call.snapshot, call.holder, call.plan
    found = snapshot.limits.get(holder.tenant_id, ())
    own = snapshot.limits.get(holder.key_id, ()) if holder.key_id is not None else ()
    if not (found or own) or plan is None or not plan.candidates:
        return EMPTY
    limits = together(found, own)
    if spends and call.own_key is None and not limits.names_models:
        return limits
    names = (call.envelope.model, *{candidate.model for candidate in plan.candidates})
    return some([limit for limit in limits if _applies(call, limit, names, spends=spends)])


def _applies(call: Call, limit: LimitView, names: tuple[str, ...], *, spends: bool) -> bool:
    if limit.measure in ("tokens", "money") and not spends:
        return False
    if limit.measure == "money" and call.own_key is not None:  # the caller pays its provider itself
        return False
    return is_about(limit, names)


def _worst(call: Call, applying: LimitSet) -> Worst:
    measures = applying.measures
    in_money = "money" in measures
    if not (in_money or "tokens" in measures) or call.plan is None:
        return Worst()
    if in_money and call.tenant.unpriced == "block":
        call.plan = _priced(call, call.plan, applying)
    wanted = length.asked(call.dialect.name, call.envelope.body)
    asked, repeats = wanted.longest, wanted.answers * wanted.prompts
    body = len(call.envelope.body) // BYTES_PER_TOKEN + 1
    otherwise = settings.PROXY_LIMIT_OUTPUT
    tokens = usual = nano = 0
    for facts in _facts(call, call.plan):
        window = facts.context_window
        most = window * wanted.prompts if window else body
        size = min(body, most)
        longest = asked if asked is not None else facts.max_output or otherwise
        likely = longest if asked is not None or longest < otherwise else otherwise
        tokens, usual = max(tokens, size + longest * repeats), max(usual, size + likely * repeats)
        if in_money:
            price = facts.price or call.tenant.fallback
            nano = max(nano, pricing.worst(size, longest * repeats, price, repeats=repeats) or 0)
    return Worst(min(tokens, MOST), min(usual, MOST), min(nano, MOST))


def _priced(call: Call, plan: Plan, limits: LimitSet) -> Plan:
    answers = call.dialect.name not in length.WITHOUT_OUTPUT
    if all(_has_price(facts.price, answers=answers) for facts in _facts(call, plan)):
        return plan
    known = [one for one in plan.candidates if _has_price(_facts_of(call, one).price, answers=answers)]
    if not known:
        whose = "key" if any(one.measure == "money" and one.of_key for one in limits) else "tenant"
        raise Forbidden(
            f"Nobody knows what the model '{plan.requested}' costs, and this {whose} has a budget in dollars. Choose a "
            "model that has a price, or have an operator enter one, or let this tenant use models without one.",
            code="model_unpriced",
        )
    return replace(plan, candidates=tuple(known))


def _has_price(price: Price | None, *, answers: bool) -> bool:
    if price is None or price.input is None:
        return False
    return price.output is not None or price.image is not None or not answers


def _facts(call: Call, plan: Plan) -> Iterable[Facts]:
    """Return what is known of each model that the plan may ask, once."""
    if len(plan.candidates) == 1:
        return (_facts_of(call, plan.candidates[0]),)
    firsts = {(one.provider.id, one.model): one for one in plan.candidates}
    return [_facts_of(call, one) for one in firsts.values()]


def _facts_of(call: Call, candidate: Candidate) -> Facts:
    return call.snapshot.facts_of(candidate.provider.id, candidate.model)


def _refused(call: Call, over: OverTheLimit, applying: LimitSet) -> GatewayError:
    limit, wait = over.limit, over.retry_after
    if wait is not None and limit.period == "minute":
        wait = min(wait, MINUTE)
    whose = "key" if limit.of_key else "tenant"
    about = f" for the models '{limit.model}'" if limit.model else ""
    alone = " This request alone may need more: ask for a shorter answer, or send less." if over.alone else ""
    said = f"{_amount(limit)}{about}.{alone}"
    if limit.is_budget:
        return OverBudget(f"The budget of this {whose} has no room for this call: {said}", retry_after=wait)
    error = OverOwnLimit(
        f"This {whose} is limited to {said}",
        code=_CODES.get((limit.measure, limit.of_key), "rate_limit_exceeded"),
        retry_after=wait,
        headers=_headers(call, applying, over.lefts),
    )
    error.worth_retrying = not over.alone
    return error


def _amount(limit: LimitView) -> str:
    per = {"": " at a time", "total": " in total"}.get(limit.period, f" per {limit.period}")
    if limit.measure == "money":
        return f"${limit.amount / NANO:,.9f}".rstrip("0").rstrip(".") + per
    noun = limit.measure if limit.amount != 1 else limit.measure.removesuffix("s")
    return f"{limit.amount:,} {noun}{per}"


def _headers(call: Call, applying: LimitSet, lefts: Mapping[int, int] | None) -> Headers:
    """Tell how the limits per minute stand, in the words of the caller's dialect; others have none for it."""
    dialect = call.dialect.name
    how = "openai" if dialect.startswith("openai") else dialect
    if how not in _TOLD or not applying.minutes:
        return ()
    reset = _seconds if how == "openai" else _moment
    found: Headers = ()
    for measure, (limit, left, until) in _TOLD[how].items():
        of_it = applying.per_minute.get(measure)
        if of_it and (stands := limits.standing(of_it, measure, lefts)) is not None:
            seconds = reset(max(0.0, stands.reset))
            found += ((limit, b"%d" % stands.limit), (left, b"%d" % stands.left), (until, seconds))
    return found


def _seconds(wait: float) -> bytes:
    return b"%ds" % ceil(wait)


def _moment(wait: float) -> bytes:
    return datetime.fromtimestamp(ceil(clock.unix() + wait), UTC).strftime("%Y-%m-%dT%H:%M:%SZ").encode()


_CODES = {("requests", False): "tenant_quota_exceeded"}
