"""What one call may cost: tries in place by provider, money, and other models when one cannot."""

import json

import pytest

from tests.live import LiveProxx
from tests.upstreams.script import FOREVER
from tests.upstreams.server import SimulatedProvider

TWO = {"PROXY_KEYS_JSON": json.dumps({"providers": {"openai": ["sk-sim-1", "sk-sim-2"]}}), "OPENAI_API_KEY": ""}
QUICK = {"UPSTREAM_TRANSIENT_RETRY_BACKOFF_MS": "5", "PROXY_BREAKER_FAILURES": "0"}


@pytest.mark.parametrize(("count", "fault", "asked"), [("openai=4", "502", 5), ("openai=0", "503", 1), ("", "502", 3)])
def test_a_provider_may_have_its_own_number_of_tries_in_place(start_proxx, provider, count, fault, asked):
    proxx: LiveProxx = start_proxx(env={**QUICK, "PROXY_PROVIDER_RETRIES": count})
    provider.script(times=FOREVER, fault=fault)
    assert proxx.chat("gpt-x")[0] == 502
    assert len(provider.journal) == asked


@pytest.mark.parametrize(
    ("model", "fault", "asked"),
    [
        ("gpt-4o", "error-200", 1),  # answered 200: it may be billed, and has a price
        ("gpt-4o", "404", 2),  # refused: costs nothing
        ("gpt-of-unknown-price", "error-200", 4),
    ],
)
def test_attempts_that_may_be_billed_end_when_the_money_does(start_proxx, provider, model, fault, asked):
    proxx: LiveProxx = start_proxx(env={**TWO, **QUICK, "PROXY_RETRY_COST_LIMIT": "0.000001"})
    provider.script(times=FOREVER, fault=fault)
    assert proxx.chat(model, "word " * 100)[0] in (404, 502)
    assert len(provider.journal) == asked


def models(provider: SimulatedProvider) -> list[str]:
    return [entry.model for entry in provider.journal]


@pytest.mark.parametrize("fault", ["404", "400-context"])
def test_another_model_of_the_pool_answers_when_one_is_missing_or_too_small(start_proxx, provider, fault):
    proxx: LiveProxx = start_proxx(env=TWO)
    proxx.run(
        "from routing.models import ModelPreference\n"
        "ModelPreference.objects.create(name='best', alias_of='gpt-x\\nsim-say')"
    )
    proxx.wait_until_served("best")
    provider.reset()
    provider.script(model="gpt-x", times=FOREVER, fault=fault)
    for number in range(2):
        assert proxx.chat("best", f"talk {number}")[0] == 200
        asked = models(provider)
        assert asked.count("sim-say") == 1
        # One account is proof enough that a request is too long, none that the other account lacks the model.
        assert asked.count("gpt-x") <= (1 if fault == "400-context" else 2)
        provider.journal.clear()


def test_a_pools_second_model_is_asked_at_an_account_that_rests_for_the_first(start_proxx, provider):
    proxx: LiveProxx = start_proxx()
    proxx.run(
        "from routing.models import ModelPreference\n"
        "ModelPreference.objects.create(name='best', alias_of='gpt-x\\nsim-say')"
    )
    proxx.wait_until_served("best")
    provider.reset()
    provider.script(model="gpt-x", times=3, fault="empty-200")
    assert proxx.chat("best")[0] == 200
    assert models(provider)[-1] == "sim-say"
    assert proxx.chat("best")[0] == 200
