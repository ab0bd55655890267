"""Bodies of the Responses kind that some editors send to the chat path: `input` instead of `messages` (E8).

Only what a conversation is made of; what lives on OpenAI's servers cannot be meant here.
"""

from typing import Any

from proxx.protocols.openai_chat.read_request.fields import Fields

_CALLS = {"function_call": ("function", "arguments"), "custom_tool_call": ("custom", "input")}
_OUTPUTS = ("function_call_output", "custom_tool_call_output")


def as_messages(body: Fields) -> list[dict[str, Any]]:
    """Return the conversation as chat messages; the calls of one step stand in one message."""
    messages: list[dict[str, Any]] = []
    if body.text("instructions"):
        messages.append({"role": "system", "content": body.text("instructions")})
    if isinstance(body.raw["input"], str):
        return [*messages, {"role": "user", "content": body.raw["input"]}]
    for item in body.objects("input"):
        kind = item.text("type") or "message"
        if kind in _CALLS:
            _add_call(messages, item, kind)
        elif kind in _OUTPUTS:
            output = item.raw.get("output")
            messages.append({"role": "tool", "tool_call_id": item.required("call_id"), "content": output})
        elif kind == "message":
            messages.append({**item.raw, "role": item.required("role")})
        elif kind == "reasoning":
            continue  # it belongs to an answer of another path
        else:
            item.unknown("type", "message, function_call, function_call_output and their custom kin")
    return messages


def _add_call(messages: list[dict[str, Any]], item: Fields, kind: str) -> None:
    inner, argument = _CALLS[kind]
    called = {"name": item.required("name"), argument: item.json_text(argument)}
    call = {"id": item.required("call_id"), "type": inner, inner: called}
    if messages and messages[-1]["role"] == "assistant":
        messages[-1] = {**messages[-1], "tool_calls": [*messages[-1].get("tool_calls", ()), call]}
    else:
        messages.append({"role": "assistant", "content": None, "tool_calls": [call]})
