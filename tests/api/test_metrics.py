"""What a scrape over a real socket finds is what docs/telemetry.md promises, and only those who may see it do."""

import re

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.house import files
from tests.live import LiveProxx

SCRAPER = "scrape-token-0123456789-0123456789"
ROW = re.compile(r"^\| `(proxx_\w+)` \| (counter|gauge|histogram) \| ([^|]*) \| [^|]+ \|$", re.MULTILINE)
FORBIDDEN_TEXT = "what-a-caller-made-up"


def promised() -> dict[str, tuple[str, frozenset[str]]]:
    """Return kind and labels of every metric in the manual's table."""
    rows = ROW.findall(files.text("docs/telemetry.md"))
    return {name: (kind, frozenset(re.findall(r"\w+", labels.replace("–", "")))) for name, kind, labels in rows}


def scraped(text: str) -> dict[str, tuple[str, frozenset[str]]]:
    """Return kind and labels of every metric of ours in a scrape."""
    found = {}
    for family in text_string_to_metric_families(text):
        if family.name.startswith("proxx_"):
            labels = {label for sample in family.samples for label in sample.labels} - {"le"}
            name = f"{family.name}_total" if family.type == "counter" else family.name
            found[name] = (family.type, frozenset(labels))
    return found


def samples(text: str, name: str) -> list[tuple[dict[str, str], float]]:
    families = text_string_to_metric_families(text)
    return [(one.labels, one.value) for family in families for one in family.samples if one.name == name]


def scrape(proxx: LiveProxx, token: str = SCRAPER) -> tuple[int, str]:
    status, _, body = proxx.request("GET", "/metrics", None, {"authorization": f"Bearer {token}"})
    return status, body.decode()


@pytest.fixture
def watched(start_proxx) -> LiveProxx:
    return start_proxx(env={"PROXY_METRICS_TOKEN": SCRAPER, "PROXY_METRICS_TENANTS": "yes"})


def test_a_scrape_has_every_metric_that_the_manual_promises_and_no_other(watched):
    assert watched.chat("openai/sim-echo", stream=True)[0] == 200
    assert watched.chat("openai/sim-fault-500")[0] >= 500
    assert watched.chat(FORBIDDEN_TEXT, text=FORBIDDEN_TEXT)[0] >= 400
    watched.wait_for_rows("SELECT id FROM analytics_requestlog", 3)
    status, text = scrape(watched)
    assert status == 200
    found, table = scraped(text), promised()
    assert set(found) == set(table)
    # What has not happened yet has no sample, so no labels to compare.
    silent = {
        "proxx_cost_dollars_total",
        "proxx_records_lost_total",
        "proxx_bodies_lost_total",
        "proxx_traffic_log_dropped_total",
        "proxx_quota_used_ratio",
        "proxx_keys_refused_total",
        "proxx_oauth_renewals_total",
    }
    with_tenants = {"proxx_requests_total", "proxx_tokens_total", "proxx_cost_dollars_total"}
    for name in set(table) - silent:
        kind, labels = table[name]
        assert found[name] == (kind, labels | ({"tenant"} if name in with_tenants else set())), name
    assert FORBIDDEN_TEXT not in text
    assert watched.token not in text
    assert SCRAPER not in text


def test_figures_are_those_of_the_calls(watched):
    for _ in range(3):
        assert watched.chat("openai/sim-echo", stream=True)[0] == 200
    watched.wait_for_rows("SELECT id FROM analytics_requestlog", 3)
    _, text = scrape(watched)
    ((labels, count),) = samples(text, "proxx_requests_total")
    assert count == 3
    assert labels == {
        "provider": "openai",
        "model": "sim-echo",
        "dialect": "openai_chat",
        "outcome": "ok",
        "status": "200",
        "tenant": "default",
    }
    assert samples(text, "proxx_time_to_first_event_seconds_count")[0][1] == 3
    tokens = watched.rows("SELECT SUM(input_tokens), SUM(output_tokens) FROM analytics_requestlog")[0]
    told = {labels["kind"]: value for labels, value in samples(text, "proxx_tokens_total")}
    assert (told["input"], told["output"]) == tuple(tokens)
    assert samples(text, "proxx_attempts_total") == [({"provider": "openai", "failure": "none"}, 3.0)]
    serving = [value for labels, value in samples(text, "proxx_accounts") if labels["state"] == "serving"]
    assert sum(serving) == 1


def test_only_the_two_tokens_open_metrics(watched):
    assert scrape(watched, watched.token)[0] == 200
    assert watched.request("GET", "/metrics", None, {"authorization": ""})[0] == 401
    assert scrape(watched, "scrape-token-of-somebody-else")[0] == 401
    assert watched.request("GET", "/v1/models", None, {"authorization": f"Bearer {SCRAPER}"})[0] == 401
