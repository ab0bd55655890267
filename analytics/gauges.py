"""How this process is at the moment somebody asks: what waits, who rests, what accounts have left.

Accounts are counted, never named: their names may be people's. What is counted call by call is meters.py's.
"""

from collections import Counter
from collections.abc import Iterator
from itertools import chain

from prometheus_client.core import GaugeMetricFamily, Metric

from analytics import meters, queue
from proxx.kit import clock, metrics
from routing import health, quota, reload

STATES = ("serving", "resting", "spent")


def families() -> Iterator[Metric]:
    """Return the gauges; safe in any thread."""
    state, snapshot = queue.state(), reload.current()
    yield _one("proxx_records_waiting", "Records that are not in the database yet.", state.waiting)
    yield _one("proxx_journal_bytes", "Bytes of this process's journal.", queue.journal_bytes())
    yield _one("proxx_database_refuses_records", "1 while the database takes no records.", int(bool(state.fault)))
    yield _one("proxx_attempts_in_flight", "Attempts under way.", health.all_in_flight())
    yield _one("proxx_config_revision", "Number of the configuration in force.", snapshot.revision)
    refused = int(reload.last_fault() is not None)
    yield _one("proxx_config_refused", "1 while the newest configuration could not be read.", refused)
    yield _accounts()
    yield _quota()


def _one(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=value)


def _accounts() -> Metric:
    found: Counter[tuple[str, str]] = Counter()
    now = clock.monotonic()
    for provider_id, credentials in reload.current().credentials.items():
        found.update({(provider_id, state): 0 for state in STATES})
        for credential in credentials:
            if quota.spent.get(credential.id, 0.0) > now:
                state = "spent"
            else:
                rests = health.rests.get(credential.id, {})
                resting = any(rest.until > now for place, rest in rests.copy().items() if not place)
                state = "resting" if resting else "serving"
            found[provider_id, state] += 1
    family = GaugeMetricFamily("proxx_accounts", "Accounts in use, by what they do.", labels=["provider", "state"])
    for (provider_id, state), count in sorted(found.items()):
        family.add_metric([provider_id, state], count)
    return family


def _quota() -> Metric:
    """The fullest account of each provider and window: what is left elsewhere helps no conversation that stays."""
    fullest: dict[tuple[str, str], float] = {}
    now = clock.unix()
    for provider_id, credentials in reload.current().credentials.items():
        standings = (quota.standings.get(credential.id) for credential in credentials)
        for window in chain.from_iterable(standing.usage.windows for standing in standings if standing):
            used = 0.0 if window.resets_at is not None and window.resets_at <= now else window.used
            place = (provider_id, window.name)
            fullest[place] = max(used, fullest.get(place, 0.0))
    family = GaugeMetricFamily(
        "proxx_quota_used_ratio", "Used share of a window, of the fullest account.", labels=["provider", "window"]
    )
    for (provider_id, name), used in sorted(fullest.items()):
        family.add_metric([provider_id, name], used / 100)
    return family


metrics.add(meters.families)
metrics.add(families)
