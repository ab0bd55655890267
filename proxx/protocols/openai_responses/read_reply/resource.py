"""The response resource as upstreams send it, whole or inside events: its head, its usage, its error."""

from typing import Any

import msgspec

from proxx.protocols.framing.lenient import FAULTS, decode
from proxx.protocols.hub.counts import count, doubtful, raw_tier
from proxx.protocols.hub.events import Finished, Usage

NOTHING = (b"", b"null", b'""', b"false", b"{}", b"[]")  # what imitators write where there is nothing
FAILURES = ("failed", "cancelled")


class Incomplete(msgspec.Struct):
    """Why a response is incomplete."""

    reason: str | None = None


class Resource(msgspec.Struct):
    """What is read of a response resource; `output` stays raw."""

    id: str | None = None
    object: str | None = None
    model: str | None = None
    created_at: float | None = None
    status: str | None = None
    output: list[msgspec.Raw] | None = None
    usage: msgspec.Raw = msgspec.Raw()
    error: msgspec.Raw = msgspec.Raw()
    detail: msgspec.Raw = msgspec.Raw()
    incomplete_details: Incomplete | None = None
    service_tier: msgspec.Raw = msgspec.Raw()


class _Item(msgspec.Struct):
    type: str | None = None


_ITEM_HEAD = 512  # bytes in which an item of the output names its type; texts may be long
_item = msgspec.json.Decoder(_Item)
_resource = msgspec.json.Decoder(Resource)
_anything = msgspec.json.Decoder()


def read_resource(raw: bytes) -> Resource | None:
    """Read a resource; None for what is none."""
    try:
        return decode(_resource, raw)
    except FAULTS:
        return None


def error_of(*found: bytes) -> dict[str, object]:
    """Return the first error among raw values, in whichever shape: an object, a text, a list of faults."""
    raw = next((one for one in found if one not in NOTHING), b"null")
    try:
        error = decode(_anything, raw)
    except FAULTS:
        error = None
    return error if isinstance(error, dict) else {"message": str(error or "The provider reported an error.")}


def stated_error(error: bytes, data: bytes) -> dict[str, object]:
    """Return the error of an `error` event: in a member of its own, or in the event itself."""
    if error not in NOTHING:
        return error_of(error)
    return {name: value for name, value in error_of(data).items() if name not in ("type", "sequence_number")}


def read_usage(raw: bytes, tier: bytes = b"") -> Usage | None:
    """Read a usage object; None where nothing is counted. `tier` is the raw service tier beside it."""
    try:
        read = decode(_anything, raw) if raw not in NOTHING else None
    except FAULTS:
        return None
    if not isinstance(read, dict):
        return None
    into, out = _object(read.get("input_tokens_details")), _object(read.get("output_tokens_details"))
    usage = Usage(
        input_total=count(read.get("input_tokens")),
        output_total=count(read.get("output_tokens")),
        cache_read=count(into.get("cached_tokens")),
        cache_write=count(into.get("cache_write_tokens")),
        reasoning=count(out.get("reasoning_tokens")),
        audio_in=count(into.get("audio_tokens")),
        audio_out=count(out.get("audio_tokens")),
        image_in=count(into.get("image_tokens")),
        image_out=count(out.get("image_tokens")),
        doubtful=doubtful(read, into, out),
    )
    if usage == Usage():
        return None
    return msgspec.structs.replace(usage, tier=named) if tier and (named := raw_tier(tier)) else usage


def usage_in(resource: Resource) -> Usage | None:
    """Return what a resource that ended says of its usage: tokens, tier, and the searches among its items."""
    usage = read_usage(bytes(resource.usage), bytes(resource.service_tier))
    searches = sum(_is_search(item) for item in resource.output or ())
    return msgspec.structs.replace(usage or Usage(), web_searches=searches) if searches else usage


def finish_in(resource: Resource) -> str:
    """Return why a resource that ended is incomplete, in its own word; empty if it is complete."""
    return (resource.incomplete_details.reason if resource.incomplete_details else None) or ""


def _is_search(item: msgspec.Raw) -> bool:
    if b'"web_search_call"' not in bytes(item)[:_ITEM_HEAD]:
        return False
    try:
        return decode(_item, bytes(item)).type == "web_search_call"
    except FAULTS:
        return False


def finish_of(resource: Resource, *, called: bool, refused: bool) -> Finished:
    """Return why a response that is not failed came to its end."""
    if resource.status == "incomplete":
        reason = finish_in(resource)
        known = {"max_output_tokens": "length", "content_filter": "content_filter"}
        return Finished(known.get(reason, "other"), raw=reason)
    usual = "tool_calls" if called else "refusal" if refused else "stop"
    return Finished(usual, raw=resource.status or "completed")


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
