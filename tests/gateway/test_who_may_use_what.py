"""What a key may not use is refused at every door, in the caller's dialect, and not listed."""

import json

import pytest

from tests.live import LiveProxx, running

ROWS = """
from routing.models import ModelPreference
from accounts import keys
from accounts.models import DEFAULT_TENANT_ID, Tenant
tenant = Tenant.objects.get(pk=DEFAULT_TENANT_ID)
ModelPreference.objects.create(name="shut", disabled=True)
result = {
    "some": keys.issue(tenant, label="some", restrictions={"models_allowed": "sim-*"})[1],
    "any": keys.issue(tenant, label="any")[1],
    "elsewhere": keys.issue(tenant, label="elsewhere", restrictions={"providers_denied": "openai"})[1],
}
"""
ASK = [{"role": "user", "content": "hello"}]


@pytest.fixture(scope="module")
def proxx(tmp_path_factory, templates, module_provider):
    with running(tmp_path_factory.mktemp("proxx"), templates, module_provider) as started:
        started.tokens = started.run(ROWS)
        started.stop()
        started.start()
        yield started


def ask(proxx: LiveProxx, key: str, path: str, body: dict | None):
    method = "GET" if body is None else "POST"
    status, _, raw = proxx.request(method, path, body, {"authorization": f"Bearer {proxx.tokens[key]}"})
    return status, json.loads(raw)


@pytest.mark.parametrize(
    ("path", "body", "kind"),
    [
        ("/v1/chat/completions", {"model": "gpt-x", "messages": ASK}, "permission_error"),
        ("/v1/messages", {"model": "gpt-x", "max_tokens": 10, "messages": ASK}, "permission_error"),
        ("/openai/v1/chat/completions", {"model": "gpt-x", "messages": ASK}, "permission_error"),
        ("/openai/v1/batches", {"model": "sim-echo"}, "permission_error"),
    ],
)
def test_a_model_that_a_key_may_not_use_is_refused(proxx: LiveProxx, path, body, kind):
    before = len(proxx.provider.journal)
    status, said = ask(proxx, "some", path, body)
    assert (status, said["error"]["type"]) == (403, kind)
    assert len(proxx.provider.journal) == before


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/openai/v1/chat/completions"])
@pytest.mark.parametrize("name", ["shut", "Shut:latest", "free/shut"])
def test_a_disabled_model_is_refused_at_every_door(proxx: LiveProxx, path, name):
    before = len(proxx.provider.journal)
    status, said = ask(proxx, "any", path, {"model": name, "messages": ASK})
    assert (status, said["error"]["code"]) == (403, "model_disabled")
    assert len(proxx.provider.journal) == before


def test_a_refusal_below_a_provider_names_the_model_and_never_the_path(proxx: LiveProxx):
    def told(key: str, body: dict) -> str:
        return ask(proxx, key, "/openai/v1/embeddings", body)[1]["error"]["message"]

    assert told("some", {"model": "gpt-x"}) == "This key may not use the model 'gpt-x'."
    assert told("some", {"x": 1}) == "This key may use some models only, and this request names none."
    assert told("elsewhere", {"x": 1}) == "This key may not use this provider."


def test_a_key_is_held_to_its_lists_from_its_first_call_on(proxx: LiveProxx):
    issue = """
from accounts import keys
from accounts.models import DEFAULT_TENANT_ID, Tenant
tenant = Tenant.objects.get(pk=DEFAULT_TENANT_ID)
result = keys.issue(tenant, label="fresh", restrictions={"models_denied": "sim-echo"})[1]
"""
    body = {"model": "sim-echo", "messages": ASK}
    for path in ("/v1/chat/completions", "/openai/v1/chat/completions"):
        proxx.tokens["fresh"] = proxx.run(issue)
        status, said = ask(proxx, "fresh", path, body)
        assert (status, said["error"]["code"]) == (403, "model_not_allowed")
    proxx.tokens["fresh"] = proxx.run(issue)
    assert "sim-echo" not in {one["id"] for one in ask(proxx, "fresh", "/v1/models", None)[1]["data"]}


def test_what_a_key_may_use_is_served_and_listed(proxx: LiveProxx):
    assert ask(proxx, "some", "/v1/chat/completions", {"model": "sim-echo", "messages": ASK})[0] == 200
    assert ask(proxx, "some", "/openai/v1/chat/completions", {"model": "sim-echo", "messages": ASK})[0] == 200
    status, said = ask(proxx, "some", "/v1/models", None)
    assert status == 200
    assert all(one["id"].startswith("sim-") for one in said["data"])


def test_a_provider_that_a_key_may_not_use_is_refused(proxx: LiveProxx):
    status, said = ask(proxx, "elsewhere", "/v1/chat/completions", {"model": "openai/sim-echo", "messages": ASK})
    assert (status, said["error"]["code"]) == (403, "provider_not_allowed")
    assert ask(proxx, "elsewhere", "/openai/v1/batches", {"x": 1})[0] == 403
    assert ask(proxx, "elsewhere", "/v1/models", None)[1]["data"] == []
