import pytest
from prometheus_client.core import Metric

from analytics import meters
from tests.analytics.records import attempt, record


@pytest.fixture(autouse=True)
def fresh():
    meters.forget()
    yield
    meters.forget()


def family(name: str) -> Metric:
    return next(each for each in meters.families() if each.name == name)


def values(name: str, sample: str) -> dict[tuple[str, ...], float]:
    return {tuple(one.labels.values()): one.value for one in family(name).samples if one.name == sample}


def models() -> set[str]:
    return {one.labels["model"] for one in family("proxx_requests").samples}


def test_a_model_has_a_label_only_once_it_has_answered():
    meters.note(record(model_routed="typed-by-a-caller", outcome="error", status=502))
    assert models() == {"other"}
    meters.note(record(model_routed="gpt-5-mini"))
    meters.note(record(model_routed="gpt-5-mini", outcome="error", status=502))
    assert models() == {"other", "gpt-5-mini"}


def test_a_name_that_nobody_was_asked_for_is_counted_under_other():
    meters.note(record(model_routed="", model_requested="typed-by-a-caller", outcome="refused", status=404))
    meters.note(record(model_routed="", model_requested="", outcome="refused", status=400))
    assert models() == {"other", "none"}


def test_models_beyond_the_bound_are_counted_together(settings):
    settings.PROXY_METRICS_MODELS = 2
    for number in range(5):
        meters.note(record(model_routed=f"model-{number}"))
    assert models() == {"model-0", "model-1", "other"}
    assert sum(one.value for one in family("proxx_requests").samples if one.name == "proxx_requests_total") == 5


def test_sums_that_became_too_many_are_counted_under_other(monkeypatch):
    monkeypatch.setattr(meters, "MOST_CELLS", 3)
    for number in range(6):
        meters.note(record(provider_id=f"provider-{number}"))
    counted = values("proxx_requests", "proxx_requests_total")
    assert {labels[0]: count for labels, count in counted.items()} == {
        "provider-0": 1,
        "provider-1": 1,
        "provider-2": 1,
        "other": 3,
    }


def test_a_histogram_puts_each_time_into_its_bucket_and_adds_up():
    for took in (50, 51, 700_000):
        meters.note(record(duration_ms=took))
    buckets = {one.labels.get("le"): one.value for one in family("proxx_request_duration_seconds").samples}
    assert (buckets["0.05"], buckets["0.1"], buckets["600"], buckets["+Inf"]) == (1, 2, 2, 3)
    assert values("proxx_request_duration_seconds", "proxx_request_duration_seconds_sum") == {
        ("openai", "gpt-5-mini", "ok"): pytest.approx(700.101)
    }


def test_only_streams_tell_their_first_event():
    meters.note(record(stream=False, first_event_ms=80))
    assert family("proxx_time_to_first_event_seconds").samples == []


def test_costs_tokens_and_missing_prices_are_added_up_over_outcomes():
    meters.note(record(cost_nano=1_500_000_000, price_state="priced", cache_read_tokens=100))
    meters.note(record(cost_nano=500_000_000, price_state="priced", outcome="cancelled", status=499))
    meters.note(record(price_state="unpriced"))
    assert values("proxx_cost_dollars", "proxx_cost_dollars_total") == {("openai", "gpt-5-mini"): 2.0}
    assert values("proxx_unpriced_requests", "proxx_unpriced_requests_total") == {("openai", "gpt-5-mini"): 1}
    assert values("proxx_tokens", "proxx_tokens_total") == {
        ("openai", "gpt-5-mini", "input"): 360,
        ("openai", "gpt-5-mini", "cache_read"): 100,
        ("openai", "gpt-5-mini", "output"): 90,
    }


def test_each_attempt_counts_by_its_failure():
    meters.note(record(attempts=[attempt(failure="rate_limited", status=429), attempt(number=2)]))
    assert values("proxx_attempts", "proxx_attempts_total") == {("openai", "none"): 1, ("openai", "rate_limited"): 1}
