"""Why the first account was asked: what a record keeps of a plan, and how people read it."""

from datetime import UTC, datetime

from proxx.kit import clock as clocks
from routing import health, plan_notes, planner
from routing.plan import Candidate, Plan
from routing.snapshot import Snapshot
from tests.routing.pictures import TENANT, credential, picture


def plan(snapshot: Snapshot, model: str = "openai/gpt-x") -> Plan:
    return planner.plan(model=model, dialect="openai_chat", tenant=TENANT, snapshot=snapshot, now=clocks.monotonic())


def noted(found: Plan, first: Candidate) -> plan_notes.Noted:
    said = plan_notes.read(plan_notes.written(found, first))
    assert isinstance(said, plan_notes.Noted)
    return said


def test_the_only_candidate_is_told_as_such() -> None:
    found = plan(picture(credential("openai")))
    said = noted(found, found.candidates[0])
    assert (said.place, said.of, said.is_bound, said.rule, said.out) == (1, 1, False, "", {})
    assert plan_notes.sentences(said) == ["It was the only candidate."]


def test_a_candidate_among_others_is_told_with_its_place_and_its_ordering() -> None:
    found = plan(picture(credential("openai"), credential("openai")))
    said = noted(found, found.candidates[1])
    assert (said.place, said.of, said.by) == (2, 2, found.candidates[1].strategy)
    assert "number 2 of 2" in plan_notes.sentences(said)[0]


def test_those_who_rest_are_counted_by_the_reason() -> None:
    away, there = credential("openai"), credential("openai")
    health.rest(away.id, 30)
    found = plan(picture(away, there))
    said = noted(found, found.candidates[0])
    assert said.out == {"resting": 1}
    assert any("left out" in sentence for sentence in plan_notes.sentences(said))


def test_the_name_of_a_rule_may_hold_any_word() -> None:
    said = plan_notes.read("1/2 weighted bound alias=fast out:failing=3 rule=a rule=b bound")
    assert said == plan_notes.Noted(1, 2, "weighted", True, "fast", "a rule=b bound", {"failing": 3})
    assert len(plan_notes.sentences(said)) == 5


def test_a_plan_that_named_nobody_says_why_and_until_when() -> None:
    away, other = credential("openai"), credential("openai")
    health.rest(away.id, 30, kind="connect_failed")
    health.rest(other.id, 90, kind="connect_failed")
    said = plan_notes.read(plan_notes.written(plan(picture(away, other)), None))
    assert said == plan_notes.NotedRefusal("all_failing", 30, {"failing": 2})
    assert plan_notes.sentences_of_refusal(said, datetime(2026, 11, 1, 23, 59, 45, tzinfo=UTC)) == [
        "No account was asked.",
        "Every credential that could serve this model has failed too often, and is left alone for a while.",
        "2 accounts were left out: each is left alone after failures.",
        "The first of them was to rest until 2 Nov, 00:00:15 UTC.",
    ]


def test_nothing_is_noted_of_a_plan_that_was_never_tried() -> None:
    assert plan_notes.written(plan(picture(credential("openai"))), None) == ""


def test_a_line_that_says_nothing_is_no_note() -> None:
    assert plan_notes.read("") is None
    assert plan_notes.read("nonsense/x y") is None
    assert plan_notes.read("none of_ours wait=3") is None
