"""Credentials, providers, names, rules, listeners, profiles and facts by the control API."""

import pytest

from accounts.models import Credential
from accounts.signin.sessions import CONFIRMED
from routing import health, reload
from routing.models import ModelPreference, PolicyRule, ProviderSetting
from tests import factories

V1 = "/api/v1"
SECRET = "sk-canary-0123456789-abcdefgh"


@pytest.fixture(autouse=True)
def fresh():
    reload.install(None)
    yield
    health.forget()
    reload.install(None)


def fault(answer) -> tuple[int, str | None]:
    return answer.status_code, answer.json()["error"]["param"]


def test_a_secret_goes_in_and_never_comes_out(admin):
    added = admin.post(f"{V1}/credentials", {"provider_id": "openai", "label": "main", "secret": SECRET})
    assert added.status_code == 201, added.content
    row = Credential.objects.get()
    assert (row.last4, added.json()["last4"], added.json()["has_secret"]) == ("efgh", "efgh", True)
    place = f"{V1}/credentials/{row.pk}"
    changed = admin.patch(place, {"secret": SECRET + "2", "priority": 5})
    assert changed.json()["last4"] == "fgh2"
    for answer in (added, changed, admin.get(place), admin.get(f"{V1}/credentials"), admin.get("/api/ui/credentials")):
        assert "canary" not in answer.content.decode()
    assert admin.delete(place).status_code == 204


def test_what_the_form_refuses_of_a_credential_is_refused_here(admin):
    path = f"{V1}/credentials"
    assert fault(admin.post(path, {"provider_id": "openai"})) == (422, "secret")
    assert fault(admin.post(path, {"provider_id": "nobody", "secret": SECRET})) == (422, "base_url")
    assert fault(admin.post(path, {"provider_id": "openai", "secret": "with space"})) == (422, "secret")
    assert fault(admin.post(path, {"provider_id": "openai", "secret": SECRET, "base_url": "ftp://x"})) == (
        422,
        "base_url",
    )
    first = admin.post(path, {"provider_id": "openai", "secret": SECRET}).json()
    assert fault(admin.post(path, {"provider_id": "openai", "secret": SECRET})) == (422, "secret")
    moved = admin.patch(f"{path}/{first['id']}", {"base_url": "https://elsewhere.example/v1"})
    assert "Type the secret again" in moved.json()["error"]["message"]
    both = {"base_url": "https://elsewhere.example/v1", "secret": SECRET}
    assert admin.patch(f"{path}/{first['id']}", both).status_code == 200


def test_what_follows_the_environment_is_not_changed_here(admin, settings):
    settings.DATABASE_URL = ""
    row = factories.make_credential(source="environment")
    answer = admin.patch(f"{V1}/credentials/{row.pk}", {"secret": SECRET})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "kept_elsewhere")
    assert admin.patch(f"{V1}/credentials/{row.pk}", {"enabled": False}).json()["enabled"] is False
    rule = PolicyRule.objects.create(name="theirs", pattern="x", source="file")
    assert admin.patch(f"{V1}/rules/{rule.pk}", {"name": "mine"}).status_code == 409
    assert admin.delete(f"{V1}/rules/{rule.pk}").status_code == 409


def test_rests_are_shown_and_cleared(admin, credential):
    place = f"{V1}/credentials/{credential.pk}"
    health.rest(credential.pk, 60.0, kind="rate_limited")
    assert "rests" in admin.get(place).json()["health"]
    assert admin.post(f"{place}/clear", {}).status_code == 204
    assert "rests" not in admin.get(place).json()["health"]
    assert admin.get(f"{place}/quota").json()["windows"] == []
    assert admin.post(f"{place}/quota/refresh", {}).json()["error"]["code"] == "cannot_ask"
    assert admin.delete(f"{place}/quota").status_code == 204
    health.rest(credential.pk, 60.0)
    assert admin.post(f"{V1}/providers/openai/clear", {}).status_code == 204
    assert credential.pk not in health.rests


def test_providers_are_switched_and_private_ones_added(admin, as_operator, credential):
    assert admin.patch(f"{V1}/providers/groq", {"enabled": False}).json()["enabled"] is False
    private = {"provider_id": "mine", "base_url": "https://llm.example/v1", "protocols": ["anthropic"]}
    added = admin.post(f"{V1}/providers", private)
    assert added.status_code == 201, added.content
    assert (added.json()["speaks"], added.json()["is_private"]) == (["anthropic"], True)
    assert fault(admin.post(f"{V1}/providers", {**private, "provider_id": "no good"})) == (422, "provider_id")
    assert admin.post(f"{V1}/providers", {**private, "provider_id": "b", "protocols": ["klingon"]}).status_code == 422
    assert admin.delete(f"{V1}/providers/groq").status_code == 409
    assert admin.delete(f"{V1}/providers/mine").status_code == 204
    assert not ProviderSetting.objects.filter(provider_id="mine").exists()


def test_names_rules_listeners_profiles_and_facts(admin):
    walks = {
        "preferences": ({"name": "best", "alias_of": ["gpt-x", "high:gpt-y"]}, {"alias_enabled": False}),
        "exclusions": ({"provider_id": "openai", "pattern": "*-preview"}, {"notes": "slow"}),
        "rules": ({"name": "r", "pattern": "claude-*", "providers": ["anthropic"]}, {"paid_plans": True}),
        "listeners": ({"name": "bridge", "host": "bridge.example.com"}, {"enabled": False}),
        "profiles": ({"name": "editors", "temperature": 0.5, "models_include": ["*codex*"]}, {"fast_mode": "always"}),
        "facts": ({"model": "m", "price_input": "1.25", "price_output": 10, "keeps_schema": True}, {"images": False}),
    }
    for path, (new, change) in walks.items():
        added = admin.post(f"{V1}/{path}", new)
        assert added.status_code == 201, (path, added.content)
        told = added.json()
        place = f"{V1}/{path}/{told['id']}"
        assert told.items() >= {name: value for name, value in new.items() if not name.startswith("price")}.items()
        assert admin.patch(place, change).json() == {**told, **change}
        assert admin.get(place).json() in admin.get(f"{V1}/{path}").json()["data"]
        assert admin.delete(place).status_code == 204
    assert not ModelPreference.objects.exists()


def test_what_the_models_refuse_is_refused(admin):
    assert fault(admin.post(f"{V1}/preferences", {"name": "a", "alias_of": ["A"]})) == (422, "alias_of")
    assert fault(admin.post(f"{V1}/rules", {"name": "r", "pattern": "(", "kind": "regex"})) == (422, "pattern")
    assert fault(admin.post(f"{V1}/listeners", {"name": "l", "host": "a.example", "port": 80})) == (422, "host")
    assert fault(admin.post(f"{V1}/facts", {"model": "m", "price_input": 1})) == (422, "price_output")
    assert fault(admin.post(f"{V1}/profiles", {"name": "p", "headers": ["Authorization: x"]})) == (422, "headers")
    assert fault(admin.post(f"{V1}/profiles", {"name": "p", "temperature": 3.0}))[0] == 422
    assert admin.get(f"{V1}/rules/99999999999999999999999").status_code == 404
    assert admin.post(f"{V1}/rules/defaults", {}).json()["added"] > 0


def test_a_profile_in_use_is_not_deleted(admin, tenant):
    profile = admin.post(f"{V1}/profiles", {"name": "used"}).json()
    assert admin.patch(f"{V1}/tenants/{tenant.pk}", {"profile_id": profile["id"]}).status_code == 200
    assert admin.delete(f"{V1}/profiles/{profile['id']}").status_code == 409


def test_where_a_request_would_go_is_explained(admin, credential):
    reload.install(None)
    told = admin.post(f"{V1}/explain-route", {"model": "gpt-x", "needs": ["tools"]})
    assert told.status_code == 200, told.content
    assert told.json()["steps"][0]["provider_id"] == "openai"
    assert admin.post(f"{V1}/explain-route", {}).json()["error"]["param"] == "model"
    assert admin.post(f"{V1}/explain-route", {"body": "{"}).json()["error"]["param"] == "body"


def test_secrets_are_for_the_whole_houses_people_who_showed_lately_who_they_are(with_key, as_operator):
    assert with_key().get(f"{V1}/credentials").json()["error"]["code"] == "missing_right"
    caller = as_operator()
    assert caller.get(f"{V1}/credentials").status_code == 200
    session = caller.client.session
    session[CONFIRMED] = 0
    session.save()
    answer = caller.post(f"{V1}/credentials", {"provider_id": "openai", "secret": SECRET})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "step_up_required")
