"""The messages of a chat completion body -> turns. Results that follow one another become one user turn."""

from proxx.protocols.hub.parts import Part, Refusal, Text, ToolCall, ToolResult, Turn
from proxx.protocols.openai_chat.read_request.fields import Fields
from proxx.protocols.openai_chat.read_request.parts import cache_mark, content
from proxx.protocols.openai_chat.read_request.thinking import thinking
from proxx.protocols.openai_chat.slots import read_signature

_ROLES = "system, developer, user, assistant, tool and function"
_LEADING = ("system", "developer")


def read_messages(messages: list[Fields]) -> tuple[tuple[Turn, ...], tuple[Turn, ...]]:
    """Return the leading instructions, and all other turns in order."""
    turns: list[Turn] = []
    results: list[Part] = []
    for message in messages:
        role = message.required("role")
        if role in ("tool", "function"):
            results.append(_result(message, role))
            continue
        if results:
            turns.append(Turn("user", tuple(results)))
            results = []
        turns.append(_turn(message, role))
    if results:
        turns.append(Turn("user", tuple(results)))
    leading = next((place for place, turn in enumerate(turns) if turn.role not in _LEADING), len(turns))
    return tuple(turns[:leading]), tuple(turns[leading:])


def _turn(message: Fields, role: str) -> Turn:
    match role:
        case "assistant":
            parts = _assistant(message)
        case "user":
            parts = _user(message)
        case "system" | "developer":
            parts = [part for part in content(message) if isinstance(part, Text)]
        case _:
            message.unknown("role", _ROLES)
    return Turn(role, tuple(parts), name=message.text("name"))


def _user(message: Fields) -> list[Part]:
    """Return a user's parts; results in the shape of Messages, which some editors send here, are results."""
    value = message.raw.get("content")
    if not isinstance(value, list) or not any(
        isinstance(one, dict) and one.get("type") == "tool_result" for one in value
    ):
        if value is None:
            message.missing("content")
        return content(message)
    parts: list[Part] = []
    for one in message.objects("content"):
        if one.text("type") == "tool_result":
            inner = tuple(content(one))
            parts.append(ToolResult(one.required("tool_use_id"), inner, is_error=one.flag("is_error")))
        else:
            parts += content(Fields({"content": [one.raw]}, one.path))
    return parts


def _assistant(message: Fields) -> list[Part]:
    said, calls = message, []
    value = message.raw.get("content")
    if isinstance(value, list) and any(isinstance(one, dict) and one.get("type") == "tool_use" for one in value):
        calls = [_used(one) for one in message.objects("content") if one.text("type") == "tool_use"]
        kept = [one for one in value if not (isinstance(one, dict) and one.get("type") == "tool_use")]
        said = Fields({**message.raw, "content": kept}, message.path)
    parts: list[Part] = [*thinking(message), *content(said)]
    if message.text("refusal"):
        parts.append(Refusal(message.text("refusal")))
    parts += calls
    parts += [_call(call) for call in message.objects("tool_calls")]
    old = message.object("function_call")
    if old is not None and "tool_calls" not in message:
        parts.append(ToolCall("", old.required("name"), old.json_text("arguments")))
    return _with_signature(parts, message)


def _with_signature(parts: list[Part], message: Fields) -> list[Part]:
    # Google's own surface signs a whole message where no call can carry it: that belongs to its last text.
    blob = read_signature(message.raw.get("extra_content"))
    place = next((place for place in reversed(range(len(parts))) if isinstance(parts[place], Text)), None)
    if blob is None or place is None:
        return parts
    text = parts[place]
    assert isinstance(text, Text)
    return [*parts[:place], Text(text.text, text.citations, blob, text.cache), *parts[place + 1 :]]


def _call(call: Fields) -> ToolCall:
    custom = call.object("custom")
    if custom is not None:
        return ToolCall(call.text("id"), custom.required("name"), custom.text("input"), kind="custom")
    function = call.object("function") or call
    return ToolCall(
        id=call.text("id"),
        name=function.required("name"),
        args=function.json_text("arguments"),
        blob=read_signature(call.raw.get("extra_content")),
    )


def _used(block: Fields) -> ToolCall:
    return ToolCall(block.text("id"), block.required("name"), block.json_text("input"), cache=cache_mark(block))


def _result(message: Fields, role: str) -> ToolResult:
    parts = content(message)
    if parts == [Text("")]:
        parts = []
    if role == "function":
        return ToolResult("", tuple(parts), name=message.required("name"))
    return ToolResult(message.text("tool_call_id"), tuple(parts), name=message.text("name"), cache=cache_mark(message))
