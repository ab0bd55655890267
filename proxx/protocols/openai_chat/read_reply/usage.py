"""Token counts, from each place where a chat upstream may put them."""

from typing import Any

import msgspec

from proxx.protocols.framing.lenient import FAULTS, decode
from proxx.protocols.hub.events import Usage

_anything = msgspec.json.Decoder()


def read_usage(raw: bytes, before: Usage | None) -> Usage | None:
    """Read one usage object; what it does not say keeps what an earlier one said."""
    try:
        read = decode(_anything, raw)
    except FAULTS:
        return before
    if not isinstance(read, dict):
        return before
    into, out = _object(read, "prompt_tokens_details"), _object(read, "completion_tokens_details")
    told = {
        "input_total": _count(read.get("prompt_tokens")),
        "output_total": _output(read, out),
        "cache_read": _count(into.get("cached_tokens", read.get("prompt_cache_hit_tokens"))),
        "cache_write": _count(into.get("cache_write_tokens")),
        "reasoning": _count(out.get("reasoning_tokens")),
        "audio_in": _count(into.get("audio_tokens")),
        "audio_out": _count(out.get("audio_tokens")),
    }
    known = {name: number for name, number in told.items() if number is not None}
    if not known:
        return before
    return msgspec.structs.replace(before or Usage(), **known)


def _output(read: dict[str, Any], out: dict[str, Any]) -> int | None:
    """Return the output with its reasoning, which some leave out of everything but the total."""
    into, output, total = (_count(read.get(name)) for name in ("prompt_tokens", "completion_tokens", "total_tokens"))
    reasoning = _count(out.get("reasoning_tokens"))
    if None in (into, output, total) or not reasoning:
        return output
    assert into is not None
    assert output is not None
    assert total is not None
    return output + reasoning if total > into + output else output


def _object(read: dict[str, Any], name: str) -> dict[str, Any]:
    found = read.get(name)
    return found if isinstance(found, dict) else {}


def _count(number: object) -> int | None:
    """Return a whole number that a token count can be; anything else is unknown, not believed."""
    if isinstance(number, float) and number.is_integer():
        number = int(number)
    is_count = isinstance(number, int) and not isinstance(number, bool) and 0 <= number < 2**40
    return number if is_count else None  # type: ignore[return-value]
