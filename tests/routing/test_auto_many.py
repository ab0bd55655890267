"""Names that leave the choice to proxx where accounts and models are many: little is worked out, and for all alike."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from routing import auto, chosen, health, planner, providers
from routing.capabilities import Facts, Known
from routing.plan import Plan
from routing.pricing import Price
from routing.question import Question, Said
from routing.snapshot import ModelEntry, Snapshot
from tests.routing.pictures import TENANT, catalog, credential, picture

MANY = 40
MODELS = tuple(f"odd-{number:02}" for number in range(30))
HELD = [credential("openai", id=UUID(int=number)) for number in range(1, MANY + 1)]


def listing(held: Any = HELD, **fields: Any) -> Snapshot:
    facts = {
        ("", name): Facts(tools=place > 2, context_window=8000 * (place + 1), price=Price(input=place + 1, output=1))
        for place, name in enumerate(MODELS)
    }
    entries = tuple(ModelEntry(name, "openai", 0, {}) for name in MODELS)
    known = {"known": Known(facts), "models": entries, "catalogs": {"openai": catalog(*MODELS)}}
    return picture(*held, **{**known, **fields})


def plan(snapshot: Snapshot, name: str = "auto:cheapest", question: Question | None = None, **fields: Any) -> Plan:
    asked = {"dialect": "openai_chat", "tenant": TENANT, "now": health.clock.monotonic(), **fields}
    return planner.plan(model=name, snapshot=snapshot, question=question or Said(), **asked)


def models(found: Plan) -> list[str]:
    return list(dict.fromkeys(one.model for one in found.candidates))


def test_each_model_gives_as_many_accounts_as_a_call_may_try(settings: Any) -> None:
    settings.PROXY_MAX_ATTEMPTS = 3
    found = plan(listing())
    assert [one.model for one in found.candidates[:6]] == [MODELS[0]] * 3 + [MODELS[1]] * 3
    assert len(found.candidates) == 3 * settings.PROXY_AUTO_MODEL_MAX_CANDIDATES
    assert models(found) == list(found.auto)


def test_calls_that_differ_share_what_is_known_of_a_model(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    found_by = chosen.routes.found
    monkeypatch.setattr(chosen.routes, "found", lambda said, snapshot: asked.append(said) or found_by(said, snapshot))
    snapshot, seen = listing(), set()
    for name in ("auto:cheapest", "AUTO:Cheapest", "auto:smartest"):
        for size in range(0, 400_000, 20_000):
            for needs in (set(), {"tools"}, {"tools", "images"}):
                seen |= set(plan(snapshot, name, Said(needs=needs, size=size)).auto)
    assert len(seen) > 12
    assert len([one for one in asked if one.pool]) == len(seen)


def test_accounts_that_rest_leave_their_places_to_others(settings: Any) -> None:
    settings.PROXY_MAX_ATTEMPTS = 3
    snapshot = listing()
    for one in HELD[:-1]:
        health.rest(one.id, 60.0)
    found = plan(snapshot)
    assert {one.credential for one in found.candidates} == {HELD[-1]}
    assert models(found) == list(found.auto)
    health.rest(HELD[-1].id, 30.0)
    found = plan(snapshot)
    assert found.refusal == "all_resting"
    assert found.retry_after == pytest.approx(30.0, abs=1.0)


def test_an_account_that_rests_for_one_model_is_asked_for_another() -> None:
    one = HELD[0]
    health.rest(one.id, 60.0, model=MODELS[0])
    found = plan(listing([one]))
    assert models(found) == list(found.auto[1:])


def test_those_that_failed_lately_come_after_all_models(settings: Any) -> None:
    settings.PROXY_AUTO_MODEL_MAX_CANDIDATES = 2
    health.rest(HELD[0].id, 60.0, model=MODELS[0], is_soft=True)
    found = plan(listing(HELD[:2]))
    assert [(one.model, one.credential) for one in found.candidates][-1] == (MODELS[0], HELD[0])


def test_accounts_without_room_are_not_counted(settings: Any) -> None:
    settings.PROXY_MAX_ATTEMPTS, settings.PROXY_AUTO_MODEL_MAX_CANDIDATES = 2, 1
    held = [replace(one, at_once=1) for one in HELD[:6]]
    for one in held[:4]:
        health.begin(one.id)
    found = plan(listing(held), turns=lambda provider_id: 0)
    assert [one.credential for one in found.candidates] == held
    for one in held[:4]:
        health.done(one.id)
    assert len(plan(listing(held)).candidates) == 2


def test_two_names_of_one_model_are_tried_once() -> None:
    entries = tuple(ModelEntry(name, "openai", 0, {}) for name in ("odd-00", "odd-00:latest", "odd-01"))
    found = plan(listing(HELD[:1], models=entries))
    assert [one.model for one in found.candidates] == ["odd-00", "odd-01"]


@pytest.mark.parametrize("name", ["auto:healthiest", "auto:fastest"])
def test_rankings_look_at_the_names_that_providers_use(name: str) -> None:
    quirky = replace(providers.load()["openai"], quirks=frozenset({"vendor_prefix"}))
    entries = tuple(ModelEntry(one, "openai", 0, {}) for one in ("odd-00", "odd-01"))
    snapshot = listing(
        HELD[:1],
        providers={"openai": quirky},
        models=entries,
        catalogs={"openai": catalog("openai/odd-00", "openai/odd-01")},
    )
    if name == "auto:healthiest":
        health.rest(HELD[0].id, 60.0, model="openai/odd-00", is_soft=True)
    health.spoke(HELD[0].id, "openai/odd-00", 3.0)
    health.spoke(HELD[0].id, "openai/odd-01", 1.0)
    assert auto.ranked(auto.order_of(name), frozenset(), 0, snapshot, health.clock.monotonic()) == ["odd-01", "odd-00"]


def test_a_ranking_asks_no_account_that_does_not_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    health.rest(HELD[0].id, 60.0, model=MODELS[0], is_soft=True)
    met = []
    rests = health.rests

    class Watched(dict[Any, Any]):
        def get(self, key: Any, default: Any = None) -> Any:
            met.append(key)
            return super().get(key, default)

    monkeypatch.setattr(health, "rests", Watched(rests))
    ranked = auto.ranked("healthiest", frozenset(), 0, listing(), health.clock.monotonic())
    assert MODELS[0] not in ranked
    assert met == [HELD[0].id]
