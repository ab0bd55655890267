"""One call in full: what happened, why this account, what it cost."""

from datetime import timedelta

import pytest

from analytics import call_page, calls
from analytics.models import RequestLog
from analytics.rows import insert
from routing import price_versions, pricing
from routing.buckets import Buckets
from tests.analytics.records import attempt, record

pytestmark = pytest.mark.django_db


def stored(**changes):
    insert([call := record(**changes)])
    row = RequestLog.objects.get(pk=call.id)
    return row, calls.attempts_of([row])[row.id]


def told(**changes):
    return [(step.at, step.text, step.kind) for step in call_page.story(*stored(**changes))]


def test_the_life_of_a_call_is_told_in_its_order():
    first = attempt(
        status=429, failure="rate_limited", retry_after=2, headers_ms=80, duration_ms=90, first_event_ms=None
    )
    second = attempt(number=2, provider_id="groq", started_ms=100, headers_ms=180, duration_ms=200)
    assert told(attempts=[first, second], first_event_ms=190, duration_ms=301) == [
        ("0 ms", "The request came in: 900 bytes.", ""),
        ("1 ms", "openai (main) was asked for gpt-5-mini.", ""),
        ("80 ms", "openai began to answer with status 429.", ""),
        ("91 ms", "openai failed: rate limited, and asked us to wait 2 s.", "error"),
        ("100 ms", "groq (main) was asked for gpt-5-mini.", ""),
        ("180 ms", "groq began to answer with status 200.", ""),
        ("190 ms", "The client got the first byte of its answer.", ""),
        ("301 ms", "The answer was complete: 3.0 kB.", "ok"),
    ]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"outcome": "cancelled", "status": 499}, "The client left, in the middle of the answer, after 3.0 kB."),
        ({"outcome": "cancelled", "first_event_ms": None}, "The client left, while it was waiting for a provider."),
        ({"outcome": "cancelled", "first_event_ms": None, "attempts": []}, "left, before any provider was asked."),
        ({"outcome": "refused", "error_code": "over_budget"}, "The call was refused: over_budget."),
        ({"outcome": "error", "error_code": "truncated"}, "The answer broke off after 3.0 kB: truncated."),
        ({"outcome": "error", "status": 502, "first_event_ms": None}, "The client got an error: 502."),
    ],
)
def test_how_a_call_ended_is_told(changes, words):
    assert words in told(**changes)[-1][1]


def test_why_the_account_was_asked_is_told_from_what_was_written_down():
    row, attempts = stored(
        planned="1/2 weighted bound",
        attempts=[attempt(failure="overloaded"), attempt(number=2, provider_id="groq")],
    )
    said = call_page.reasons(row, attempts)
    assert said[0].startswith("openai was asked first. It stood first of 2 candidates")
    assert said[1:] == [
        "The conversation had been answered by this account before, and stayed with it.",
        "It failed (overloaded), so groq was next.",
        "groq answered.",
    ]


def test_why_no_account_was_asked_is_told_from_what_was_written_down():
    row, _ = stored(outcome="error", status=503, attempts=[], planned="none all_failing wait=7 out:failing=1")
    back = row.started_at + timedelta(milliseconds=row.duration_ms, seconds=7)
    said = call_page.reasons(row, [])
    assert said[0] == "No account was asked."
    assert said[-1] == f"The first of them was to rest until {back:%H:%M:%S} UTC."


def test_why_no_account_was_asked_is_told_by_the_error_where_nothing_was_written_down():
    row, _ = stored(outcome="refused", attempts=[], error_code="insufficient_quota")
    assert call_page.reasons(row, [])[1] == "A budget of the tenant or key had no room for the call."


def test_of_an_old_record_nothing_is_made_up():
    assert call_page.reasons(*stored()) == []


def test_the_lines_of_the_cost_add_up_to_what_was_charged():
    price = pricing.Price(input=3_000_000_000, output=15_000_000_000, cache_read=300_000_000, source="list")
    version = price_versions.version_of(price)
    tokens = Buckets(fresh=100, cache_read=20, text=25, reasoning=5)
    row, _ = stored(
        tokens=tokens,
        cache_read_tokens=20,
        reasoning_tokens=5,
        cost_nano=100 * 3000 + 20 * 300 + 30 * 15000,
        price_state="priced",
        price_version=version,
        price=price_versions.to_tell(version, price),
    )
    found = call_page.cost(row)
    assert [(line.name, line.count, line.amount) for line in found["lines"]] == [
        ("Fresh input", "100", "$0.0003"),
        ("Read from the cache", "20", "$0.000006"),
        ("Output", "25", "$0.000375"),
        ("Reasoning", "5", "$0.000075"),
    ]
    assert found["total"] == "$0.000756"
    assert found["source"] == "the list of prices"


def test_a_call_without_a_price_has_no_lines():
    assert call_page.cost(stored()[0])["lines"] == []


@pytest.mark.parametrize(
    ("amount", "text"),
    [(0, "$0.00"), (1, "$0.000000000000001"), (10**15, "$1.00"), (1234 * 10**15 + 10**14, "$1,234.10")],
)
def test_an_amount_keeps_every_digit(amount, text):
    assert call_page.dollars(amount) == text
