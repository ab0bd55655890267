"""Gemini's token counts -> Usage: thoughts are counted beside the answer, tools' prompts beside the prompt."""

from typing import Any

import msgspec

from proxx.protocols.framing.lenient import FAULTS, decode
from proxx.protocols.gemini.read_reply.wire import NOTHING, anything
from proxx.protocols.hub.counts import count, doubtful, modality, tier
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
    told = {name: number for name in _COUNTS if (number := count(read.get(name))) is not None}
    if not told:
        return before
    prompt, tools, answer, thoughts, cached = (told.get(name, 0) for name in _COUNTS)
    usage = Usage(
        input_total=prompt + tools,
        output_total=answer + thoughts,
        cache_read=cached,
        reasoning=thoughts,
        hosted_prompt=tools or None,
        audio_in=_both(read, "AUDIO"),
        audio_out=modality(read.get("candidatesTokensDetails"), "AUDIO"),
        audio_cached=modality(read.get("cacheTokensDetails"), "AUDIO"),
        image_in=_both(read, "IMAGE"),
        image_out=modality(read.get("candidatesTokensDetails"), "IMAGE"),
        tier=_tier(read),
        doubtful=doubtful(read),
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


def _both(read: dict[str, Any], kind: str) -> int | None:
    """Return what the prompt and the tools' prompts hold of one modality."""
    said = [modality(read.get(name), kind) for name in ("promptTokensDetails", "toolUsePromptTokensDetails")]
    known = [one for one in said if one is not None]
    return sum(known) if known else None


def _tier(read: dict[str, Any]) -> str:
    """Return the tier: one surface names it, the other says by which kind of traffic the call was billed."""
    kind = read.get("trafficType")
    return tier(read.get("serviceTier")) or (tier(kind.removeprefix("ON_DEMAND_")) if isinstance(kind, str) else "")
