"""Messages, or a prompt, -> turns. Results of tools become parts of one user turn after the calls they answer.

Calls and results may lack ids: they are left empty here and matched where a history is written (hub/history.py).
"""

from collections.abc import Sequence

from proxx.protocols.hub import media
from proxx.protocols.hub.errors import Unreadable
from proxx.protocols.hub.parts import Image, Part, Reasoning, Text, ToolCall, ToolResult, Turn
from proxx.protocols.ollama.read_request.body import Body, Call, Message

_ROLES = ("system", "developer", "user", "assistant", "tool")
_LEADING = ("system", "developer")


def of_messages(messages: Sequence[Message]) -> tuple[tuple[Turn, ...], tuple[Turn, ...]]:
    """Return the leading instructions, and all other turns."""
    turns: list[Turn] = []
    answering = False  # whether the last turn holds results, and nothing else
    for number, message in enumerate(messages):
        where = f"messages[{number}]"
        if message.role not in _ROLES:
            raise Unreadable(f"'{where}.role' must be system, user, assistant or tool.", param=f"{where}.role")
        if message.role == "tool":
            result = _result(message, where)
            if answering:
                turns[-1] = Turn("user", (*turns[-1].parts, result))
            else:
                turns.append(Turn("user", (result,)))
            answering = True
            continue
        answering = False
        turns.append(Turn(message.role, _parts(message, where)))
    first = next((place for place, turn in enumerate(turns) if turn.role not in _LEADING), len(turns))
    return tuple(turns[:first]), tuple(turns[first:])


def of_prompt(body: Body) -> tuple[tuple[Turn, ...], tuple[Turn, ...]]:
    """Return the instructions, and the one turn, of a request to generate."""
    instructions = (Turn("system", (Text(body.system),)),) if body.system else ()
    words = (Text(body.prompt),) if body.prompt else ()
    return instructions, (Turn("user", (*words, *_images(body.images, "images"))),)


def _parts(message: Message, where: str) -> tuple[Part, ...]:
    parts: list[Part] = []
    if message.thinking:
        parts.append(Reasoning(message.thinking))
    if message.content:
        parts.append(Text(message.content))
    parts += _images(message.images, f"{where}.images")
    parts += [_call(call, f"{where}.tool_calls[{place}]") for place, call in enumerate(message.tool_calls or ())]
    return tuple(parts)


def _result(message: Message, where: str) -> ToolResult:
    words = (Text(message.content),) if message.content else ()
    parts = (*words, *_images(message.images, f"{where}.images"))
    return ToolResult(message.tool_call_id or "", parts, name=message.tool_name or "")


def _call(call: Call, where: str) -> ToolCall:
    args = bytes(call.function.arguments).decode(errors="replace")
    if args in ("", "null"):
        args = "{}"
    if not args.startswith("{"):
        where = f"{where}.function.arguments"
        raise Unreadable(f"'{where}' must be an object.", code="invalid_type", param=where)
    return ToolCall(call.id or "", call.function.name, args)


def _images(images: list[str] | None, where: str) -> list[Image]:
    return [_image(data, f"{where}[{place}]") for place, data in enumerate(images or ())]


def _image(data: str, where: str) -> Image:
    taken = media.data_url(data)  # no client should, some do
    if taken is not None:
        return Image(data=taken[1], media_type=taken[0])
    standard = media.standard(data)
    if not standard:
        raise Unreadable(f"'{where}' is not base64.", code="invalid_image", param=where)
    return Image(data=standard, media_type=media.sniffed(standard, "image/png"))
