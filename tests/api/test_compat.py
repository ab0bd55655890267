"""What clients look for before they ask anything: base paths, versions, a default model."""

import http.client
import json

import pytest

from tests.live import LiveProxx


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    "path",
    ["/", "/v1", "/v1/", "/v1beta", "/v1alpha/", "/api", "/api/", "/openai", "/anthropic", "/anthropic/", "/models/"],
)
def test_a_look_at_a_base_path_is_answered_at_once_and_never_a_failure(module_proxx: LiveProxx, method, path):
    """D173."""
    connection = http.client.HTTPConnection("127.0.0.1", module_proxx.port, timeout=5)
    try:
        for _ in range(2):  # on one connection: an answer with a body too many would spoil the second
            connection.request(method, path)
            answer = connection.getresponse()
            assert (answer.status in (200, 404), answer.read() == b"" or method == "GET") == (True, True)
    finally:
        connection.close()


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/chat/completions", "/v1/responses", "/v1/models"])
def test_a_head_on_a_door_is_no_failure_either(module_proxx: LiveProxx, path):
    """D173."""
    assert module_proxx.request("HEAD", path)[0] < 500


def test_looks_are_not_recorded(module_proxx: LiveProxx):
    """D173."""
    before = len(module_proxx.rows("SELECT id FROM analytics_requestlog"))
    for path in ("/", "/v1", "/anthropic"):
        module_proxx.request("HEAD", path)
    answered = module_proxx.chat("openai/sim-echo")[1]["x-request-id"].replace("-", "")
    module_proxx.wait_for_rows(f"SELECT id FROM analytics_requestlog WHERE id = '{answered}'", 1)
    assert len(module_proxx.rows("SELECT id FROM analytics_requestlog")) == before + 1


def test_the_version_is_public_and_props_are_not(module_proxx: LiveProxx):
    """F-015."""
    status, _, answer = module_proxx.request("GET", "/version", None, {"authorization": ""})
    assert (status, set(json.loads(answer))) == (200, {"version"})
    assert module_proxx.request("GET", "/props", None, {"authorization": ""})[0] == 401
    for path in ("/props", "/v1/props"):
        assert set(json.loads(module_proxx.request("GET", path)[2])) == {"default_model", "models_url"}


def test_the_list_is_found_at_its_older_place(module_proxx: LiveProxx):
    """F-015."""
    older, ours = (json.loads(module_proxx.request("GET", path)[2]) for path in ("/api/v1/models", "/v1/models"))
    assert older == ours
