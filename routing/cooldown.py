"""What follows from an upstream failure: who rests, how long, and the next move. The table stands at the foot.

It reads no status codes (upstream/failures/ named the failure) and makes no move (gateway/failover.py does). A time
that the upstream gave is kept as it is; only our own guesses grow with a streak of failures, and jitter, upward.
"""

import random
from dataclasses import dataclass
from typing import Literal

from proxx.kit.configured import settings
from proxx.upstream.failures import Failure
from routing import health
from routing.plan import Candidate

Move = Literal["next", "another_protocol", "another_model", "give_up"]

SHORTEST = 1.0  # seconds: less would be no rest at all
LONGEST_GUESS = 1800.0  # thirty minutes, however long the streak (routing.md 6.2)
LONGEST_GIVEN = 8 * 86400.0  # a weekly quota and a day; a longer time is a mistake of the upstream
SPREADS_AFTER = 2  # accounts that cannot connect, before their provider's address rests as a whole


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of failure.

    The default rest is `PROXY_KEY_COOLDOWN_MS`, at most `at_most` seconds; `lasts` stands in its place. `is_soft` rests
    only change the order, `is_soft_for_model` says so of those that concern one model. `opens_after` so many failures
    in a row the circuit opens: 0 is `PROXY_BREAKER_FAILURES`, None never. `again` says that the trouble may pass: the
    candidate may be tried once more, after all others. `spreads` says that others at the same address are likely to
    fail alike.
    """

    kind: str
    rests: Literal["nobody", "credential", "model"]
    why: str
    at_most: float | None = None
    lasts: float | None = None
    grows: bool = False
    is_soft: bool = False
    is_soft_for_model: bool = False
    opens_after: int | None = None
    opens_for: float | None = None
    again: bool = False
    spreads: bool = False
    move: Move = "next"


def apply(failure: Failure, candidate: Candidate) -> Row:
    """Let rest who must, and return the row with the next move."""
    row = row_for(failure, candidate)
    if row.rests != "nobody":
        _rest(row, failure, candidate)
    if row.spreads and health.unreachable(candidate.site, candidate.key) >= SPREADS_AFTER:
        _rest_at(row, candidate.site, "", failure)
    return row


def row_for(failure: Failure, candidate: Candidate) -> Row:
    """Return the table's row for a failure at this candidate's provider, its quirks considered."""
    kind = failure.kind
    for quirk in candidate.quirks:
        kind = QUIRKS.get((quirk, kind), kind)
    return TABLE[kind]


def _rest(row: Row, failure: Failure, candidate: Candidate) -> None:
    model = candidate.model if row.rests == "model" or failure.scope == "model" else ""
    if row.kind == "permission" and failure.scope == "provider":
        _rest_at(row, candidate.site, "", failure)
        return
    lasts = next((LENGTHS[quirk, row.kind] for quirk in candidate.quirks if (quirk, row.kind) in LENGTHS), row.lasts)
    is_weekly = row.kind == "quota_spent" and "ollama_limits" in candidate.quirks
    is_weekly = is_weekly and "weekly" in failure.message.lower()
    _rest_at(row, candidate.key, model, failure, lasts, settings.OLLAMA_WEEKLY_COOLDOWN_MULTIPLIER if is_weekly else 1)


def _rest_at(
    row: Row, key: health.Key, model: str, failure: Failure, lasts: float | None = None, times: float = 1
) -> None:
    streak = health.failed(key, model=model, kind=row.kind)
    if failure.retry_after is not None:
        # The upstream asked for it, whatever the kind: the rotation trigger of registry 4.
        seconds = min(max(failure.retry_after, SHORTEST), LONGEST_GIVEN)
        health.rest(key, seconds, model=model, kind=row.kind)
    else:
        seconds = _guess(row, streak.length, lasts) * times
        health.rest(
            key, seconds, model=model, is_soft=row.is_soft or bool(model and row.is_soft_for_model), kind=row.kind
        )
    enough = _opens_after(row)
    if enough and streak.failures >= enough:
        health.open_circuit(
            key,
            model=model,
            kind=row.kind,
            seconds=row.opens_for or settings.PROXY_BREAKER_SECONDS,
            longest=max(row.opens_for or 0.0, settings.PROXY_BREAKER_SECONDS_MAX),
        )


def _opens_after(row: Row) -> int:
    """Return how many failures in a row open a circuit; 0 is never."""
    usual: int = settings.PROXY_BREAKER_FAILURES
    return (row.opens_after or usual) if usual and row.opens_after is not None else 0


def _guess(row: Row, streak: int, lasts: float | None) -> float:
    default: float = settings.PROXY_KEY_COOLDOWN
    base = lasts or (default if row.at_most is None else min(default, row.at_most))
    grown = base * 2 ** min(streak - 1, 30) if row.grows else base
    jitter = 1 + settings.PROXY_KEY_COOLDOWN_JITTER_FACTOR * random.random()  # noqa: S311 - spreads, protects nothing
    return max(SHORTEST, min(grown, max(LONGEST_GUESS, base)) * jitter)


# A provider's quirk makes one kind mean another, or last longer.
QUIRKS = {
    ("forbidden_is_transient", "permission"): "upstream_error",
    ("forbidden_is_policy", "permission"): "refused_by_policy",
}
LENGTHS = {
    ("zai_limits", "auth"): 300.0,
    ("zai_limits", "permission"): 300.0,
    ("zai_limits", "rate_limited"): 60.0,
    ("zai_limits", "quota_spent"): 1800.0,
}

_ROWS = (
    Row(
        "invalid_request",
        "nobody",
        "The request is at fault; one provider that speaks another protocol may read it otherwise.",
        move="another_protocol",
    ),
    Row(
        "context_length",
        "nobody",
        "The request is longer than the model's context; another model may have a longer one.",
        move="another_model",
    ),
    Row("content_policy", "nobody", "The content was refused.", move="give_up"),
    Row("too_large", "nobody", "The request is too large.", move="give_up"),
    Row("inexpressible", "nobody", "This dialect or model cannot be told; another may."),
    Row(
        "auth",
        "credential",
        "A wrong or revoked key; it is looked at again, ever more rarely.",
        at_most=10,
        grows=True,
    ),
    Row(
        "permission",
        "credential",
        "Not allowed; disabling it is left to the operator.",
        at_most=60,
        grows=True,
        is_soft_for_model=True,
    ),
    Row("not_renewed", "credential", "Its sign-in could not be renewed just now; it was not asked.", at_most=5),
    Row("refused_by_policy", "nobody", "The provider's own policy refused; the key is good."),
    Row("quota_spent", "credential", "Plan or balance is used up until it resets.", at_most=60, grows=True),
    Row("rate_limited", "credential", "Rotate at once.", grows=True, again=True),
    Row("too_many_at_once", "credential", "Passes as soon as a call ends.", at_most=15, again=True),
    Row(
        "not_found",
        "model",
        "This account lacks the model; another may have it.",
        lasts=3600,
        is_soft=True,
    ),
    Row("overloaded", "credential", "Busy for a moment.", at_most=5, is_soft=True, opens_after=0, again=True),
    Row("upstream_error", "credential", "Failed for a moment.", at_most=5, is_soft=True, opens_after=0, again=True),
    Row(
        "connect_failed",
        "credential",
        "Not reachable now; after two accounts, the provider's address.",
        at_most=5,
        is_soft=True,
        opens_after=0,
        again=True,
        spreads=True,
    ),
    Row("timed_out", "nobody", "Long thinking is no illness; waiting twice would be."),
    Row("empty", "model", "An answer without content.", at_most=10, is_soft=True, opens_after=3, opens_for=30),
    Row("unreasoned", "nobody", "An answer without the reasoning that was asked for; better than none.", again=True),
    Row("malformed", "credential", "An answer that is not one.", at_most=10, is_soft=True, opens_after=0),
    Row("truncated", "credential", "Broke off before it said anything.", at_most=5, is_soft=True, opens_after=0),
)
TABLE: dict[str, Row] = {row.kind: row for row in _ROWS}
