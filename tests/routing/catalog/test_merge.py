"""Lists become rows; the revision is raised once, and only if something changed."""

from datetime import timedelta
from typing import Any

import pytest

from proxx.kit import clock as clocks
from routing import revision
from routing.catalog.merge import Look, store
from routing.catalog.sources import Listed
from routing.models import CatalogModel, CatalogState

pytestmark = pytest.mark.django_db


def look(*names: str, **facts: Any) -> Look:
    return Look("groq", tuple(Listed(name, **facts) for name in names))


def rows() -> list[str]:
    return [row.model_id for row in CatalogModel.objects.filter(provider_id="groq").order_by("position")]


def test_a_list_is_stored_in_its_order_and_follows_the_provider() -> None:
    assert store([look("b", "a")])
    assert rows() == ["b", "a"]
    assert store([look("a", "c")])
    assert rows() == ["a", "c"]


def test_the_same_list_again_changes_nothing_but_the_time(clock: clocks.Stopped) -> None:
    store([look("a")])
    before = revision.number()
    clock.advance(600)
    assert not store([look("a")])
    assert revision.number() == before
    assert CatalogState.objects.get().fetched_at == clocks.now()


def test_two_lists_raise_the_number_once() -> None:
    before = revision.number()
    store([look("a"), Look("openai", (Listed("gpt-x"),))])
    assert revision.number() == before + 1


def test_a_changed_fact_counts_and_the_first_sight_is_kept(clock: clocks.Stopped) -> None:
    store([look("a")])
    seen = CatalogModel.objects.get().first_seen_at
    clock.advance(60)
    assert store([look("a", context_window=1000)])
    row = CatalogModel.objects.get()
    assert (row.context_window, row.first_seen_at) == (1000, seen)


def test_a_fault_keeps_the_last_good_list_and_its_age(clock: clocks.Stopped) -> None:
    store([look("a")])
    good = clocks.now()
    clock.advance(60)
    assert not store([Look("groq", fault="The provider answered 500.")])
    state = CatalogState.objects.get()
    assert (rows(), state.fetched_at, state.tried_at) == (["a"], good, good + timedelta(seconds=60))
    assert state.fault == "The provider answered 500."


def test_an_old_list_that_is_confirmed_becomes_believable_again(clock: clocks.Stopped) -> None:
    store([look("a")])
    clock.advance(7200)
    assert store([look("a")])


def test_abilities_and_prices_are_stored_and_the_same_ones_again_are_no_change() -> None:
    facts: dict[str, Any] = {"inputs": ("text", "image"), "outputs": ("text",), "price": {"input": 1, "output": 2}}
    store([look("a", **facts)])
    row = CatalogModel.objects.get()
    assert (row.inputs, row.outputs, row.price) == (["text", "image"], ["text"], {"input": 1, "output": 2})
    assert not store([look("a", **facts)])
    assert store([look("a", **{**facts, "price": {"input": 1, "output": 3}})])


def test_what_the_database_does_not_take_is_that_providers_fault_alone() -> None:
    store([look("old")])
    store([look("new", display_name="\ud800"), Look("openai", (Listed("m"),))])
    assert rows() == ["old"]
    assert CatalogState.objects.get(provider_id="groq").fault == "The list cannot be stored."
    assert [row.model_id for row in CatalogModel.objects.filter(provider_id="openai")] == ["m"]
