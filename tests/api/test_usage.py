"""/v1/usage: a key reads what it used itself, or its tenant's with the scope for that, and nobody else's."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import django.db
import pytest
from asgiref.sync import async_to_sync
from django.http import QueryDict

from accounts import scopes
from accounts.keys import KeyHolder
from analytics import rollup, usage_sums
from proxx.api import usage
from proxx.gateway.errors import BadRequest, Forbidden, Unavailable
from proxx.kit import clock as clocks
from tests import factories
from tests.api.control.test_usage import record


class Asked:
    """A request as the door sees it, of a key that was let in."""

    def __init__(self, tenant: Any, key: UUID | None, query: str, *more: str) -> None:
        may = scopes.expanded([scopes.USE, *more])
        self.auth = KeyHolder(key, tenant.pk, tenant.slug, "x", may, None, "key" if key else "own")
        self.GET = QueryDict(query)


def ask(tenant: Any, key: UUID | None, query: str = "", *more: str) -> dict[str, Any]:
    answer = async_to_sync(usage.own_usage)(Asked(tenant, key, query, *more))
    return json.loads(answer.content)


@pytest.mark.django_db(transaction=True)
def test_a_key_sees_its_own_calls_and_with_the_scope_its_tenants(clock):
    mine, other = factories.make_tenant(), factories.make_tenant()
    key = uuid4()
    record(mine.pk, key_id=key, ago=90, cost_nano=None, price_state="unpriced")
    record(mine.pk, key_id=uuid4())
    record(other.pk, key_id=uuid4())
    for _ in range(2):  # before and after they are summed
        own = ask(mine, key, "by=model")
        assert [(one["model"], one["requests"], one["unpriced"]) for one in own["data"]] == [("gpt-x", 1, 1)]
        assert (own["tenant"], own["key"]) == (mine.slug, str(key))
        whole = ask(mine, key, "by=key,day", scopes.USAGE)
        assert ([one["requests"] for one in whole["data"]], whole["key"]) == ([1, 1], None)
        clock.advance(120)
        rollup.run()


@pytest.mark.django_db(transaction=True)
def test_a_stretch_is_named_by_a_window_or_by_its_ends(clock):
    tenant = factories.make_tenant()
    record(tenant.pk, ago=3 * 86_400)
    assert ask(tenant, None, "", scopes.USAGE)["data"] == []
    assert ask(tenant, None, "window=week", scopes.USAGE)["data"][0]["requests"] == 1
    since = (clocks.now() - timedelta(days=4)).strftime("%Y-%m-%d")
    assert ask(tenant, None, f"since={since}", scopes.USAGE)["data"][0]["requests"] == 1
    assert ask(tenant, None, f"since={since}&until={int(clocks.unix()) - 90_000}", scopes.USAGE)["data"] != []


@pytest.mark.parametrize(
    "query", ["by=account", "by=colour", "window=eon", "since=soon", "since=2020-01-01", "window=year&by=hour",
              "until=99999999999999", "until=0001-01-01", "until=9999-12-31T23:59:59-23:00",
              "since=2026-01-02&until=2026-01-01"]
)  # fmt: skip
def test_what_is_no_question_is_refused_before_anything_is_read(query):
    with pytest.raises(BadRequest):
        ask(factories.Tenant(slug="x"), uuid4(), query)


def test_who_shares_its_records_with_others_needs_the_scope():
    with pytest.raises(Forbidden):
        ask(factories.Tenant(slug="x"), None)


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_away_is_503(monkeypatch):
    def away(*_: Any, **__: Any) -> Any:
        raise django.db.OperationalError("away")

    monkeypatch.setattr(usage_sums, "sums", away)
    with pytest.raises(Unavailable):
        ask(factories.Tenant(slug="x"), uuid4())
