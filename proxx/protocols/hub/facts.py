"""What is known of models by their names alone: how they think, how much they say, what they refuse.

One row per generation, the first whose pattern matches counts. What a catalogue knows better replaces these facts; an
unknown name gets none, and then the request is sent as it was meant.
"""

import re
from functools import lru_cache

from proxx.protocols.hub.target import ModelFacts

LOW_TO_HIGH = ("low", "medium", "high")
LOW_TO_MAX = ("low", "medium", "high", "xhigh", "max")
LOW_TO_XHIGH = ("low", "medium", "high", "xhigh")

_VERSION_FIRST = re.compile(r"^claude-(\d)-(\d)-(opus|sonnet|haiku)")
_BEFORE_NAME = re.compile(r"^.*[/]|^(?:[a-z]{2,6}\.)?anthropic\.")


@lru_cache(maxsize=1024)
def facts_of(model: str) -> ModelFacts:
    """Return what a model's name tells, with or without a vendor in front; empty facts for a name nobody knows."""
    name = _BEFORE_NAME.sub("", model.lower())
    if name.startswith("claude"):
        name = name.replace(".", "-")
        turned = _VERSION_FIRST.match(name)
        if turned and turned[1] != "3":  # some routers put the version first; Anthropic did so up to 3.7
            name = f"claude-{turned[3]}-{turned[1]}-{turned[2]}{name[turned.end() :]}"
    return next((facts for pattern, facts in _ROWS if pattern.match(name)), ModelFacts())


def _claude_manual(max_output: int, *, native_schema: bool = False, one_sampling: bool = False) -> ModelFacts:
    return ModelFacts(
        family="claude",
        max_output=max_output,
        context_window=200_000,
        thinking="manual",
        budget=(1024, max_output - 1),
        always_thinks=False,
        sampling=True,
        one_sampling=one_sampling,
        prefill=True,
        native_schema=native_schema,
        system_in_place=False,
        images=True,
        forced_tool=True,
    )


def _claude_old(max_output: int, *, images: bool = True) -> ModelFacts:
    return ModelFacts(
        family="claude",
        max_output=max_output,
        context_window=200_000,
        thinking="none",
        sampling=True,
        prefill=True,
        native_schema=False,
        system_in_place=False,
        images=images,
        forced_tool=True,
    )


def _claude_adaptive(
    *,
    thinking: str = "adaptive",
    efforts: tuple[str, ...] = LOW_TO_MAX,
    sampling: bool = False,
    system_in_place: bool = True,
    always_thinks: bool = False,
    off: str = "",
    forced_tool: bool = True,
) -> ModelFacts:
    return ModelFacts(
        family="claude",
        max_output=128_000,
        context_window=200_000,
        thinking=thinking,
        efforts=efforts,
        budget=(1024, 127_999) if thinking == "both" else None,
        always_thinks=always_thinks,
        sampling=sampling,
        one_sampling=True,
        prefill=False,
        native_schema=True,
        system_in_place=system_in_place,
        images=True,
        off=off,
        forced_tool=forced_tool,
    )


def _gpt(
    efforts: tuple[str, ...],
    *,
    max_output: int = 128_000,
    context_window: int = 400_000,
    sampling: bool = False,
) -> ModelFacts:
    return ModelFacts(
        family="gpt",
        max_output=max_output,
        context_window=context_window,
        thinking="effort" if efforts else "none",
        efforts=efforts,
        always_thinks=bool(efforts) and "off" not in efforts,
        sampling=sampling,
        prefill=False,
        native_schema=True,
        system_in_place=True,
        limit_name="max_completion_tokens",
        images=True,
        forced_tool=True,
    )


def _gemini(
    thinking: str,
    *,
    efforts: tuple[str, ...] = (),
    budget: tuple[int, int] | None = None,
    always_thinks: bool = False,
    max_output: int = 65_536,
) -> ModelFacts:
    return ModelFacts(
        family="gemini",
        max_output=max_output,
        context_window=1_048_576,
        thinking=thinking,
        efforts=efforts,
        budget=budget,
        always_thinks=always_thinks,
        sampling=True,
        prefill=True,
        native_schema=True,
        system_in_place=False,
        images=True,
        forced_tool=True,
    )


_OFF_TO_XHIGH = ("off", *LOW_TO_XHIGH)
_OFF_TO_HIGH = ("off", *LOW_TO_HIGH)

_TABLE: tuple[tuple[str, ModelFacts], ...] = (
    (r"claude-(?:instant|[12](?!\d))", _claude_old(4096, images=False)),
    (r"claude-3-(?:opus|sonnet|haiku)", _claude_old(4096)),
    (r"claude-3-5-", _claude_old(8192)),
    (r"claude-3-7-", _claude_manual(64_000)),
    (r"claude-opus-4-1(?!\d)", _claude_manual(32_000, one_sampling=True)),
    (r"claude-opus-4(?:-0)?(?!-\d(?!\d)|\d)", _claude_manual(32_000)),
    (r"claude-sonnet-4(?:-0)?(?!-\d(?!\d)|\d)", _claude_manual(64_000)),
    (r"claude-(?:opus|sonnet|haiku)-4-5(?!\d)", _claude_manual(64_000, native_schema=True, one_sampling=True)),
    (
        r"claude-(?:opus|sonnet)-4-6(?!\d)",
        _claude_adaptive(thinking="both", efforts=(*LOW_TO_HIGH, "max"), sampling=True, system_in_place=False),
    ),
    (r"claude-opus-4-7(?!\d)", _claude_adaptive(system_in_place=False)),
    (r"claude-opus-5-5(?!\d)|claude-(?:fable|mythos)-5-", _claude_adaptive(always_thinks=True, forced_tool=False)),
    (r"claude-(?:fable|mythos)", _claude_adaptive(always_thinks=True)),
    (r"claude-sonnet-5-5(?!\d)", _claude_adaptive(off="between_tools")),
    (r"claude-", _claude_adaptive()),
    (
        r"gpt-oss",
        ModelFacts(family="gpt-oss", thinking="effort", efforts=LOW_TO_HIGH, always_thinks=True, sampling=True),
    ),
    (r"o1-(?:mini|preview)", _gpt((), max_output=65_536, context_window=128_000)),
    (r"o[134](?!\d)", _gpt(LOW_TO_HIGH, max_output=100_000, context_window=200_000)),
    (r"gpt-5(?:\.\d)?-chat", _gpt((), max_output=16_384, context_window=128_000, sampling=True)),
    (r"gpt-5-pro", _gpt(("high",), max_output=272_000)),
    (r"gpt-5\.\d+-pro", _gpt(("medium", "high", "xhigh"))),
    (r"gpt-5-codex|gpt-5\.1-codex(?!-max)", _gpt(LOW_TO_HIGH)),
    (r"gpt-5(?!\.|\d)", _gpt(("minimal", *LOW_TO_HIGH))),
    (r"gpt-5\.1-codex-max|gpt-5\.\d+-codex", _gpt(LOW_TO_XHIGH)),
    (r"gpt-5\.1(?!\d)", _gpt(_OFF_TO_HIGH)),
    (r"gpt-5\.", _gpt(_OFF_TO_XHIGH)),
    (r"gpt-4\.1", _gpt((), max_output=32_768, context_window=1_047_576, sampling=True)),
    (r"gpt-4o|chatgpt-4o", _gpt((), max_output=16_384, context_window=128_000, sampling=True)),
    (r"gpt-4-(?:turbo|\d{4}-preview)", _gpt((), max_output=4096, context_window=128_000, sampling=True)),
    (r"gpt-4(?!\d)", _gpt((), max_output=8192, context_window=8192, sampling=True)),
    (r"gpt-3\.5", _gpt((), max_output=4096, context_window=16_385, sampling=True)),
    (r"gpt-|codex-", ModelFacts(family="gpt", limit_name="max_completion_tokens", system_in_place=True)),
    (r"gemini-(?:1|2\.0)", _gemini("none", max_output=8192)),
    (r"gemini-2\.5-flash-image", _gemini("none", max_output=32_768)),
    (r"gemini-2\.5-flash-lite", _gemini("budget", budget=(512, 24_576))),
    (r"gemini-2\.5-flash", _gemini("budget", budget=(1, 24_576))),
    (r"gemini-2\.5", _gemini("budget", budget=(128, 32_768), always_thinks=True)),
    (r"gemini-3-pro", _gemini("level", efforts=("low", "high"), always_thinks=True)),
    (r"gemini-[\d.]+-flash", _gemini("level", efforts=("minimal", *LOW_TO_HIGH), always_thinks=True)),
    (r"gemini-", _gemini("level", efforts=LOW_TO_HIGH, always_thinks=True)),
    (r"gemma", ModelFacts(family="gemma", thinking="none")),
    (r"deepseek", ModelFacts(family="deepseek")),
    (r"qwen|qwq|qvq", ModelFacts(family="qwen")),
    (r"glm|chatglm", ModelFacts(family="glm")),
    (r"kimi|moonshot", ModelFacts(family="kimi")),
    (r"(?:open-)?(?:mistral|mixtral|codestral|devstral|ministral|magistral|pixtral)", ModelFacts(family="mistral")),
    (r"grok", ModelFacts(family="grok")),
    (r"(?:meta-)?llama|codellama", ModelFacts(family="llama")),
    (r"minimax", ModelFacts(family="minimax")),
    (r"command|c4ai", ModelFacts(family="cohere")),
)
_ROWS = tuple((re.compile(pattern), facts) for pattern, facts in _TABLE)
