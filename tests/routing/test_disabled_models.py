"""Models that the operator refuses: under all their names, to everybody, at every door."""

import pytest

from routing import planner
from routing.plan import Plan
from routing.snapshot import Snapshot
from tests.routing.pictures import TENANT, catalog, credential, picture


def plan(model: str, snapshot: Snapshot) -> Plan:
    return planner.plan(model=model, dialect="openai_chat", tenant=TENANT, snapshot=snapshot, now=0.0)


def ways(found: Plan) -> list[tuple[str, str]]:
    return [(one.provider.id, one.model) for one in found.candidates]


@pytest.mark.parametrize(
    "name", ["gpt-x", "GPT-X", "openai/gpt-x", "fast", "gpt-x:latest", "openai/gpt-x:latest", "free/gpt-x"]
)
def test_a_disabled_model_is_refused_under_all_its_names(name: str) -> None:
    snapshot = picture(credential("openai"), disabled=frozenset({"gpt-x"}), aliases={"fast": "gpt-x"})
    assert plan(name, snapshot).refusal == "model_disabled"


def test_a_provider_whose_own_name_for_a_model_is_disabled_is_not_asked_for_it() -> None:
    lists = {"openai": catalog("gpt-x"), "requesty": catalog("openai/gpt-x")}
    snapshot = picture(
        credential("openai"), credential("requesty"), catalogs=lists, disabled=frozenset({"openai/gpt-x"})
    )
    assert ways(plan("gpt-x", snapshot)) == [("openai", "gpt-x")]
    assert ("requesty", "model_disabled") in {(row.provider_id, row.code) for row in plan("gpt-x", snapshot).excluded}


def test_a_path_of_one_provider_is_refused_for_a_disabled_or_excluded_model() -> None:
    def passed(model: str) -> str | None:
        snapshot = picture(
            credential("openai"), disabled=frozenset({"gpt-x"}), exclusions={"openai": ("gpt-y",), "groq": ("gpt-z",)}
        )
        return planner.accounts(
            "openai", path="/x", protocol="openai_chat", snapshot=snapshot, now=0.0, model=model
        ).refusal

    refused = {"gpt-x": "model_disabled", "GPT-X:latest": "model_disabled", "gpt-y": "excluded"}
    assert {model: passed(model) for model in refused} == refused
    assert [passed(model) for model in ("gpt-z", "")] == [None, None]


def test_a_disabled_alias_is_refused_although_its_target_is_not() -> None:
    snapshot = picture(credential("openai"), disabled=frozenset({"fast"}), aliases={"fast": "gpt-x"})
    assert plan("fast", snapshot).refusal == "model_disabled"
