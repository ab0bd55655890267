"""The picture of the configuration, painted from rows, registry and environment."""

from datetime import timedelta
from typing import Any

import pytest

from accounts.models import Credential, Tenant
from oauth.models import OAuthAccount
from proxx.kit import clock
from routing.models import CatalogModel, CatalogState, ModelPreference, ProviderSetting
from routing.snapshot import Snapshot, build
from routing.snapshot.building import FRESH_SECONDS

pytestmark = pytest.mark.django_db


def listed(provider_id: str, *ids: str, age: float = 0, **facts: Any) -> None:
    """Let a provider list these models, asked so many seconds ago."""
    at = clock.now() - timedelta(seconds=age)
    CatalogState.objects.create(provider_id=provider_id, fetched_at=at, count=len(ids))
    for position, model_id in enumerate(ids):
        CatalogModel.objects.create(provider_id=provider_id, model_id=model_id, position=position, **facts)


def wish(provider_id: str, **fields: Any) -> None:
    """Say something on a provider."""
    ProviderSetting.objects.update_or_create(provider_id=provider_id, defaults=fields)


def names(snapshot: Snapshot) -> list[str]:
    return [entry.id for entry in snapshot.models]


def test_a_credential_is_open_in_memory_and_silent_in_print() -> None:
    Credential.objects.create(provider_id="groq", secret="gsk-secret", label="mine")
    view = build().credentials["groq"][0]
    assert view.secret.reveal() == "gsk-secret"
    assert "gsk-secret" not in repr(view)


def test_disabled_and_expired_credentials_are_left_out() -> None:
    now = clock.now()
    Credential.objects.create(provider_id="groq", secret="a", enabled=False)
    Credential.objects.create(provider_id="groq", secret="b", expires_at=now - timedelta(seconds=1))
    Credential.objects.create(provider_id="openai", secret="c", expires_at=now + timedelta(seconds=60))
    snapshot = build()
    assert list(snapshot.credentials) == ["openai"]
    assert snapshot.stale_at == pytest.approx(now.timestamp() + 60, abs=1)


def test_an_ended_token_that_is_renewed_stays_and_one_that_nobody_renews_is_named() -> None:
    ended = clock.now() - timedelta(seconds=1)
    for label, state in (("kim", "working"), ("sam", "sign_in_again")):
        row = Credential.objects.create(provider_id="openai", secret=f"token-of-{label}", label=label, expires_at=ended)
        OAuthAccount.objects.create(credential=row, sign_in="openai", refresh_token="rt", state=state)
    snapshot = build()
    (view,) = snapshot.credentials["openai"]
    assert (view.label, view.sign_in, view.secret.reveal()) == ("kim", "openai", "token-of-kim")
    assert snapshot.signed_out == {"openai": ("sam",)}
    assert snapshot.stale_at == float("inf"), "no end of a token makes the picture stale"
    row = Credential.objects.get(label="kim")
    row.secret, row.expires_at = "renewed", ended + timedelta(hours=1)
    row.save()
    OAuthAccount.objects.filter(credential=row).update(version=2)
    (after,) = build().credentials["openai"]
    assert after.secret == view.secret, "nothing that hangs on a secret starts anew"
    assert view.secret.reveal() == "renewed"


def test_a_credential_that_no_key_opens_is_left_out_with_a_sentence() -> None:
    row = Credential.objects.create(provider_id="groq", secret="a")
    good = Credential.objects.create(provider_id="groq", secret="b")
    Credential.objects.filter(pk=row.pk).update(secret=good.secret)
    snapshot = build()
    assert [view.id for view in snapshot.credentials["groq"]] == [good.id]
    assert snapshot.faults[0].startswith("A credential of provider 'groq' cannot be opened")


def test_credentials_stand_in_order_of_priority_then_age() -> None:
    for label, priority in (("c", 100), ("a", 1), ("d", 100), ("b", 50)):
        Credential.objects.create(provider_id="groq", secret=f"key-{label}", label=label, priority=priority)
    assert [view.label for view in build().credentials["groq"]] == ["a", "b", "c", "d"]


def test_a_credential_of_an_unknown_provider_needs_a_base_url_of_its_own() -> None:
    Credential.objects.create(provider_id="mystery", secret="a", base_url="http://10.0.0.5:8000/v1")
    Credential.objects.create(provider_id="mystery", secret="b")
    Credential.objects.create(provider_id="other", secret="c")
    snapshot = build()
    assert [view.base_url for view in snapshot.credentials["mystery"]] == ["http://10.0.0.5:8000/v1"]
    assert snapshot.faults == ("Provider 'other' is not known; its credentials need a base URL.",)


def test_tenants_are_in_the_picture() -> None:
    Tenant.objects.create(slug="acme", name="Acme", is_active=False, answer_with_alias=True)
    views = {view.slug: view for view in build().tenants.values()}
    assert (views["acme"].is_active, views["acme"].answer_with_alias) == (False, True)
    assert views["default"].is_active


@pytest.mark.parametrize(
    ("primary", "fallbacks", "order"),
    [
        ("vivgrid", (), ["openai", "groq", "factory", "ollama"]),
        ("groq", (), ["groq", "factory", "openai", "ollama"]),
        ("groq", ("ollama", "openai"), ["groq", "factory", "ollama", "openai"]),
        ("vivgrid", ("openai", "groq"), ["openai", "groq", "factory", "ollama"]),
    ],
)
def test_providers_are_tried_primary_first_then_fallbacks_then_by_priority(
    settings: Any, primary: str, fallbacks: tuple[str, ...], order: list[str]
) -> None:
    settings.UPSTREAM_PROVIDER_ID, settings.UPSTREAM_FALLBACK_PROVIDER_IDS = primary, fallbacks
    for provider_id in ("openai", "groq", "factory"):
        Credential.objects.create(provider_id=provider_id, secret="key")
    assert [one for one in build().order if one != "tei"] == order


def test_a_disabled_provider_keeps_its_credentials_but_takes_no_calls(settings: Any) -> None:
    settings.DISABLED_PROVIDER_IDS = ("groq",)
    Credential.objects.create(provider_id="groq", secret="a")
    Credential.objects.create(provider_id="openai", secret="b")
    wish("openai", enabled=False)
    wish("groq", enabled=True)
    snapshot = build()
    assert snapshot.credentials == {}
    assert not snapshot.providers["groq"].enabled
    assert not {"groq", "openai"} & set(snapshot.order)
    assert Credential.objects.count() == 2


def test_a_console_row_changes_a_provider_and_makes_a_private_one() -> None:
    wish("openai", base_url="https://proxy.example/v1", priority=3, headers={"x-team": "a"})
    wish("lab", base_url="http://10.1.2.3:8000", label="Lab", protocols=["openai_chat"], paths={"openai_chat": "/chat"})
    snapshot = build()
    openai, lab = snapshot.providers["openai"], snapshot.providers["lab"]
    assert (openai.base_url, openai.priority, openai.oauth_base_url) == ("https://proxy.example/v1", 3, "")
    assert openai.headers == (("x-team", "a"),)
    assert (lab.label, lab.paths, lab.approved_origin) == ("Lab", {"openai_chat": "/chat"}, "http://10.1.2.3:8000")
    assert ("lab/", "lab") in snapshot.prefixes


def test_a_renamed_provider_keeps_its_row_and_its_credentials(settings: Any) -> None:
    settings.ENVIRONMENT = {"OPENAI_PROVIDER_ID": "oai"}
    wish("openai", priority=3)
    Credential.objects.create(provider_id="openai", secret="key")
    snapshot = build()
    assert (snapshot.providers["oai"].priority, list(snapshot.credentials)) == (3, ["oai"])
    assert "openai" not in snapshot.providers


def test_a_provider_that_the_environment_left_out_stays_out_unless_its_row_names_an_address(settings: Any) -> None:
    settings.ENVIRONMENT = {"GROQ_BASE_URL": "ftp://wrong", "XAI_BASE_URL": "ftp://wrong"}
    wish("xai", base_url="http://10.0.0.5")
    snapshot = build()
    assert "groq" not in snapshot.providers
    assert snapshot.providers["xai"].base_url == "http://10.0.0.5"


def test_a_damaged_row_takes_out_its_provider_and_nobody_else() -> None:
    wish("openai", base_url="ftp://nowhere")
    wish("groq", headers=["no", "object"])
    snapshot = build()
    assert not {"openai", "groq"} & set(snapshot.providers)
    assert "anthropic" in snapshot.providers
    assert len(snapshot.faults) == 2


def test_a_list_older_than_an_hour_proves_nothing() -> None:
    for provider_id, age in (("groq", 10), ("openai", FRESH_SECONDS + 1)):
        Credential.objects.create(provider_id=provider_id, secret="key")
        listed(provider_id, "model", age=age)
    snapshot = build()
    assert {name: one.is_fresh for name, one in snapshot.catalogs.items()} == {"groq": True, "openai": False}
    assert snapshot.stale_at == pytest.approx(clock.unix() + FRESH_SECONDS - 10, abs=2)


def test_the_public_list_is_the_union_preferred_first_declared_and_aliases_last(settings: Any) -> None:
    settings.PROXY_MODELS = ("gpt-extra",)
    for provider_id in ("openai", "groq"):
        Credential.objects.create(provider_id=provider_id, secret="key")
    listed("openai", "gpt-a", "gpt-b", "hidden")
    listed("groq", "GPT-A", "llama")
    listed("mistral", "not-configured")
    for fields in (
        {"name": "llama", "rank": 1},
        {"name": "gpt-b", "rank": 2},
        {"name": "unlisted", "rank": 3},
        {"name": "HIDDEN", "disabled": True},
        {"name": "declared", "declared": True, "owned_by": "me"},
        {"name": "fast", "alias_of": "groq/llama"},
        {"name": "nowhere", "alias_of": "missing"},
    ):
        ModelPreference.objects.create(**fields)
    snapshot = build()
    assert names(snapshot) == ["llama", "gpt-b", "gpt-a", "declared", "gpt-extra", "fast"]
    by_name = {entry.id: entry for entry in snapshot.models}
    assert by_name["gpt-a"].metadata["provider_candidates"] == ["openai", "groq"]
    assert by_name["declared"].owned_by == "me"
    assert by_name["fast"].owned_by == "groq"
    assert by_name["fast"].metadata["is_alias"]


def test_an_entry_carries_what_the_catalogue_knows_and_null_otherwise() -> None:
    Credential.objects.create(provider_id="openai", secret="key")
    listed("openai", "codex-odd", created=1700000000, context_window=400000)
    entry = build().models[0]
    assert (entry.owned_by, entry.created) == ("openai", 1700000000)
    assert entry.metadata == {
        "context_window": 400000,
        "max_output_tokens": None,
        "supports_reasoning": True,
        "supports_tools": None,
        "supported_tool_types": ["function"],
        "supports_structured_output": None,
        "input_modalities": None,
        "output_modalities": None,
        "price": None,
        "provider": "openai",
        "provider_candidates": ["openai"],
        "is_alias": False,
    }


def test_the_biggest_tag_of_an_ollama_family_gets_the_bare_name() -> None:
    Credential.objects.create(provider_id="ollama-cloud", secret="key")
    listed("ollama-cloud", "big:120b", "big:1t", "big:20b", "small:4b", "small:latest", "deep:671b-q4", "deep:671b")
    aliases = build().aliases
    assert (aliases["big"], aliases["big:latest"], aliases["deep"]) == (("big:1t",), ("big:1t",), ("deep:671b",))
    assert "small" not in aliases


@pytest.mark.parametrize(("kinds", "whole"), [(["api_key"], True), (["api_key", "oauth_bearer"], False)])
def test_a_list_is_not_whole_where_an_account_may_have_more(kinds: list[str], whole: bool) -> None:
    for kind in kinds:
        Credential.objects.create(provider_id="openai", secret=f"key-{kind}", kind=kind)
    listed("openai", "gpt-x")
    assert build().catalogs["openai"].is_whole is whole


def test_building_asks_the_database_a_fixed_number_of_questions(django_assert_num_queries: Any) -> None:
    for number in range(5):
        Credential.objects.create(provider_id="groq", secret=f"key-{number}")
    listed("groq", *(f"model-{number}" for number in range(20)))
    with django_assert_num_queries(15):
        build()
