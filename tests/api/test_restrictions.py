"""Every restriction holds for every way in which a key is sent (security A4, A12): the same refusal, whatever carries
it, in the words of the client that asked."""

import json
from collections.abc import Callable
from urllib.parse import quote

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.live import LiveProxx, running

ROWS = """
from datetime import timedelta
from accounts import keys
from accounts.models import DEFAULT_TENANT_ID, Limit, Tenant
from proxx.kit import clock
house = Tenant.objects.get(pk=DEFAULT_TENANT_ID)
elsewhere = Tenant.objects.create(slug="elsewhere", networks="10.0.0.0/8\\n2001:db8::/32")
shut = Tenant.objects.create(slug="shut", is_active=False)
def key(tenant=house, **said):
    said.setdefault("label", "x")
    return keys.issue(tenant, **said)
spent = key(label="spent")
Limit.objects.create(key=spent[0], kind=Limit.Kind.REQUESTS_MINUTE, amount=0)
revoked = key()
keys.revoke(revoked[0])
rotated = key()
keys.rotate(rotated[0], overlap=timedelta(0))
result = {name: made[1] for name, made in {
    "unrestricted": key(restrictions={"networks": "127.0.0.0/8\\n::1"}),
    "scope": key(scopes=["proxy:images", "control:write"]),
    "address": key(restrictions={"networks": "203.0.113.0/24"}),
    "address of the tenant": key(elsewhere),
    "both addresses": key(elsewhere, restrictions={"networks": "127.0.0.1"}),
    "model": key(restrictions={"models_allowed": "gpt-*"}),
    "refused model": key(restrictions={"models_denied": "sim-*"}),
    "provider": key(restrictions={"providers_allowed": "anthropic"}),
    "limit": spent,
    "revoked": revoked,
    "rotated": rotated,
    "expired": key(expires_at=clock.now() - timedelta(seconds=1)),
    "tenant off": key(shut),
}.items()}
"""

# What is refused, and how it is told.
REFUSALS = {
    "scope": (403, "missing_scope"),
    "address": (403, "address_not_allowed"),
    "address of the tenant": (403, "address_not_allowed"),
    "both addresses": (403, "address_not_allowed"),
    "model": (403, "model_not_allowed"),
    "refused model": (403, "model_not_allowed"),
    "provider": (403, "provider_not_allowed"),
    "limit": (429, "rate_limit_exceeded"),
    "revoked": (401, "invalid_api_key"),
    "rotated": (401, "invalid_api_key"),
    "expired": (401, "invalid_api_key"),
    "tenant off": (401, "invalid_api_key"),
    "unknown": (401, "invalid_api_key"),
}
CHAT = {"model": "openai/sim-echo", "messages": [{"role": "user", "content": "hi"}]}
GEMINI = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}
Answer = tuple[int, str]


@pytest.fixture(scope="module")
def proxx(tmp_path_factory, templates, module_provider):
    env = {"PROXY_QUERY_KEYS": "true"}
    with running(tmp_path_factory.mktemp("proxx"), templates, module_provider, env=env) as started:
        started.tokens = started.run(ROWS) | {"unknown": "pxx_" + "x" * 43}
        started.stop()
        started.start()
        yield started


def over_http(path: str, body: dict, **headers: str) -> Callable[[LiveProxx, str], Answer]:
    def ask(proxx: LiveProxx, token: str) -> Answer:
        sent = {"authorization": "", **{name: value.format(token) for name, value in headers.items()}}
        status, told, raw = proxx.request("POST", path.format(token), body, sent)
        json.loads(raw)
        return status, told.get("x-proxx-error-code", "")

    return ask


def over_a_socket(*, protocols: bool) -> Callable[[LiveProxx, str], Answer]:
    def ask(proxx: LiveProxx, token: str) -> Answer:
        headers = {} if protocols else {"authorization": f"Bearer {token}"}
        offered = ["realtime", f"openai-insecure-api-key.{token}"] if protocols else None
        address = f"ws://127.0.0.1:{proxx.port}/v1/responses"
        options = {"additional_headers": headers, "compression": None, "ping_interval": None}
        try:
            with connect(address, subprotocols=offered, **options) as socket:
                assert socket.subprotocol == ("realtime" if protocols else None)
                said = {"type": "response.create", "model": "openai/sim-echo", "input": "hi", "store": False}
                socket.send(json.dumps(said))
                told = json.loads(socket.recv(timeout=20))
        except InvalidStatus as refused:
            return refused.response.status_code, refused.response.headers["x-proxx-error-code"]
        if told["type"] != "error":
            return 200, ""
        return told["status"], told["headers"]["x-proxx-error-code"]

    return ask


CARRIERS = {
    "bearer": over_http("/v1/chat/completions", CHAT, authorization="Bearer {}"),
    "x-api-key": over_http(
        "/v1/messages", {**CHAT, "max_tokens": 9}, **{"x-api-key": "{}", "anthropic-version": "2023-06-01"}
    ),
    "x-goog-api-key": over_http(
        f"/v1beta/models/{quote('openai/sim-echo')}:generateContent", GEMINI, **{"x-goog-api-key": "{}"}
    ),
    "api-key": over_http("/api/chat", {**CHAT, "stream": False}, **{"api-key": "{}"}),
    "query": over_http(f"/v1beta/models/{quote('openai/sim-echo')}:generateContent?key={{}}", GEMINI),
    "pass-through": over_http("/openai/v1/chat/completions", {**CHAT, "model": "sim-echo"}, authorization="Bearer {}"),
    "socket": over_a_socket(protocols=False),
    "sub-protocol": over_a_socket(protocols=True),
}


@pytest.mark.parametrize("carrier", CARRIERS)
@pytest.mark.parametrize("restriction", REFUSALS)
def test_every_restriction_holds_for_every_carrier(proxx: LiveProxx, restriction: str, carrier: str):
    before = len(proxx.provider.journal)
    status, code = CARRIERS[carrier](proxx, proxx.tokens[restriction])
    expected = REFUSALS[restriction]
    if carrier == "pass-through" and expected[0] == 401:
        expected = (401, "missing_or_invalid_authorization_header")
    assert (status, code) == expected
    assert len(proxx.provider.journal) == before, "nobody was asked"


@pytest.mark.parametrize("carrier", CARRIERS)
def test_a_key_that_is_bound_by_nothing_that_counts_here_gets_its_answer(proxx: LiveProxx, carrier: str):
    assert CARRIERS[carrier](proxx, proxx.tokens["unrestricted"]) == (200, "")


def test_two_keys_in_two_places_are_refused_and_one_in_two_is_fine(proxx: LiveProxx):
    one, other = proxx.tokens["unrestricted"], proxx.tokens["scope"]
    path = f"/v1beta/models/{quote('openai/sim-echo')}:generateContent?key={one}"
    assert proxx.request("POST", path, GEMINI, {"authorization": f"Bearer {one}"})[0] == 200
    status, told, _ = proxx.request("POST", path, GEMINI, {"authorization": f"Bearer {other}"})
    assert (status, told["x-proxx-error-code"]) == (400, "conflicting_keys")


def test_a_key_in_the_query_counts_on_geminis_paths_alone(proxx: LiveProxx):
    path = f"/v1/chat/completions?key={proxx.tokens['unrestricted']}"
    assert proxx.request("POST", path, CHAT, {"authorization": ""})[0] == 401


def test_what_may_not_be_used_is_not_listed(proxx: LiveProxx):
    for name in ("model", "refused model", "provider"):
        headers = {"authorization": f"Bearer {proxx.tokens[name]}"}
        status, _, raw = proxx.request("GET", "/v1/models", None, headers)
        assert status == 200
        assert not [one for one in json.loads(raw)["data"] if one["id"].startswith("sim-")]


def test_a_refusal_is_in_the_words_of_the_client(proxx: LiveProxx):
    token = proxx.tokens["address"]
    said = {
        "/v1/chat/completions": lambda body: body["error"]["code"] == "address_not_allowed",
        "/v1/messages": lambda body: body["error"]["type"] == "permission_error" and body["type"] == "error",
        "/v1beta/models/x:generateContent": lambda body: body["error"]["status"] == "PERMISSION_DENIED",
        "/api/chat": lambda body: isinstance(body["error"], str),
    }
    for path, holds in said.items():
        status, _, raw = proxx.request("POST", path, CHAT, {"authorization": f"Bearer {token}"})
        assert status == 403
        assert holds(json.loads(raw)), raw


def test_the_last_use_tells_when_and_from_where(proxx: LiveProxx):
    CARRIERS["bearer"](proxx, proxx.tokens["unrestricted"])
    query = "SELECT last_used_at, last_used_from FROM accounts_apikey WHERE last_used_from <> ''"
    assert {address for _, address in proxx.wait_for_rows(query, 1)} == {"127.0.0.1"}
