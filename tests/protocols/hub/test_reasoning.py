"""The dial for thinking, in every dialect's spelling."""

import pytest

from proxx.protocols.hub.facts import facts_of
from proxx.protocols.hub.losses import Losses
from proxx.protocols.hub.reasoning import (
    ClaudeThinking,
    claude_thinking,
    effort_named,
    effort_of_budget,
    gemini_thinking,
    ollama_think,
    openai_effort,
)
from proxx.protocols.hub.request import ReasoningWish, Request
from proxx.protocols.hub.target import Target


def asked(
    effort: str, *, budget: int | None = None, limit: int | None = None, show: str = "none", by: str = "openai_chat"
) -> Request:
    return Request(by, "m", (), max_output=limit, reasoning=ReasoningWish(effort, budget, show))


def of(model: str) -> Target:
    return Target("p", model, "any", facts=facts_of(model))


def claude(request: Request, model: str, losses: Losses | None = None, max_tokens: int = 32_000) -> ClaudeThinking:
    return claude_thinking(request, of(model), request.max_output or max_tokens, losses or Losses())


@pytest.mark.parametrize(
    ("budget", "effort"),
    [
        (0, "off"),
        (1, "low"),
        (1024, "low"),
        (1025, "medium"),
        (8192, "medium"),
        (24576, "high"),
        (24577, "xhigh"),
        (48000, "xhigh"),
        (48001, "max"),
        (-1, "dynamic"),
    ],
)
def test_a_budget_amounts_to_an_effort(budget: int, effort: str):
    assert effort_of_budget(budget) == effort


def test_words_for_efforts_are_read_and_an_unknown_one_is_noted():
    """D96."""
    losses = Losses()
    words = ("none", "minimal", "XHIGH", "max", "auto", "ultra")
    assert [effort_named(word, losses, field="f") for word in words] == [
        "off",
        "minimal",
        "xhigh",
        "max",
        "dynamic",
        "max",
    ]
    assert losses.notes == []
    assert effort_named("enormous", losses, field="reasoning_effort") == "medium"
    assert losses.notes == ["reasoning_effort;an unknown effort counts as medium"]


@pytest.mark.parametrize(
    ("effort", "budget"),
    [("minimal", 1024), ("low", 2048), ("medium", 8192), ("high", 16384), ("xhigh", 32768)],
)
def test_an_older_claude_gets_a_budget_and_room_for_it(effort: str, budget: int):
    told = claude(asked(effort), "claude-sonnet-4-5", max_tokens=8192)
    assert told.thinking == {"type": "enabled", "budget_tokens": budget}
    assert told.max_tokens == 8192 + budget
    assert told.effort == ""


def test_a_budget_leaves_room_for_the_answer_or_is_dropped():
    """D97."""
    assert claude(asked("max", limit=8000), "claude-sonnet-4-5").thinking == {"type": "enabled", "budget_tokens": 6000}
    assert claude(asked("low", budget=10, limit=4000), "claude-sonnet-4-5").thinking == {
        "type": "enabled",
        "budget_tokens": 1024,
    }
    assert claude(asked("max"), "claude-opus-4-1").max_tokens == 32_000
    losses = Losses()
    assert claude(asked("high", limit=1500), "claude-sonnet-4-5", losses).thinking is None
    assert losses.notes == ["reasoning;the output limit leaves no room for thinking"]


def test_a_newer_claude_gets_an_effort_it_knows():
    told = claude(asked("xhigh"), "claude-opus-4-8")
    assert (told.thinking, told.effort) == ({"type": "adaptive", "display": "omitted"}, "xhigh")
    assert claude(asked("xhigh"), "claude-opus-4-6").effort == "high"
    assert claude(asked("minimal"), "claude-opus-4-6").effort == "low"
    assert claude(asked("dynamic"), "claude-opus-4-6").effort == ""
    numbered = claude(asked("medium", budget=5000), "claude-opus-4-6")
    assert numbered.thinking == {"type": "enabled", "budget_tokens": 5000}


def test_thinking_is_shown_to_clients_that_take_it_unasked():
    assert claude(asked("high", show=""), "claude-opus-4-8").thinking == {"type": "adaptive", "display": "summarized"}
    quiet = asked("high", show="", by="openai_responses")
    assert claude(quiet, "claude-opus-4-8").thinking == {"type": "adaptive"}


def test_off_is_said_in_the_word_that_the_model_takes():
    """D99."""
    losses = Losses()
    assert claude(asked("off"), "claude-sonnet-4-5", losses).thinking == {"type": "disabled"}
    assert claude(asked("off"), "claude-sonnet-5-5", losses).thinking == {"type": "between_tools"}
    assert claude(asked("off"), "claude-3-5-haiku-latest", losses).thinking is None
    assert losses.notes == []
    told = claude(asked("off"), "claude-opus-5-5", losses)
    assert (told.thinking, told.effort) == (None, "low")
    assert losses.notes == ["reasoning;this model always thinks and is asked to think little"]


def test_a_model_that_cannot_think_is_not_asked_to():
    losses = Losses()
    assert claude(asked("high"), "claude-3-5-sonnet-20241022", losses).thinking is None
    assert gemini_thinking(asked("high"), of("gemini-2.0-flash"), losses) == {}
    assert openai_effort(asked("high"), of("gpt-4o"), losses) == ""
    assert ollama_think(asked("high"), of("gemma3:4b"), losses) is None
    assert losses.notes == ["reasoning;this model does not think"]


def test_nothing_said_stays_unsaid():
    nothing = asked("", show="")
    assert claude(nothing, "claude-opus-4-8") == ClaudeThinking(None, "", 32_000)
    assert gemini_thinking(nothing, of("gemini-3-pro"), Losses()) == {}
    assert openai_effort(nothing, of("gpt-5"), Losses()) == ""
    assert ollama_think(nothing, of("qwen3"), Losses()) is None


@pytest.mark.parametrize(
    ("model", "effort", "said"),
    [
        ("gemini-2.5-flash", "off", {"thinkingBudget": 0}),
        ("gemini-2.5-pro", "off", {"thinkingBudget": 128}),
        ("gemini-2.5-pro", "minimal", {"thinkingBudget": 128}),
        ("gemini-2.5-flash-lite", "minimal", {"thinkingBudget": 512}),
        ("gemini-2.5-flash", "max", {"thinkingBudget": 24576}),
        ("gemini-2.5-pro", "max", {"thinkingBudget": 32768}),
        ("gemini-2.5-flash", "dynamic", {"thinkingBudget": -1}),
        ("gemini-3-pro-preview", "medium", {"thinkingLevel": "HIGH"}),
        ("gemini-3-pro-preview", "off", {"thinkingLevel": "LOW"}),
        ("gemini-3-flash", "off", {"thinkingLevel": "MINIMAL"}),
        ("gemini-3-flash", "max", {"thinkingLevel": "HIGH"}),
        ("gemini-3-flash", "dynamic", {}),
    ],
)
def test_gemini_gets_a_budget_or_a_level_by_family_and_never_both(model: str, effort: str, said: dict[str, object]):
    """D98."""
    assert gemini_thinking(asked(effort), of(model), Losses()) == {"includeThoughts": False} | said


def test_a_number_is_kept_where_numbers_are_taken():
    told = gemini_thinking(asked("medium", budget=5000), of("gemini-2.5-flash"), Losses())
    assert told["thinkingBudget"] == 5000
    assert gemini_thinking(asked("high", show="summary"), of("gemini-3-flash"), Losses())["includeThoughts"] is True


@pytest.mark.parametrize(
    ("model", "effort", "word"),
    [
        ("gpt-5", "xhigh", "high"),
        ("gpt-5.2", "max", "xhigh"),
        ("gpt-5.2", "off", "none"),
        ("gpt-5", "off", "minimal"),
        ("o3", "minimal", "low"),
        ("gpt-5-pro", "low", "high"),
        ("somebody-new", "max", "max"),
    ],
)
def test_openai_gets_the_nearest_word_it_knows(model: str, effort: str, word: str):
    """D96."""
    assert openai_effort(asked(effort), of(model), Losses()) == word


def test_ollama_gets_a_switch_or_a_word():
    said = [ollama_think(asked(effort), of("qwen3"), Losses()) for effort in ("off", "dynamic", "minimal", "xhigh")]
    assert said == [False, True, "low", "max"]
    assert ollama_think(asked("off"), of("gpt-oss:20b"), Losses()) == "low"
