"""The pieces of an Anthropic answer: events, blocks, citations, token counts."""

import json
from typing import Any

from tests.upstreams import signatures
from tests.upstreams.answer import Frame
from tests.upstreams.anthropic_blocks import VENDOR
from tests.upstreams.ids import number
from tests.upstreams.said import Citation, Counts, Part, Searched, Text, Thought, ToolCall


def frame(kind: str, data: dict[str, Any]) -> Frame:
    """Return one event; its data line is padded before the last brace, so that its length tells nothing."""
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False)
    padded = f"{text[:-1]}{' ' * number(0, 15)}}}"
    return Frame(kind, f"event: {data['type']}\ndata: {padded}{' ' * number(0, 3)}\n\n".encode())


def blocks(part: Part, *, omitted: bool) -> list[dict[str, Any]]:
    """Return what was said as content blocks; `omitted` leaves out the text of thoughts."""
    match part:
        case Text():
            return [{"type": "text", "text": part.text}]
        case Thought(redacted=True):
            return [{"type": "redacted_thinking", "data": part.signature}]
        case Thought():
            text = "" if omitted else part.text
            return [{"type": "thinking", "thinking": text, "signature": part.signature}]
        case ToolCall():
            return [{"type": "tool_use", "id": part.id, "name": part.name, "input": _object(arguments(part))}]
        case Searched():
            query = {"query": part.query}
            use = {"type": "server_tool_use", "id": part.id, "name": "web_search", "input": query}
            return [use, results(part)]
    raise TypeError(f"{type(part).__name__} is no block")


def results(searched: Searched) -> dict[str, Any]:
    """Return the block with what a search found; its content is sealed and to be sent back as it is."""
    found = [
        {
            "type": "web_search_result",
            "title": title,
            "url": url,
            "encrypted_content": signatures.sign(VENDOR, url),
            "page_age": None,
        }
        for title, url in searched.results
    ]
    return {"type": "web_search_tool_result", "tool_use_id": searched.id, "content": found}


def location(citation: Citation) -> dict[str, Any]:
    """Return a source as a citation of a web search result."""
    return {
        "type": "web_search_result_location",
        "url": citation.url,
        "title": citation.title,
        "encrypted_index": signatures.sign(VENDOR, f"index of {citation.url}"),
        "cited_text": citation.title,
    }


def usage(counts: Counts, *, output: int | None = None) -> dict[str, Any]:
    """Return token counts: the input without what came from or went to the cache; `output` overrides the count."""
    found: dict[str, Any] = {
        "input_tokens": counts.prompt - counts.cached - counts.cache_write,
        "cache_creation_input_tokens": counts.cache_write,
        "cache_read_input_tokens": counts.cached,
        "cache_creation": {
            "ephemeral_5m_input_tokens": counts.cache_write_5m,
            "ephemeral_1h_input_tokens": counts.cache_write_1h,
        },
        "output_tokens": counts.output if output is None else output,
        "service_tier": "standard",
    }
    if counts.reasoning and output is None:
        found["output_tokens_details"] = {"thinking_tokens": counts.reasoning}
    if counts.searches and output is None:
        found["server_tool_use"] = {"web_search_requests": counts.searches, "web_fetch_requests": 0}
    return found


def arguments(call: ToolCall) -> str:
    """Return a call's input as JSON text; free text, which Anthropic has no place for, in an object of its own."""
    return json.dumps({"input": call.text}) if call.custom else call.text


def _object(text: str) -> Any:
    """Return arguments as data; what is no object is shown as the service shows it, as one that holds the text."""
    try:
        found = json.loads(text)
    except ValueError:
        return {"_raw": text}
    return found if isinstance(found, dict) else {"_raw": text}
