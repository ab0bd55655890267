"""One dial for thinking, four spellings: an effort in words, a budget in tokens, a level, a switch.

Each function takes the neutral wish and what is known of the model, and returns what its dialect's body says. What a
model cannot do becomes the nearest that it can; only a wish that is not met at all is noted.
"""

import msgspec

from proxx.protocols.hub.losses import Losses
from proxx.protocols.hub.request import Request
from proxx.protocols.hub.target import ModelFacts, Target

FIELD = "reasoning"
SMALLEST_BUDGET = 1024  # tokens, Anthropic's own rule
DYNAMIC_BUDGET = -1  # Gemini's way to say: as much as you like

CLAUDE_BUDGETS = {"minimal": 1024, "low": 2048, "medium": 8192, "high": 16384, "xhigh": 32768, "max": 64000}
GEMINI_BUDGETS = {"minimal": 512, "low": 1024, "medium": 8192, "high": 24576, "xhigh": 32768, "max": 32768}

_EFFORTS_UP_TO = ((0, "off"), (1024, "low"), (8192, "medium"), (24576, "high"), (48000, "xhigh"))
_SPELLINGS = {
    "none": "off",
    "disabled": "off",
    "disable": "off",
    "auto": "dynamic",
    "adaptive": "dynamic",
    "default": "dynamic",
    "ultra": "max",
    "": "",
}
_EFFORTS = ("off", "minimal", "low", "medium", "high", "xhigh", "max", "dynamic")

# In which order a model's efforts are tried when it lacks the one that is wished for.
_NEAREST = {
    "off": ("minimal", "low", "medium", "high"),
    "minimal": ("low", "medium", "high"),
    "low": ("minimal", "medium", "high"),
    "medium": ("high", "low", "minimal"),
    "high": ("medium", "low", "minimal", "xhigh"),
    "xhigh": ("high", "medium", "low", "minimal"),
    "max": ("xhigh", "high", "medium", "low", "minimal"),
}
_OLLAMA = {"minimal": "low", "low": "low", "medium": "medium", "high": "high", "xhigh": "max", "max": "max"}
_ALWAYS = "this model always thinks and is asked to think little"
_NEVER = "this model does not think"
_SHOWN_UNASKED = ("openai_chat", "ollama", "anthropic")  # their clients take thinking whenever there is some


class ClaudeThinking(msgspec.Struct, frozen=True):
    """What a Messages body says about thinking: the `thinking` object, `output_config.effort`, and `max_tokens`."""

    thinking: dict[str, object] | None
    effort: str
    max_tokens: int

    @property
    def manual(self) -> bool:
        """Whether the model thinks by a budget, which forbids forced tools and wants its thinking back."""
        return self.thinking is not None and self.thinking["type"] == "enabled"

    @property
    def on(self) -> bool:
        """Whether thinking was asked for."""
        return self.thinking is not None and self.thinking["type"] in ("enabled", "adaptive")


def effort_of_budget(budget: int) -> str:
    """Return the effort that a number of thinking tokens amounts to."""
    if budget < 0:
        return "dynamic"
    return next((effort for most, effort in _EFFORTS_UP_TO if budget <= most), "max")


def effort_named(word: str, losses: Losses, *, field: str) -> str:
    """Read a client's word for an effort; an unknown one counts as medium and is noted under the client's `field`."""
    word = word.strip().lower()
    effort = _SPELLINGS.get(word, word)
    if effort in _EFFORTS or not effort:
        return effort
    losses.drop(field, "an unknown effort counts as medium")
    return "medium"


def nearest(effort: str, allowed: tuple[str, ...]) -> str:
    """Return the allowed effort that is closest to the one wished for; that one itself if nothing is known."""
    if not allowed or effort in allowed:
        return effort
    return next((other for other in _NEAREST[effort] if other in allowed), allowed[0])


def shows_thinking(request: Request) -> bool:
    """Tell whether the client wants to see the thinking that it asked for."""
    return request.reasoning.show in ("summary", "full") or (
        not request.reasoning.show and request.dialect in _SHOWN_UNASKED
    )


def budget_within(budget: int, max_tokens: int) -> int:
    """Return the thinking budget that leaves an answer room within its output limit; 0 if there is none."""
    budget = min(budget, max_tokens - max(SMALLEST_BUDGET, max_tokens // 4))
    return budget if budget >= SMALLEST_BUDGET else 0


def claude_thinking(request: Request, target: Target, max_tokens: int, losses: Losses) -> ClaudeThinking:
    """Return the Messages spelling. `max_tokens` is what would be sent; it grows by the budget if nobody limited it."""
    wish, facts = request.reasoning, target.facts
    if wish.effort == "off":
        return _claude_off(facts, max_tokens, losses)
    if not wish.effort:
        return ClaudeThinking(None, "", max_tokens)
    if facts.thinking == "none":
        if wish.effort != "dynamic":
            losses.drop(FIELD, _NEVER)
        return ClaudeThinking(None, "", max_tokens)
    by_number = facts.thinking == "both" and wish.budget is not None and wish.budget > 0
    if facts.thinking == "adaptive" or (facts.thinking == "both" and not by_number):
        effort = "" if wish.effort == "dynamic" else nearest(_claude_word(wish.effort), facts.efforts)
        return ClaudeThinking(_shown({"type": "adaptive"}, request), effort, max_tokens)
    if wish.effort == "dynamic":
        return ClaudeThinking(None, "", max_tokens)
    return _claude_budget(request, facts, max_tokens, losses)


def _claude_word(effort: str) -> str:
    return "low" if effort == "minimal" else effort


def _claude_off(facts: ModelFacts, max_tokens: int, losses: Losses) -> ClaudeThinking:
    if facts.thinking == "none":
        return ClaudeThinking(None, "", max_tokens)
    if facts.always_thinks:
        losses.drop(FIELD, _ALWAYS)
        return ClaudeThinking(None, "low", max_tokens)
    return ClaudeThinking({"type": facts.off or "disabled"}, "", max_tokens)


def _claude_budget(request: Request, facts: ModelFacts, max_tokens: int, losses: Losses) -> ClaudeThinking:
    wish = request.reasoning
    budget = max(SMALLEST_BUDGET, wish.budget or CLAUDE_BUDGETS[wish.effort])
    if request.max_output is None:
        roomy = max_tokens + budget
        max_tokens = min(roomy, facts.max_output or roomy)
    if request.max_output is not None or budget > max_tokens - SMALLEST_BUDGET:
        budget = budget_within(budget, max_tokens)
    if not budget:
        losses.drop(FIELD, "the output limit leaves no room for thinking")
        return ClaudeThinking(None, "", max_tokens)
    return ClaudeThinking({"type": "enabled", "budget_tokens": budget}, "", max_tokens)


def _shown(thinking: dict[str, object], request: Request) -> dict[str, object]:
    # The newest models leave thinking out of the answer unless told otherwise.
    if request.reasoning.show == "none":
        thinking["display"] = "omitted"
    elif shows_thinking(request):
        thinking["display"] = "summarized"
    return thinking


def gemini_thinking(request: Request, target: Target, losses: Losses) -> dict[str, object]:
    """Return Gemini's `thinkingConfig`; empty where nothing is to be said. Never a budget and a level together."""
    wish, facts = request.reasoning, target.facts
    if facts.thinking == "none":
        if wish.effort not in ("", "off", "dynamic"):
            losses.drop(FIELD, _NEVER)
        return {}
    config: dict[str, object] = {}
    if wish.show in ("summary", "full") or (wish.effort not in ("", "off") and shows_thinking(request)):
        config["includeThoughts"] = True
    elif wish.show == "none":
        config["includeThoughts"] = False
    if facts.thinking == "budget" or (not facts.thinking and wish.budget is not None):
        return config | _gemini_budget(request, facts, losses)
    if wish.effort in ("", "dynamic"):
        return config
    if wish.effort == "off":
        losses.drop(FIELD, _ALWAYS)
    return config | {"thinkingLevel": nearest(_gemini_word(wish.effort), facts.efforts).upper()}


def _gemini_word(effort: str) -> str:
    return {"off": "minimal", "max": "xhigh"}.get(effort, effort)


def _gemini_budget(request: Request, facts: ModelFacts, losses: Losses) -> dict[str, object]:
    wish = request.reasoning
    least, most = facts.budget or (0, GEMINI_BUDGETS["max"])
    if not wish.effort:
        return {}
    if wish.effort == "dynamic":
        return {"thinkingBudget": DYNAMIC_BUDGET}
    if wish.effort == "off":
        if not facts.always_thinks:
            return {"thinkingBudget": 0}
        losses.drop(FIELD, _ALWAYS)
        return {"thinkingBudget": least}
    if wish.effort == "minimal" and facts.always_thinks and not wish.budget:
        return {"thinkingBudget": least}
    return {"thinkingBudget": min(max(wish.budget or GEMINI_BUDGETS[wish.effort], least), most)}


def openai_effort(request: Request, target: Target, losses: Losses) -> str:
    """Return OpenAI's word, for chat's `reasoning_effort` or Responses' `reasoning.effort`; empty: say nothing."""
    wish, facts = request.reasoning, target.facts
    if wish.effort in ("", "dynamic"):
        return ""
    if facts.thinking == "none":
        if wish.effort != "off":
            losses.drop(FIELD, _NEVER)
        return ""
    effort = nearest(wish.effort, facts.efforts)
    if wish.effort == "off" and effort != "off":
        losses.drop(FIELD, _ALWAYS)
    return "none" if effort == "off" else effort


def ollama_think(request: Request, target: Target, losses: Losses) -> bool | str | None:
    """Return Ollama's `think`; None: say nothing."""
    wish, facts = request.reasoning, target.facts
    if not wish.effort:
        return None
    if facts.thinking == "none":
        if wish.effort not in ("off", "dynamic"):
            losses.drop(FIELD, _NEVER)
        return None
    if wish.effort == "off":
        if not facts.always_thinks:
            return False
        losses.drop(FIELD, _ALWAYS)
        return "low"
    return True if wish.effort == "dynamic" else _OLLAMA[wish.effort]
