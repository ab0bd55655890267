"""The doors: who may come in with what, and what is said to those who may not."""

import json
import re

import pytest

from proxx.api import carriers
from proxx.gateway.errors import BadRequest
from tests.live import LiveProxx

CHAT = "/v1/chat/completions"
BODY = {"model": "gpt-x", "messages": [{"role": "user", "content": "hi"}]}


def ask(proxx: LiveProxx, headers: dict[str, str], method: str = "POST", path: str = CHAT, body=BODY):
    status, answered, raw = proxx.request(method, path, body, {"authorization": "", **headers})
    return status, answered, json.loads(raw)


@pytest.mark.parametrize("carrier", ["authorization", "x-api-key", "x-goog-api-key", "api-key"])
def test_a_key_is_taken_from_every_carrier(module_proxx: LiveProxx, carrier):
    value = f"Bearer {module_proxx.token}" if carrier == "authorization" else module_proxx.token
    assert ask(module_proxx, {carrier: value})[0] == 200


def test_the_same_key_twice_is_fine_and_two_keys_are_not(module_proxx: LiveProxx):
    token = module_proxx.token
    assert ask(module_proxx, {"x-api-key": token, "authorization": f"Bearer {token}"})[0] == 200
    status, _, body = ask(module_proxx, {"x-api-key": "other", "authorization": f"Bearer {token}"})
    assert (status, body["error"]["code"]) == (400, "conflicting_keys")


@pytest.mark.parametrize(
    ("name", "value"), [("HTTP_AUTHORIZATION", "Bearer {}"), ("HTTP_X_API_KEY", "{}"), ("HTTP_API_KEY", "{}")]
)
def test_a_header_in_two_lines_is_one_if_both_say_the_same(name, value):
    one, other = value.format("pxx_" + "a" * 43), value.format("pxx_" + "b" * 43)
    assert carriers.presented({name: f"{one},{one}"}) == "pxx_" + "a" * 43
    with pytest.raises(BadRequest):
        carriers.presented({name: f"{one},{other}"})
    with pytest.raises(BadRequest):
        carriers.presented({name: f"{one},{value.format('other')}"})
    assert carriers.presented({name: value.format("a,b")}) == "a,b", "a comma inside a token is none of ours"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer "},
        {"authorization": "Bearer wrong"},
        {"authorization": "Basic " + "a" * 20},
        {"x-api-key": "pxx_" + "a" * 43},
        {"x-api-key": "x" * 5000},
        {"x-api-key": "' OR 1=1 --"},
        {"cookie": "open_hax_proxy_auth_token=x"},
    ],
)
def test_who_brings_no_valid_key_gets_401_and_need_not_retry(module_proxx: LiveProxx, headers):
    status, answered, body = ask(module_proxx, headers)
    assert status == 401
    assert body["error"] == {
        "message": body["error"]["message"],
        "type": "authentication_error",
        "param": None,
        "code": "invalid_api_key",
    }
    assert answered["x-should-retry"] == "false"
    assert answered["x-proxx-error-code"] == "invalid_api_key"


def test_an_unknown_model_is_404_in_openais_words(module_proxx: LiveProxx):
    status, _, body = ask(module_proxx, {"x-api-key": module_proxx.token}, body={**BODY, "model": "no-such-model"})
    assert (status, body["error"]["code"], body["error"]["type"]) == (404, "model_not_found", "invalid_request_error")


@pytest.mark.parametrize("path", ["/v1/nothing", "/v1/", "/v1", "/models/", "/chat/other", "/v1/chat/completions/"])
def test_an_unknown_path_is_404_and_lists_what_there_is(module_proxx: LiveProxx, path):
    status, _, body = ask(module_proxx, {"x-api-key": module_proxx.token}, path=path)
    assert (status, body["error"]["code"]) == (404, "unsupported_endpoint")
    assert "/v1/chat/completions" in body["error"]["message"]


@pytest.mark.parametrize("path", [CHAT, "/chat/completions"])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_other_methods_get_405_and_are_told_which(module_proxx: LiveProxx, path, method):
    status, answered, body = ask(module_proxx, {"x-api-key": module_proxx.token}, method=method, path=path)
    assert (status, answered["allow"], body["error"]["code"]) == (405, "POST", "method_not_allowed")


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "invalid_body"),
        (b"[]", "invalid_body"),
        (b"not json", "invalid_body"),
        (b"{}", "missing_model"),
        (b'{"model": 1}', "invalid_type"),
        (b'{"model":"a","model":"b"}', "invalid_body"),
    ],
)
def test_a_body_that_is_no_request_is_400_with_a_code(module_proxx: LiveProxx, raw, code):
    status, _, body = ask(module_proxx, {"x-api-key": module_proxx.token}, body=raw)
    assert (status, body["error"]["code"]) == (400, code)


def test_a_refused_body_is_recorded_too(module_proxx: LiveProxx):
    _, answered, _ = ask(module_proxx, {"x-api-key": module_proxx.token}, body=b"{}")
    identifier = answered["x-request-id"].replace("-", "")
    query = f"SELECT outcome, status, error_code FROM analytics_requestlog WHERE id = '{identifier}'"
    assert module_proxx.wait_for_rows(query, 1) == [("refused", 400, "missing_model")]


@pytest.mark.parametrize("headers", [{"content-type": "text/plain"}, {"content-encoding": "compress"}])
def test_a_body_in_another_wrapping_is_415(module_proxx: LiveProxx, headers):
    status, _, body = ask(module_proxx, {"x-api-key": module_proxx.token, **headers})
    assert (status, body["error"]["code"]) == (415, "unsupported_media_type")


def test_a_missing_content_type_is_read_as_json(module_proxx: LiveProxx):
    assert ask(module_proxx, {"x-api-key": module_proxx.token, "content-type": ""})[0] == 200


@pytest.mark.parametrize("path", ["/chat/completions", "/v1/chat/completions"])
def test_the_root_twins_answer_alike(module_proxx: LiveProxx, path):
    assert ask(module_proxx, {"x-api-key": module_proxx.token}, path=path)[0] == 200
    status, _, body = ask(module_proxx, {"x-api-key": module_proxx.token}, "GET", "/models", None)
    assert (status, body["object"]) == (200, "list")


def test_one_model_that_is_not_offered_is_404(module_proxx: LiveProxx):
    status, _, body = ask(module_proxx, {"x-api-key": module_proxx.token}, "GET", "/v1/models/vendor/none", None)
    assert (status, body["error"]["code"]) == (404, "model_not_found")


def test_health_is_public_and_says_little(module_proxx: LiveProxx):
    status, _, body = ask(module_proxx, {}, "GET", "/health", None)
    assert status == 200
    assert set(body) == {"ok", "service", "version"}


def test_every_door_but_health_and_versions_asks_for_a_key(module_proxx: LiveProxx):
    """The doors are taken from the real URL table: a new one without a policy is found here."""
    from proxx.api.app import api

    patterns = [str(pattern.pattern) for pattern in api.urls[0]]
    paths = {"/" + re.sub(r"<[^>]+>", "gpt-x", pattern).lstrip("/") for pattern in patterns} - {"/"}
    assert len(paths) >= 7
    answers = {
        (path, method): ask(module_proxx, {}, method, path, None)[0] for path in paths for method in ("GET", "POST")
    }
    open_doors = {path for (path, _), status in answers.items() if status not in (401, 405)}
    assert open_doors == {"/health", "/version", "/api/version"}


def test_a_switch_that_cannot_be_read_is_refused(module_proxx: LiveProxx):
    status, _, body = ask(module_proxx, {"x-api-key": module_proxx.token, "x-proxx-strict": "nonsense"})
    assert (status, body["error"]["param"]) == (400, "x-proxx-strict")
