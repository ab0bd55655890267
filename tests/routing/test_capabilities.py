"""What is known of a model at a provider, and whose word counts."""

from decimal import Decimal
from typing import Any

import pytest

from routing.capabilities import Facts, Known, PriceList, facts_of, spellings
from routing.models import CatalogModel, FactSetting
from routing.pricing import Price
from routing.providers import generic, load
from routing.snapshot import build
from tests.factories import make_credential

REGISTRY = load()
LISTED = Facts(context_window=1000, images=False, price=Price(input=1, output=1, source="provider"))
MAKER = Facts(context_window=9, tools=True, price=Price(input=5, output=5, source="list"))


def known(**fields: Any) -> Known:
    """Return facts with a maker's word on `big`, and these."""
    return Known(**{"list": PriceList({}, {"big": MAKER}), **fields})


def test_an_unknown_model_has_no_facts_at_all() -> None:
    assert facts_of(REGISTRY["vivgrid"], "nobody-knows-it", Known()) == Facts()


def test_the_operators_word_goes_before_the_providers_and_that_before_the_list() -> None:
    settings = {("groq", "big"): Facts(tools=False), ("", "big"): Facts(tools=True, max_output=7)}
    found = facts_of(REGISTRY["groq"], "Big", known(settings=settings, listed={"groq": {"big": LISTED}}))
    assert (found.tools, found.max_output, found.context_window) == (False, 7, 1000)
    assert found.price is LISTED.price


def test_another_providers_list_says_nothing_here() -> None:
    assert facts_of(REGISTRY["openai"], "big", known(listed={"groq": {"big": LISTED}})).context_window == 9


def test_the_makers_price_is_called_so_at_a_reseller_and_is_none_at_a_private_provider() -> None:
    reseller = facts_of(REGISTRY["groq"], "big", known()).price
    assert reseller is not None
    assert (reseller.input, reseller.source) == (5, "maker")
    assert facts_of(generic("lab", "http://10.0.0.5:8000"), "big", known()).price is None


def test_a_providers_own_entry_goes_before_the_makers() -> None:
    own = Facts(price=Price(input=3, output=3, source="list"))
    price = facts_of(REGISTRY["groq"], "big", known(list=PriceList({"groq": {"big": own}}, {"big": MAKER}))).price
    assert price == own.price


def test_our_own_machines_cost_nothing() -> None:
    price = facts_of(REGISTRY["ollama"], "big", known()).price
    assert price is not None
    assert (price.input, price.output, price.source) == (0, 0, "local")


def test_a_provider_that_refuses_pictures_lacks_them_whatever_the_model_could() -> None:
    seeing = known(list=PriceList({}, {"big": Facts(images=True)}))
    assert facts_of(REGISTRY["cerebras"], "big", seeing).images is False
    assert facts_of(REGISTRY["groq"], "big", seeing).images is True


@pytest.mark.parametrize(
    ("asked", "form"),
    [
        ("vendor/path/big", "big"),
        ("big-2025-08-07", "big"),
        ("big-20250807", "big"),
        ("big-latest", "big"),
        ("anthropic/claude-sonnet-4.5", "claude-sonnet-4-5"),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5"),
        ("gpt-oss:120b", "gpt-oss-120b"),
        ("big:latest", "big"),
    ],
)
def test_a_name_is_found_without_vendor_date_and_decoration(asked: str, form: str) -> None:
    assert form in list(spellings(asked))


@pytest.mark.parametrize("other", ["big-mini", "bigger", "big-2411", "mini-big", "big-preview"])
def test_a_like_name_is_another_model(other: str) -> None:
    assert facts_of(REGISTRY["groq"], other, known()).price is None


@pytest.mark.django_db
def test_a_picture_answers_from_rows_and_lists_and_remembers() -> None:
    make_credential("openai")
    CatalogModel.objects.create(provider_id="openai", model_id="Odd", inputs=["text", "image"], price={"input": 1})
    FactSetting.objects.create(model="odd", tools=False, price_input=Decimal("0.5"), price_output=Decimal(2))
    snapshot = build()
    facts = snapshot.facts_of("openai", "Odd")
    assert (facts.images, facts.audio, facts.pdf, facts.tools) == (True, False, None, False)
    assert facts.price is not None
    assert (facts.price.input, facts.price.source) == (500_000_000, "console")
    assert snapshot.facts_of("openai", "Odd") is facts


@pytest.mark.django_db
def test_a_damaged_price_in_a_row_is_no_price() -> None:
    make_credential("openai")
    CatalogModel.objects.create(provider_id="openai", model_id="odd", price={"input": "much"})
    assert build().facts_of("openai", "odd").price is None
