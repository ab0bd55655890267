"""The pieces of a Gemini answer: parts, grounding, token counts."""

import json
from typing import Any

from tests.upstreams.said import Counts, Said, Searched, ToolCall

REASONS = {
    "stop": "STOP",
    "tools": "STOP",
    "stop_sequence": "STOP",
    "length": "MAX_TOKENS",
    "context_window": "MAX_TOKENS",
    "filter": "SAFETY",
    "refusal": "PROHIBITED_CONTENT",
    "malformed": "MALFORMED_FUNCTION_CALL",
}


def part_of(call: ToolCall, *, with_id: bool, signature: str) -> dict[str, Any] | None:
    """Return a call as a part, or None where the arguments are no object: such a call never leaves the service.

    Free text, for which Gemini has no place, travels in an object of its own.
    """
    arguments = {"input": call.text} if call.custom else _object(call.text)
    if arguments is None:
        return None
    made: dict[str, Any] = {"functionCall": {"name": call.name, "args": arguments}}
    if with_id:
        made["functionCall"]["id"] = call.id
    if signature:
        made["thoughtSignature"] = signature
    return made


def grounding(said: Said) -> dict[str, Any]:
    """Return what was searched and found, with the place in the text that each source supports."""
    searches = [part for part in said.parts if isinstance(part, Searched)]
    found = [(url, title) for search in searches for title, url in search.results]
    cited = [(part.url, part.title) for part in said.citations]
    pages = list(dict.fromkeys([*found, *cited]))
    if not searches and not cited:
        return {}
    end = len(said.text.encode())
    supports = [
        {"segment": {"endIndex": end, "text": said.text}, "groundingChunkIndices": [pages.index(page)]}
        for page in cited
    ]
    return {
        "groundingMetadata": {
            "webSearchQueries": [search.query for search in searches],
            "groundingChunks": [{"web": {"uri": url, "title": title}} for url, title in pages],
            **({"groundingSupports": supports} if supports else {}),
        }
    }


def usage(counts: Counts) -> dict[str, Any]:
    """Return token counts: the prompt with what was cached, the answer without its thoughts; zeros are left out."""
    answer = counts.output - counts.reasoning
    found = {
        "promptTokenCount": counts.prompt,
        "candidatesTokenCount": answer,
        "totalTokenCount": counts.prompt + counts.output + counts.tool_prompt,
        "cachedContentTokenCount": counts.cached,
        "toolUsePromptTokenCount": counts.tool_prompt,
        "thoughtsTokenCount": counts.reasoning,
    }
    kept: dict[str, Any] = {name: count for name, count in found.items() if count}
    text = counts.prompt - counts.audio_in
    details = [{"modality": "TEXT", "tokenCount": text}] if text else []
    details += [{"modality": "AUDIO", "tokenCount": counts.audio_in}] if counts.audio_in else []
    return {**kept, "promptTokensDetails": details}


def line(data: Any) -> bytes:
    """Return data on one line."""
    return json.dumps(data, ensure_ascii=False).encode()


def _object(text: str) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
