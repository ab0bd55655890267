"""What the record says a call cost."""

import json

import pytest

from tests.live import LiveProxx
from tests.until import until
from tests.upstreams.script import report_usage, say

NEWEST = "SELECT cost_nano, price_state FROM analytics_requestlog ORDER BY id DESC LIMIT 1"


def cost_of(proxx: LiveProxx, model: str, **fields: object) -> tuple[object, ...]:
    before = len(proxx.rows("SELECT id FROM analytics_requestlog"))
    status, _, answer = proxx.chat(model, **fields)
    assert status == 200, answer
    proxx.wait_for_rows("SELECT id FROM analytics_requestlog", before + 1)
    return proxx.rows(NEWEST)[0]


@pytest.mark.parametrize("stream", [False, True])
def test_a_call_costs_what_the_list_says_to_the_nano_dollar(live_proxx: LiveProxx, stream: bool) -> None:
    """gpt-4o-mini: $0.15 for a million fresh tokens, $0.075 for cached ones, $0.60 for those of the answer."""
    live_proxx.provider.script(say("Hi"), report_usage(input=1000, output=200, cached=400))
    by_hand = 600 * 150 + 400 * 75 + 200 * 600
    assert cost_of(live_proxx, "openai/gpt-4o-mini", stream=stream) == (by_hand, "priced")


def test_a_model_that_no_list_knows_is_unpriced_and_not_free(live_proxx: LiveProxx) -> None:
    live_proxx.provider.script(say("Hi"), report_usage(input=1000, output=200))
    assert cost_of(live_proxx, "openai/nobodys-model") == (None, "unpriced")


def test_a_call_that_nobody_answered_has_nothing_to_price(live_proxx: LiveProxx) -> None:
    assert live_proxx.chat("openai/gpt-4o-mini", messages="no list")[0] == 400
    until(lambda: live_proxx.rows(NEWEST) == [(None, "none")], seconds=5)


def test_a_usage_that_cannot_be_is_flagged_and_replaced_by_an_estimate(live_proxx: LiveProxx) -> None:
    live_proxx.provider.script(say("Hi"), report_usage(input=-1000, output=200))
    cost, state = cost_of(live_proxx, "openai/gpt-4o-mini")
    row = live_proxx.rows(
        "SELECT usage_state, input_tokens, fresh_tokens, warnings FROM analytics_requestlog ORDER BY id DESC LIMIT 1"
    )[0]
    assert (state, row[0], row[1] == row[2] > 0) == ("priced", "replaced", True)
    assert "replaced by an estimate" in str(row[3])
    assert isinstance(cost, int)
    assert cost > 0


def test_a_row_tells_the_price_that_it_was_priced_by(live_proxx: LiveProxx) -> None:
    for _ in range(2):
        live_proxx.provider.script(say("Hi"), report_usage(input=1000, output=200))
        cost_of(live_proxx, "openai/gpt-4o-mini")
    taken = live_proxx.rows(
        "SELECT v.rates, v.source FROM analytics_requestlog l JOIN routing_priceversion v ON v.id = l.price_version"
    )
    assert len(taken) == 2
    rates = taken[0][0] if isinstance(taken[0][0], dict) else json.loads(str(taken[0][0]))
    assert (rates["input"], rates["output"], taken[0][1]) == (150_000_000, 600_000_000, "list")
    assert live_proxx.rows("SELECT count(*) FROM routing_priceversion") == [(1,)]
