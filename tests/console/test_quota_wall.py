"""The quota wall shows every account as it is, in few queries, and its buttons do what they say."""

import re
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from accounts.models import AuditEntry, Credential
from accounts.rights import Role
from accounts.signin.sessions import CONFIRMED
from oauth.models import OAuthAccount
from proxx.kit import clock
from routing import health, quota, quota_store, reload
from routing.models import ProviderSetting
from tests.console import many_accounts
from tests.factories import default_tenant, make_credential, make_operator
from tests.upstreams.plan import FIVE_HOURS, WEEK, Plan, PlanWindow
from tests.upstreams.responses_plan import plans_of
from tests.upstreams.script import say

pytestmark = pytest.mark.django_db
WALL = "/console/quota/"
QUERIES_AT_MOST = 14


@pytest.fixture(autouse=True)
def nothing_rests():
    health.forget()
    quota.forget()
    reload.install(None)
    yield
    health.forget()
    quota.forget()


def shown(client, path=WALL):
    answer = client.get(path)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def cards(page):
    """Return the cards in their order: name -> (state, HTML)."""
    found = re.findall(r'<li class="tr-card qw-card qw-(\w+)">(.*?)(?=<li class="tr-card qw-card|</form>)', page)
    return {re.search(r'<a href="[^"]*">([^<]*)</a>', html)[1]: (state, html) for state, html in found}


def account(provider, **plan):
    """Return a signed-in account at the simulated backend, and its plan there."""
    made = Plan([PlanWindow(FIVE_HOURS, 50), PlanWindow(WEEK, 400)], **plan)
    plans_of(provider.world)["sk-sim-wall"] = made
    base = f"{provider.origin}/backend-api"
    row = make_credential(
        secret="sk-sim-wall", kind=Credential.Kind.OAUTH_BEARER, base_url=base, chatgpt_account_id="acc", label="one"
    )
    reload.install(None)
    return row, made


def press(client, do, **more):
    return " ".join(client.post(WALL, {"do": do, **more}, follow=True).content.decode().split())


@pytest.mark.parametrize("count", [1, 40])
def test_the_wall_takes_the_same_few_queries_for_one_account_and_for_many(
    console, count, django_assert_max_num_queries
):
    many_accounts.make(count)
    console.get(WALL)  # the routing picture is read once for all
    with django_assert_max_num_queries(QUERIES_AT_MOST):
        page = shown(console)
    assert len(cards(page)) == count


def test_every_state_is_told_and_what_wants_attention_stands_first(console):
    many_accounts.make(20)
    ProviderSetting.objects.update_or_create(provider_id="anthropic", defaults={"enabled": False})
    found = cards(shown(console))
    states = [state for state, _ in found.values()]
    order = ["expired", "failing", "exhausted", "resting", "partly", "low", "working", "off"]
    assert sorted(states, key=order.index) == states
    assert set(states) == set(order)
    by_state = {state: html for state, html in reversed(found.values())}
    assert "5 h" in by_state["exhausted"]
    assert "review, week" in by_state["low"]
    assert "gpt-5.2-codex" in by_state["partly"]
    assert "rate limit" in by_state["resting"]
    assert "Last call: its key is refused" in by_state["failing"]
    assert "its provider is off" in found["kim.008@team.example"][1].lower()


def test_a_signed_in_account_says_whose_it_is_and_that_it_must_sign_in_again(console):
    row = make_credential(label="one", kind=Credential.Kind.OAUTH_BEARER, expires_at=clock.now() - timedelta(hours=1))
    signed = OAuthAccount.objects.create(
        credential=row, sign_in="openai", email="Kim@acme.example", refresh_token="r-1"
    )
    assert cards(shown(console))["one"][0] == "working"  # it ended, and is renewed by itself
    OAuthAccount.objects.filter(pk=signed.pk).update(state="sign_in_again", fault="Its refresh token was used twice.")
    state, html = cards(shown(console))["one"]
    assert (state, "kim@acme.example" in html) == ("sign_in_again", True)
    assert "Its refresh token was used twice.</p>" in html
    assert re.search(rf'<a [^>]*account={row.pk}"[^>]*>Sign in again</a>', html)
    assert "acme" not in shown(console, f"{WALL}?sanitized=1")


def test_a_spent_window_for_reviews_keeps_nobody_from_being_called(console, provider):
    row, _plan = account(provider, review=PlanWindow(WEEK, 1, used=1, ends=clock.unix() + 5000))
    press(console, f"ask {row.pk}")
    state, html = cards(shown(console))["one"]
    assert state != "exhausted"
    assert 'qw-window-spent"> <span class="qw-window-name">review, week' in html
    assert row.pk not in quota.spent


def test_asking_shows_what_the_provider_counts_and_how_it_was_heard(console, provider):
    row, plan = account(provider)
    for _ in range(25):
        plan.take()
    said = press(console, f"ask {row.pk}")
    assert "1 account said what is left." in said
    _state, html = cards(said)["one"]
    assert 'value="50"' in html
    assert "Anew in <time" in html
    assert "heard just now, asked" in html
    assert AuditEntry.objects.filter(action="asked for quota").exists()


def test_a_probe_says_what_came_or_what_went_wrong(console, provider):
    row, plan = account(provider)
    provider.script(say("Hello"), key="sk-sim-wall")
    assert "one answers: “Hello” (gpt-x," in press(console, f"probe {row.pk} gpt-x")
    assert plan.served == 1
    plan.windows[0].used = 50
    assert "one did not answer: quota spent" in press(console, f"probe {row.pk} gpt-x")
    assert cards(shown(console))["one"][0] == "exhausted"  # its headers said so
    assert AuditEntry.objects.filter(action="probed").count() == 2


def test_a_reset_credit_is_used_only_after_the_question_and_once(console, provider):
    row, plan = account(provider, credits=2)
    plan.windows[0].used, plan.windows[0].ends = 50, clock.unix() + 3600
    place = f"{WALL}credits/"
    question = console.post(place, {"account": row.pk}).content.decode()
    assert "has 2 reset credits" in question
    assert plan.credits == 2
    redemption = re.search(r'name="use" value="([^"]*)"', question)[1]
    for _ in range(2):  # a double click
        said = console.post(place, {"account": row.pk, "use": redemption}, follow=True).content.decode()
    assert "One credit of one is used." in said
    assert (plan.credits, plan.free_at) == (1, None)
    assert {one.name: one.used for one in quota_store.since(0)[row.pk].usage.windows}["five_hour"] == 0
    assert AuditEntry.objects.filter(action="used a reset credit").count() == 2


def test_an_account_without_such_credits_says_so(console):
    row = make_credential(label="keyed")
    said = console.post(f"{WALL}credits/", {"account": row.pk}, follow=True).content.decode()
    assert "keyed: This account has no such credits" in said


def test_switching_and_clearing_and_the_first_account(console):
    row = make_credential(label="one")
    press(console, f"off {row.pk}")
    row.refresh_from_db()
    assert not row.enabled
    press(console, f"on {row.pk}")
    health.rest(row.pk, model="gpt-x", kind="not_found", seconds=500)
    health.rest(row.pk, model="gpt-y", kind="not_found", seconds=500)
    press(console, f"clear-one {row.pk} gpt-x")
    assert list(health.rests[row.pk]) == ["gpt-y"]
    press(console, f"clear {row.pk}")
    assert row.pk not in health.rests
    tenant = default_tenant()
    said = press(console, "first", tenant=str(tenant.pk), chosen=str(row.pk))
    tenant.refresh_from_db()
    assert tenant.passthrough_account == row
    assert f"first for {tenant}" in said


def test_filters_find_accounts_and_say_when_there_are_none(console):
    many_accounts.make(20)
    assert {html.count("Z.ai") for _, html in cards(shown(console, f"{WALL}?provider=zai")).values()} == {1}
    assert {state for state, _ in cards(shown(console, f"{WALL}?state=exhausted")).values()} == {"exhausted"}
    assert list(cards(shown(console, f"{WALL}?q=kim.012"))) == ["kim.012@team.example"]
    assert "No account is like that." in shown(console, f"{WALL}?plan=nothing")


def test_many_accounts_are_shown_in_parts(console, monkeypatch):
    monkeypatch.setattr("proxx.console.wall.views.AT_A_TIME", 8)
    many_accounts.make(20)
    first, second = shown(console), shown(console, f"{WALL}?from=8")
    assert len(cards(first)) == len(cards(second)) == 8
    assert not set(cards(first)) & set(cards(second))
    assert "?from=8" in first


def test_names_are_masked_on_the_server_in_sanitized_mode(console):
    row = make_credential(label="boss@acme.example")
    page = shown(console, f"{WALL}?sanitized=1")
    assert "acme" not in page
    assert "****-" in page
    assert "acme" not in press(console, f"off {row.pk}")


def test_who_may_only_look_can_press_nothing(client):
    row = make_credential(label="one")
    client.force_login(make_operator(role=Role.AUDITOR))
    assert '<button class="qw-small"' not in shown(client)
    assert client.post(WALL, {"do": f"off {row.pk}"}).status_code == 403
    assert client.post(f"{WALL}credits/", {"account": row.pk}).status_code == 403
    row.refresh_from_db()
    assert row.enabled


def test_what_is_dangerous_asks_who_is_there_first(console):
    row = make_credential(label="one")
    session = console.session
    session[CONFIRMED] = clock.unix() - 86400
    session.save()
    for place, data in ((WALL, {"do": f"off {row.pk}"}), (f"{WALL}credits/", {"account": row.pk, "use": str(uuid4())})):
        answer = console.post(place, data)
        assert (answer.status_code, answer["location"].partition("?")[2]) == (302, "next=%2Fconsole%2Fquota%2F")
    row.refresh_from_db()
    assert row.enabled


@pytest.mark.parametrize("do", ["", "burn all", "off", "off not-an-id", f"on {UUID(int=7)}", "first"])
def test_a_button_that_is_none_does_nothing(console, do):
    assert console.post(WALL, {"do": do}).status_code in (400, 404)
