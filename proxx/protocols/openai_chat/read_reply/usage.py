"""Token counts, from each place where a chat upstream may put them."""

from typing import Annotated, Any

import msgspec

from proxx.protocols.framing.lenient import FAULTS, decode
from proxx.protocols.hub.counts import count, doubtful, raw_tier
from proxx.protocols.hub.events import Usage

# Within these a count is believed as it is.
_Count = Annotated[int, msgspec.Meta(ge=0, lt=2**40)]


class _Details(msgspec.Struct, gc=False):
    cached_tokens: _Count | None = None
    cache_write_tokens: _Count | None = None
    reasoning_tokens: _Count | None = None
    audio_tokens: _Count | None = None
    image_tokens: _Count | None = None


class _Plain(msgspec.Struct, gc=False):
    """The usual usage object: whole numbers in their usual places."""

    prompt_tokens: _Count
    completion_tokens: _Count
    total_tokens: _Count | None = None
    prompt_tokens_details: _Details | None = None
    completion_tokens_details: _Details | None = None
    prompt_cache_hit_tokens: msgspec.UnsetType = msgspec.UNSET  # a place that _read knows


_NONE = _Details()
_plain = msgspec.json.Decoder(_Plain)
_anything = msgspec.json.Decoder()


def read_usage(raw: bytes, before: Usage | None, tier: bytes = b"") -> Usage | None:
    """Read one usage object; what it does not say keeps what an earlier one said. `tier` is the raw service tier that
    stands beside it."""
    usage = _usage_in(raw, before)
    if usage is not None and tier and (named := raw_tier(tier)) and named != usage.tier:
        return msgspec.structs.replace(usage, tier=named)
    return usage


def _usage_in(raw: bytes, before: Usage | None) -> Usage | None:
    if before is None:
        try:
            return _usage(_plain.decode(raw))
        except FAULTS:
            pass  # unusual, not unreadable
    return _read(raw, before)


def _usage(told: _Plain) -> Usage:
    into, out = told.prompt_tokens_details or _NONE, told.completion_tokens_details or _NONE
    return Usage(
        input_total=told.prompt_tokens,
        output_total=_whole_output(told.prompt_tokens, told.completion_tokens, told.total_tokens, out.reasoning_tokens),
        cache_read=into.cached_tokens,
        cache_write=into.cache_write_tokens,
        reasoning=out.reasoning_tokens,
        audio_in=into.audio_tokens,
        audio_out=out.audio_tokens,
        image_in=into.image_tokens,
        image_out=out.image_tokens,
    )


def _read(raw: bytes, before: Usage | None) -> Usage | None:
    try:
        read = decode(_anything, raw)
    except FAULTS:
        return before
    if not isinstance(read, dict):
        return before
    into, out = _object(read, "prompt_tokens_details"), _object(read, "completion_tokens_details")
    told = {
        "input_total": count(read.get("prompt_tokens")),
        "output_total": _output(read, out),
        "cache_read": count(into.get("cached_tokens", read.get("prompt_cache_hit_tokens"))),
        "cache_write": count(into.get("cache_write_tokens")),
        "reasoning": count(out.get("reasoning_tokens")),
        "audio_in": count(into.get("audio_tokens")),
        "audio_out": count(out.get("audio_tokens")),
        "image_in": count(into.get("image_tokens")),
        "image_out": count(out.get("image_tokens")),
    }
    known: dict[str, Any] = {name: number for name, number in told.items() if number is not None}
    if doubtful(read, into, out):
        known["doubtful"] = True
    if not known:
        return before
    return msgspec.structs.replace(before or Usage(), **known)


def _output(read: dict[str, Any], out: dict[str, Any]) -> int | None:
    """Return the output with its reasoning, which some leave out of everything but the total."""
    into, output, total = (count(read.get(name)) for name in ("prompt_tokens", "completion_tokens", "total_tokens"))
    return _whole_output(into, output, total, count(out.get("reasoning_tokens")))


def _whole_output(into: int | None, output: int | None, total: int | None, reasoning: int | None) -> int | None:
    if into is None or output is None or total is None or not reasoning:
        return output
    return output + reasoning if total > into + output else output


def _object(read: dict[str, Any], name: str) -> dict[str, Any]:
    found = read.get(name)
    return found if isinstance(found, dict) else {}
