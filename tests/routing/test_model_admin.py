"""The console's pages for models."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Credential, Operator
from accounts.rights import Role
from proxx.kit import clock
from routing import looks, reload
from routing.catalog import refresh
from routing.catalog.merge import Look
from routing.models import CatalogModel, CatalogState, FactSetting, ModelPreference
from routing.snapshot.building import FRESH_SECONDS
from tests import factories

pytestmark = pytest.mark.django_db
MODELS = "/console/routing/catalogmodel/"
WISHES = "/console/routing/modelpreference/"


@pytest.fixture
def console(client: Client, operator: Operator) -> Client:
    client.force_login(operator)
    return client


def listed(*names: str) -> list[CatalogModel]:
    return [
        CatalogModel.objects.create(provider_id="groq", model_id=name, position=place, context_window=1000)
        for place, name in enumerate(names)
    ]


def queries_of(client: Client, path: str) -> int:
    client.get(path)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(path).status_code == 200
    return len(captured)


def act(console: Client, action: str, rows: list[CatalogModel]) -> Any:
    return console.post(MODELS, {"action": action, "_selected_action": [row.pk for row in rows]}, follow=True)


def test_models_are_listed_and_never_edited(console: Client) -> None:
    row = listed("llama")[0]
    assert b"llama" in console.get(MODELS).content
    assert console.get(f"{MODELS}add/").status_code == 403
    assert console.post(f"{MODELS}{row.pk}/change/", {"model_id": "x"}).status_code == 403
    assert console.post(f"{MODELS}{row.pk}/delete/", {"post": "yes"}).status_code == 403


@pytest.mark.parametrize("path", [MODELS, WISHES])
def test_each_list_asks_a_fixed_number_of_questions(console: Client, path: str) -> None:
    listed("first")
    ModelPreference.objects.create(name="first", disabled=True)
    few = queries_of(console, path)
    listed(*(f"model-{number}" for number in range(10)))
    for number in range(10):
        ModelPreference.objects.create(name=f"Model-{number}", disabled=True)
    assert queries_of(console, path) == few <= 10


def test_a_refused_model_is_shown_as_such_whatever_its_case(console: Client) -> None:
    listed("Llama", "other")
    ModelPreference.objects.create(name="LLAMA", disabled=True)
    rows = console.get(MODELS).context["cl"].result_list
    assert {row.model_id: bool(row.is_refused) for row in rows} == {"Llama": True, "other": False}


def test_models_are_refused_and_offered_again_from_the_list(console: Client) -> None:
    rows = listed("a", "b", "c")
    ModelPreference.objects.create(name="B", rank=1)
    act(console, "refuse", rows[:2])
    assert set(ModelPreference.objects.filter(disabled=True).values_list("name", flat=True)) == {"a", "B"}
    act(console, "offer", rows)
    # A row that says nothing more is gone; the rank of the other is kept.
    assert list(ModelPreference.objects.values_list("name", "rank", "disabled")) == [("B", 1, False)]


def test_an_alias_is_added_but_never_of_itself(console: Client) -> None:
    fields = {"name": "fast", "alias_of": "groq/llama", "alias_enabled": "on", "rank": "", "owned_by": ""}
    assert console.post(f"{WISHES}add/", fields).status_code == 302
    assert b"goes to groq/llama" in console.get(WISHES).content
    assert console.post(f"{WISHES}add/", {**fields, "name": "Groq/Llama"}).status_code == 200


def test_an_alias_of_what_is_no_model_is_told(console: Client) -> None:
    reload.install(None)
    ModelPreference.objects.create(name="Other", alias_of="llama")
    fields = {"name": "fast", "alias_enabled": "on", "rank": "", "owned_by": ""}
    fields["alias_of"] = "high:other\nauto:cheapest\nllama"
    page = console.post(f"{WISHES}add/", fields, follow=True).content.decode()
    assert "The target high:other leads nowhere now. It is an alias itself" in page
    assert "The target auto:cheapest leads nowhere now. It is not a model" in page
    assert "The target Other" not in page
    reload.install(None)


def test_what_the_file_says_is_read_only_unless_the_database_is_the_truth(console: Client, settings: Any) -> None:
    row = ModelPreference.objects.create(name="x", disabled=True, source="file")
    page = f"{WISHES}{row.pk}/change/"
    assert b"This follows models.json" in console.get(page).content
    assert console.post(page, {"name": "y"}).status_code == 403
    settings.DATABASE_URL = "postgres://somewhere"
    assert console.post(page, {"name": "y", "alias_of": "", "rank": "", "owned_by": ""}).status_code == 302


def test_without_an_account_the_page_says_what_to_do(console: Client) -> None:
    page = console.get(MODELS).content.decode()
    assert "there is no account to ask" in page
    assert "/console/accounts/credential/add/" in page
    assert "Ollama" not in page  # nobody configured it, and nobody answers there


def test_each_provider_says_when_it_was_looked_at_and_what_went_wrong(console: Client) -> None:
    for provider_id in ("groq", "openai", "xai"):
        Credential.objects.create(provider_id=provider_id, secret=f"sk-{provider_id}-0001")
    now = clock.now()
    CatalogState.objects.create(provider_id="groq", tried_at=now, fetched_at=now, count=3)
    CatalogState.objects.create(provider_id="openai", tried_at=now, fault="The provider answered 401.")
    page = console.get(MODELS).content.decode()
    for words in ("3 models", "looked at just now", "tried just now: The provider answered 401.", "not looked at yet"):
        assert words in page
    assert "No model is listed" not in page


def test_refresh_now_asks_all_providers_and_tells_what_was_found(
    console: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refresh, "refresh", lambda _: [Look("openai", fault="The provider answered 500.")])
    Credential.objects.create(provider_id="openai", secret="sk-one-0001")
    assert b"Refresh now" in console.get(MODELS).content
    page = console.post(f"{MODELS}look/", follow=True).content
    assert b"openai: The provider answered 500." in page
    assert b"No model is listed yet" in page
    assert console.get(f"{MODELS}look/").status_code == 405


def test_only_who_may_change_providers_may_refresh(client: Client) -> None:
    client.force_login(factories.make_operator(role=Role.AUDITOR))
    assert b"Refresh now" not in client.get(MODELS).content
    assert client.post(f"{MODELS}look/").status_code == 403


def test_one_provider_can_be_asked_alone(console: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(refresh, "refresh", lambda ids: asked.append(ids) or [])
    Credential.objects.create(provider_id="openai", secret="sk-one-0001")
    assert b'name="provider" value="openai"' in console.get(MODELS).content
    console.post(f"{MODELS}look/", {"provider": "openai"})
    assert asked == [["openai"]]


def test_a_page_does_not_wait_for_a_slow_provider(console: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()
    monkeypatch.setattr(looks, "PATIENCE", 0)
    monkeypatch.setattr(refresh, "refresh", lambda _: release.wait(30) and [])
    try:
        assert b"Some providers take their time" in console.post(f"{MODELS}look/", follow=True).content
    finally:
        release.set()


def test_an_old_list_is_marked(console: Client) -> None:
    now = clock.now()
    for provider_id, age in (("groq", 3 * FRESH_SECONDS), ("openai", 0)):
        Credential.objects.create(provider_id=provider_id, secret=f"sk-{provider_id}-0001")
        read = now - timedelta(seconds=age)
        CatalogState.objects.create(provider_id=provider_id, tried_at=now, fetched_at=read, count=1)
    assert console.get(MODELS).content.count(b"Too old to prove") == 1


def test_the_list_shows_what_a_model_can_do_and_what_it_costs(console: Client) -> None:
    Credential.objects.create(provider_id="groq", secret="sk-one-0001")
    CatalogModel.objects.create(
        provider_id="groq",
        model_id="odd",
        context_window=32_000,
        inputs=["text", "image"],
        supports_tools=False,
        price={"input": 2_500_000_000, "output": 75_000_000, "cache_read": 0},
    )
    CatalogModel.objects.create(provider_id="groq", model_id="nobody-knows-it", position=1)
    reload.install(None)
    page = console.get(MODELS).content.decode()
    for words in ("32,000", 'title="reads pictures"', "$2.50 / $0.075", "its own list, cached $0", "unpriced"):
        assert words in page
    assert 'title="calls tools"' not in page


def test_a_model_leads_to_the_operators_own_word_on_it(console: Client) -> None:
    row = listed("llama")[0]
    page = f"{MODELS}{row.pk}/facts/"
    assert console.get(page).headers["Location"] == "/console/routing/factsetting/add/?model=llama&provider_id=groq"
    said = FactSetting.objects.create(model="LLAMA", provider_id="groq", tools=True)
    assert console.get(page).headers["Location"] == f"/console/routing/factsetting/{said.pk}/change/"
    assert "calls tools" in console.get("/console/routing/factsetting/").content.decode()


def test_half_a_price_is_refused_in_words(console: Client) -> None:
    fields = {"model": "llama", "provider_id": "", "price_input": "1", "images": "unknown", "notes": ""}
    page = console.post("/console/routing/factsetting/add/", fields)
    assert "Give the prices of input and output both" in page.content.decode()
    assert console.post("/console/routing/factsetting/add/", {**fields, "price_output": "0.25"}).status_code == 302
    price = FactSetting.objects.get().facts().price
    assert price is not None
    assert (price.input, price.output) == (1_000_000_000, 250_000_000)


def test_the_page_of_aliases_has_one_name_and_is_not_that_of_rules(console: Client) -> None:
    shown = console.get(WISHES)
    assert shown.context["opts"].verbose_name_plural == "aliases and preferences"
    page = shown.content.decode()
    assert "Add alias or preference" in page
    assert "odel preference" not in page
    assert "alias or rule" not in page
