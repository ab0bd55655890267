"""A reply -> a chat client's whole completion; what the stream would say, said at once."""

from typing import Any

from proxx.protocols.framing.encode import encoded
from proxx.protocols.hub import blobs
from proxx.protocols.hub.events import Finished
from proxx.protocols.hub.occasion import Occasion
from proxx.protocols.hub.parts import Image, Part, Reasoning, Refusal, Text, ToolCall
from proxx.protocols.hub.reply import Choice, Reply
from proxx.protocols.openai_chat.slots import write_signature, write_source
from proxx.protocols.openai_chat.write_reply import members, spoken
from proxx.protocols.openai_chat.write_reply.stream import BLANK_LINE

Json = dict[str, Any]


def write_whole(reply: Reply, occasion: Occasion) -> bytes:
    """Write a whole completion; nothing if a choice ended without being an answer."""
    old = occasion.request is not None and occasion.request.old_functions
    choices = [_choice(index, choice, old=old) for index, choice in enumerate(reply.choices)]
    if any(choice["finish_reason"] == "error" for choice in choices):
        return b""
    said = "".join(_words(part) for choice in reply.choices for part in choice.parts)
    return encoded(
        {
            "id": f"chatcmpl-{occasion.id}",
            "object": "chat.completion",
            "created": occasion.created,
            "model": occasion.model,
            "choices": choices,
            "usage": members.usage_object(reply.usage, occasion, said),
        }
    )


def _words(part: Part) -> str:
    match part:
        case Text(text=text) | Refusal(text=text) | Reasoning(text=text):
            return text
        case ToolCall(args=args):
            return args
    return ""


def _choice(index: int, choice: Choice, *, old: bool) -> Json:
    message: Json = {"role": "assistant", "content": None, "refusal": None}
    texts = [part for part in choice.parts if isinstance(part, Text)]
    if texts:
        message["content"] = _content(choice, message)
    refusals = [part.text for part in choice.parts if isinstance(part, Refusal)]
    if refusals or choice.finish.reason == "refusal":
        message["refusal"] = "".join(refusals) or members.explanation(choice.finish)
    message |= _thinking(choice)
    message |= _calls([part for part in choice.parts if isinstance(part, ToolCall)], old=old)
    images = [members.picture(part) for part in choice.parts if isinstance(part, Image)]
    if images:
        message["images"] = images
    if message["content"] is None and not refusals and not _has_calls(choice):
        message["content"] = ""
    tokens = [token for text in texts for token in text.logprobs]
    return {
        "index": index,
        "message": message,
        "logprobs": {"content": tokens, "refusal": None} if tokens else None,
        "finish_reason": _finish(choice.finish, choice, old=old),
    }


def _has_calls(choice: Choice) -> bool:
    return any(isinstance(part, ToolCall) for part in choice.parts)


def _finish(finish: Finished, choice: Choice, *, old: bool) -> str:
    return members.finish_reason(finish, old_functions=old, visible=bool(choice.parts))


def _content(choice: Choice, message: Json) -> str:
    told = spoken.Choice(0)
    pieces: list[str] = []
    annotations: list[Json] = []
    for place, part in enumerate(choice.parts):
        if isinstance(part, Text):
            pieces.append(told.text_begins(choice.phases.get(place, "")))
            annotations += [write_source(citation, told.length) for citation in part.citations]
            pieces.append(part.text)
            told.length += len(part.text)
    if annotations:
        message["annotations"] = annotations
    return "".join(pieces)


def _thinking(choice: Choice) -> Json:
    thoughts = [part for part in choice.parts if isinstance(part, Reasoning)]
    said: Json = {}
    texts = [BLANK_LINE.join(part.summary) + part.text for part in thoughts]
    if any(texts):
        said["reasoning_content"] = "".join(texts)
    details: list[Json] = []
    blocks: list[Json] = []
    for part in thoughts:
        if part.blob is not None:
            details += members.reasoning_details(part.text, list(part.summary), part.blob)
            blocks += members.thinking_blocks(part.text, part.blob)
    return {**said, "reasoning_details": details, "thinking_blocks": blocks} if details else said


def _calls(calls: list[ToolCall], *, old: bool) -> Json:
    if not calls:
        return {}
    if old:
        call = calls[0]
        name = members.tool_name(call.name, call.namespace)
        return {"function_call": {"name": name, "arguments": call.args or "{}"}}
    return {"tool_calls": [_call(call) for call in calls]}


def _call(call: ToolCall) -> Json:
    name = members.tool_name(call.name, call.namespace)
    written: Json = {"id": call.id}
    if call.kind == "custom":
        written |= {"type": "custom", "custom": {"name": name, "input": call.args}}
    else:
        written |= {"type": "function", "function": {"name": name, "arguments": call.args or "{}"}}
    if call.blob is not None:
        written["extra_content"] = write_signature(blobs.wrap(call.blob))
    return written
