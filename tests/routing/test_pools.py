"""An alias may stand for several models, tried in order, some of them only for a reasoning effort."""

import pytest

from routing import planner
from routing.models import ModelExclusion, ModelPreference
from routing.plan import Plan
from routing.question import NOTHING_SAID, Question, Said
from routing.snapshot import Snapshot
from routing.snapshot.building import build
from tests.factories import make_credential
from tests.routing.pictures import TENANT, catalog, credential, picture

HELD = ("openai", "groq")
LISTS = {"openai": catalog("gpt-x", "gpt-y"), "groq": catalog("llama", "gpt-x")}


def pool(*targets: str, name: str = "best") -> Snapshot:
    return picture(*(credential(one) for one in HELD), catalogs=LISTS, aliases={name: targets})


def plan(snapshot: Snapshot, model: str = "best", question: Question = NOTHING_SAID) -> Plan:
    return planner.plan(
        model=model, dialect="openai_chat", tenant=TENANT, snapshot=snapshot, now=0.0, question=question
    )


def ways(found: Plan) -> list[str]:
    return [f"{one.provider.id}/{one.model}" for one in found.candidates]


def test_targets_are_tried_in_order_each_at_all_its_providers() -> None:
    found = plan(pool("llama", "gpt-x", "groq/gpt-x"))
    assert ways(found) == ["groq/llama", "openai/gpt-x", "groq/gpt-x"]
    assert (found.alias, found.requested) == ("best", "best")


def test_targets_that_nobody_has_are_passed_over() -> None:
    assert ways(plan(pool("missing", "llama"))) == ["groq/llama"]
    assert plan(pool("missing", "gone")).refusal == "unknown_model"


def test_a_pool_may_have_the_name_of_a_real_model_and_goes_before_it() -> None:
    assert ways(plan(pool("llama", name="gpt-y"), "gpt-y")) == ["groq/llama"]


def test_a_provider_named_before_the_model_beats_an_alias_of_the_rest() -> None:
    assert ways(plan(pool("llama", name="gpt-y"), "openai/gpt-y")) == ["openai/gpt-y"]


@pytest.mark.parametrize(
    ("effort", "order"),
    [
        ("", ["openai/gpt-y"]),
        ("minimal", ["openai/gpt-x", "groq/gpt-x", "groq/llama", "openai/gpt-y"]),
        ("low", ["openai/gpt-x", "groq/gpt-x", "groq/llama", "openai/gpt-y"]),
        ("medium", ["groq/llama", "openai/gpt-x", "groq/gpt-x", "openai/gpt-y"]),
        ("high", ["groq/llama", "openai/gpt-x", "groq/gpt-x", "openai/gpt-y"]),
        ("xhigh", ["groq/llama", "openai/gpt-x", "groq/gpt-x", "openai/gpt-y"]),
    ],
)
def test_the_effort_chooses_its_tier_then_higher_ones_then_lower_ones(effort: str, order: list[str]) -> None:
    snapshot = pool("gpt-y", "high:llama", "low:gpt-x")
    assert ways(plan(snapshot, question=Said(effort=effort))) == order


def test_without_an_effort_a_pool_of_tiers_alone_is_taken_as_it_stands() -> None:
    assert ways(plan(pool("high:llama", "low:gpt-y"))) == ["groq/llama", "openai/gpt-y"]


@pytest.mark.parametrize("effort", ["", "low", "high"])
def test_a_target_of_any_effort_that_nobody_has_does_not_hide_those_of_an_effort(effort: str) -> None:
    assert ways(plan(pool("high:llama", "missing"), question=Said(effort=effort))) == ["groq/llama"]


def test_a_pool_whose_only_target_for_no_effort_is_missing_still_goes_by_the_effort() -> None:
    snapshot = pool("missing", "high:llama", "low:gpt-y")
    assert ways(plan(snapshot)) == ["groq/llama", "openai/gpt-y"]
    assert ways(plan(snapshot, question=Said(effort="low"))) == ["openai/gpt-y", "groq/llama"]


def test_nobody_asks_for_the_effort_where_no_target_names_one() -> None:
    class Silent(Question):
        def effort(self) -> str:
            raise AssertionError

    assert plan(pool("llama", "gpt-x:free"), question=Silent()).candidates


@pytest.mark.django_db
def test_a_pool_is_a_row_with_a_target_a_line_and_can_be_switched_off() -> None:
    make_credential("openai")
    row = ModelPreference.objects.create(name="best", alias_of="high:gpt-x\n\n gpt-y ")
    assert build().aliases == {"best": ("high:gpt-x", "gpt-y")}
    row.alias_enabled = False
    row.save()
    assert build().aliases == {}


@pytest.mark.django_db
def test_an_excluded_model_is_not_had_from_its_provider_but_from_others(settings) -> None:
    settings.EXCLUDED_PROVIDER_MODELS = ("openai:gpt-x", "nonsense")
    for one in HELD:
        make_credential(one)
    ModelExclusion.objects.create(provider_id="groq", pattern="*LLAMA*")
    snapshot = build()
    assert ways(plan(snapshot, "gpt-x")) == ["groq/gpt-x"]
    assert plan(snapshot, "openai/gpt-x").refusal == "excluded"
    assert [row.provider_id for row in plan(snapshot, "meta/Llama-3").excluded if row.code == "excluded"] == ["groq"]
    assert any("nonsense" in fault for fault in snapshot.faults)
