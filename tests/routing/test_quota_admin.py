"""What operators see of quota, and what they can do about it."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import Credential, Operator
from accounts.rights import Role
from oauth.plan_usage import FIVE_HOURS, WEEK, PlanUsage, Window
from proxx.kit import clock as clocks
from routing import quota, quota_refresh, quota_share, quota_store, reload
from routing.models import QuotaStanding
from routing.quota import Standing
from tests import factories
from tests.oauth.test_plan_usage import CODEX
from tests.routing.catalog.test_refresh import upstream

pytestmark = pytest.mark.django_db
CREDENTIALS = "/console/accounts/credential/"


@pytest.fixture
def console(client: Client, operator: Operator) -> Client:
    client.force_login(operator)
    return client


def known(five_hour: float, weekly: float, **fields: Any) -> Credential:
    """Return a credential of which this is known."""
    credential = factories.make_credential(label="first", plan_type="plus", **fields)
    now = clocks.unix()
    windows = Window("five_hour", five_hour, now + 3600, FIVE_HOURS), Window("weekly", weekly, now + 86400, WEEK)
    quota_store.save({credential.pk: Standing(PlanUsage(windows), now, "headers")})
    return credential


def text(console: Client, path: str) -> str:
    answer = console.get(path)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_the_list_shows_a_bar_for_each_window_and_when_it_ends(console: Client) -> None:
    known(42, 91)
    shown = text(console, CREDENTIALS)
    assert '<progress max="100" value="42">' in shown
    assert 'px-quota-warn" title="until ' in shown


def test_the_page_shows_plan_windows_and_until_when_it_is_not_called(console: Client) -> None:
    credential = known(12, 99)
    shown = text(console, f"{CREDENTIALS}{credential.pk}/change/")
    assert "Quota <span" in shown
    assert "plus plan" in shown
    assert "12% used" in shown
    assert "Not called until" in shown
    assert "Heard just now, an answer&#x27;s headers." in shown


def test_a_credential_of_which_nothing_can_be_known_has_no_panel(console: Client) -> None:
    credential = factories.make_credential()
    reload.install(None)
    assert 'px-heading">Quota' not in text(console, f"{CREDENTIALS}{credential.pk}/change/")


def test_forgetting_lets_calls_through_again_in_every_process(console: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    credential = known(100, 100)
    quota.note(credential.pk, quota_store.since(0)[credential.pk])
    told: list[Any] = []
    monkeypatch.setattr(quota_share, "tell", told.append)
    answer = console.post(f"{CREDENTIALS}{credential.pk}/quota/", {"forget": "1"})
    assert (answer.status_code, answer["location"]) == (302, f"{CREDENTIALS}{credential.pk}/change/")
    quota.note(credential.pk, told[0][credential.pk])
    assert credential.pk not in quota.spent
    assert QuotaStanding.objects.get().windows == []


@pytest.mark.django_db(transaction=True)
async def test_the_button_asks_the_provider_and_tells_what_came(client: Client) -> None:
    from asgiref.sync import sync_to_async

    def press(base: str) -> str:
        client.force_login(factories.make_operator())
        credential = factories.make_credential(kind=Credential.Kind.OAUTH_BEARER, base_url=f"{base}/backend-api")
        page = f"{CREDENTIALS}{credential.pk}/change/"
        assert "Ask now" in text(client, page)
        return " ".join(
            client.post(page.replace("change", "quota"), {"ask": "1"}, follow=True).content.decode().split()
        )

    async with upstream(lambda path, headers: (200, CODEX)) as (base, arrived):
        shown = await sync_to_async(press)(base)
    assert [path for path, _ in arrived] == ["/backend-api/wham/usage"]
    assert "1 account said what is left." in shown
    assert "34% used" in shown


def test_who_may_only_look_can_press_nothing(client: Client) -> None:
    credential = known(12, 99)
    client.force_login(factories.make_operator(role=Role.AUDITOR))
    assert 'name="forget"' not in text(client, f"{CREDENTIALS}{credential.pk}/change/")
    assert client.post(f"{CREDENTIALS}{credential.pk}/quota/", {"forget": "1"}).status_code == 403
    assert QuotaStanding.objects.get().windows


def test_nothing_is_done_by_looking(console: Client) -> None:
    credential = known(12, 99)
    assert console.get(f"{CREDENTIALS}{credential.pk}/quota/").status_code == 405


def test_asking_those_who_cannot_be_asked_says_so(console: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    credential = factories.make_credential()
    monkeypatch.setattr(quota_refresh, "_askable", list)
    data = {"action": "ask_quota", "_selected_action": [str(credential.pk)]}
    shown = " ".join(console.post(CREDENTIALS, data, follow=True).content.decode().split())
    assert "None of them can be asked" in shown


@pytest.mark.parametrize("ends", [1.9e12, 9e14, 1e300, "nan", "soon", None])
def test_whatever_end_is_stored_the_pages_can_be_looked_at(console: Client, ends: Any) -> None:
    credential = known(100, 100)
    QuotaStanding.objects.update(windows=[["five_hour", 100, ends, FIVE_HOURS], ["weekly", 100, ends, WEEK]])
    assert credential.label in text(console, CREDENTIALS)
    assert credential.label in text(console, f"{CREDENTIALS}{credential.pk}/change/")
