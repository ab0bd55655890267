"""What operators see of health, and how they clear it."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import Credential, Operator
from accounts.rights import Role
from proxx.kit import clock as clocks
from routing import health
from routing.models import ProviderSetting
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]
CREDENTIALS = "/console/accounts/credential/"
PROVIDERS = "/console/routing/providersetting/"
SITE = "openai@api.openai.com"


@pytest.fixture
def console(client: Client, operator: Operator) -> Client:
    client.force_login(operator)
    return client


@pytest.fixture
def resting() -> Credential:
    """A credential that rests as a whole, and for two models."""
    row = factories.make_credential(label="first")
    for model, kind in (("", "rate_limited"), ("gpt-x", "not_found"), ("gpt-y", "empty")):
        health.failed(row.pk, model=model)
        health.rest(row.pk, 600, model=model, kind=kind, is_soft=kind != "rate_limited")
    return row


def text(console: Client, path: str) -> str:
    answer = console.get(path)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def places(row: Credential) -> set[str]:
    return set(health.rests.get(row.pk, {}))


def press(console: Client, page: str, value: str) -> Any:
    answer = console.post(page.replace("/change/", "/clear/"), {"clear": value})
    assert (answer.status_code, answer["location"]) == (302, page)
    return answer


def test_the_page_of_a_credential_says_what_rests_why_and_until_when(console: Client, resting: Credential) -> None:
    shown = text(console, f"{CREDENTIALS}{resting.pk}/change/")
    assert "rests, 10" in shown
    assert "Rate limit, 1 failure in a row. Until" in shown
    assert "only <code>gpt-x</code>" in shown
    assert "Has no such model" in shown


def test_an_account_whose_last_call_failed_is_not_called_well_when_its_rest_is_over(
    console: Client, clock: clocks.Stopped
) -> None:
    row = factories.make_credential(label="first")
    health.failed(row.pk, kind="auth")
    health.rest(row.pk, 10, kind="auth")
    clock.advance(11)
    assert "last failed: auth" in text(console, CREDENTIALS)
    assert "1 of 1 failed last" in text(console, f"{PROVIDERS}?q=openai")
    page = f"{CREDENTIALS}{row.pk}/change/"
    assert "the last call failed: first, its key is refused." in text(console, page)
    health.reached(row.pk, SITE, "")
    assert "last failed" not in text(console, CREDENTIALS)
    assert "Well: nothing rests." in text(console, page)


def test_each_rest_is_cleared_by_its_button_and_all_by_one(console: Client, resting: Credential) -> None:
    page = f"{CREDENTIALS}{resting.pk}/change/"
    press(console, page, f"{resting.pk} gpt-x")
    assert places(resting) == {"", "gpt-y"}
    press(console, page, f"{resting.pk} ")
    assert places(resting) == {"gpt-y"}
    health.rest(resting.pk, 60)
    press(console, page, "*")
    assert places(resting) == set()
    assert "nothing rests" in text(console, page)


def test_the_button_of_one_credential_clears_no_other(console: Client, resting: Credential) -> None:
    other = factories.make_credential(label="other", secret="sk-sim-other")
    press(console, f"{CREDENTIALS}{other.pk}/change/", f"{resting.pk} ")
    assert places(resting) == {"", "gpt-x", "gpt-y"}


def test_the_list_says_who_rests_and_clears_the_chosen(console: Client, resting: Credential) -> None:
    factories.make_credential(label="second", secret="sk-sim-second")
    shown = text(console, CREDENTIALS)
    assert shown.count("rests, 10") == 1
    assert "> well <" in shown
    console.post(CREDENTIALS, {"action": "clear_rests", "_selected_action": [str(resting.pk)]})
    assert places(resting) == set()


def test_a_provider_shows_its_address_and_its_accounts(console: Client, resting: Credential) -> None:
    health.open_circuit(SITE, model="", kind="connect_failed", seconds=30, longest=60)
    row = ProviderSetting.objects.get(provider_id="openai")
    page = f"{PROVIDERS}{row.pk}/change/"
    shown = text(console, page)
    for words in ("circuit open, 30 s", "api.openai.com", "Cannot be reached", "first", "gpt-y"):
        assert words in shown
    assert "circuit open, 30 s" in text(console, PROVIDERS)
    press(console, page, f"{SITE} ")
    assert SITE not in health.rests
    assert "1 of 1 rest" in text(console, PROVIDERS)
    console.post(PROVIDERS, {"action": "clear_rests", "_selected_action": [row.pk]})
    assert places(resting) == set()


def test_who_may_only_look_clears_nothing(client: Client, resting: Credential) -> None:
    client.force_login(factories.make_operator(role=Role.AUDITOR))
    page = f"{CREDENTIALS}{resting.pk}/change/"
    assert 'value="*"' not in text(client, page)
    assert client.post(page.replace("/change/", "/clear/"), {"clear": "*"}).status_code == 403
    assert places(resting) == {"", "gpt-x", "gpt-y"}


def test_a_link_clears_nothing(console: Client, resting: Credential) -> None:
    assert console.get(f"{CREDENTIALS}{resting.pk}/clear/").status_code == 405
    assert places(resting) == {"", "gpt-x", "gpt-y"}
