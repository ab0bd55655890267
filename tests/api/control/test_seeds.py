"""The paths of what proxx replaces answer in the shapes of old, by the same functions."""

import pytest

from accounts.models import ApiKey, Credential
from routing import reload
from routing.models import ModelPreference
from tests import factories
from tests.api.control.conftest import Caller

SECRET = "sk-canary-0123456789-abcdefgh"


@pytest.fixture(autouse=True)
def fresh():
    reload.install(None)
    yield
    reload.install(None)


@pytest.mark.parametrize("prefix", ["/api/ui", "/api/v1"])
def test_keys_of_a_tenant_by_its_short_name(admin, tenant, prefix):
    path = f"{prefix}/tenants/{tenant.slug}/api-keys"
    made = admin.post(path, {"label": "ci"})
    assert made.status_code == 201, made.content
    assert set(made.json()) == {"id", "tenantId", "label", "prefix", "scopes", "token"}
    listed = admin.get(path).json()
    assert (listed["tenantId"], [one["label"] for one in listed["keys"]]) == (tenant.slug, ["ci"])
    assert "token" not in listed["keys"][0]
    ended = admin.delete(f"{path}/{made.json()['id']}")
    assert ended.json() == {"ok": True, "tenantId": tenant.slug, "keyId": made.json()["id"]}
    assert ApiKey.objects.get().revoked_at is not None
    assert admin.get(f"{prefix}/tenants/nobody/api-keys").status_code == 404
    other = factories.make_key().row
    assert admin.delete(f"{path}/{other.pk}").status_code == 404


@pytest.mark.parametrize("prefix", ["/api/ui", "/api/v1"])
def test_accounts_by_provider_and_name(admin, prefix):
    wish = {"providerId": "openai", "accountId": "main", "credentialValue": SECRET}
    assert admin.post(f"{prefix}/credentials/api-key", wish).json() == {
        "ok": True,
        "providerId": "openai",
        "accountId": "main",
    }
    admin.post(f"{prefix}/credentials/api-key", {**wish, "credentialValue": SECRET + "2"})
    assert Credential.objects.get().last4 == "fgh2"
    named = {"providerId": "openai", "accountId": "main"}
    assert admin.post(f"{prefix}/credentials/account/disable", named).json() == {**named, "ok": True, "disabled": True}
    assert admin.get(f"{prefix}/credentials/accounts/disabled").json() == {"disabledAccounts": [named]}
    assert admin.post(f"{prefix}/credentials/account/enable", named).json()["disabled"] is False
    assert admin.get(f"{prefix}/credentials/provider/openai").json()["providerId"] == "openai"
    own = {"providerId": "mine", "baseUrl": "https://llm.example/v1", "apiKey": SECRET + "3"}
    assert admin.post(f"{prefix}/credentials/provider", own).status_code == 201
    listed = admin.get("/api/ui/credentials?reveal=true")
    assert [one["id"] for one in listed.json()["providers"]] == ["mine", "openai"]
    assert "canary" not in listed.content.decode()
    assert admin.delete(f"{prefix}/credentials/account", named).json() == {**named, "ok": True}
    assert admin.delete(f"{prefix}/credentials/account", named).status_code == 404


def test_me_and_tenants_as_of_old(admin, as_operator, tenant):
    assert admin.get("/api/ui/me").json()["auth"]["kind"] == "legacy_admin"
    assert {"id": tenant.slug, "name": tenant.name, "status": "active"} in admin.get("/api/ui/tenants").json()[
        "tenants"
    ]
    caller = as_operator()
    assert caller.post(f"/api/ui/tenants/{tenant.slug}/select").json() == {"ok": True, "activeTenantId": tenant.slug}
    assert caller.get("/api/ui/me").json()["activeTenantId"] == tenant.slug
    assert admin.post(f"/api/ui/tenants/{tenant.slug}/select").json()["error"]["code"] == "session_required"


def test_a_session_below_admin_is_not_the_token_and_ends_with_it(db, token, settings):
    caller = Caller()
    assert caller.get("/admin/session").json() == {"ok": True, "authenticated": False}
    assert caller.post("/admin/session", {"token": "wrong"}).status_code == 401
    opened = caller.post("/admin/session", {"token": token})
    cookie = opened.cookies["multivibe_admin_session"]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Strict", "/admin")
    assert token not in cookie.value
    assert caller.get("/admin/session").json()["authenticated"] is True
    assert caller.get("/admin/accounts").json() == {"accounts": []}
    assert caller.get("/api/v1/tenants").status_code == 401
    away = caller.post("/admin/model-aliases", {"id": "a", "targets": ["b"]}, origin="https://evil.example")
    assert away.json()["error"]["code"] == "csrf"
    settings.PROXY_AUTH_TOKEN = "another-token-0123456789-0123456789-0123"
    assert caller.get("/admin/accounts").status_code == 401


def test_accounts_below_admin(admin, token):
    caller = Caller(**{"x-admin-token": token})
    made = caller.post("/admin/accounts", {"accessToken": SECRET, "email": "a@example.com", "priority": 3})
    assert made.status_code == 200, made.content
    account = made.json()["account"]
    assert (account["provider"], account["email"], account["accessToken"]) == ("openai", "a@example.com", "••••efgh")
    place = f"/admin/accounts/{account['id']}"
    assert caller.patch(place, {"enabled": False}).json()["account"]["enabled"] is False
    assert caller.post(f"{place}/unblock?model=gpt-x").json()["ok"] is True
    assert caller.post(f"{place}/refresh-usage").json()["ok"] is True
    assert len(caller.get("/admin/accounts").json()["accounts"]) == 1
    assert caller.get("/auth/admin/accounts").json() == caller.get("/admin/accounts").json()
    assert caller.delete(place).json() == {"ok": True}
    assert caller.delete(place).status_code == 404
    assert Caller().get("/admin/accounts").status_code == 401


def test_aliases_below_admin(admin):
    path = "/admin/model-aliases"
    made = admin.post(path, {"id": "best/one", "targets": ["gpt-x", "gpt-y"], "description": "for all"})
    alias = {"id": "best/one", "targets": ["gpt-x", "gpt-y"], "enabled": True, "description": "for all"}
    assert made.json() == {"ok": True, "modelAlias": alias}
    assert admin.post(path, {"id": "Best/One", "targets": ["gpt-z"]}).json()["modelAlias"]["targets"] == ["gpt-z"]
    assert admin.patch(f"{path}/best/one", {"enabled": False}).json()["modelAlias"]["enabled"] is False
    assert admin.post(path, {"id": "x", "targets": []}).status_code == 422
    assert [one["id"] for one in admin.get(path).json()["modelAliases"]] == ["best/one"]
    assert admin.delete(f"{path}/best/one").json() == {"ok": True}
    assert not ModelPreference.objects.exists()


def test_what_is_not_there_yet_says_so_and_is_no_stub(admin):
    for path in ("/api/ui/hosts/self", "/api/ui/sessions", "/api/v1/federation/self"):
        assert admin.get(path).json()["error"]["code"] == "unsupported_endpoint", path
