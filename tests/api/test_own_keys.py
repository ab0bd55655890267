"""Listeners whose callers bring a provider's key of their own: it goes there, and nowhere else."""

import json
import time
from pathlib import Path

import pytest

from tests.live import LiveProxx, running

GROQ, CLAUDE = "groq.example.com", "claude.example.com"
KEY = "sk-sim-clients-own-0123456789abcdef"
ASK = {"model": "gpt-x", "messages": [{"role": "user", "content": "hello"}]}
MESSAGE = {"model": "claude-x", "max_tokens": 100, "messages": [{"role": "user", "content": "hello"}]}
ROWS = f"""
from accounts.models import Tenant
from routing.models import Listener
tenant = Tenant.objects.create(slug="converter", name="Converter")
for host, provider in (({GROQ!r}, "groq"), ({CLAUDE!r}, "anthropic")):
    Listener.objects.create(name=host, host=host, own_key_provider=provider, own_key_tenant=tenant)
"""


@pytest.fixture(scope="module")
def proxx(tmp_path_factory, templates, module_provider):
    """A server with an OpenAI account of its own, and two listeners for other people's keys."""
    env = {"GROQ_BASE_URL": module_provider.base_url, "ANTHROPIC_BASE_URL": module_provider.origin}
    with running(tmp_path_factory.mktemp("proxx"), templates, module_provider, env=env) as started:
        started.run(ROWS)
        deadline = time.monotonic() + 10
        while ask(started, authorization=f"Bearer {KEY}")[0] != 200:
            assert time.monotonic() < deadline, started.log
            time.sleep(0.05)
        yield started


def ask(proxx: LiveProxx, path="/v1/chat/completions", body=ASK, host=GROQ, **headers):
    """Ask with these headers alone; return status, answer, and the new entries of the provider's journal."""
    sent = {"authorization": "", "host": host, **{name.replace("_", "-"): value for name, value in headers.items()}}
    before = len(proxx.provider.journal)
    status, _, raw = proxx.request("POST", path, body, sent)
    return status, json.loads(raw), list(proxx.provider.journal)[before:]


@pytest.mark.parametrize("carrier", ["authorization", "x-api-key", "x-goog-api-key"])
def test_the_callers_key_goes_to_the_provider_in_its_own_style(proxx: LiveProxx, carrier):
    """F-043."""
    status, _, asked = ask(proxx, **{carrier: f"Bearer {KEY}" if carrier == "authorization" else KEY})
    assert status == 200
    assert [entry.header("authorization") for entry in asked] == [f"Bearer {KEY}"]
    assert asked[0].header("x-api-key") is None


def test_a_bearer_becomes_an_x_api_key_where_the_provider_wants_one(proxx: LiveProxx):
    """F-043, F-044."""
    status, _, (asked,) = ask(proxx, "/v1/messages", MESSAGE, CLAUDE, authorization=f"Bearer {KEY}")
    assert (status, asked.header("x-api-key"), asked.header("authorization")) == (200, KEY, None)
    both = {"authorization": "Bearer sk-sim-other", "x-api-key": KEY}
    assert ask(proxx, "/v1/messages", MESSAGE, CLAUDE, **both)[2][0].header("x-api-key") == KEY


def test_other_dialects_are_translated_as_anywhere(proxx: LiveProxx):
    said = {**ASK, "model": "claude-x", "stream": False}
    status, answer, (asked,) = ask(proxx, "/api/chat", said, CLAUDE, authorization=f"Bearer {KEY}")
    assert (status, answer["done"], asked.header("x-api-key")) == (200, True, KEY)
    assert asked.path in ("/v1/messages", "/v1/chat/completions")


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer "}, {"authorization": "Basic abcdefgh"}])
def test_without_a_key_nothing_is_asked(proxx: LiveProxx, headers):
    """F-043."""
    status, answer, asked = ask(proxx, **headers)
    assert (status, asked) == (401, [])
    assert "Groq" in answer["error"]["message"]


def test_a_proxx_key_never_leaves_the_house(proxx: LiveProxx):
    for token in (proxx.token, "pxx_" + "a" * 43):
        assert ask(proxx, authorization=f"Bearer {token}")[::2] == (401, [])


def test_elsewhere_such_a_key_opens_nothing(proxx: LiveProxx):
    assert ask(proxx, host="127.0.0.1", authorization=f"Bearer {KEY}")[::2] == (401, [])


def test_a_refused_key_is_tried_nowhere_else_and_harms_nobody(proxx: LiveProxx):
    status, answer, asked = ask(proxx, authorization="Bearer sk-sim-fault-401.mine")
    assert (status, len(asked)) == (401, 1)
    assert answer["error"]["code"] == "invalid_api_key"
    assert ask(proxx, authorization="Bearer sk-sim-fault-429.mine")[0] == 429
    assert ask(proxx, authorization=f"Bearer {KEY}")[0] == 200


def test_another_providers_model_is_no_way_out(proxx: LiveProxx):
    _, _, asked = ask(proxx, body={**ASK, "model": "openai/sim-echo"}, authorization=f"Bearer {KEY}")
    assert {entry.header("authorization") for entry in asked} == {f"Bearer {KEY}"}
    assert asked[0].json["model"] == "openai/sim-echo"


def test_paths_that_use_our_accounts_are_closed(proxx: LiveProxx):
    status, _, asked = ask(proxx, "/openai/v1/chat/completions", authorization=f"Bearer {KEY}")
    assert (status, asked) == (404, [])


def test_one_callers_responses_are_unknown_to_another(proxx: LiveProxx):
    said = {"model": "claude-x", "input": "hello", "max_output_tokens": 100}
    _, answer, _ = ask(proxx, "/v1/responses", said, CLAUDE, authorization=f"Bearer {KEY}")
    for key, status in ((KEY, 200), ("sk-sim-somebody-else", 404)):
        headers = {"host": CLAUDE, "authorization": f"Bearer {key}"}
        assert proxx.request("GET", f"/v1/responses/{answer['id']}", headers=headers)[0] == status


def test_a_long_conversation_is_taken_although_the_key_is_none_of_ours(proxx: LiveProxx):
    long = {**ASK, "messages": [{"role": "user", "content": "x" * 200_000}]}
    assert ask(proxx, body=long, authorization=f"Bearer {KEY}")[0] == 200


def test_only_that_providers_models_are_listed(proxx: LiveProxx):
    headers = {"host": GROQ, "authorization": f"Bearer {KEY}"}
    status, _, raw = proxx.request("GET", "/v1/models", headers=headers)
    assert (status, json.loads(raw)["data"]) == (200, [])


def test_calls_are_recorded_for_the_tenant_and_the_key_is_nowhere(proxx: LiveProxx):
    """F-255."""
    ask(proxx, authorization=f"Bearer {KEY}")
    query = (
        "select t.slug, r.credential_id, r.key_id, r.status from analytics_requestlog r"
        " join accounts_tenant t on t.id = r.tenant_id where t.slug = 'converter' and r.status = 200"
    )
    rows = proxx.wait_for_rows(query, 1)
    assert set(rows) == {("converter", None, None, 200)}
    for path in Path(proxx.folder).rglob("*"):
        if path.is_file():
            assert KEY.encode() not in path.read_bytes(), path
