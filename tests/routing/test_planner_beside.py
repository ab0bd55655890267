"""plan() for what is served beside chat: exact dialects, embeddings from any to any, a model that draws instead."""

import pytest

from proxx.kit import clock as clocks
from routing import planner
from routing.plan import Plan
from routing.snapshot import Snapshot
from tests.routing.pictures import TENANT, credential, picture


def plan(model: str, snapshot: Snapshot, dialect: str) -> Plan:
    return planner.plan(model=model, dialect=dialect, tenant=TENANT, snapshot=snapshot, now=clocks.monotonic())


@pytest.mark.parametrize(
    ("model", "dialect", "url"),
    [
        ("openai/tts-1", "openai_speech", "https://api.openai.com/v1/audio/speech"),
        ("openai/whisper-1", "openai_transcriptions", "https://api.openai.com/v1/audio/transcriptions"),
        ("groq/whisper-large-v3", "openai_transcriptions", "https://api.groq.com/openai/v1/audio/transcriptions"),
        ("deepseek/deepseek-chat", "openai_completions", "https://api.deepseek.com/beta/completions"),
        ("openai/gpt-image-1", "openai_images", "https://api.openai.com/v1/images/generations"),
    ],
)
def test_what_is_passed_on_goes_to_who_speaks_just_that(model: str, dialect: str, url: str) -> None:
    found = plan(model, picture(credential(model.partition("/")[0])), dialect)
    assert [(one.protocol, one.url) for one in found.candidates] == [(dialect, url)]


@pytest.mark.parametrize("dialect", ["openai_speech", "openai_moderations", "openai_completions"])
def test_who_does_not_speak_it_is_not_asked(dialect: str) -> None:
    found = plan("anthropic/claude-x", picture(credential("anthropic")), dialect)
    assert (found.candidates, found.refusal) == ((), "dialect_not_served")


@pytest.mark.parametrize("dialect", ["openai_embeddings", "ollama_embed", "gemini_embed"])
def test_embeddings_lead_from_any_client_to_any_upstream(dialect: str) -> None:
    snapshot = picture(credential("openai"), credential("ollama"), credential("gemini"), credential("tei"))
    own = {"openai": "openai_embeddings", "ollama": "ollama_embed", "gemini": "gemini_embed", "tei": "tei_embeddings"}
    for provider, protocol in own.items():
        assert [one.protocol for one in plan(f"{provider}/m", snapshot, dialect).candidates] == [protocol]


def test_a_sign_in_account_draws_with_a_model_where_no_key_reaches_the_image_endpoint() -> None:
    """F-226."""
    account = credential("openai", kind="oauth_bearer")
    found = plan("openai/gpt-image-1", picture(account), "openai_images").candidates
    assert [(one.protocol, one.model, "codex_backend" in one.quirks) for one in found] == [
        ("openai_responses", "gpt-5.2-codex", True)
    ]
    kept = plan("openai/gpt-5.4", picture(account), "openai_images").candidates
    assert [one.model for one in kept] == ["gpt-5.4"]


def test_nobody_stands_in_where_one_has_the_image_endpoint() -> None:
    """F-226."""
    snapshot = picture(credential("openai", kind="oauth_bearer"), credential("openai"))
    found = plan("openai/gpt-image-1", snapshot, "openai_images").candidates
    assert [one.protocol for one in found] == ["openai_images"]
