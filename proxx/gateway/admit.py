"""May this call be made now? It reserves the worst case with every limit of its tenant and key, or is refused.

It follows the plan, because the worst case costs what the plan's dearest candidate would. The limits themselves are
accounts/limits.py; what the call is charged in the end is charge.py. A call without limits never comes here.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from math import ceil
from typing import Any

import msgspec

from accounts import limits
from accounts.limit import MOST, NANO, LimitView
from accounts.limits import LedgerAway, OverTheLimit, Standing, Worst
from proxx.gateway.call import Call
from proxx.gateway.charge import is_about
from proxx.gateway.errors import Forbidden, GatewayError, OverBudget, OverLimit, Unavailable
from proxx.kit import clock
from proxx.kit.configured import settings
from routing import pricing
from routing.capabilities import Facts
from routing.plan import Candidate, Plan
from routing.pricing import Price

BYTES_PER_TOKEN = 3  # fewer than any usual text has, so that the estimate is not too low
RETRY_AFTER = 5.0  # seconds, when the database does not say whether there is room


class _Asked(msgspec.Struct):
    """Where the dialects say how long an answer may be, and how many there shall be."""

    max_tokens: Any = None
    max_completion_tokens: Any = None
    max_output_tokens: Any = None
    generationConfig: Any = None
    generation_config: Any = None
    options: Any = None
    n: Any = None
    best_of: Any = None


async def reserve(call: Call, *, spends: bool = True) -> None:
    """Reserve what the call may need at most; raise `OverLimit`, `OverBudget`, `Forbidden` or `Unavailable`.

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
        raise Unavailable(
            "The budget of this key cannot be checked at the moment.",
            code="limits_unavailable",
            retry_after=RETRY_AFTER,
        ) from None
    call.limit_headers = _headers(call, applying)


def priced(call: Call, plan: Plan) -> Plan:
    """Leave out who would cost nobody knows what, for a call under a budget in dollars whose tenant wants that."""
    held = call.held
    if call.tenant.unpriced != "block" or held is None or all(one[0].measure != "money" for one in held.budgets):
        return plan
    return _priced(call, plan)


def _applying(call: Call, *, spends: bool) -> list[LimitView]:
    snapshot, holder, plan = call.snapshot, call.holder, call.plan
    found = snapshot.limits.get(holder.tenant_id, ())
    if holder.key_id is not None:
        found = (*found, *snapshot.limits.get(holder.key_id, ()))
    if not found or plan is None or not plan.candidates:
        return []
    names: tuple[str, ...] = ()
    applying = []
    for limit in found:
        if limit.measure in ("tokens", "money") and not spends:
            continue
        if limit.measure == "money" and call.own_key is not None:  # the caller pays its provider itself
            continue
        if limit.model:
            names = names or (call.envelope.model, *{candidate.model for candidate in plan.candidates})
            if not is_about(limit, names):
                continue
        applying.append(limit)
    return applying


def _worst(call: Call, applying: Sequence[LimitView]) -> Worst:
    measures = {limit.measure for limit in applying}
    if not measures & {"tokens", "money"} or call.plan is None:
        return Worst()
    if "money" in measures and call.tenant.unpriced == "block":
        call.plan = _priced(call, call.plan)
    asked, repeats = _asked(call)
    body = len(call.envelope.body) // BYTES_PER_TOKEN + 1
    tokens = usual = nano = 0
    for facts in _facts(call, call.plan.candidates):
        size = min(body, facts.context_window or body)
        longest = asked if asked is not None else facts.max_output or settings.PROXY_LIMIT_OUTPUT
        likely = asked if asked is not None else min(longest, settings.PROXY_LIMIT_OUTPUT)
        tokens, usual = max(tokens, size + longest * repeats), max(usual, size + likely * repeats)
        if "money" in measures:
            price = facts.price or call.tenant.fallback
            nano = max(nano, pricing.worst(size, longest * repeats, price, repeats=repeats) or 0)
    return Worst(min(tokens, MOST), min(usual, MOST), min(nano, MOST))


def _priced(call: Call, plan: Plan) -> Plan:
    answers = call.dialect.name not in _WITHOUT_OUTPUT
    known = [one for one in plan.candidates if _has_price(_facts_of(call, one).price, answers=answers)]
    if not known and plan.candidates:
        raise Forbidden(
            f"Nobody knows what the model '{plan.requested}' costs, and this key has a budget in dollars.",
            code="model_unpriced",
        )
    return plan if len(known) == len(plan.candidates) else replace(plan, candidates=tuple(known))


def _has_price(price: Price | None, *, answers: bool) -> bool:
    if price is None or price.input is None:
        return False
    return price.output is not None or price.image is not None or not answers


def _facts(call: Call, candidates: Sequence[Candidate]) -> Iterator[Facts]:
    seen: set[tuple[str, str]] = set()
    for candidate in candidates:
        pair = (candidate.provider.id, candidate.model)
        if pair not in seen:
            seen.add(pair)
            yield _facts_of(call, candidate)


def _facts_of(call: Call, candidate: Candidate) -> Facts:
    return call.snapshot.facts_of(candidate.provider.id, candidate.model)


def _asked(call: Call) -> tuple[int | None, int]:
    """Return the longest answer that the request asks for, in tokens, and how many answers."""
    dialect = call.dialect.name
    if dialect in _WITHOUT_OUTPUT:
        return 0, 1
    try:
        said = _decoder.decode(call.envelope.body)
    except (msgspec.MsgspecError, ValueError):
        return None, 1
    members, times = _PLACES.get(dialect, _ELSEWHERE)
    groups = _GROUPS.get(dialect)
    sources = [_of(said, name) for name in groups] if groups else [said]
    lengths = [number for one in sources for name in members if (number := _whole(_of(one, name))) is not None]
    repeats = [number for one in sources for name in times if (number := _whole(_of(one, name))) is not None]
    return max(lengths, default=None), max(repeats, default=1)


def _of(source: Any, name: str) -> Any:
    return source.get(name) if isinstance(source, dict) else getattr(source, name, None)


def _whole(value: Any) -> int | None:
    return value if type(value) is int and 0 < value < MOST else None


def _refused(call: Call, over: OverTheLimit, applying: Sequence[LimitView]) -> GatewayError:
    limit, wait = over.limit, over.retry_after
    whose = "key" if limit.of_key else "tenant"
    about = f" for the models '{limit.model}'" if limit.model else ""
    alone = " This request alone may need more: ask for a shorter answer, or send less." if over.alone else ""
    said = f"{_amount(limit)}{about}.{alone}"
    if limit.is_budget:
        return OverBudget(f"The budget of this {whose} has no room for this call: {said}", retry_after=wait)
    error = OverLimit(
        f"This {whose} is limited to {said}",
        code=_CODES.get((limit.measure, limit.of_key), "rate_limit_exceeded"),
        retry_after=wait,
        headers=_headers(call, applying),
    )
    error.worth_retrying = not over.alone
    return error


def _amount(limit: LimitView) -> str:
    per = {"": " at a time", "total": " in total"}.get(limit.period, f" per {limit.period}")
    if limit.measure == "money":
        return f"${limit.amount / NANO:,.9f}".rstrip("0").rstrip(".") + per
    noun = limit.measure if limit.amount != 1 else limit.measure.removesuffix("s")
    return f"{limit.amount:,} {noun}{per}"


def _headers(call: Call, applying: Sequence[LimitView]) -> tuple[tuple[bytes, bytes], ...]:
    """Tell how the limits per minute stand, in the words of the caller's dialect; others have none for it."""
    dialect = call.dialect.name
    write = _openai if dialect.startswith("openai") else _anthropic if dialect == "anthropic" else None
    if write is None:
        return ()
    found: list[tuple[bytes, bytes]] = []
    for measure in ("requests", "tokens"):
        stands = limits.standing(applying, measure)
        if stands is not None:
            found += write(measure.encode(), stands)
    return tuple(found)


def _openai(what: bytes, stands: Standing) -> list[tuple[bytes, bytes]]:
    return [
        (b"x-ratelimit-limit-" + what, b"%d" % stands.limit),
        (b"x-ratelimit-remaining-" + what, b"%d" % stands.left),
        (b"x-ratelimit-reset-" + what, b"%ds" % max(0, ceil(stands.reset))),
    ]


def _anthropic(what: bytes, stands: Standing) -> list[tuple[bytes, bytes]]:
    moment = datetime.fromtimestamp(ceil(clock.unix() + max(0.0, stands.reset)), UTC)
    return [
        (b"anthropic-ratelimit-" + what + b"-limit", b"%d" % stands.limit),
        (b"anthropic-ratelimit-" + what + b"-remaining", b"%d" % stands.left),
        (b"anthropic-ratelimit-" + what + b"-reset", moment.strftime("%Y-%m-%dT%H:%M:%SZ").encode()),
    ]


_decoder = msgspec.json.Decoder(_Asked)
_WITHOUT_OUTPUT = frozenset(("openai_embeddings", "ollama_embed", "gemini_embed", "openai_moderations"))
# The members that say how long and how many, by dialect; only those that its providers heed.
_ELSEWHERE: tuple[tuple[str, ...], tuple[str, ...]] = ((), ("n",))
_PLACES = {
    "openai_chat": (("max_completion_tokens", "max_tokens"), ("n",)),
    "openai_completions": (("max_tokens",), ("n", "best_of")),
    "openai_responses": (("max_output_tokens",), ()),
    "anthropic": (("max_tokens",), ()),
    "gemini": (("maxOutputTokens", "max_output_tokens"), ("candidateCount", "candidate_count")),
    "ollama": (("num_predict",), ()),
}
_GROUPS = {"gemini": ("generationConfig", "generation_config"), "ollama": ("options",)}
_CODES = {("requests", False): "tenant_quota_exceeded"}
