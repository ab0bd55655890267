"""What the names of models tell."""

import pytest

from proxx.protocols.hub.facts import facts_of
from proxx.protocols.hub.target import ModelFacts


@pytest.mark.parametrize(
    ("model", "thinking", "max_output"),
    [
        ("claude-3-5-sonnet-20241022", "none", 8192),
        ("claude-3-haiku-20240307", "none", 4096),
        ("claude-3-7-sonnet-latest", "manual", 64_000),
        ("claude-opus-4-20250514", "manual", 32_000),
        ("claude-sonnet-4-0", "manual", 64_000),
        ("claude-opus-4-1-20250805", "manual", 32_000),
        ("claude-sonnet-4-5-20250929", "manual", 64_000),
        ("claude-opus-4-6", "both", 128_000),
        ("claude-opus-4-7", "adaptive", 128_000),
        ("claude-sonnet-5", "adaptive", 128_000),
        ("gpt-4o-mini", "none", 16_384),
        ("gpt-5.2", "effort", 128_000),
        ("o3-mini", "effort", 100_000),
        ("gemini-2.5-flash", "budget", 65_536),
        ("gemini-3-pro-preview", "level", 65_536),
    ],
)
def test_a_generation_is_known_by_name(model: str, thinking: str, max_output: int):
    facts = facts_of(model)
    assert (facts.thinking, facts.max_output) == (thinking, max_output)


@pytest.mark.parametrize(
    "model",
    ["anthropic/claude-opus-4.6", "claude-opus-4-6[1m]", "us.anthropic.claude-opus-4-6-v1:0", "Claude-4.6-Opus"],
)
def test_a_vendor_in_front_dots_and_suffixes_make_no_other_model(model: str):
    assert facts_of(model) == facts_of("claude-opus-4-6")


def test_claude_models_differ_in_how_they_are_kept_from_thinking():
    """D99."""
    assert facts_of("claude-opus-5-5").always_thinks
    assert facts_of("claude-fable-5").always_thinks
    assert not facts_of("claude-opus-5").always_thinks
    assert facts_of("claude-sonnet-5-5").off == "between_tools"


def test_prefills_sampling_and_schemas_go_by_generation():
    """D32, D102, D104."""
    old, middle, new = facts_of("claude-sonnet-4-5"), facts_of("claude-opus-4-6"), facts_of("claude-opus-4-8")
    assert (old.prefill, old.sampling, old.one_sampling, old.native_schema) == (True, True, True, True)
    assert (middle.prefill, middle.sampling, middle.system_in_place) == (False, True, False)
    assert (new.prefill, new.sampling, new.system_in_place) == (False, False, True)
    assert facts_of("claude-sonnet-4-20250514").native_schema is False


def test_reasoning_models_of_openai_name_their_limit_anew():
    """D107."""
    assert facts_of("gpt-5-mini").limit_name == facts_of("o4-mini").limit_name == "max_completion_tokens"
    assert facts_of("gpt-5").efforts == ("minimal", "low", "medium", "high")
    assert "off" in facts_of("gpt-5.1").efforts
    assert facts_of("gpt-oss-120b").family != facts_of("gpt-5").family


def test_an_unknown_name_has_no_facts():
    assert facts_of("my-own-model") == ModelFacts()
    assert facts_of("moonshotai/Kimi-K2.5").family == "kimi"
