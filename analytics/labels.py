"""What proxx itself says of a call, in words: nothing is stored for it, each word is worked out from the call's row.

A word is a condition for the database and the same question to a row in memory; tests compare the two. What kind of
request it was is known from bits that the gateway set (`traits`, traits.py). Words of people are tags.py's.
"""

from collections.abc import Callable
from dataclasses import dataclass

from django.db.models import F, Q
from django.db.models.lookups import Exact

from analytics import traits
from analytics.models import RequestLog

NANO = 1_000_000_000
CENT, DIME = NANO // 100, NANO // 10
PROVIDER = "provider:"  # before the name of a provider that failed
LARGE, VERY_LARGE = 50_000, 200_000  # bytes of a request

# Words of providers and of ours that mean the same.
CODES = {
    "content_filter": ("content_filter", "content_policy", "content_policy_violation", "refused_by_policy"),
    "token_expired": ("token_expired", "expired_api_key"),
    "quota_exceeded": ("insufficient_quota", "quota_exceeded", "quota_spent", "usage_limit_reached", "over_budget"),
    "model_unavailable": (
        "model_not_found",
        "model_disabled",
        "model_not_supported",
        "model_not_supported_for_account",
        "not_found",
    ),
    "billing_issue": ("billing_hard_limit_reached", "billing_not_active", "outstanding_balance"),
    "timeout": ("timeout", "timed_out", "upstream_timeout"),
}
STATUSES = {400: "bad_request", 401: "auth_expired", 402: "payment_required", 403: "forbidden", 429: "rate_limited"}


@dataclass(frozen=True, slots=True)
class Label:
    """One word: the condition under which a row has it, and the same of a row at hand."""

    condition: Q
    fits: Callable[[RequestLog], bool]


def of(call: RequestLog) -> list[str]:
    """Return the words for a call, in the order of the table; the provider of a failed one comes last."""
    found = [word for word, label in LABELS.items() if label.fits(call)]
    return [*found, f"{PROVIDER}{call.provider_id}"] if _failed(call) and call.provider_id else found


def condition(word: str) -> Q | None:
    """Return the condition for one of these words, None for any other word."""
    if word.startswith(PROVIDER):
        return FAILED & Q(provider_id=word.removeprefix(PROVIDER))
    label = LABELS.get(word)
    return label.condition if label else None


def is_ours(word: str) -> bool:
    """Tell whether a word is one that proxx says itself, so that nobody may put it on a call."""
    return word.startswith(PROVIDER) or word in LABELS


def _failed(call: RequestLog) -> bool:
    return call.outcome in ("error", "refused")


def _status(status: int) -> Label:
    return Label(FAILED & Q(status=status), lambda call: _failed(call) and call.status == status)


def _code(codes: tuple[str, ...]) -> Label:
    return Label(FAILED & Q(error_code__in=codes), lambda call: _failed(call) and call.error_code in codes)


def _trait(bit: int) -> Label:
    return Label(Q(Exact(F("traits").bitand(bit), bit)), lambda call: bool(call.traits & bit))


def _cost(above: int, to: int | None) -> Label:
    rule = Q(cost_nano__gt=above) if to is None else Q(cost_nano__gt=above, cost_nano__lte=to)
    return Label(
        rule,
        lambda call: call.cost_nano is not None and call.cost_nano > above and (to is None or call.cost_nano <= to),
    )


def _is_most(part: int | None, whole: int | None) -> bool:
    return part is not None and whole is not None and part > whole // 2


FAILED = Q(outcome__in=("error", "refused"))

LABELS: dict[str, Label] = {
    "success": Label(Q(outcome="ok", status=200), lambda call: call.outcome == "ok" and call.status == 200),
    "retried": Label(Q(attempt_count__gt=1), lambda call: call.attempt_count > 1),
    **{word: _status(status) for status, word in STATUSES.items()},
    "server_error": Label(FAILED & Q(status__gte=500), lambda call: _failed(call) and call.status >= 500),
    **{word: _code(codes) for word, codes in CODES.items()},
    **{word: _trait(bit) for word, bit in traits.BITS.items()},
    "large_payload": Label(Q(bytes_in__gt=LARGE), lambda call: call.bytes_in > LARGE),
    "very_large_payload": Label(Q(bytes_in__gt=VERY_LARGE), lambda call: call.bytes_in > VERY_LARGE),
    "cache_heavy": Label(
        Q(cache_read_tokens__gt=F("input_tokens") / 2),
        lambda call: _is_most(call.cache_read_tokens, call.input_tokens),
    ),
    "reasoning_heavy": Label(
        Q(reasoning_tokens__gt=F("output_tokens") / 2),
        lambda call: _is_most(call.reasoning_tokens, call.output_tokens),
    ),
    "very_high_cost": _cost(NANO, None),
    "high_cost": _cost(DIME, NANO),
    "medium_cost": _cost(CENT, DIME),
    "low_cost": Label(Q(cost_nano__lte=CENT), lambda call: call.cost_nano is not None and call.cost_nano <= CENT),
}
