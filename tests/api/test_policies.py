"""Every route says whom it is for, and answers nobody else (security A5)."""

import json

import pytest
from django.core.exceptions import ImproperlyConfigured
from ninja import Router

from accounts import scopes
from proxx.api.app import DoorsAPI, api
from proxx.api.auth import Everybody, Policy
from tests.live import LiveProxx

PUBLIC = {"/health", "/version", "/api/version"}


def operations():
    for router in api._get_bound_routers():
        for path, view in router.path_operations.items():
            for operation in view.operations:
                yield path, operation


def policy_of(operation) -> Policy:
    (policy,) = operation.auth_callbacks
    return policy


def test_every_route_has_exactly_one_policy_and_only_three_are_for_everybody():
    found = {(path, policy_of(operation)) for path, operation in operations()}
    assert {path for path, policy in found if isinstance(policy, Everybody)} == PUBLIC
    for _, policy in found:
        assert isinstance(policy, Everybody) or policy.wanted <= {
            *scopes.FAMILIES,
            scopes.FILES,
            scopes.USAGE,
            scopes.ADMIN,
        }
        assert isinstance(policy, Everybody) or policy.wanted


@pytest.mark.parametrize("auth", [{}, {"auth": None}, {"auth": lambda request: True}])
def test_a_route_without_a_policy_refuses_the_start(auth):
    router = Router()
    router.get("/new", **auth)(lambda request: None)
    doors = DoorsAPI(title="test", urls_namespace=f"test-{len(auth)}-{id(auth)}", docs_url=None, openapi_url=None)
    doors.add_router("", router)
    with pytest.raises(ImproperlyConfigured, match="GET /new has no policy"):
        _ = doors.urls


ODD = [
    "//v1/models",
    "/v1//models",
    "/v1/models/",
    "/v1/models;x",
    "/v1/models;/health",
    "/v1/./models",
    "/v1/../health",
    "/health/../v1/models",
    "/%2e/v1/models",
    "/v1/%2e%2e/health",
    "/v1/%2e%2e/v1/models",
    "/v1%2Fmodels",
    "/v1/models%2F",
    "/v1/models%3Fx",
    "/health%2F..%2Fv1%2Fmodels",
    "/health;/v1/models",
    "/HEALTH",
    "/V1/models",
    "/v1/models%00",
    "/v1/models%20",
    "/version/../v1/models",
    "/openai/../v1/models",
    "/openai/%2e%2e/v1/models",
    "/api/version/../tags",
    "/api/version;/../tags",
]
HOSTS = ["localhost", "evil.example", "127.0.0.1:1", "[::1]", "health", "a" * 200, "x.proxx.internal", ""]


@pytest.mark.parametrize("path", ODD)
def test_an_odd_path_opens_no_door_without_a_key(module_proxx: LiveProxx, path):
    status, _, body = module_proxx.request("GET", path, None, {"authorization": ""})
    assert status in (302, 400, 401, 403, 404, 405), body
    assert b'"data"' not in body
    assert b'"models"' not in body


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("path", ["/v1/models", "/api/tags", "/openai/v1/models", "/v1/models/openai/sim-echo"])
def test_an_odd_host_opens_no_door_without_a_key(module_proxx: LiveProxx, host, path):
    forwarded = {"x-forwarded-host": "localhost", "x-original-url": "/health", "x-rewrite-url": "/health"}
    status, _, _ = module_proxx.request("GET", path, None, {"authorization": "", "host": host, **forwarded})
    assert status in (400, 401)


@pytest.mark.parametrize("path", ODD)
def test_an_odd_path_with_a_key_is_held_to_the_keys_scopes(module_proxx: LiveProxx, chat_only, path):
    status, _, body = module_proxx.request("GET", path, None, {"authorization": f"Bearer {chat_only}"})
    assert status in (302, 400, 403, 404, 405), body
    assert b'"data"' not in body


def test_the_path_of_a_request_says_nothing_of_its_scope(module_proxx: LiveProxx, chat_only):
    body = {"model": "openai/sim-echo", "messages": [{"role": "user", "content": "hi"}]}
    headers = {"authorization": f"Bearer {chat_only}", "x-original-url": "/v1/messages"}
    assert module_proxx.request("POST", "/v1/chat/completions", body, headers)[0] == 200
    status, _, raw = module_proxx.request("POST", "/v1/messages?x=/v1/chat/completions", body, headers)
    assert (status, json.loads(raw)["error"]["type"]) == (403, "permission_error")


@pytest.fixture(scope="module")
def chat_only(module_proxx: LiveProxx) -> str:
    return module_proxx.manage("issue_key", "--label", "chat", "--scope", "proxy:chat").split()[-1]
