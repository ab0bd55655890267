"""The demo touches nothing of the operator's, and its parts agree."""

import json

import pytest

from proxx import demo
from tests.upstreams import demo_traffic


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


def test_the_callers_keys_are_in_no_command_line(elsewhere):
    elsewhere.mkdir()
    tokens = ["pxx_a", "pxx_b", "pxx_c"]
    (elsewhere / "traffic.json").write_text(json.dumps(tokens))
    callers = demo.callers({"PATH": "/bin"}, "http://127.0.0.1:1", 2)
    assert [caller.environment["PROXX_KEY"] for caller in callers] == tokens
    assert not any(token in " ".join(caller.command) for caller in callers for token in tokens)
