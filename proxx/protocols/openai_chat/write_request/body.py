"""Request -> the whole body for a chat completions upstream. The same request gives the same bytes."""

from collections.abc import Sequence
from typing import Any

from proxx.protocols.framing.encode import encoded
from proxx.protocols.hub.cuts import CutPrefill
from proxx.protocols.hub.history import repaired
from proxx.protocols.hub.losses import Losses
from proxx.protocols.hub.parts import Text, ToolCall, Turn
from proxx.protocols.hub.request import Request
from proxx.protocols.hub.target import Target
from proxx.protocols.hub.think_tags import SplitThinking
from proxx.protocols.openai_chat.dialect import NAME
from proxx.protocols.openai_chat.write_request import options
from proxx.protocols.openai_chat.write_request.ask import Ask
from proxx.protocols.openai_chat.write_request.form import write_form
from proxx.protocols.openai_chat.write_request.messages import write_messages
from proxx.protocols.openai_chat.write_request.thinking import write_wish
from proxx.protocols.openai_chat.write_request.tools import Toolbox
from proxx.protocols.spec import Mend, Written

Json = dict[str, Any]

CONTINUE = (
    "Continue your last message exactly where it ends. Give only the continuation and repeat nothing of what is "
    "already there."
)
_PREFILLING = ("anthropic", "gemini", "ollama")  # dialects in which a last assistant turn is a beginning
_PREFILL_FLAGS = (("prefix_flag", "prefix"), ("partial_flag", "partial"))
_MOST_MARKS = 4  # Anthropic's own limit


def write_request(request: Request, target: Target, losses: Losses) -> Written:
    """Write the body; raise `Inexpressible` for what the upstream would get silently wrong."""
    ask = Ask(request, target, losses)
    options.refuse_state(ask)
    toolbox = Toolbox(ask)  # before the history: what is declared keeps its plain name
    turns = repaired(request.turns, losses)
    prefill = _prefill(ask, turns)
    mends: list[Mend] = []
    if prefill and (ask.platform or target.facts.prefill is False):
        losses.drop("messages[-1]", "a begun answer is continued by instruction")
        turns = (*turns, Turn("user", (Text(CONTINUE),)))
        mends.append(CutPrefill(prefill))
    messages = write_messages(ask, turns)
    if prefill and not mends:
        messages[-1] |= {name: True for quirk, name in _PREFILL_FLAGS if quirk in ask.quirks}
    body: Json = {"model": target.model, "messages": messages, **toolbox.members}
    body |= options.write_options(ask)
    stops, stop_mends = options.write_stops(ask)
    body |= {**stops, **write_wish(ask, turns, forces_tool=toolbox.forces), **write_form(ask, messages)}
    if request.stream:
        body["stream"] = True
        if "no_stream_options" not in ask.quirks:
            body["stream_options"] = {"include_usage": True}
    if request.dialect == NAME:
        body |= {name: value for name, value in request.extras.items() if name not in body}
    _limit_marks(body)
    return Written(encoded(body), (*_splitting(ask), *toolbox.mends(), *stop_mends, *mends))


def _splitting(ask: Ask) -> tuple[Mend, ...]:
    if not ask.quirks & {"think_tags", "think_tags_opened"}:
        return ()
    return (SplitThinking(opened="think_tags_opened" in ask.quirks),)


def _prefill(ask: Ask, turns: Sequence[Turn]) -> str:
    """Return the beginning of the answer that the client wrote itself; empty if there is none."""
    last = turns[-1] if turns else None
    if ask.request.dialect not in _PREFILLING or last is None or last.role != "assistant":
        return ""
    if any(isinstance(part, ToolCall) for part in last.parts):
        return ""
    return "".join(part.text for part in last.parts if isinstance(part, Text)).rstrip()


def _limit_marks(body: Json) -> None:
    """Leave the first mark for caching and the last three (D124)."""
    places = [tool for tool in body.get("tools", ()) if "cache_control" in tool]
    for message in body["messages"]:
        listed = message["content"] if isinstance(message["content"], list) else ()
        places += [part for part in (*listed, message) if "cache_control" in part]
    for place in places[1 : -_MOST_MARKS + 1] if len(places) > _MOST_MARKS else ():
        del place["cache_control"]
