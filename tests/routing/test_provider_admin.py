"""The console's page for providers."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Credential, Operator
from accounts.rights import Role
from proxx.kit import clock as clocks
from routing import reload, rows
from routing.catalog import refresh
from routing.catalog.merge import Look
from routing.catalog.sources import Listed
from routing.models import CatalogState, ProviderSetting
from routing.provider_admin import ProviderAdmin
from routing.providers import load
from tests.factories import make_credential, make_operator
from tests.routing.pictures import picture

pytestmark = pytest.mark.django_db
LIST = "/console/routing/providersetting/"


@pytest.fixture
def console(client: Client, operator: Operator) -> Client:
    client.force_login(operator)
    return client


def page(provider_id: str) -> str:
    return f"{LIST}{ProviderSetting.objects.get(provider_id=provider_id).pk}/change/"


def fields(**said: Any) -> dict[str, Any]:
    """What the form sends if only these fields are touched."""
    return {
        "label": "",
        "base_url": "",
        "auth": "",
        "needs_key": "unknown",
        "enabled": "on",
        "paths": "{}",
        "headers": "{}",
        "quirks": "[]",
        "models_paths": "null",
        "notes": "",
        "priority": "",
        **said,
    }


def queries_of(client: Client, path: str) -> int:
    client.get(path)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(path).status_code == 200
    return len(captured)


def test_every_shipped_provider_is_listed_though_never_edited_those_in_use_first(console: Client) -> None:
    Credential.objects.create(provider_id="xai", secret="key")
    rows = list(console.get(LIST).context["cl"].result_list)
    assert {row.provider_id for row in rows} == set(load())
    assert rows[0].provider_id == "xai"


def test_the_list_asks_a_fixed_number_of_questions(console: Client) -> None:
    few = queries_of(console, LIST)
    for number in range(10):
        Credential.objects.create(provider_id="groq", secret=f"key-{number}")
        CatalogState.objects.create(provider_id=f"p{number}", fetched_at=clocks.now(), count=3)
        ProviderSetting.objects.create(provider_id=f"p{number}", base_url="http://10.0.0.1")
    assert queries_of(console, LIST) == few <= 8


def test_the_list_says_what_state_each_is_in(console: Client) -> None:
    Credential.objects.create(provider_id="groq", secret="key")
    ProviderSetting.objects.filter(provider_id="mistral").update(enabled=False)
    ProviderSetting.objects.filter(provider_id="xai").update(base_url="ftp://damaged")
    rows = console.get(LIST).context["cl"].result_list
    states = {row.provider_id: ProviderAdmin.state(None, row) for row in rows}
    assert (states["groq"], states["ollama"]) == ("ready", "not tried")
    assert (states["openai"], states["llamacpp"]) == ("no credential", "no address")
    assert (states["mistral"], states["xai"]) == ("off", "damaged")


def test_a_fault_of_the_last_reload_stands_above_the_list(console: Client) -> None:
    reload.install(picture(faults=("The row of provider 'lab' is damaged.",)))
    assert b"The row of provider &#x27;lab&#x27; is damaged." in console.get(LIST).content


def test_a_shipped_provider_is_opened_and_changed(console: Client) -> None:
    shown = console.get(page("openai"))
    assert b"https://api.openai.com" in shown.content
    assert b"OPENAI_API_KEY" in shown.content
    response = console.post(page("openai"), fields(base_url="http://10.0.0.5:8000/v1", priority="3"))
    assert response.status_code == 302, response.context["adminform"].form.errors
    row = ProviderSetting.objects.get(provider_id="openai")
    assert (row.base_url, row.priority, row.protocols) == ("http://10.0.0.5:8000/v1", 3, [])


def test_the_order_of_its_accounts_is_chosen_by_name(console: Client) -> None:
    assert b"Fastest: the account that begins to answer soonest" in console.get(page("openai")).content
    assert console.post(page("openai"), fields(strategy="fastest")).status_code == 302
    reload.install(None)
    assert reload.current().providers["openai"].strategy == "fastest"
    assert b"not one of the available choices" in console.post(page("openai"), fields(strategy="luck")).content
    console.post(page("openai"), fields(strategy=""))
    reload.install(None)
    assert reload.current().providers["openai"].strategy == "affinity"


def test_a_private_provider_is_added_with_little(console: Client) -> None:
    response = console.post(f"{LIST}add/", fields(provider_id="Lab", base_url="http://10.0.0.5:8000"))
    assert response.status_code == 302, response.context["adminform"].form.errors
    assert "lab" in reload.current().providers


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"base_url": ""}, b"A private provider needs a base URL."),
        ({"base_url": "https://user:secret@host"}, b"must not hold a user name or password"),
        ({"provider_id": "has space"}, b"Use lower-case letters"),
        ({"headers": '{"authorization": "x"}'}, b"the header authorization is not a provider"),
        ({"headers": "[1]"}, b"does not have the expected shape"),
        ({"paths": '{"openai_chat": "nowhere"}'}, b"a path must begin with /"),
    ],
)
def test_what_could_not_be_used_is_refused_with_a_sentence(console: Client, said: Any, sentence: bytes) -> None:
    response = console.post(f"{LIST}add/", fields(**{"provider_id": "lab", "base_url": "http://10.0.0.5", **said}))
    assert response.status_code == 200
    assert sentence in response.content
    assert not ProviderSetting.objects.filter(provider_id="lab").exists()


def test_shipped_providers_are_switched_off_not_deleted(console: Client) -> None:
    row = ProviderSetting.objects.get(provider_id="groq")
    assert console.post(f"{LIST}{row.pk}/delete/", {"post": "yes"}).status_code == 403
    console.post(LIST, {"action": "disable", "_selected_action": [row.pk]})
    assert not reload.current().providers["groq"].enabled
    console.post(LIST, {"action": "enable", "_selected_action": [row.pk]})
    row.refresh_from_db()
    assert row.enabled


def test_only_an_owner_sends_stored_secrets_to_another_address(client: Client) -> None:
    client.force_login(make_operator(role=Role.OPERATOR))
    assert client.post(page("groq"), fields(base_url="https://free.example")).status_code == 302
    Credential.objects.create(provider_id="openai", secret="key")
    refused = client.post(page("openai"), fields(base_url="https://evil.example"))
    assert b"Only an owner may send stored credentials" in refused.content


def test_models_are_read_on_demand_and_faults_are_told(console: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    def look(provider_ids: list[str]) -> list[Look]:
        asked.append(provider_ids)
        return [Look("groq", (Listed("a"), Listed("b"))), Look("xai", fault="The provider answered 401.")]

    monkeypatch.setattr(refresh, "refresh", look)
    rows = ProviderSetting.objects.filter(provider_id__in=["groq", "xai"])
    answer = console.post(LIST, {"action": "look_again", "_selected_action": [row.pk for row in rows]}, follow=True)
    assert sorted(asked[0]) == ["groq", "xai"]
    assert b"2 models from 1 provider." in answer.content
    assert b"xai: The provider answered 401." in answer.content


def test_a_provider_without_a_key_is_not_ready_while_nobody_answers(console: Client) -> None:
    CatalogState.objects.create(provider_id="ollama", tried_at=clocks.now(), fault="Could not connect.")
    page = console.get(f"{LIST}?q=ollama").content.decode()
    assert "no answer" in page
    CatalogState.objects.update(fault="", fetched_at=clocks.now())
    assert "no answer" not in console.get(f"{LIST}?q=ollama").content.decode()


def test_a_usual_address_where_nobody_ever_answered_is_not_called_ready(console: Client) -> None:
    def state() -> str:
        (row,) = console.get(f"{LIST}?q=tei").context["cl"].result_list
        return ProviderAdmin.state(None, row)

    assert state() == "not tried"
    ProviderSetting.objects.filter(provider_id="tei").update(base_url="http://10.0.0.9:8080")
    assert state() == "ready"


def test_a_provider_that_only_its_credentials_know_is_listed_and_can_be_changed(console: Client) -> None:
    held = make_credential("my-own-server", base_url="http://10.0.0.5:8000/v1")
    row = ProviderSetting.objects.get(provider_id="my-own-server")
    shown = console.get(LIST).content.decode()
    assert "my-own-server" in shown
    assert "with each credential" in shown
    assert b"my-own-server" in console.get("/console/routing/factsetting/add/").content
    answer = console.post(page("my-own-server"), fields(label="Lab", priority="7", strategy=""))
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    reload.install(None)
    provider = reload.current().providers["my-own-server"]
    assert (provider.label, provider.priority, provider.base_url) == ("Lab", 7, "")
    assert [one.id for one in reload.current().credentials["my-own-server"]] == [held.pk]
    held.delete()
    assert ProviderSetting.objects.filter(pk=row.pk).exists()


def test_an_untouched_row_that_credentials_brought_goes_with_the_last_of_them(console: Client) -> None:
    held = [make_credential("lab", secret=f"key-{number}", base_url="http://10.0.0.5/v1") for number in range(2)]
    for one, left in zip(held, (True, False), strict=True):
        one.delete()
        assert ProviderSetting.objects.filter(provider_id="lab").exists() is left


def test_credentials_of_before_bring_their_providers_row_at_the_next_start() -> None:
    make_credential("lab", base_url="http://10.0.0.5/v1")
    ProviderSetting.objects.filter(provider_id="lab").delete()
    rows.lay_out()
    rows.lay_out()
    assert ProviderSetting.objects.filter(provider_id="lab").count() == 1


def test_a_credential_that_nobody_knows_the_address_of_brings_no_provider() -> None:
    make_credential("typo")
    assert not ProviderSetting.objects.filter(provider_id="typo").exists()
