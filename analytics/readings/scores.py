"""How well a model at a provider, or an account, serves, as one number 0..1. For people only: routing judges by its own
figures (routing/health.py)."""

from math import log10

from analytics.readings.sums import Sums

UNKNOWN = 0.5  # in place of a part that nothing is known of
RESTS = 0.35  # how much a bad moment may take away


def confidence(sums: Sums) -> float:
    """Return how much the figures are worth: nothing without calls, everything from 999 on."""
    return _clamp(log10(1 + sums.requests) / 3)


def suitability(sums: Sums) -> float:
    """Return how well it serves: soon (40 %), fast (25 %), without failures (20 %), from the cache (15 %), halved where
    the figures are worth nothing yet."""
    soon = UNKNOWN if sums.ttft_ms is None else 1 / (1 + sums.ttft_ms / 1000)
    fast = UNKNOWN if sums.tps is None else _clamp(sums.tps / 80)
    good = 1 - (sums.error_rate or 0.0)
    whole = 0.40 * soon + 0.25 * fast + 0.20 * good + 0.15 * (sums.cache_hit_rate or 0.0)
    return _clamp(whole * (0.5 + 0.5 * confidence(sums)))


def account_health(sums: Sums, recent: Sums | None = None, *, rests: bool = False) -> float:
    """Return how an account does: soon, fast, much used; less where the last minutes were worse than usual, nothing
    while it rests."""
    if rests:
        return 0.0
    soon = UNKNOWN if sums.ttft_ms is None else 1 / (1 + sums.ttft_ms / 800)
    fast = UNKNOWN if sums.tps is None else _clamp(sums.tps / 50)
    base = 0.65 * soon + 0.25 * fast + 0.10 * _clamp(log10(1 + sums.tokens) / 6)
    return _clamp(base - RESTS * (_worse(sums, recent) if recent is not None else 0.0))


def _worse(usual: Sums, recent: Sums) -> float:
    late = slow = 0.0
    if usual.ttft_ms and recent.ttft_ms and recent.ttft_ms > 1.3 * usual.ttft_ms:
        late = (recent.ttft_ms / usual.ttft_ms - 1) * 0.6
    if usual.tps and recent.tps and recent.tps < 0.7 * usual.tps:
        slow = (usual.tps / recent.tps - 1) * 0.25
    return _clamp(max(late, slow))


def _clamp(value: float) -> float:
    return min(1.0, max(0.0, value))
