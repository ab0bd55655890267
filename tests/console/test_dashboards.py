from datetime import timedelta

import pytest

from accounts.models import Operator
from accounts.rights import Role
from analytics import rollup
from analytics.rows import insert
from proxx.console.dashboards.views import PAGES
from proxx.kit import clock as clocks
from tests import factories
from tests.analytics.records import record
from tests.factories import make_credential, make_key, make_operator, make_tenant

pytestmark = pytest.mark.django_db

QUERIES_AT_MOST = 13


def open_as(client, role, tenant=None):
    client.force_login(make_operator(role=role, tenant=tenant, password=None))
    return client


@pytest.mark.parametrize("others", [0, 3])
@pytest.mark.parametrize("period", ["1h", "30d"])
@pytest.mark.parametrize("name", PAGES)
def test_a_dashboard_takes_few_queries_however_much_there_is(
    console, name, period, others, django_assert_max_num_queries
):
    for tenant in [factories.default_tenant(), *(make_tenant() for _ in range(others))]:
        account, key = make_credential(secret=f"sk-{tenant.slug}"), make_key(tenant).row
        insert([record(tenant_id=tenant.pk, key_id=key.pk, credential_id=account.pk) for _ in range(5)])
    rollup.run()
    console.get("/console/dashboards/overview/")  # the routing picture is read once for all
    with django_assert_max_num_queries(QUERIES_AT_MOST):
        page = console.get(f"/console/dashboards/{name}/?period={period}")
    assert page.status_code == 200


@pytest.mark.parametrize("name", PAGES)
def test_an_empty_house_says_that_there_is_nothing(console, name):
    page = console.get(f"/console/dashboards/{name}/").content.decode()
    assert "Nothing in this time." in page
    assert ">None<" not in page


def test_a_tenants_people_see_their_own_traffic_and_no_account_by_name(client):
    own, other = make_tenant(name="Ours"), make_tenant(name="Theirs")
    account = make_credential(label="secret account")
    insert([record(tenant_id=own.pk, model_routed="ours-model", credential_id=account.pk)])
    insert([record(tenant_id=other.pk, model_routed="theirs-model", credential_id=account.pk)])
    open_as(client, Role.TENANT_MEMBER, own)
    for name in set(PAGES) - {"accounts"}:
        page = client.get(f"/console/dashboards/{name}/").content.decode()
        assert "theirs-model" not in page
        assert "secret account" not in page
    assert "ours-model" in client.get("/console/dashboards/models/").content.decode()
    assert client.get("/console/dashboards/accounts/").status_code == 403


@pytest.mark.parametrize("of", ["tenant", "key"])
def test_what_belongs_to_another_tenant_is_not_there(client, of):
    own, other = make_tenant(), make_tenant()
    asked = {"tenant": other.pk, "key": make_key(other).row.pk}[of]
    open_as(client, Role.TENANT_ADMIN, own)
    assert client.get(f"/console/dashboards/cost/?{of}={asked}").status_code == 404
    assert client.get(f"/console/dashboards/cost/?{of}=no-id").status_code == 404


def test_filters_stay_in_every_link_of_the_page(console):
    insert([record(model_routed="gpt-5-mini")])
    page = console.get("/console/dashboards/overview/?model=gpt-5-mini&period=7d").content.decode()
    assert '<option value="gpt-5-mini" selected>' in page
    assert "?model=gpt-5-mini&amp;period=30d" in page
    assert '<input type="hidden" name="period" value="7d">' in page


def test_days_may_be_chosen_and_stay_in_the_address(console, clock):
    for days, model in ((0, "today"), (1, "yesterday"), (2, "the-day-before"), (5, "long-ago")):
        insert([record(at=clocks.unix() - days * 86_400, model_routed=model)])
    clock.advance(90)
    rollup.run()
    days = [f"{clocks.now() - timedelta(days=back):%Y-%m-%d}" for back in range(6)]

    def seen(query):
        page = console.get(f"/console/dashboards/models/?{query}").content.decode()
        table = page.split('class="db-cards"')[-1]
        return {word for word in ("today", "yesterday", "the-day-before", "long-ago") if f">{word}<" in table}, page

    found, page = seen(f"from={days[2]}&to={days[1]}")
    assert found == {"yesterday", "the-day-before"}
    assert f'name="from" value="{days[2]}"' in page
    assert f'name="to" value="{days[1]}"' in page
    assert f"?from={days[2]}&amp;to={days[1]}&amp;order=" in page
    assert '"?period=7d"' in page
    assert seen(f"from={days[5]}")[0] == {"today", "yesterday", "the-day-before", "long-ago"}
    assert seen(f"to={days[5]}")[0] == {"long-ago"}
    for nonsense in (f"from={days[0]}&to={days[1]}", "from=soon", "from=0001-01-01", "to=0001-01-01"):
        assert "today" in seen(f"{nonsense}&period=24h")[0], nonsense


@pytest.mark.parametrize("name", PAGES)
def test_every_dashboard_takes_days(console, name):
    for days in (1, 2, 300, 366):
        first, last = (f"{clocks.now() - timedelta(days=back):%Y-%m-%d}" for back in (400 + days, 401))
        page = console.get(f"/console/dashboards/{name}/?from={first}&to={last}")
        assert page.status_code == 200
        assert f'name="from" value="{first}"' in page.content.decode()


def test_a_page_refreshes_itself_only_if_its_address_says_so(console):
    assert 'data-refresh="0"' in console.get("/console/dashboards/cost/").content.decode()
    assert 'data-refresh="30"' in console.get("/console/dashboards/cost/?refresh=on").content.decode()


def test_sanitized_pages_name_nobody_until_it_is_switched_off(console):
    tenant = make_tenant(name="Acme Industries")
    key = make_key(tenant, label="kim@acme.example").row
    account = make_credential(label="boss@acme.example")
    insert([record(tenant_id=tenant.pk, key_id=key.pk, credential_id=account.pk, conversation="aa")])
    names = ("kim@acme", "boss@acme")
    shown = console.get("/console/dashboards/traffic/").content.decode()
    assert names[0] in shown
    assert "Acme Industries" in shown
    for name in PAGES:
        page = console.get(f"/console/dashboards/{name}/?sanitized=1").content.decode()
        board = page[page.index('id="dashboard"') :]
        assert not any(one in board for one in (*names, "Acme Industries"))
    assert "****-" in console.get("/console/dashboards/traffic/").content.decode()  # kept with the sign-in
    assert names[0] in console.get("/console/dashboards/traffic/?sanitized=0").content.decode()


def test_the_cost_page_says_at_which_tiers_providers_served(console):
    insert([record(service_tier=tier) for tier in ("default", "default", "default", "flex", "")])
    insert([record(service_tier="priority", model_routed="other")])
    page = console.get("/console/dashboards/cost/?model=gpt-5-mini").content.decode()
    assert "default 75.0 %" in page
    assert "flex 25.0 %, of 4 calls that said one" in page
    assert "no provider named one" in console.get("/console/dashboards/cost/?model=unheard").content.decode()


def test_unpriced_calls_are_said_to_be_missing_from_the_cost(console):
    insert([record(price_state="unpriced"), record(price_state="priced", cost_nano=10**9)])
    page = console.get("/console/dashboards/cost/").content.decode()
    assert "1 calls went to models without a known price" in page
    assert "$1.00" in page


def test_where_nothing_has_a_price_no_figure_is_a_cost_of_nothing(console):
    insert([record(price_state="unpriced")])
    rollup.run()
    page = console.get("/console/dashboards/cost/").content.decode()
    assert "unpriced" in page
    assert "$0.00" not in page


def test_an_account_without_quota_makes_no_forecast(console):
    factories.make_credential()
    page = console.get("/console/dashboards/accounts/").content.decode()
    assert "No account has said what it has left" in page


def test_nobody_without_a_role_sees_a_dashboard(client):
    client.force_login(Operator.objects.create_user("nobody", password=None, is_staff=True))
    assert client.get("/console/dashboards/overview/").status_code == 403


def test_no_page_of_the_console_shows_an_address_while_names_are_masked(console):
    account = make_credential(label="boss@acme.example")
    console.get("/console/dashboards/overview/?sanitized=1")
    for path in ("credential/", f"credential/{account.pk}/change/", "operator/"):
        page = console.get(f"/console/accounts/{path}")
        assert ">boss@acme.example<" not in page.content.decode()
        assert page.headers["Content-Length"] == str(len(page.content))
    console.get("/console/dashboards/overview/?sanitized=0")
    assert "boss@acme.example" in console.get("/console/accounts/credential/").content.decode()
