"""Who may ask the control API for what: tokens, keys, sessions; rights, tenants."""

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from ninja import NinjaAPI

from accounts import rights
from accounts.models import ApiKey, Operator
from accounts.rights import Role
from proxx.api.control import app
from tests import factories
from tests.api.control.conftest import Caller

TENANTS, KEYS, LIMITS = "/api/v1/tenants", "/api/v1/keys", "/api/v1/limits"


def code(answer) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def test_nobody_gets_in_without_a_token(db):
    for headers in ({}, {"authorization": "Bearer nope"}, {"x-admin-token": "nope"}, {"x-api-key": "nope"}):
        answer = Caller(**headers).get(TENANTS)
        assert code(answer) == (401, "invalid_api_key")
        assert answer["www-authenticate"] == "Bearer"
        assert "no-store" in answer["cache-control"]


@pytest.mark.parametrize("header", ["authorization", "x-admin-token", "x-api-key"])
def test_the_token_opens_everything_in_every_place(db, token, header):
    value = f"Bearer {token}" if header == "authorization" else token
    assert Caller(**{header: value}).get(TENANTS).status_code == 200


def test_two_different_keys_are_refused(db, token):
    answer = Caller(**{"x-admin-token": token, "authorization": "Bearer pxx_" + "a" * 43}).get(TENANTS)
    assert code(answer) == (400, "conflicting_keys")


def test_a_token_in_a_cookie_reads_and_changes_nothing_by_itself(db, token):
    client = Client(enforce_csrf_checks=True)
    client.cookies["open_hax_proxy_auth_token"] = token
    assert Caller(client).get(TENANTS).status_code == 200
    assert code(Caller(client).post(TENANTS, {"slug": "x", "name": "x"})) == (403, "csrf")


def test_a_session_needs_the_csrf_token_for_changes(as_operator):
    caller = as_operator(csrf=True)
    assert caller.get(TENANTS).status_code == 200
    assert code(caller.post(TENANTS, {"slug": "x", "name": "x"})) == (403, "csrf")
    caller.client.get("/console/")
    token = caller.client.cookies["csrftoken"].value
    assert caller.post(TENANTS, {"slug": "x", "name": "x"}, **{"x-csrftoken": token}).status_code == 201


def test_an_operator_sees_and_does_what_their_role_says(as_operator):
    mine, other = factories.make_tenant(), factories.make_tenant()
    member = Operator.objects.create_user("ann", is_staff=True, password="correct horse battery")
    rights.grant(member, Role.TENANT_ADMIN, mine, by=None)
    caller = as_operator(Operator.objects.get(pk=member.pk))  # granting ended earlier sign-ins
    listed = caller.get(TENANTS)
    assert [row["id"] for row in listed.json().get("data", ())] == [str(mine.pk)], listed.content
    assert code(caller.get(f"{TENANTS}/{other.pk}")) == (404, "not_found")
    assert code(caller.post(TENANTS, {"slug": "x", "name": "x"})) == (403, "missing_right")
    assert caller.post(KEYS, {"tenant_id": str(mine.pk), "label": "ci"}).status_code == 201
    assert code(caller.post(KEYS, {"tenant_id": str(other.pk), "label": "ci"})) == (404, "not_found")
    theirs = factories.make_key(other).row
    for path in (f"{KEYS}/{theirs.pk}", f"{KEYS}/{theirs.pk}/revoke", f"{KEYS}/{theirs.pk}/rotate"):
        method = "GET" if path.endswith(str(theirs.pk)) else "POST"
        assert code(caller.ask(method, path, {} if method == "POST" else None)) == (404, "not_found")
    files = {"tenant_id": str(mine.pk), "label": "ci", "scopes": ["proxy:files"]}
    assert code(caller.post(KEYS, files)) == (403, "missing_right")
    assert caller.post(LIMITS, {"tenant_id": str(mine.pk), "kind": "in_flight", "amount": 1}).status_code == 404


def test_who_was_switched_off_is_nobody(as_operator):
    operator = factories.make_operator()
    caller = as_operator(operator)
    operator.is_active = False
    operator.save()
    assert code(caller.get(TENANTS)) == (401, "invalid_api_key")


def test_a_key_sees_its_own_tenant_only(with_key):
    mine, other = factories.make_tenant(), factories.make_tenant()
    theirs = factories.make_key(other).row
    caller = with_key(mine)
    assert [row["id"] for row in caller.get(TENANTS).json()["data"]] == [str(mine.pk)]
    assert [row["id"] for row in caller.get(KEYS).json()["data"]] == [str(caller.key.pk)]
    assert code(caller.get(f"{KEYS}/{theirs.pk}")) == (404, "not_found")
    assert code(caller.post(f"{KEYS}/{theirs.pk}/revoke")) == (404, "not_found")
    assert code(caller.post(KEYS, {"tenant_id": str(other.pk), "label": "x"})) == (404, "not_found")
    assert code(caller.get("/api/v1/nothing")) == (404, "unsupported_endpoint")


def test_a_key_without_a_scope_for_control_controls_nothing(with_key):
    caller = with_key(scopes=("proxy:use",))
    assert code(caller.get(TENANTS)) == (403, "missing_right")
    reader = with_key(scopes=("control:read",))
    assert reader.get(KEYS).status_code == 200
    assert code(reader.post(KEYS, {"tenant_id": str(reader.key.tenant_id), "label": "x"})) == (403, "missing_right")


def test_no_key_grows_beyond_itself(with_key):
    caller = with_key(factories.make_tenant())
    own = f"{KEYS}/{caller.key.pk}"
    assert code(caller.patch(own, {"scopes": ["proxy:use", "proxy:files"]})) == (403, "missing_right")
    assert code(caller.patch(own, {"label": "me"})) == (403, "missing_right")
    tenant = str(caller.key.tenant_id)
    for scope in ("proxy:files", "proxy:admin"):
        answer = caller.post(KEYS, {"tenant_id": tenant, "label": "x", "scopes": [scope]})
        assert answer.json()["error"]["param"] == "scopes"
    ApiKey.objects.filter(pk=caller.key.pk).update(models_allowed="gpt-x")
    assert code(caller.post(KEYS, {"tenant_id": tenant, "label": "x", "scopes": ["control:read"]})) == (
        403,
        "missing_right",
    )


def test_wrong_paths_and_methods_are_told_in_the_same_envelope(admin):
    answer = admin.ask("PUT", TENANTS, {})
    assert code(answer) == (405, "method_not_allowed")
    assert answer["allow"] == "GET, POST"
    for path in ("/api/v1/tenantz", "/api/v1/tenants/", "/api/v1/tenants/5", "/api/ui/x", "/api/v1/tenants/%00"):
        assert admin.get(path).json()["error"]["code"] in {"unsupported_endpoint", "invalid_request", "not_found"}, path
    assert code(admin.get(f"{TENANTS}?slug=%00")) == (400, "invalid_request")


def test_a_wrong_path_is_told_in_the_same_envelope_whatever_the_method_and_the_characters(token):
    caller = Caller(Client(enforce_csrf_checks=True), authorization=f"Bearer {token}")
    for path in ("/api/v1/tenantz", "/admin/tenantz", "/api/v1/tenants/a%0Ab"):
        for method in ("GET", "POST", "PATCH", "DELETE"):
            status, said = code(caller.ask(method, path))
            assert (status, said) in {(404, "unsupported_endpoint"), (404, "not_found")}, (method, path)


def test_an_operation_without_a_policy_does_not_start():
    faulty = NinjaAPI(urls_namespace="faulty")
    faulty.get("/open")(lambda request: {})
    with pytest.raises(ImproperlyConfigured, match="says not which right it needs"):
        app.policies(faulty)


def test_the_document_is_for_those_who_are_somebody(admin, db):
    assert Caller().get("/api/v1/openapi.json").status_code == 401
    document = admin.get("/api/v1/openapi.json").json()
    assert "tenants:write" in document["paths"]["/api/v1/tenants"]["post"]["description"]
    assert set(document["components"]["securitySchemes"]) == {"bearer", "adminToken", "session"}
