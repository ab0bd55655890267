"""The demo touches nothing of the operator's, and its parts agree."""

import json
import re

import pytest

from accounts.models import ApiKey
from proxx import demo
from proxx.kit import sealing
from routing import snapshot
from routing.models import FactSetting
from tests.upstreams import demo_traffic, model_names


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.setattr(demo, "DATA", tmp_path / "demo")
    return tmp_path / "demo"


def test_nothing_of_the_operators_reaches_the_demo(elsewhere):
    outside = {
        "PATH": "/bin",
        "PROXY_PORT": "9000",
        "OPENAI_API_KEY": "sk-mine",
        "DATABASE_URL": "postgres://mine",
        "REDIS_URL": "redis://mine",
        "SECRET_KEY": "mine",
        "PROXY_DATA_DIR": "/mine",
        "PROXX_ENV_FILE": "/mine/.env",
    }
    given = demo.environment(outside, 4711)
    assert "mine" not in json.dumps(given)
    assert given["PATH"] == "/bin"
    assert given["PROXY_PORT"] == "9000"
    assert given["PROXY_DATA_DIR"] == str(elsewhere)
    assert given["OPENAI_BASE_URL"] == "http://127.0.0.1:4711/v1"


def test_what_the_callers_ask_for_is_declared():
    assert set(demo.UNLISTED) == set(demo_traffic.UNLISTED)


@pytest.mark.django_db
def test_whatever_a_demo_can_ask_for_has_a_price():
    demo.set_prices()
    picture = snapshot.build()
    asked = {*demo.UNLISTED, *(name for name in model_names.LISTED if name.startswith("sim-") or name.endswith("-x"))}
    assert {model for model in asked if picture.facts_of("openai", model).price is None} == set()


@pytest.mark.django_db
def test_a_later_demo_leaves_prices_as_they_were_set():
    demo.set_prices()
    FactSetting.objects.exclude(model="gpt-x").delete()
    FactSetting.objects.update(price_input="7")
    demo.set_prices()
    assert [row.price_input for row in FactSetting.objects.all()] == [7]


def test_the_callers_keys_are_in_no_command_line(elsewhere):
    elsewhere.mkdir()
    tokens = ["pxx_a", "pxx_b", "pxx_c"]
    (elsewhere / "traffic.json").write_text(json.dumps(tokens))
    callers = demo.callers({"PATH": "/bin"}, "http://127.0.0.1:1", 2)
    assert [caller.environment["PROXX_KEY"] for caller in callers] == tokens
    assert not any(token in " ".join(caller.command) for caller in callers for token in tokens)


@pytest.mark.django_db
def test_a_later_demo_shows_one_fresh_key(monkeypatch):
    monkeypatch.setattr(demo, "DATA", demo.ROOT / "data" / "demo")
    first, second = ("\n".join(demo._welcome_back()) for _ in range(2))
    tokens = [re.search(r"PROXX_KEY=(\S+)", said)[1] for said in (first, second)]
    known = dict(ApiKey.objects.values_list("digest", "revoked_at"))
    assert known[sealing.digest(tokens[0])] is not None
    assert known[sealing.digest(tokens[1])] is None
    assert "data/demo" in second
