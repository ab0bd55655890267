"""A request does not go to a model that is known to lack what it needs; unknown never excludes."""

from typing import Any

import pytest

from routing import planner
from routing.capabilities import Facts, Known
from routing.plan import Plan
from routing.question import NEEDS, NOTHING_SAID, WISHED, Question, Said
from routing.snapshot import Snapshot
from tests.routing.pictures import TENANT, catalog, credential, picture

HELD = ("openai", "openrouter")
NOTHING = Facts()


def known(openai: Facts = NOTHING, openrouter: Facts = NOTHING, **fields: Any) -> Snapshot:
    """Return a picture in which both providers have `odd-x`, and these facts are known of it."""
    settings = {("openai", "odd-x"): openai, ("openrouter", "odd-x"): openrouter}
    lists = {one: catalog("odd-x", "seer") for one in HELD}
    return picture(*(credential(one) for one in HELD), catalogs=lists, known=Known(settings), **fields)


def plan(snapshot: Snapshot, question: Question = NOTHING_SAID, model: str = "odd-x", **fields: Any) -> Plan:
    asked = {"dialect": "openai_chat", "tenant": TENANT, "now": 0.0, **fields}
    return planner.plan(model=model, snapshot=snapshot, question=question, **asked)


def ways(found: Plan) -> list[str]:
    return [one.provider.id for one in found.candidates]


@pytest.mark.parametrize("need", NEEDS)
def test_who_is_known_to_lack_what_is_needed_is_struck_out(need: str) -> None:
    snapshot = known(openai=Facts(**{need: False}))
    found = plan(snapshot, Said(needs={need}))
    assert ways(found) == ["openrouter"]
    assert [(row.provider_id, row.code, row.model) for row in found.excluded] == [("openai", f"lacks_{need}", "odd-x")]
    assert ways(plan(snapshot)) == ["openai", "openrouter"]
    assert ways(plan(snapshot, Said(needs=set(NEEDS) - {need}))) == ["openai", "openrouter"]


@pytest.mark.parametrize("need", NEEDS)
def test_where_all_lack_it_a_need_is_refused_and_a_wish_is_not(need: str) -> None:
    found = plan(known(*[Facts(**{need: False})] * 2), Said(needs={need}))
    assert (ways(found) or found.refusal) == (["openai", "openrouter"] if need in WISHED else "not_able")


def test_a_request_that_is_too_long_goes_elsewhere_only_while_somebody_has_room() -> None:
    long = Said(size=9 * 100_000)  # at least 150,000 tokens
    narrow, wide = Facts(context_window=100_000), Facts(context_window=200_000)
    assert ways(plan(known(narrow, wide), long)) == ["openrouter"]
    assert ways(plan(known(narrow), long)) == ["openrouter"]  # nobody knows how much
    assert ways(plan(known(narrow, narrow), long)) == ["openai", "openrouter"]
    assert ways(plan(known(narrow, wide), Said(size=500_000))) == ["openai", "openrouter"]  # may fit


def test_nobody_asks_what_a_request_needs_where_nothing_is_known_to_lack() -> None:
    class Silent(Question):
        size = 10**9

        def needs(self, among: Any) -> frozenset[str]:
            raise AssertionError

        def text_bytes(self) -> int:
            raise AssertionError

    assert len(plan(known(Facts(images=True)), Silent()).candidates) == 2
    # A single model has nobody to make room for it, and its wishes nobody to turn to.
    alone = picture(credential("openai"), known=Known({("", "odd-x"): Facts(context_window=10, schema=False)}))
    assert plan(alone, Silent()).candidates


def test_only_what_is_lacking_is_asked_for() -> None:
    asked: list[frozenset[str]] = []

    class Heard(Question):
        def needs(self, among: Any) -> frozenset[str]:
            asked.append(frozenset(among))
            return frozenset()

    plan(known(Facts(audio=False), Facts(tools=False)), Heard())
    assert asked == [{"audio", "tools"}]


def test_pictures_for_a_model_that_draws_are_no_matter_of_eyes() -> None:
    snapshot = known(*[Facts(images=False)] * 2)
    found = plan(snapshot, Said(needs={"images"}), dialect="openai_images")
    assert found.refusal != "not_able"


def test_requests_with_pictures_go_to_the_model_that_is_named_for_them() -> None:
    snapshot = known(image_model="seer")
    found = plan(snapshot, Said(needs={"images"}))
    assert [one.model for one in found.candidates] == ["seer", "seer"]
    assert (found.requested, found.alias) == ("odd-x", "odd-x")
    assert [one.model for one in plan(snapshot).candidates] == ["odd-x", "odd-x"]


def test_a_tenants_model_for_pictures_goes_before_everybodys() -> None:
    from dataclasses import replace

    tenant = replace(TENANT, image_model="best")
    snapshot = known(image_model="seer", aliases={"best": ("openrouter/seer",)})
    assert ways(plan(snapshot, Said(needs={"images"}), tenant=tenant)) == ["openrouter"]
    assert len(plan(snapshot, Said(needs={"images"})).candidates) == 2


def test_a_model_for_pictures_that_nobody_has_changes_nothing() -> None:
    found = plan(known(image_model="missing"), Said(needs={"images"}))
    assert [one.model for one in found.candidates] == ["odd-x", "odd-x"]
    assert found.alias is None
