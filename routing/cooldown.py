"""What follows from an upstream failure: who rests, how long, and the next move. The table stands at the foot.

It reads no status codes (upstream/failures/ named the failure) and makes no move (gateway/failover.py does). A time
that the upstream gave is kept as it is; only our own guesses grow with a streak of failures, and jitter, upward.
"""

import random
from dataclasses import dataclass
from typing import Literal

from django.conf import settings

from proxx.upstream.failures import Failure
from routing import health
from routing.plan import Candidate

Move = Literal["same_again", "next", "give_up"]

SHORTEST = 1.0  # seconds: less would be no rest at all
LONGEST_GUESS = 1800.0  # thirty minutes, however long the streak (routing.md 6.2)
LONGEST_GIVEN = 8 * 86400.0  # a weekly quota and a day; a longer time is a mistake of the upstream


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of failure. `at_most` caps the default rest in seconds; `is_soft` rests only change the order."""

    kind: str
    rests: Literal["nobody", "credential", "model"]
    at_most: float | None
    grows: bool
    is_soft: bool
    again: bool  # may the same candidate be tried once more, after all others?
    move: Move  # otherwise
    why: str


def apply(failure: Failure, candidate: Candidate, *, tried_in_place: int) -> Move:
    """Let rest who must, and return the next move.

    `same_again` means: a passing trouble, worth another try of this candidate once nobody else is left.
    `tried_in_place` counts the tries in place that this call has already given it.
    """
    row = row_for(failure, candidate)
    if row.rests != "nobody":
        _rest(row, failure, candidate)
    if row.again and tried_in_place < settings.UPSTREAM_TRANSIENT_RETRY_COUNT:
        return "same_again"
    return row.move


def row_for(failure: Failure, candidate: Candidate) -> Row:
    """Return the table's row for a failure at this candidate's provider, its quirks considered."""
    kind = failure.kind
    for quirk in candidate.quirks:
        kind = QUIRKS.get((quirk, kind), kind)
    return TABLE[kind]


def _rest(row: Row, failure: Failure, candidate: Candidate) -> None:
    model = candidate.model if row.rests == "model" or failure.scope == "model" else ""
    streak = health.failed(candidate.key, model=model)
    if failure.retry_after is not None:
        # The upstream asked for it, whatever the kind: the rotation trigger of registry 4.
        seconds = min(max(failure.retry_after, SHORTEST), LONGEST_GIVEN)
        health.rest(candidate.key, seconds, model=model)
        return
    seconds = _guess(row, streak)
    if row.kind == "quota_spent" and "ollama_limits" in candidate.quirks and "weekly" in failure.message.lower():
        seconds *= settings.OLLAMA_WEEKLY_COOLDOWN_MULTIPLIER
    health.rest(candidate.key, seconds, model=model, is_soft=row.is_soft)


def _guess(row: Row, streak: int) -> float:
    default: float = settings.PROXY_KEY_COOLDOWN
    base = default if row.at_most is None else min(default, row.at_most)
    grown = base * 2 ** min(streak - 1, 30) if row.grows else base
    jitter = 1 + settings.PROXY_KEY_COOLDOWN_JITTER_FACTOR * random.random()  # noqa: S311 - spreads, protects nothing
    return max(SHORTEST, min(grown, LONGEST_GUESS) * jitter)


def _row(kind: str, rests: Literal["nobody", "credential", "model"], why: str, **facts: float | bool | None) -> Row:
    """Write a row by its exceptions: otherwise nothing grows, nothing is soft, and the next candidate is tried."""
    return Row(
        kind=kind,
        rests=rests,
        at_most=facts.get("at_most"),
        grows=bool(facts.get("grows")),
        is_soft=bool(facts.get("is_soft")),
        again=bool(facts.get("again")),
        move="give_up" if facts.get("final") else "next",
        why=why,
    )


# A provider's quirk makes one kind mean another.
QUIRKS = {
    ("forbidden_is_transient", "permission"): "upstream_error",
    ("forbidden_is_policy", "permission"): "refused_by_policy",
}

TABLE: dict[str, Row] = {
    row.kind: row
    for row in (
        _row("invalid_request", "nobody", "The request is at fault; nobody else would like it better.", final=True),
        _row("context_length", "nobody", "The request is longer than the model's context.", final=True),
        _row("content_policy", "nobody", "The content was refused.", final=True),
        _row("too_large", "nobody", "The request is too large.", final=True),
        _row("inexpressible", "nobody", "This dialect or model cannot be told; another may."),
        _row(
            "auth",
            "credential",
            "A wrong or revoked key; it is looked at again, ever more rarely.",
            at_most=10,
            grows=True,
        ),
        _row("permission", "credential", "Not allowed; disabling it is left to the operator.", at_most=60, grows=True),
        _row("refused_by_policy", "nobody", "The provider's own policy refused; the key is good."),
        _row("quota_spent", "credential", "Plan or balance is used up until it resets.", at_most=60, grows=True),
        _row("rate_limited", "credential", "Rotate at once.", grows=True, again=True),
        _row("too_many_at_once", "credential", "Passes as soon as a call ends.", at_most=15, again=True),
        _row("not_found", "nobody", "This provider lacks the model; another may have it."),
        _row("overloaded", "credential", "Busy for a moment.", at_most=5, is_soft=True, again=True),
        _row("upstream_error", "credential", "Failed for a moment.", at_most=5, is_soft=True, again=True),
        _row("connect_failed", "credential", "Not reachable now.", at_most=5, is_soft=True, again=True),
        _row("timed_out", "nobody", "Long thinking is no illness; waiting twice would be."),
        _row("empty", "model", "An answer without content.", at_most=10, is_soft=True),
        _row("malformed", "credential", "An answer that is not one.", at_most=10, is_soft=True),
        _row("truncated", "credential", "Broke off before it said anything.", at_most=5, is_soft=True),
    )
}
