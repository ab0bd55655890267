"""When accounts that were struck out for a while are back, for people who ask."""

from collections.abc import Iterable, Iterator

from proxx.kit import clock
from routing import health, quota
from routing.plan import PASSING, RESTS
from routing.snapshot import Snapshot


def ends_of(provider_id: str, code: str, models: Iterable[str], snapshot: Snapshot) -> Iterator[float]:
    """Yield in how many seconds each account that was struck out for this is back, or the address that they share."""
    if code not in PASSING:
        return
    now = clock.monotonic()
    keys: list[health.Key] = [view.id for view in snapshot.credentials.get(provider_id, ())] or [provider_id]
    if code == "quota_spent":
        yield from (until - now for key in keys if (until := quota.spent_until(key, now)) is not None)
        return
    keys += [key for key in list(health.rests) if isinstance(key, str) and key.startswith(f"{provider_id}@")]
    for key in keys:
        for model in models:
            rest = health.rest_of(key, model, now)
            if rest is not None and not rest.is_soft and RESTS.get(rest.kind, "resting") == code:
                yield rest.until - now
