"""Providers with hundreds of accounts: what a plan holds and what people are told stays small."""

from dataclasses import replace
from uuid import UUID

import pytest

from routing import explaining, health, planner
from routing.explaining import SHOWN_AT_MOST, Wish
from routing.plan import NAMED_AT_MOST, Plan
from routing.snapshot import Snapshot
from tests.routing.pictures import TENANT, catalog, credential, picture

MANY = 300
HELD = [credential("openai", id=UUID(int=number), label=f"number {number}") for number in range(1, MANY + 1)]
SIGNED_IN = [replace(one, kind="oauth_bearer") for one in HELD]


def plan(snapshot: Snapshot, dialect: str = "openai_chat", model: str = "gpt-x") -> Plan:
    now = health.clock.monotonic()
    return planner.plan(model=model, dialect=dialect, tenant=TENANT, snapshot=snapshot, now=now)


def test_accounts_struck_out_for_one_reason_are_counted_not_listed() -> None:
    found = plan(picture(*SIGNED_IN), "openai_embeddings", "any")
    assert found.refusal == "dialect_not_served"
    assert len(found.excluded) == NAMED_AT_MOST + 1
    assert sum(row.more or 1 for row in found.excluded) == MANY


def test_accounts_that_rest_are_counted_by_reason() -> None:
    for place, one in enumerate(HELD[1:]):
        health.rest(one.id, 60.0, kind="rate_limited" if place % 2 else "auth")
    found = plan(picture(*HELD))
    assert [one.credential for one in found.candidates] == HELD[:1]
    assert {row.code for row in found.excluded} == {"resting", "refused"}
    assert len(found.excluded) == 2 * (NAMED_AT_MOST + 1)
    assert sum(row.more or 1 for row in found.excluded) == MANY - 1


def test_what_is_remembered_of_a_refusal_weighs_what_it_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    snapshot, weights = picture(*SIGNED_IN), []
    monkeypatch.setattr(type(snapshot.memo), "put", lambda self, key, answer, *, weight: weights.append(weight))
    found = plan(snapshot, "openai_embeddings", "any")
    assert len(found.excluded) < weights[-1] < 20


def test_people_are_told_how_many_more_were_left_out() -> None:
    wish = Wish(model="any", tenant=TENANT, dialect="openai_embeddings")
    left = next(one for one in explaining.explain(wish, picture(*SIGNED_IN)).left_out if one.provider == "OpenAI")
    assert left.accounts == tuple(f"number {number}" for number in range(1, NAMED_AT_MOST + 1))
    assert left.who.endswith(f"and {MANY - NAMED_AT_MOST} more)")


def test_people_are_shown_the_first_candidates_and_told_how_many_follow() -> None:
    found = explaining.explain(
        Wish(model="gpt-x", tenant=TENANT), picture(*HELD, catalogs={"openai": catalog("gpt-x")})
    )
    assert len(found.steps) == SHOWN_AT_MOST
    assert found.unshown == MANY - SHOWN_AT_MOST
    assert any(f"Of {MANY} equal accounts" in why for why in found.steps[0].why)
    assert not any("equal accounts" in why for step in found.steps[1:] for why in step.why)
