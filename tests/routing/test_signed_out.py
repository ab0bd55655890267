"""Explain names the accounts that somebody has to sign in to again, where they might have served the model."""

from dataclasses import replace

from routing import explaining
from routing.explaining import Wish
from tests.routing.pictures import TENANT, catalog, credential, picture

LOST = ("sam@example.com", "kim@example.com")


def said(model, *held, **catalogs):
    snapshot = replace(picture(*held, catalogs=catalogs), signed_out={"openai": LOST})
    left_out = explaining.explain(Wish(model=model, tenant=TENANT), snapshot).left_out
    return [(one.provider, one.reason, one.accounts) for one in left_out if "signed in again" in one.reason]


def test_an_account_that_has_to_be_signed_in_again_is_named_where_nobody_else_can_serve():
    assert said("gpt-x") == [("OpenAI", "has to be signed in again", LOST)]


def test_it_is_named_beside_the_accounts_of_its_provider_that_serve():
    own = credential("openai")
    assert said("gpt-x", own, openai=catalog("gpt-x")) == [("OpenAI", "has to be signed in again", LOST)]


def test_it_is_no_matter_for_a_model_that_another_provider_serves():
    own = credential("groq")
    assert said("groq/some-model", own, groq=catalog("some-model")) == []
