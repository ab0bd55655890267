"""About how much energy and water a call may have taken: an estimate by the family of the model, never a measurement.

Nobody publishes what a call really takes; the figures tell large from small, and every place that shows them says so.
"""

from dataclasses import dataclass

from proxx.kit.configured import settings

JOULES_PER_KWH = 3_600_000
USUAL = (0.5, 1.5)


@dataclass(frozen=True, slots=True)
class Footprint:
    """Energy in joules and evaporated water in millilitres, both estimated."""

    joules: float
    water_ml: float


def estimate(model: str, input_tokens: int, output_tokens: int) -> Footprint:
    """Estimate what so many tokens of a model take."""
    per_input, per_output = joules_per_token(model)
    joules = max(0, input_tokens) * per_input + max(0, output_tokens) * per_output
    return Footprint(joules, joules / JOULES_PER_KWH * settings.WATER_ML_PER_KWH)


def joules_per_token(model: str) -> tuple[float, float]:
    """Return the joules of one token in and of one token out; the first family that a name belongs to counts."""
    name = model.strip().lower().rsplit("/", 1)[-1]
    return next((rates for starts, rates in FAMILIES if name.startswith(starts)), USUAL)


# Joules per token in and out (F-265). A longer beginning stands before a shorter one that it contains.
FAMILIES: tuple[tuple[tuple[str, ...], tuple[float, float]], ...] = (
    (("gpt-5.4-nano",), (0.1, 0.3)),
    (("gpt-5.4-mini", "gpt-5-mini"), (0.3, 1.0)),
    (("claude-opus-4-6-fast",), (1.5, 4.0)),
    (("gpt-5.4", "gpt-5.1-codex-max", "claude-opus-4-5", "claude-opus-4-6"), (1.0, 3.0)),
    (("claude-haiku-4-5", "gemini-3-flash", "deepseek", "glm", "kimi", "minimax"), (0.3, 1.0)),
    (("gpt-5.3-codex", "gpt-5.2", "gpt-5.1", "gpt-5", "claude-sonnet"), (0.8, 2.5)),
    (("gemini-3-pro", "gemini-3.1-pro", "gemini-2.5-pro"), (0.8, 2.5)),
    (("claude-opus-4",), (1.5, 4.0)),
    (("claude-haiku",), (0.2, 0.5)),
    (("gemini-2.5-flash",), (0.2, 0.8)),
    (("qwen", "llama", "gemma", "mistral", "devstral", "ministral", "nemotron"), (0.05, 0.15)),
    (("cogito", "rnj", "gpt-oss"), (0.05, 0.15)),
)
