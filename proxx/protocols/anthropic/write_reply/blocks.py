"""Parts -> content blocks of an answer, the same in streams and whole messages.

Blobs of other vendors travel wrapped in a signature, so that Claude Code and its like keep them and send them back.
"""

import re
from typing import Any

import msgspec

from proxx.protocols.anthropic.read_request.blocks import UNSIGNED
from proxx.protocols.anthropic.read_request.shapes import DIALECT
from proxx.protocols.hub.arguments import INVALID, NoObject, object_of
from proxx.protocols.hub.blobs import wrap
from proxx.protocols.hub.events import Finished, Usage
from proxx.protocols.hub.names import BETWEEN
from proxx.protocols.hub.occasion import Occasion
from proxx.protocols.hub.parts import Blob, Citation, Compaction, Hosted, Opaque, Part, ToolCall

Json = dict[str, Any]

_REASONS = {
    "stop": "end_turn",
    "stop_sequence": "stop_sequence",
    "length": "max_tokens",
    "context_window": "model_context_window_exceeded",
    "tool_calls": "tool_use",
    "content_filter": "refusal",
    "refusal": "refusal",
    "pause": "pause_turn",
}
_NOTHING = Blob("signature", "", "", UNSIGNED)
_NOT_IN_IDS = re.compile(r"[^a-zA-Z0-9_-]")


def signature_of(blob: Blob | None) -> str:
    """Return the signature of thinking: Anthropic's own bare, any other blob wrapped, and a sign of ours for thinking
    that nobody signed, which clients would otherwise drop."""
    if blob is None:
        return wrap(_NOTHING)
    return blob.value if blob.dialect == DIALECT and blob.kind == "signature" else wrap(blob)


def is_redacted(blob: Blob | None) -> bool:
    """Tell whether a blob is Anthropic's own redacted thinking."""
    return blob is not None and blob.dialect == DIALECT and blob.kind == "redacted"


def thinking_block(text: str, blob: Blob | None) -> Json:
    """Return a whole block of thinking."""
    if is_redacted(blob) and not text:
        return {"type": "redacted_thinking", "data": blob.value if blob else ""}
    return {"type": "thinking", "thinking": text, "signature": signature_of(blob)}


def name_of(name: str, namespace: str) -> str:
    """Return a tool's name; this dialect has no namespaces."""
    return f"{namespace}{BETWEEN}{name}" if namespace else name


def call_block(call: ToolCall) -> Json:
    """Return a whole call; arguments that are no object are given as text under one key."""
    try:
        args = object_of(call.args, call.name)
    except NoObject:
        args = msgspec.json.encode({INVALID: call.args}).decode()
    name = name_of(call.name, call.namespace)
    return {"type": "tool_use", "id": call.id, "name": name, "input": msgspec.Raw(args.encode())}


def citation_json(citation: Citation, *, searched: bool) -> Json | None:
    """Return a source of a text; None where this dialect has no shape for it. Sources of other vendors can only be told
    as findings of a search, so only after one."""
    if citation.raw is not None and citation.dialect == DIALECT:
        return citation.raw
    if not searched or not citation.url:
        return None
    return {
        "type": "web_search_result_location",
        "url": citation.url,
        "title": citation.title or None,
        "encrypted_index": wrap(_NOTHING),
        "cited_text": citation.cited_text,
    }


def whole_blocks(part: Part, occasion: Occasion, number: int) -> list[Json]:
    """Return the blocks of a part that comes entire; none for what this dialect has no word for."""
    match part:
        case Hosted():
            if part.raw and part.dialect == DIALECT:
                return list(part.raw)
            return _search(part, occasion, number) if part.kind == "web_search" else []
        case Opaque(raw=raw, dialect=dialect) if dialect == DIALECT:
            return [raw]
        case Compaction(text=text) if text:
            return [{"type": "compaction", "content": text}]
    return []


def _search(part: Hosted, occasion: Occasion, number: int) -> list[Json]:
    id = f"srvtoolu_{occasion.id[:20]}{number}"
    if part.id.startswith("srvtoolu_") and not _NOT_IN_IDS.search(part.id):
        id = part.id
    content: Json | list[Json] = [
        {
            "type": "web_search_result",
            "url": hit.url,
            "title": hit.title,
            "encrypted_content": wrap(_NOTHING),
            "page_age": None,
        }
        for hit in part.hits
    ]
    if part.status == "failed":
        content = {"type": "web_search_tool_result_error", "error_code": "unavailable"}
    return [
        {"type": "server_tool_use", "id": id, "name": "web_search", "input": {"query": part.query}},
        {"type": "web_search_tool_result", "tool_use_id": id, "content": content},
    ]


def usage_json(usage: Usage | None, *, estimate: int, searches: int = 0) -> Json:
    """Return a usage object with all fields that clients read; what nobody reported is the estimate, or zero."""
    usage = usage or Usage(input_total=estimate, output_total=0)
    read, written = usage.cache_read or 0, usage.cache_write or 0
    long = usage.cache_write_1h or 0
    short = usage.cache_write_5m if usage.cache_write_5m is not None else max(0, written - long)
    total = estimate if usage.input_total is None else usage.input_total
    told: Json = {
        "input_tokens": max(0, total - read - written),
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": read,
        "cache_creation": {"ephemeral_5m_input_tokens": short, "ephemeral_1h_input_tokens": long},
        "output_tokens": usage.output_total or 0,
    }
    if usage.reasoning is not None:
        told["output_tokens_details"] = {"thinking_tokens": usage.reasoning}
    searches = searches if usage.web_searches is None else usage.web_searches
    if searches:
        told["server_tool_use"] = {"web_search_requests": searches, "web_fetch_requests": 0}
    return told


def ending(finish: Finished) -> Json:
    """Return stop_reason and what belongs to it; an ending that this dialect has no word for is an end of the turn."""
    reason = _REASONS.get(finish.reason, "end_turn")
    details = finish.details
    if reason == "refusal" and not (details and details.get("type") == "refusal"):
        said = (details or {}).get("explanation")
        details = {"type": "refusal", "category": None, "explanation": said if isinstance(said, str) else None}
    return {
        "stop_reason": reason,
        "stop_sequence": finish.stop_sequence if reason == "stop_sequence" else None,
        "stop_details": details if reason == "refusal" else None,
    }
