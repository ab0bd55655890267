"""Tenants, keys and limits by the control API."""

from datetime import timedelta
from uuid import uuid4

import pytest

from accounts.models import DEFAULT_TENANT_ID, ApiKey, Limit, Tenant
from proxx.kit import clock
from tests import factories

TENANTS, KEYS, LIMITS = "/api/v1/tenants", "/api/v1/keys", "/api/v1/limits"


def test_a_tenant_is_added_looked_at_changed_and_deleted(admin):
    added = admin.post(TENANTS, {"slug": "lab", "name": "Lab", "models_allowed": ["gpt-*", "claude-x"]})
    assert added.status_code == 201, added.content
    tenant = added.json()
    assert Tenant.objects.get(slug="lab").models_allowed == "gpt-*\nclaude-x"
    place = f"{TENANTS}/{tenant['id']}"
    assert admin.get(place).json() == tenant
    changed = admin.patch(place, {"name": "The lab", "models_allowed": []})
    assert changed.status_code == 200, changed.content
    assert changed.json() == {**tenant, "name": "The lab", "models_allowed": []}
    assert admin.delete(place).status_code == 204
    assert admin.get(place).status_code == 404


def test_what_the_console_refuses_is_refused_here(admin):
    assert admin.patch(f"{TENANTS}/{DEFAULT_TENANT_ID}", {"is_active": False}).json()["error"]["param"] == "is_active"
    assert admin.delete(f"{TENANTS}/{DEFAULT_TENANT_ID}").status_code == 409
    tenant = factories.make_key().row.tenant
    busy = factories.make_tenant()
    factories.make_key(busy)
    refused = admin.delete(f"{TENANTS}/{busy.pk}").json()["error"]
    assert refused["code"] == "in_use"
    assert "switch it off" in refused["message"]
    assert admin.patch(f"{TENANTS}/{tenant.pk}", {"slug": "other"}).status_code == 422
    assert admin.post(TENANTS, {"slug": "Not Lower", "name": "x"}).status_code == 422


@pytest.mark.parametrize(
    ("body", "status", "param"),
    [
        ({"name": "x"}, 422, "slug"),
        ({"slug": "x", "name": "x", "colour": "red"}, 422, "colour"),
        ({"slug": "x", "name": 5}, 422, "name"),
        ({"slug": "x", "name": None}, 422, "name"),
        ({"slug": "x", "name": "x", "profile_id": str(uuid4())}, 422, "profile"),
        ('{"slug": "x", "name": "x", "name": "y"}', 400, None),
        ('{"slug": "x", "name": "\\u0000"}', 400, None),
        ('{"slug": "x", "name": NaN}', 400, None),
        ("[" * 100_000, 400, None),
        ("", 422, None),
        ("[]", 422, None),
    ],
)
def test_a_body_that_is_not_as_it_must_be_is_refused_with_a_sentence(admin, body, status, param):
    answer = admin.post(TENANTS, body)
    assert answer.status_code == status, answer.content
    error = answer.json()["error"]
    assert error["param"] == param
    assert error["message"]
    assert answer["x-proxx-error-code"] == error["code"]


def test_pages_hold_every_row_once_while_rows_are_added(admin):
    for number in range(5):
        factories.make_tenant(slug=f"many-{number}")
    seen, after = [], ""
    while after is not None:
        page = admin.get(f"{TENANTS}?limit=2{'&after=' + after if after else ''}").json()
        seen += [row["slug"] for row in page["data"]]
        after = page["next"]
        Tenant.objects.get_or_create(slug="aaa", name="late, at the front")
    assert seen == ["default", *(f"many-{number}" for number in range(5))]
    for wrong in ("x", "bm8", "WyJhIl0x"):
        assert admin.get(f"{TENANTS}?after={wrong}").status_code in {200, 422}
    assert admin.get(f"{TENANTS}?limit=1000").status_code == 422


def test_a_change_can_be_bound_to_the_state_that_was_seen(admin, tenant):
    place = f"{TENANTS}/{tenant.pk}"
    seen = admin.get(place)["ETag"]
    assert admin.patch(place, {"name": "first"}, **{"if-match": seen}).status_code == 200
    late = admin.patch(place, {"name": "second"}, **{"if-match": seen})
    assert (late.status_code, late.json()["error"]["code"]) == (412, "changed_meanwhile")
    tenant.refresh_from_db()
    assert tenant.name == "first"


def test_a_key_is_issued_rotated_and_revoked_and_its_token_is_shown_once(admin, tenant):
    answer = admin.post(KEYS, {"tenant_id": str(tenant.pk), "label": "ci", "models_allowed": ["gpt-*"]})
    assert answer.status_code == 201, answer.content
    issued = answer.json()
    token = issued.pop("token")
    assert issued["state"] == "active"
    assert issued["scopes"] == ["proxy:use"]
    place = f"{KEYS}/{issued['id']}"
    assert admin.get(place).json() == issued
    assert token not in admin.get(KEYS).content.decode()
    rotated = admin.post(f"{place}/rotate", {"overlap_seconds": 0}).json()
    assert rotated["replaces_id"] == issued["id"]
    assert rotated["models_allowed"] == ["gpt-*"]
    assert admin.get(place).json()["state"] == "revoked"
    assert admin.post(f"{place}/rotate", {}).status_code == 409
    assert admin.post(f"{KEYS}/{rotated['id']}/revoke").json()["state"] == "revoked"
    listed = admin.get(f"{KEYS}?tenant_id={tenant.pk}&state=revoked").json()["data"]
    assert {row["id"] for row in listed} == {issued["id"], rotated["id"]}
    assert admin.get(f"{KEYS}?tenant_id={tenant.pk}&state=active").json()["data"] == []


def test_a_key_that_has_ended_before_it_begins_is_refused(admin, tenant):
    past = (clock.now() - timedelta(hours=1)).isoformat()
    answer = admin.post(KEYS, {"tenant_id": str(tenant.pk), "label": "late", "expires_at": past})
    assert answer.json()["error"]["param"] == "expires_at"
    for scopes in (["proxy:everything"], ["proxy:admin"]):
        answer = admin.post(KEYS, {"tenant_id": str(tenant.pk), "label": "x", "scopes": scopes})
        assert answer.json()["error"]["param"] == "scopes"
    assert not ApiKey.objects.exists()


def test_limits_say_how_much_is_used(admin, tenant, key):
    answer = admin.post(LIMITS, {"tenant_id": str(tenant.pk), "kind": "money_month", "amount": 5_000_000_000})
    assert answer.status_code == 201, answer.content
    limit = answer.json()
    assert (limit["used"], limit["key_id"]) == (0, None)
    assert limit["resets_at"].endswith("01T00:00:00Z")
    assert admin.patch(f"{LIMITS}/{limit['id']}", {"amount": 7}).json()["amount"] == 7
    by_key = admin.post(LIMITS, {"key_id": str(key.row.pk), "kind": "requests_minute", "amount": 3}).json()
    assert [row["id"] for row in admin.get(f"{LIMITS}?key_id={key.row.pk}").json()["data"]] == [by_key["id"]]
    both = {"tenant_id": str(tenant.pk), "key_id": str(key.row.pk), "kind": "in_flight", "amount": 1}
    assert admin.post(LIMITS, both).status_code == 422
    assert admin.post(LIMITS, {"kind": "in_flight", "amount": 1}).status_code == 422
    assert admin.post(LIMITS, {"key_id": str(uuid4()), "kind": "in_flight", "amount": 1}).status_code == 404
    assert admin.post(LIMITS, {"tenant_id": str(tenant.pk), "kind": "in_flight", "amount": -1}).status_code == 422
    assert admin.delete(f"{LIMITS}/{limit['id']}").status_code == 204
    assert Limit.objects.count() == 1


def test_a_second_limit_that_came_in_since_one_looked_is_refused_by_the_database(admin, key, monkeypatch):
    wanted = {"key_id": str(key.row.pk), "kind": "tokens_day", "amount": 5, "model": "o3"}
    assert admin.post("/api/v1/limits", wanted).status_code == 201
    monkeypatch.setattr(Limit, "validate_constraints", lambda *_, **__: None)
    late = admin.post("/api/v1/limits", {**wanted, "model": "O3"})
    assert (late.status_code, late.json()["error"]["param"]) == (422, "kind")
    assert Limit.objects.count() == 1


def test_a_second_limit_of_a_kind_is_refused_whoever_else_has_one(admin, tenant, key):
    said = {"key_id": str(key.row.pk), "kind": "tokens_day", "amount": 5}
    assert admin.post("/api/v1/limits", said).status_code == 201
    answer = admin.post("/api/v1/limits", said)
    assert (answer.status_code, answer.json()["error"]["param"]) == (422, "kind")
    assert admin.post("/api/v1/limits", said | {"model": "o3"}).status_code == 201
    assert admin.post("/api/v1/limits", {**said, "key_id": None, "tenant_id": str(tenant.pk)}).status_code == 201
