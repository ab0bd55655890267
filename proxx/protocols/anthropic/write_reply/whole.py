"""A whole reply -> a Messages message. Made of the same blocks as a stream."""

import msgspec

from proxx.protocols.anthropic.write_reply.blocks import (
    Json,
    call_block,
    citation_json,
    ending,
    thinking_block,
    usage_json,
    whole_blocks,
)
from proxx.protocols.anthropic.write_reply.errors import fault_of
from proxx.protocols.hub.occasion import Occasion
from proxx.protocols.hub.parts import Hosted, Part, Reasoning, Refusal, Text, ToolCall
from proxx.protocols.hub.reply import Choice, Reply


def write_whole(reply: Reply, occasion: Occasion) -> bytes:
    """Return the message; this dialect has one choice. Empty for an ending that is none of an answer."""
    choice = reply.choices[0] if reply.choices else Choice()
    blocks, searches = _blocks(choice.parts, occasion)
    said = any(block["type"] in ("text", "tool_use") for block in blocks)
    if fault_of(choice.finish, said=said) is not None:
        return b""
    message = {
        "id": f"msg_{occasion.id}",
        "type": "message",
        "role": "assistant",
        "model": occasion.model,
        "content": blocks,
        **ending(choice.finish),
        "usage": usage_json(reply.usage, estimate=occasion.input_estimate, searches=searches),
    }
    return msgspec.json.encode(message)


def _blocks(parts: tuple[Part, ...], occasion: Occasion) -> tuple[list[Json], int]:
    blocks: list[Json] = []
    searches = 0
    for part in parts:
        match part:
            case Text():
                blocks += _text(part, searched=searches > 0)
            case Refusal(text=text):
                blocks += [{"type": "text", "text": text}] if text else []
            case Reasoning():
                blocks += _thinking(part)
            case ToolCall():
                blocks += [thinking_block("", part.blob)] if part.blob is not None else []
                blocks.append(call_block(part))
            case _:
                searches += isinstance(part, Hosted) and part.kind == "web_search"
                blocks += whole_blocks(part, occasion, len(blocks))
    return blocks, searches


def _text(part: Text, *, searched: bool) -> list[Json]:
    cited = [citation_json(citation, searched=searched) for citation in part.citations]
    citations = [citation for citation in cited if citation is not None]
    if not part.text and not citations:
        return []
    return [{"type": "text", "text": part.text, **({"citations": citations} if citations else {})}]


def _thinking(part: Reasoning) -> list[Json]:
    text = "\n\n".join(part.summary) or part.text
    return [thinking_block(text, part.blob)] if text or part.blob is not None else []
