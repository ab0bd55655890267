"""Names that leave the choice to proxx: models that fit the request, best first by the order that the name asks for."""

from typing import Any
from uuid import UUID

import pytest

from routing import auto, health, planner
from routing.capabilities import Facts, Known
from routing.permits import Permit
from routing.plan import Plan
from routing.pricing import Price
from routing.question import Question, Said
from routing.snapshot import ModelEntry, Snapshot
from tests.routing.pictures import TENANT, catalog, credential, picture

MODELS = {
    "claude-opus-4-6": Facts(images=True, tools=True, context_window=200_000, price=Price(input=9, output=9)),
    "gpt-5.4-pro": Facts(images=True, tools=True, context_window=400_000, price=Price(input=50, output=50)),
    "odd-cheap": Facts(images=False, tools=False, context_window=8_000, price=Price(input=1, output=1)),
    "odd-unpriced": Facts(),
}
OPENAI = credential("openai", id=UUID(int=1))
GROQ = credential("groq", id=UUID(int=2))


def listing(**fields: Any) -> Snapshot:
    known = Known({("", name): facts for name, facts in MODELS.items()})
    names = [*MODELS, "text-embedding-3-small"]
    entries = tuple(ModelEntry(name, "openai", 0, {"is_alias": False}) for name in names)
    entries += (ModelEntry("best", "openai", 0, {"is_alias": True}),)
    lists = {"openai": catalog(*names[:2]), "groq": catalog(*names[2:])}
    return picture(OPENAI, GROQ, catalogs=lists, known=known, models=entries, **fields)


def plan(snapshot: Snapshot, name: str, question: Question | None = None, now: float = 0.0, **fields: Any) -> Plan:
    asked = {"dialect": "openai_chat", "tenant": TENANT, "now": now, **fields}
    return planner.plan(model=name, snapshot=snapshot, question=question or Said(), **asked)


def order(snapshot: Snapshot, name: str, **fields: Any) -> list[str]:
    return list(dict.fromkeys(one.model for one in plan(snapshot, name, **fields).candidates))


def test_cheapest_is_by_price_and_the_unpriced_come_last() -> None:
    expected = ["odd-cheap", "claude-opus-4-6", "gpt-5.4-pro", "odd-unpriced"]
    assert order(listing(), "auto:cheapest") == expected
    assert list(plan(listing(), "auto:cheapest").auto) == expected
    assert plan(listing(), "AUTO:Cheapest").alias == "AUTO:Cheapest"


def test_smartest_is_by_the_table() -> None:
    assert order(listing(), "auto:smartest")[:2] == ["gpt-5.4-pro", "claude-opus-4-6"]


def test_fastest_is_who_was_measured_to_be() -> None:
    health.spoke(GROQ.id, "odd-unpriced", 0.1)
    health.spoke(OPENAI.id, "gpt-5.4-pro", 0.3)
    assert order(listing(), "auto:fastest")[:2] == ["odd-unpriced", "gpt-5.4-pro"]


def test_healthiest_is_who_has_accounts_that_do_not_rest() -> None:
    snapshot = listing()
    now = health.clock.monotonic()
    health.rest(OPENAI.id, 60.0, model="gpt-5.4-pro", is_soft=True)
    assert order(snapshot, "auto:healthiest", now=now) == [
        "claude-opus-4-6",
        "odd-cheap",
        "odd-unpriced",
        "gpt-5.4-pro",
    ]


def test_a_ranking_is_made_anew_after_some_seconds() -> None:
    snapshot = listing()
    first = order(snapshot, "auto:fastest", now=0.0)
    health.spoke(GROQ.id, "odd-unpriced", 0.1)
    assert order(snapshot, "auto:fastest", now=auto.LASTS - 1) == first
    assert order(snapshot, "auto:fastest", now=auto.LASTS + 1)[0] == "odd-unpriced" != first[0]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (Said(needs={"images"}), ["claude-opus-4-6", "gpt-5.4-pro", "odd-unpriced"]),
        (Said(needs={"tools"}), ["claude-opus-4-6", "gpt-5.4-pro", "odd-unpriced"]),
        (Said(size=60_000), ["claude-opus-4-6", "gpt-5.4-pro", "odd-unpriced"]),
        (Said(size=6 * 300_000), ["gpt-5.4-pro", "odd-unpriced"]),
    ],
    ids=["images", "tools", "longer", "longest"],
)
def test_only_models_that_fit_the_request_are_chosen(said: Said, expected: list[str]) -> None:
    assert order(listing(), "auto:cheapest", question=said) == expected


def test_vision_wants_eyes_even_without_a_picture() -> None:
    assert order(listing(), "auto:vision") == ["gpt-5.4-pro", "claude-opus-4-6", "odd-unpriced"]


def test_no_more_are_tried_than_the_setting_says(settings: Any) -> None:
    settings.PROXY_AUTO_MODEL_MAX_CANDIDATES = 2
    assert order(listing(), "auto:cheapest") == ["odd-cheap", "claude-opus-4-6"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("auto:cephalon", "cephalon:cheapest"),
        ("auto:cephalon:fastest", "cephalon:fastest"),
        ("auto:cephalon:smartest", "cephalon:smartest"),
        ("auto:cephalon:healthiest", ""),
        ("auto:vision:x", ""),
        ("auto:", ""),
        ("openrouter/auto", ""),
    ],
)
def test_each_part_of_a_name_is_read(name: str, expected: str) -> None:
    assert auto.order_of(name) == expected


def test_cephalon_takes_small_models_those_of_our_own_machines_first() -> None:
    names = ("gpt-5-mini", "gpt-5", "qwen3:4b", "hermes")
    entries = tuple(ModelEntry(name, "openai", 0, {}) for name in names)
    lists = {"openai": catalog(*names[:2]), "ollama": catalog(*names[2:])}
    snapshot = picture(OPENAI, catalogs=lists, models=entries, order=("ollama", "openai"))
    assert order(snapshot, "auto:cephalon:smartest") == ["hermes", "qwen3:4b", "gpt-5-mini"]


def test_a_name_that_means_something_else_keeps_its_meaning() -> None:
    assert order(listing(aliases={"auto:cheapest": ("gpt-5.4-pro",)}), "auto:cheapest") == ["gpt-5.4-pro"]
    snapshot = picture(GROQ, catalogs={"groq": catalog("llama")}, declared=frozenset({"auto:cheapest"}))
    assert order(snapshot, "auto:cheapest") == ["auto:cheapest"]


def test_a_provider_that_lists_such_a_name_does_not_take_it_over() -> None:
    entries = tuple(ModelEntry(name, "groq", 0, {}) for name in ("auto:cheapest", "llama"))
    snapshot = picture(GROQ, catalogs={"groq": catalog("auto:cheapest", "llama")}, models=entries)
    assert plan(snapshot, "auto:cheapest").auto == ("llama",)
    assert order(snapshot, "groq/auto:cheapest") == ["auto:cheapest"]


def test_a_provider_whose_list_is_unknown_is_not_asked_for_such_a_name() -> None:
    assert plan(picture(OPENAI), "auto:cheapest").refusal == "no_model_fits"


def test_only_what_the_caller_may_use_is_chosen() -> None:
    def chosen(**lists: tuple[str, ...]) -> list[str]:
        return order(listing(permits={TENANT.id: Permit(**lists)}), "auto:cheapest")

    assert chosen(models=("gpt-*",)) == ["gpt-5.4-pro"]
    assert chosen(models=("auto:*",), denied_models=("odd-*",)) == ["claude-opus-4-6", "gpt-5.4-pro"]
    assert chosen(denied_providers=("openai",)) == ["odd-cheap", "odd-unpriced"]
