"""What the calls of this process add up to, for Prometheus: counters and histograms with few labels.

`note` runs once for each call on the event loop, so it is one look-up and a dozen additions; how the sums become
lines is worked out when somebody asks (`families`). No label holds a key or a caller's text: a model has a label of its
own from its first good answer on, as long as there is room, and is `other` until then. What is read from elsewhere at
that moment (accounts, quota, the journal) is gauges.py's.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import Any

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric

from analytics.record import UsageRecord
from proxx.kit.configured import settings

# Milliseconds, as records have them. A stream may take minutes; a first word seldom does.
DURATIONS = (50, 100, 250, 500, 1000, 2500, 5000, 10_000, 20_000, 30_000, 60_000, 120_000, 300_000, 600_000)
FIRST_WORDS = (50, 100, 200, 300, 500, 750, 1000, 1500, 2500, 5000, 10_000, 20_000, 40_000, 60_000)
# Different provider, model, dialect, outcome, status (and tenant) together; what comes later is `other`.
MOST_CELLS = 5_000
OTHER, NONE = "other", "none"
KINDS = ("input", "cache_read", "cache_write", "output", "reasoning")
NANO = 1_000_000_000

Key = tuple[Any, ...]  # provider, model, dialect, outcome, status, tenant


class Cell:
    """The sums of the calls that share all labels."""

    __slots__ = ("durations", "firsts", "firsts_ms", "ms", "nano", "tokens", "unpriced")

    def __init__(self) -> None:
        self.durations = [0] * (len(DURATIONS) + 1)
        self.firsts = [0] * (len(FIRST_WORDS) + 1)
        self.ms = self.firsts_ms = self.nano = self.unpriced = 0
        self.tokens = [0] * len(KINDS)


_cells: dict[Key, Cell] = {}
_models: set[str] = set()
_attempts: dict[tuple[str, str], int] = defaultdict(int)


def note(record: UsageRecord) -> None:
    """Add a call to the sums."""
    tenant = record.tenant_id if settings.PROXY_METRICS_TENANTS else None
    model = record.model_routed or (OTHER if record.model_requested else "")  # a name that nobody was asked for
    key = (record.provider_id, model, record.dialect, record.outcome, record.status, tenant)
    cell = _cells.get(key) or _cell(key)
    took = record.duration_ms
    cell.durations[bisect_left(DURATIONS, took)] += 1
    cell.ms += took
    first = record.first_event_ms
    if first is not None and record.stream:
        cell.firsts[bisect_left(FIRST_WORDS, first)] += 1
        cell.firsts_ms += first
    if record.usage_state != "none":
        tokens = cell.tokens
        tokens[0] += record.input_tokens or 0
        tokens[1] += record.cache_read_tokens or 0
        tokens[2] += record.cache_write_tokens or 0
        tokens[3] += record.output_tokens or 0
        tokens[4] += record.reasoning_tokens or 0
    if record.cost_nano:
        cell.nano += record.cost_nano
    elif record.price_state == "unpriced":
        cell.unpriced += 1
    for attempt in record.attempts:
        _attempts[attempt.provider_id, attempt.failure] += 1


def families() -> Iterator[Metric]:
    """Return the sums as Prometheus' families; safe in any thread."""
    cells = list(_cells.items())
    by_tenant = ["tenant"] if settings.PROXY_METRICS_TENANTS else []
    yield _calls(cells, by_tenant)
    yield _histogram(
        "proxx_request_duration_seconds",
        "From a call's first byte to its end.",
        DURATIONS,
        ((key, cell.durations, cell.ms) for key, cell in cells),
    )
    yield _histogram(
        "proxx_time_to_first_event_seconds",
        "From a streamed call's first byte to the first event of its answer.",
        FIRST_WORDS,
        ((key, cell.firsts, cell.firsts_ms) for key, cell in cells if cell.firsts_ms or any(cell.firsts)),
    )
    yield from _spent(cells, by_tenant)
    attempts = CounterMetricFamily(
        "proxx_attempts",
        "Tries at a candidate, by failure.",
        labels=["provider", "failure"],
    )
    for (provider, failure), count in sorted(_attempts.copy().items()):
        attempts.add_metric([provider, failure or NONE], count)
    yield attempts


def forget() -> None:
    """Begin anew, as a new process does."""
    _cells.clear()
    _models.clear()
    _attempts.clear()


def label_of(model: str) -> str:
    """Return what a model is called in labels: its own name only once it has answered, so that no caller makes any."""
    return model if model in _models else _label(model, "")


def _label(model: str, outcome: str) -> str:
    if not model:
        return NONE
    if model in _models:
        return model
    if outcome == "ok" and model != OTHER and len(_models) < settings.PROXY_METRICS_MODELS:
        _models.add(model)
        return model
    return OTHER


def _cell(key: Key) -> Cell:
    provider, model, dialect, outcome, status, tenant = key
    label = _label(model, outcome)
    if len(_cells) >= MOST_CELLS:
        provider, label, tenant = OTHER, OTHER, None
    key = (provider, label, dialect, outcome, status, tenant)
    found = _cells.get(key)
    if found is None:
        found = _cells[key] = Cell()
    return found


def _calls(cells: list[tuple[Key, Cell]], by_tenant: list[str]) -> Metric:
    calls = CounterMetricFamily(
        "proxx_requests",
        "Calls that have ended.",
        labels=["provider", "model", "dialect", "outcome", "status", *by_tenant],
    )
    for (provider, model, dialect, outcome, status, tenant), cell in cells:
        labels = [provider or NONE, model, dialect or NONE, outcome, str(status)]
        calls.add_metric([*labels, *_named(tenant, by_tenant)], sum(cell.durations))
    return calls


def _spent(cells: list[tuple[Key, Cell]], by_tenant: list[str]) -> Iterator[Metric]:
    labels = ["provider", "model"]
    tokens = CounterMetricFamily("proxx_tokens", "Tokens by kind.", labels=[*labels, "kind", *by_tenant])
    dollars = CounterMetricFamily("proxx_cost_dollars", "What answers cost.", labels=[*labels, *by_tenant])
    unpriced = CounterMetricFamily("proxx_unpriced_requests", "Answers without a known price.", labels=labels)
    for where, kinds in _folded(cells, lambda cell: cell.tokens).items():
        place, tenant = [where[0] or NONE, where[1]], _named(where[2], by_tenant)
        for kind, count in zip(KINDS, kinds, strict=True):
            if count:
                tokens.add_metric([*place, kind, *tenant], count)
    for where, (nano,) in _folded(cells, lambda cell: [cell.nano]).items():
        if nano:
            dollars.add_metric([where[0] or NONE, where[1], *_named(where[2], by_tenant)], nano / NANO)
    for where, (count,) in _folded(cells, lambda cell: [cell.unpriced], with_tenant=False).items():
        if count:
            unpriced.add_metric([where[0] or NONE, where[1]], count)
    yield from (tokens, dollars, unpriced)


def _folded(cells: list[tuple[Key, Cell]], of: Any, *, with_tenant: bool = True) -> dict[Key, list[int]]:
    """Add up what cells hold by provider, model and tenant."""
    sums: dict[Key, list[int]] = {}
    for (provider, model, *_, tenant), cell in cells:
        where = (provider, model, tenant if with_tenant else None)
        more = of(cell)
        before = sums.get(where)
        sums[where] = list(more) if before is None else [one + two for one, two in zip(before, more, strict=True)]
    return sums


def _histogram(
    name: str, text: str, bounds: tuple[int, ...], parts: Iterable[tuple[Key, list[int], int]]
) -> HistogramMetricFamily:
    sums: dict[tuple[str, str, str], tuple[list[int], int]] = {}
    for (provider, model, _, outcome, *_), counts, ms in parts:
        place = (provider or NONE, model, outcome)
        before, already = sums.get(place, ([0] * len(counts), 0))
        sums[place] = [one + two for one, two in zip(before, counts, strict=True)], already + ms
    family = HistogramMetricFamily(name, text, labels=["provider", "model", "outcome"])
    edges = [*(f"{bound / 1000:g}" for bound in bounds), "+Inf"]
    for place, (counts, ms) in sums.items():
        buckets = list(zip(edges, accumulate(counts), strict=True))
        family.add_metric(place, buckets, ms / 1000)
    return family


def _named(tenant: Any, by_tenant: list[str]) -> list[str]:
    if not by_tenant:
        return []
    from routing import reload  # the record path needs none of it until somebody asks

    view = reload.current().tenants.get(tenant) if tenant else None
    return [view.slug if view else OTHER]
