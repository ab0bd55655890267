"""What a tenant's settings do to its calls, on a running proxx."""

import pytest

from tests.live import LiveProxx, running

ROWS = """
from accounts import keys
from accounts.models import Credential, Profile, Tenant
account = Credential.objects.create(provider_id="openai", secret="sk-sim-2", label="second", priority=900)
calm = Profile.objects.create(name="calm", temperature=0.25)
slow = Profile.objects.create(name="on request", fast_mode="asked")
rows = {
    "plain": {},
    "always": {"fast_mode": "always"},
    "asked": {"fast_mode": "asked"},
    "both": {"fast_mode": "always", "profile": calm},
    "profile first": {"fast_mode": "always", "profile": slow},
    "second account": {"passthrough_account": account},
}
result = {}
for number, (name, fields) in enumerate(rows.items()):
    tenant = Tenant.objects.create(slug=f"tenant-{number}", name=name, **fields)
    result[name] = keys.issue(tenant, label=name)[1]
"""
RESPONSE = {"model": "openai/sim-echo", "input": "hello"}


@pytest.fixture(scope="module")
def proxx(tmp_path_factory, templates, module_provider):
    """A server with two accounts, and `tokens` by the name of their tenant."""
    with running(tmp_path_factory.mktemp("proxx"), templates, module_provider) as started:
        started.tokens = started.run(ROWS)
        for token in started.tokens.values():
            started.wait_until_known(token)
        yield started


def ask(proxx: LiveProxx, tenant: str, body=None, path="/v1/responses", **headers: str):
    sent = {"authorization": f"Bearer {proxx.tokens[tenant]}", **headers}
    status, told, raw = proxx.request("POST" if body else "GET", path, body, sent)
    assert status == 200, raw
    return told, proxx.provider.journal.last


@pytest.mark.parametrize(
    ("tenant", "said", "tier"),
    [
        ("plain", {}, None),
        ("plain", {"x-open-hax-fast-mode": "true"}, None),
        ("always", {}, "priority"),
        ("always", {"x-open-hax-fast-mode": "false"}, None),
        ("asked", {}, None),
        ("asked", {"x-open-hax-fast-mode": "true"}, "priority"),
        ("asked", {"x-open-hax-service-tier": "flex"}, "flex"),
        ("both", {}, "priority"),
        ("profile first", {}, None),
        ("profile first", {"x-open-hax-fast-mode": "on"}, "priority"),
    ],
)
def test_fast_mode_is_the_tenants_until_a_profile_or_a_request_says_more(proxx: LiveProxx, tenant, said, tier):
    told, asked = ask(proxx, tenant, RESPONSE, **said)
    assert asked.json.get("service_tier") == tier
    assert told.get("x-open-hax-fast-mode") == ("priority" if tier == "priority" else None)


def test_a_tier_that_the_request_names_is_its_own(proxx: LiveProxx):
    assert ask(proxx, "always", {**RESPONSE, "service_tier": "default"})[1].json["service_tier"] == "default"


def test_fast_mode_leaves_the_profiles_other_options_as_they_are(proxx: LiveProxx):
    assert ask(proxx, "both", RESPONSE)[1].json["temperature"] == 0.25


@pytest.mark.parametrize(("tenant", "secret"), [("plain", "sk-sim-1"), ("second account", "sk-sim-2")])
def test_calls_that_are_passed_on_ask_the_chosen_account_first(proxx: LiveProxx, tenant, secret):
    _, asked = ask(proxx, tenant, path="/openai/v1/models")
    assert asked.header("authorization") == f"Bearer {secret}"
