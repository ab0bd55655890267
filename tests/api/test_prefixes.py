"""/openai/* and /anthropic/*: whatever is asked below goes to that provider, with an account of ours."""

import json

import anthropic
import openai
import pytest

from accounts import scopes
from proxx.api.prefixes import scope_of, sub_path
from proxx.gateway.errors import NotFound
from tests.live import LiveProxx
from tests.until import until
from tests.upstreams.script import cut, fail, say
from tests.upstreams.server import SimulatedProvider

CHAT = {"model": "gpt-x", "messages": [{"role": "user", "content": "hi"}]}


@pytest.fixture(scope="module")
def proxx(module_proxx: LiveProxx) -> LiveProxx:
    module_proxx.run(
        f"""
from accounts.models import Credential
from routing.models import ProviderSetting
ProviderSetting.objects.update_or_create(
    provider_id="anthropic", defaults={{"base_url": {module_proxx.provider.origin!r}}}
)
for number in range(3):
    Credential.objects.create(provider_id="anthropic", secret=f"sk-sim-{{number}}", label=f"a-{{number}}")
    Credential.objects.create(provider_id="openai", secret=f"sk-sim-{{number + 2}}", label=f"o-{{number}}")
"""
    )
    until(lambda: module_proxx.request("GET", "/anthropic/v1/models")[0] == 200, seconds=10)
    return module_proxx


def record(proxx: LiveProxx, request_id: str) -> tuple:
    query = f"""SELECT dialect, endpoint, status, outcome, usage_state, provider_id FROM analytics_requestlog
        WHERE id = '{request_id.replace("-", "")}'"""
    return proxx.wait_for_rows(query, 1)[0]


def test_a_chat_below_openai_is_passed_byte_for_byte_and_recorded(proxx: LiveProxx, module_provider: SimulatedProvider):
    """F-007."""
    raw = b'{ "messages":[{"role":"user","content":"h\\u00e9"}], "model" : "gpt-x", "stream" : true }'
    status, headers, answer = proxx.request("POST", "/openai/v1/chat/completions?beta=true&key=pxx", raw)
    sent = module_provider.journal.last
    assert (status, answer, sent.body) == (200, bytes(sent.answer), raw)
    assert (sent.path, sent.query) == ("/v1/chat/completions", "beta=true")
    assert headers["content-type"].startswith("text/event-stream")
    made = record(proxx, headers["x-request-id"])
    assert made[:4] == ("openai_chat", "/openai/v1/chat/completions", 200, "ok")


def test_anthropics_own_client_works_below_its_prefix(proxx: LiveProxx, module_provider: SimulatedProvider):
    """F-006."""
    module_provider.script(say("hello there"))
    url = f"{proxx.origin}/anthropic"
    with anthropic.Anthropic(base_url=url, api_key=proxx.token, max_retries=0) as client:
        made = client.messages.create(model="sim-x", max_tokens=9, messages=[{"role": "user", "content": "hi"}])
    assert made.content[0].text == "hello there"
    sent = module_provider.journal.last
    assert sent.header("x-api-key").startswith("sk-sim-")
    assert sent.header("anthropic-version")
    query = "SELECT usage_state, input_tokens > 0 FROM analytics_requestlog WHERE endpoint = '/anthropic/v1/messages'"
    assert proxx.wait_for_rows(query, 1) == [("reported", True)]


def test_openais_own_client_works_below_its_prefix(proxx: LiveProxx):
    with proxx.openai(base_url=f"{proxx.origin}/openai/v1") as client:
        assert client.models.list().data
        stream = client.chat.completions.create(**CHAT, stream=True, stream_options={"include_usage": True})
        assert [chunk.usage for chunk in stream][-1] is not None


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"])
def test_every_method_and_path_is_passed_and_its_status_comes_back(
    proxx: LiveProxx, module_provider: SimulatedProvider, method
):
    """F-008."""
    status, headers, _ = proxx.request(method, "/openai/v1/files/a%2Fb/", b"x" if method == "PUT" else None)
    sent = module_provider.journal.last
    assert (sent.method, sent.path) == (method, "/v1/files/a%2Fb/")
    assert status == sent.status == 404
    assert record(proxx, headers["x-request-id"])[:4] == ("openai_other", "/openai/v1/files/a%2Fb/", 404, "error")


@pytest.mark.parametrize(
    ("method", "path", "is_open"),
    [
        ("POST", "/openai/v1/chat/completions", True),
        ("POST", "/openai/chat/completions", True),
        ("POST", "/openai/v1/audio/transcriptions", True),
        ("GET", "/openai/v1/models", True),
        ("HEAD", "/openai/v1/models/gpt-x", True),
        ("POST", "/anthropic/v1/messages/count_tokens", True),
        ("DELETE", "/openai/v1/models/ft:mine", False),
        ("GET", "/openai/v1/files", False),
        ("POST", "/openai/v1/files", False),
        ("GET", "/openai/v1/responses/resp_1", False),
        ("GET", "/openai/v1/chat/completions", False),
        ("POST", "/openai/v1/chat%2Fcompletions", False),
        ("GET", "/openai/v1/models/x/y", False),
        ("POST", "/anthropic/v1/messages/batches", False),
        ("GET", "/anthropic/v1/organizations/users", False),
    ],
)
def test_only_calls_and_lists_of_models_are_for_every_key(method, path, is_open):
    provider = path.split("/")[1]
    assert (scope_of(method, provider, sub_path(path, provider)) != scopes.FILES) is is_open


def test_what_lies_in_an_account_needs_a_scope(proxx: LiveProxx, module_provider: SimulatedProvider):
    issued = ("issue_key", "--label", "one"), ("issue_key", "--label", "two", "--files")
    plain, trusted = [{"authorization": f"Bearer {proxx.manage(*one).split()[-1]}"} for one in issued]
    before = len(module_provider.journal)
    status, _, answer = proxx.request("GET", "/openai/v1/files", None, plain)
    error = json.loads(answer)["error"]
    assert (status, error["code"]) == (403, "missing_scope")
    assert "proxy:files" in error["message"]
    status, _, answer = proxx.request("GET", "/anthropic/v1/messages/batches", None, plain)
    assert (status, json.loads(answer)["error"]["type"]) == (403, "permission_error")
    assert len(module_provider.journal) == before
    assert proxx.request("GET", "/openai/v1/models", None, plain)[0] == 200
    assert proxx.request("GET", "/openai/v1/files", None, trusted)[0] == 404
    assert module_provider.journal.last.path == "/v1/files"


def test_nothing_of_the_client_goes_up_but_its_wishes(proxx: LiveProxx, module_provider: SimulatedProvider):
    told = {
        "cookie": "session=1", "x-api-key": proxx.token, "referer": "http://here", "x-forwarded-for": "10.0.0.1",
        "openai-organization": "org-client", "openai-beta": "assistants=v2", "proxy-authorization": "Basic eA==",
        "te": "trailers", "x-custom": "1",
    }  # fmt: skip
    proxx.request("POST", "/openai/v1/chat/completions", CHAT, told)
    sent = {name.lower(): value for name, value in module_provider.journal.last.headers}
    assert proxx.token not in str(sent)
    assert sent["authorization"].startswith("Bearer sk-sim-")
    allowed = {"host", "authorization", "content-type", "content-length", "accept-encoding", "user-agent"}
    assert set(sent) == allowed | {"openai-beta"}


def test_a_broken_answer_breaks_off(proxx: LiveProxx, module_provider: SimulatedProvider):
    module_provider.script(say("one two three", pieces=3), cut())
    with pytest.raises(Exception, match="IncompleteRead"):
        proxx.request("POST", "/openai/v1/chat/completions", {**CHAT, "stream": True})


def test_a_limited_account_is_followed_by_another(proxx: LiveProxx, module_provider: SimulatedProvider):
    module_provider.script(fail("429"))
    status, _, _ = proxx.request("POST", "/openai/v1/chat/completions", CHAT)
    first, second = list(module_provider.journal)[-2:]
    assert (status, first.status, second.status) == (200, 429, 200)
    assert first.header("authorization") != second.header("authorization")


@pytest.mark.parametrize("prefix", ["openai", "anthropic"])
def test_without_a_key_the_older_code_says_so(proxx: LiveProxx, prefix):
    status, headers, answer = proxx.request("GET", f"/{prefix}/v1/models", None, {"authorization": ""})
    error = json.loads(answer)["error"]
    assert (status, error["code"]) == (401, "missing_or_invalid_authorization_header")
    assert error["error"] == "MISSING_OR_INVALID_AUTHORIZATION_HEADER"
    assert headers["x-proxx-error-code"] == error["code"]


@pytest.mark.parametrize(
    "path", ["/openai", "/openai/", "/anthropic/../openai/v1/models", "/openai//x", "/openai/%2e%2e/x"]
)
def test_a_path_that_leads_elsewhere_is_refused_and_nobody_is_asked(
    proxx: LiveProxx, module_provider: SimulatedProvider, path
):
    before = len(module_provider.journal)
    status, _, answer = proxx.request("GET", path)
    assert (status, json.loads(answer)["error"]["error"]) == (404, "INVALID_PROVIDER_PREFIX")
    assert len(module_provider.journal) == before


def test_without_an_account_the_older_code_says_so(live_proxx: LiveProxx):
    status, _, answer = live_proxx.request("GET", "/anthropic/v1/models")
    error = json.loads(answer)["error"]
    assert status in (503, 529)
    assert error["error"] == "UPSTREAM_URL_NOT_CONFIGURED"


def test_a_refused_key_of_ours_is_not_the_clients_fault(start_proxx):
    """D160."""
    proxx = start_proxx(env={"OPENAI_API_KEY": "sk-wrong"})
    status, _, answer = proxx.request("GET", "/openai/v1/models")
    assert (status, json.loads(answer)["error"]["error"]) == (502, "UPSTREAM_CONNECTION_FAILED")
    with proxx.openai(base_url=f"{proxx.origin}/openai/v1") as client, pytest.raises(openai.InternalServerError):
        client.chat.completions.create(**CHAT)


@pytest.mark.parametrize(
    "raw",
    [
        "/openai/v1/files/a%2Fb",
        "/openai/v1/models/ft:gpt-4o:org::id",
        "/openai/v1/x/",
        "/openai/v1/a..b/.c",
        "/openai/v1/%E2%82%AC",
    ],
)
def test_odd_but_honest_paths_are_left_as_they_are(raw):
    assert sub_path(raw, "openai") == raw.removeprefix("/openai")


@pytest.mark.parametrize(
    "rest",
    [
        "//evil.example/x", "/v1//x", "/../x", "/v1/..", "/v1/./x", "/%2e%2e/x", "/v1/%2E./x", "/%252e%252e/x",
        "/v1/%2f%2fevil", "/..%2fx", "/..;/x", "/v1\\..\\x", "/v1/%5c..%5cx", "/v1/%00", "/v1/%0d%0aHost:x", "/v1/%20x",
        "/v1/x%23y", "/v1/x%3fy", "/%25252525252e", "/v1/%zz", "/", "", "/%",
    ],
)  # fmt: skip
def test_paths_that_could_lead_elsewhere_are_refused(rest):
    with pytest.raises(NotFound):
        sub_path(f"/openai{rest}", "openai")
