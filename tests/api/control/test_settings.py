"""Proxy settings of a tenant by the control API, and in the shapes of old."""

import pytest

from accounts.models import DEFAULT_TENANT_ID, Limit, Tenant
from tests import factories


def test_settings_of_a_tenant_are_looked_at_and_changed(admin, tenant, credential):
    place = f"/api/v1/tenants/{tenant.pk}/settings"
    assert admin.get(place).json()["fast_mode"] == ""
    said = {"fast_mode": "always", "image_model": "gpt-4o", "bodies": "errors", "bodies_percent": 5}
    said["passthrough_account_id"] = str(credential.pk)
    changed = admin.patch(place, said)
    assert changed.status_code == 200, changed.content
    assert changed.json().items() >= said.items()
    assert admin.patch(place, {"profile_id": str(tenant.pk)}).json()["error"]["param"] == "profile_id"
    assert admin.patch(place, {"fast_mode": "sometimes"}).status_code == 422


def test_a_key_sees_and_changes_its_own_tenants_settings_and_no_rows_of_the_house(with_key, transactional_db):
    caller = with_key(factories.make_tenant())
    place = f"/api/v1/tenants/{caller.key.tenant_id}/settings"
    assert caller.patch(place, {"fast_mode": "asked"}).json()["fast_mode"] == "asked"
    credential = factories.make_credential()
    answer = caller.patch(place, {"passthrough_account_id": str(credential.pk)})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "missing_right")
    assert caller.get(f"/api/v1/tenants/{DEFAULT_TENANT_ID}/settings").status_code == 404


@pytest.mark.parametrize("prefix", ["/api/ui", "/api/v1"])
def test_settings_in_the_seeds_shape(admin, prefix):
    bounds = {"fastMode": True, "requestsPerMinute": 30, "allowedModels": ["gpt-*"], "disabledProviderIds": ["groq"]}
    answer = admin.post(f"{prefix}/settings", bounds)
    assert answer.status_code == 200, answer.content
    assert answer.json() == {**bounds, "allowedProviderIds": None}
    assert admin.get(f"{prefix}/settings").json() == answer.json()
    assert Limit.objects.get().amount == 30
    assert admin.post(f"{prefix}/settings", {"requestsPerMinute": 5}).json()["requestsPerMinute"] == 5
    none = admin.post(f"{prefix}/settings", {"requestsPerMinute": None, "allowedModels": None, "fastMode": False})
    assert (none.json()["requestsPerMinute"], none.json()["allowedModels"], none.json()["fastMode"]) == (
        None,
        None,
        False,
    )
    assert not Limit.objects.exists()


def test_who_may_not_bind_a_tenant_is_refused(with_key):
    caller = with_key(factories.make_tenant())
    answer = caller.post("/api/v1/settings", {"requestsPerMinute": 1000})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "missing_right")
    both = caller.post("/api/v1/settings", {"fastMode": True, "requestsPerMinute": 1000})
    assert both.status_code == 403
    assert caller.get("/api/v1/settings").json()["fastMode"] is False  # all or none
    assert caller.post("/api/v1/settings", {"fastMode": True}).json()["fastMode"] is True


def test_settings_below_admin(admin, credential):
    said = {"defaultPassthroughAccountId": str(credential.pk), "imageRequestModelOverride": "gpt-4o"}
    assert admin.patch("/admin/settings", said).json() == {"ok": True, "settings": said}
    assert admin.get("/admin/settings").json()["settings"] == said
    assert Tenant.objects.get(pk=DEFAULT_TENANT_ID).image_model == "gpt-4o"
    assert admin.patch("/admin/settings", {"defaultPassthroughAccountId": "x"}).status_code == 422
    gone = admin.patch("/admin/settings", dict.fromkeys(said, ""))
    assert gone.json()["settings"] == dict.fromkeys(said)
