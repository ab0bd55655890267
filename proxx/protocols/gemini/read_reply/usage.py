"""Gemini's token counts -> Usage: thoughts are counted beside the answer, tools' prompts beside the prompt."""

from typing import Any

import msgspec

from proxx.protocols.framing.lenient import FAULTS, decode
from proxx.protocols.gemini.read_reply.wire import NOTHING, anything
from proxx.protocols.hub.events import Usage

_COUNTS = (
    "promptTokenCount",
    "toolUsePromptTokenCount",
    "candidatesTokenCount",
    "thoughtsTokenCount",
    "cachedContentTokenCount",
)


def read_usage(raw: msgspec.Raw, before: Usage | None = None) -> Usage | None:
    """Read one `usageMetadata`; it replaces an earlier one, but no count ever shrinks.

    A count that is absent is zero, as Gemini writes it; an object without any count says nothing.
    """
    data = bytes(raw)
    if data in NOTHING:
        return before
    try:
        read = decode(anything, data)
    except FAULTS:
        return before
    if not isinstance(read, dict):
        return before
    told = {name: number for name in _COUNTS if (number := _count(read.get(name))) is not None}
    if not told:
        return before
    prompt, tools, answer, thoughts, cached = (told.get(name, 0) for name in _COUNTS)
    usage = Usage(
        input_total=prompt + tools,
        output_total=answer + thoughts,
        cache_read=cached,
        reasoning=thoughts,
        hosted_prompt=tools or None,
        audio_in=_audio(read.get("promptTokensDetails")),
        audio_out=_audio(read.get("candidatesTokensDetails")),
    )
    return usage if before is None else _most(usage, before)


def _most(usage: Usage, before: Usage) -> Usage:
    if (usage.input_total or 0) >= (before.input_total or 0) and (usage.output_total or 0) >= (
        before.output_total or 0
    ):
        return usage
    changes = {
        name: max(getattr(usage, name) or 0, getattr(before, name) or 0)
        for name in ("input_total", "output_total", "cache_read", "reasoning")
    }
    return msgspec.structs.replace(usage, **changes)


def _audio(details: object) -> int | None:
    if not isinstance(details, list):
        return None
    found: list[Any] = [one for one in details if isinstance(one, dict) and one.get("modality") == "AUDIO"]
    return _count(found[0].get("tokenCount")) if found else None


def _count(number: object) -> int | None:
    """Return a whole number that a token count can be; anything else is unknown, not believed."""
    if isinstance(number, float) and number.is_integer():
        number = int(number)
    is_count = isinstance(number, int) and not isinstance(number, bool) and 0 <= number < 2**40
    return number if is_count else None  # type: ignore[return-value]
