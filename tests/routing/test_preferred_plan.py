"""Plans for a preferred dialect, and for a caller who brings a key of their own."""

from uuid import uuid4

import pytest

from proxx.kit.sealing import Secret
from routing import planner
from routing.snapshot.views import OWN_KEY
from tests.routing.pictures import TENANT, catalog, credential, picture


def asked(snapshot, model="gpt-x", dialect="openai_chat", **options):
    return planner.plan(model=model, dialect=dialect, tenant=TENANT, snapshot=snapshot, now=0.0, **options)


@pytest.mark.parametrize(
    ("dialect", "prefer", "protocol"),
    [
        ("openai_chat", "", "openai_chat"),
        ("openai_chat", "openai_responses", "openai_responses"),
        ("anthropic", "openai_responses", "openai_responses"),
        ("openai_chat", "gemini", "openai_chat"),
        ("openai_embeddings", "openai_responses", "openai_embeddings"),
    ],
)
def test_a_preferred_dialect_counts_where_the_provider_has_it_and_it_can_be_translated(dialect, prefer, protocol):
    """F-331."""
    snapshot = picture(credential("openai"))
    assert [one.protocol for one in asked(snapshot, dialect=dialect, prefer=prefer).candidates] == [protocol]
    assert [one.protocol for one in asked(snapshot, dialect=dialect).candidates] == [
        "openai_chat" if dialect == "anthropic" else dialect
    ], "what was remembered for one is not given to the other"


def own(snapshot, model="llama", provider_id="groq", dialect="openai_chat"):
    key = credential(provider_id, id=uuid4(), kind=OWN_KEY, secret=Secret("gsk-own"))
    plan = planner.with_own_key(
        model=model, dialect=dialect, provider_id=provider_id, credential=key, snapshot=snapshot
    )
    return plan, key


@pytest.mark.parametrize(
    ("model", "sent"),
    [("llama", "Llama"), ("groq/llama", "Llama"), ("openai/gpt-x", "openai/gpt-x"), ("new-model", "new-model")],
)
def test_an_own_key_leads_to_one_provider_at_its_own_address(model, sent):
    elsewhere = credential("groq", base_url="https://elsewhere.example.com")
    snapshot = picture(elsewhere, credential("openai"), catalogs={"groq": catalog("Llama")})
    plan, key = own(snapshot, model)
    (one,) = plan.candidates
    assert (one.provider.id, one.credential, one.key, one.model) == ("groq", key, key.id, sent)
    assert one.url == "https://api.groq.com/openai/v1/chat/completions"


def test_a_provider_without_an_account_of_ours_serves_own_keys_all_the_same():
    assert len(own(picture())[0].candidates) == 1


def test_what_the_operator_refuses_is_refused_to_own_keys_too():
    assert own(picture(disabled=frozenset({"llama"})))[0].refusal == "model_disabled"
    assert own(picture(disabled=frozenset({"llama"})), "llama:latest")[0].refusal == "model_disabled"
    assert own(picture(exclusions={"groq": ("llama",)}))[0].refusal == "excluded"
    assert own(picture(), dialect="openai_images")[0].refusal == "dialect_not_served"


def test_nothing_of_an_own_key_is_remembered():
    snapshot = picture(credential("groq"))
    _, key = own(snapshot)
    assert all(one.credential is not key for one in asked(snapshot, "llama").candidates)
