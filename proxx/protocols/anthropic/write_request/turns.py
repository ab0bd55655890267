"""Turns -> messages: user and assistant in turns, results at the head of the message after their calls, instructions
that come later in their place where the model takes them there."""

from collections.abc import Sequence

import msgspec

from proxx.protocols.anthropic.write_request.blocks import THOUGHTS, BlockWriter, Json
from proxx.protocols.hub.cuts import CutPrefill
from proxx.protocols.hub.history import NO_RESULT, repaired
from proxx.protocols.hub.losses import Losses
from proxx.protocols.hub.parts import (
    Compaction,
    File,
    Hosted,
    Image,
    Part,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
    Turn,
)
from proxx.protocols.hub.request import Request
from proxx.protocols.hub.target import Target
from proxx.protocols.spec import Mend

PLACEHOLDER = "."  # where a message must be and nobody said anything
CONTINUE = "Continue."
CONTINUE_EXACTLY = (
    "Your previous answer was cut off. Continue it exactly where it ends: do not repeat any of it, do not comment, "
    "give only what follows."
)
_PREFILLING = ("anthropic", "gemini", "ollama")  # dialects in which a last assistant turn is to be continued
_INSTRUCTING = ("system", "developer")
_NEVER_IN_ASSISTANT = (Image, File)


class Conversation(msgspec.Struct):
    """What a body says of the conversation."""

    system: list[Json]
    messages: list[Json]


def write_conversation(request: Request, writer: BlockWriter, target: Target, losses: Losses) -> Conversation:
    """Return system blocks and messages, without a word on how a last assistant turn is continued."""
    system = [block for turn in request.instructions for block in writer.blocks(_instructing(turn, losses).parts)]
    told = _Telling(writer, losses, in_place=bool(target.facts.system_in_place))
    turns = _answered(repaired(request.turns, losses), losses)
    for number, turn in enumerate(turns):
        following = next((one.role for one in turns[number + 1 :] if one.role not in _INSTRUCTING), "")
        told.take(turn, following)
    messages = told.finished()
    if not messages:
        # Nobody else has spoken: the instructions are the user's word.
        return Conversation([], [_message("user", system or [_text(PLACEHOLDER)])])
    if messages[0]["role"] != "user":
        messages.insert(0, _message("user", [_text(PLACEHOLDER)]))
    return Conversation(system, messages)


def without_prefill(messages: list[Json], request: Request, losses: Losses, *, allowed: bool) -> tuple[Mend, ...]:
    """Mend a last assistant message in place: trim it where the model continues it, else ask for its continuation.

    Returns what takes a repetition of the beginning off the answer.
    """
    last = messages[-1]
    blocks = last["content"]
    if last["role"] != "assistant" or blocks[-1]["type"] != "text":
        return ()
    blocks[-1]["text"] = blocks[-1]["text"].rstrip()
    if allowed:
        return ()
    if request.dialect not in _PREFILLING:
        losses.drop("messages", "the last assistant message is followed by a wish to continue")
        messages.append(_message("user", [_text(CONTINUE)]))
        return ()
    losses.drop("messages", "the beginning of the answer is given with the wish to continue it")
    messages.append(_message("user", [_text(CONTINUE_EXACTLY)]))
    return (CutPrefill(blocks[-1]["text"]),)


def open_loop_lacks_thinking(messages: list[Json]) -> bool:
    """Tell whether tools are being called and the assistant's first message in that did not begin with thinking."""
    first: Json | None = None
    for message in reversed(messages):
        blocks = message["content"]
        if message["role"] == "user" and not any(block["type"] == "tool_result" for block in blocks):
            break
        if message["role"] == "assistant":
            first = message
    return first is not None and first["content"][0]["type"] not in THOUGHTS


def without_thinking(messages: list[Json]) -> None:
    """Take all thinking out of the messages, in place."""
    for message in messages:
        message["content"] = [block for block in message["content"] if block["type"] not in THOUGHTS]
    messages[:] = [message for message in messages if message["content"]]


class _Telling:
    """The messages while they are written."""

    def __init__(self, writer: BlockWriter, losses: Losses, *, in_place: bool) -> None:
        self._writer, self._losses, self._in_place = writer, losses, in_place
        self._messages: list[Json] = []

    def take(self, turn: Turn, following: str) -> None:
        """Write one turn; `following` is the role of the next that is no instruction, empty at the end."""
        if turn.role in _INSTRUCTING:
            self._instruct(turn, following)
        elif turn.role == "assistant":
            self._add("assistant", self._assistant(turn, following))
        else:
            self._add("user", self._writer.blocks(turn.parts))

    def finished(self) -> list[Json]:
        """Return the messages; only the model cites."""
        for message in self._messages:
            if message["role"] == "user":
                for block in message["content"]:
                    if block["type"] == "text":
                        block.pop("citations", None)
        return self._messages

    def _assistant(self, turn: Turn, following: str) -> list[Json]:
        parts = tuple(_settled(part) for part in turn.parts) if following else turn.parts
        if any(isinstance(part, _NEVER_IN_ASSISTANT) for part in parts):
            self._losses.drop("messages[].content", "a model's own picture or document cannot be sent back")
            parts = tuple(part for part in parts if not isinstance(part, _NEVER_IN_ASSISTANT))
        blocks = self._writer.blocks(parts)
        while blocks and blocks[-1]["type"] in THOUGHTS:
            blocks.pop()  # thinking that nothing came of cannot end a message
        return blocks

    def _instruct(self, turn: Turn, following: str) -> None:
        blocks = self._writer.blocks(_instructing(turn, self._losses).parts)
        if not blocks:
            return
        last = self._messages[-1]["role"] if self._messages else ""
        if self._in_place and last in ("user", "system") and following in ("", "assistant"):
            self._add("system", blocks)
            return
        self._losses.drop("messages[].role", "a later system message is sent as marked user text")
        for block in blocks:
            block["text"] = f"<system-reminder>\n{block['text']}\n</system-reminder>"
        self._add("user", blocks)

    def _add(self, role: str, blocks: list[Json]) -> None:
        if blocks and self._messages and self._messages[-1]["role"] == role:
            self._messages[-1]["content"] += blocks
        elif blocks:
            self._messages.append(_message(role, blocks))


def _settled(part: Part) -> Part:
    """Return a hosted call that never came to a result as nobody's: only the last message may end in one."""
    if isinstance(part, Hosted) and part.status == "in_progress":
        return msgspec.structs.replace(part, raw=(), dialect="")
    return part


def _answered(turns: Sequence[Turn], losses: Losses) -> tuple[Turn, ...]:
    """Return the turns with results for calls of the very last one: a call without one is refused."""
    calls = [part for part in turns[-1].parts if isinstance(part, ToolCall)] if turns else []
    if not calls:
        return tuple(turns)
    losses.drop("messages[].tool_results", "a call had no result and got an empty one")
    results = [ToolResult(call.id, (Text(NO_RESULT),), call.name, call.namespace, is_error=True) for call in calls]
    return (*turns, Turn("user", tuple(results)))


def _instructing(turn: Turn, losses: Losses) -> Turn:
    if not all(isinstance(part, Text | Refusal | Compaction) for part in turn.parts):
        losses.refuse("messages[].content", "instructions take text only")
    return turn


def _message(role: str, blocks: list[Json]) -> Json:
    return {"role": role, "content": blocks}


def _text(text: str) -> Json:
    return {"type": "text", "text": text}
