"""Reply -> a whole Gemini response."""

from typing import Any

from proxx.protocols.framing.encode import encoded
from proxx.protocols.gemini.write_reply.ending import usage_object
from proxx.protocols.gemini.write_reply.parts import GemPart, Sources, call_part, signed, whole_parts
from proxx.protocols.gemini.write_reply.stream import ending, hides_thoughts
from proxx.protocols.hub.arguments import NoObject
from proxx.protocols.hub.occasion import Occasion
from proxx.protocols.hub.parts import Hosted, Part, Reasoning, Refusal, Text, ToolCall
from proxx.protocols.hub.reply import Choice, Reply


def write_whole(reply: Reply, occasion: Occasion) -> bytes:
    """Write a whole response. A call whose arguments are no object ends its answer as a malformed one."""
    hidden = hides_thoughts(occasion)
    candidates = [_candidate(index, choice, hidden=hidden) for index, choice in enumerate(reply.choices)]
    body: dict[str, Any] = {"candidates": candidates}
    if reply.usage is not None:
        body["usageMetadata"] = usage_object(reply.usage)
    body["modelVersion"], body["responseId"] = occasion.model, occasion.id
    return encoded(body)


def _candidate(index: int, choice: Choice, *, hidden: bool) -> dict[str, Any]:
    parts: list[GemPart] = []
    sources, unsound = Sources(), ""
    tokens: list[dict[str, Any]] = []
    for number, part in enumerate(choice.parts):
        match part:
            case Text():
                sources.said(number, part.text)
                for citation in part.citations:
                    sources.cited(number, citation)
                tokens.extend(part.logprobs)
            case Hosted(kind="web_search"):
                sources.searched(part)
        try:
            parts += _parts(part, hidden=hidden)
        except NoObject as fault:
            unsound = str(fault)
    content = {"parts": parts or [{"text": ""}], "role": "model"}
    return {"content": content, "index": index, **ending(choice.finish, unsound, sources, tokens)}


def _parts(part: Part, *, hidden: bool) -> list[GemPart]:
    match part:
        case Text(text=text, blob=blob):
            return [signed({"text": text}, blob)] if text or blob else []
        case Refusal(text=text):
            return [{"text": text}] if text else []
        case ToolCall():
            return [call_part(part.id, part.name, part.args, part.blob)]
        case Reasoning():
            return _thought(part, hidden=hidden)
    return whole_parts(part)


def _thought(part: Reasoning, *, hidden: bool) -> list[GemPart]:
    text = "" if hidden else "\n\n".join(part.summary) + part.text
    blob = None if hidden and part.blob is not None and part.blob.kind == "signature" else part.blob
    return [signed({"thought": True, "text": text}, blob)] if text or blob else []
