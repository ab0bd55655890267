"""What Anthropic refuses in the order of messages and blocks, and with which 400.

Neighbouring messages of one role are one turn, as the service joins them. Paths in the texts name the message as sent.
"""

from dataclasses import dataclass, field
from typing import Any

from tests.upstreams import anthropic_blocks
from tests.upstreams.answer import Refused
from tests.upstreams.anthropic_models import Family
from tests.upstreams.anthropic_refusals import invalid

THOUGHTS = ("thinking", "redacted_thinking")
_DOCS = "https://docs.claude.com/en/docs/build-with-claude/extended-thinking"


@dataclass(slots=True)
class Turn:
    """All blocks of neighbouring messages of one role, each with the path of its place."""

    role: str
    where: str
    blocks: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def of(self, *kinds: str) -> list[tuple[str, dict[str, Any]]]:
        """Return the blocks of these types."""
        return [pair for pair in self.blocks if pair[1]["type"] in kinds]


def check(body: dict[str, Any], kind: Family, *, newer: bool, signed: bool) -> None:
    """Raise Refused for the first thing that is wrong; `newer`: the rules of 2026-10-21; `signed`: check signatures."""
    _system(body.get("system"))
    messages = body["messages"]
    if not isinstance(messages, list):
        raise Refused(invalid("messages: Input should be a valid list"))
    if not messages:
        raise Refused(invalid("messages: at least one message is required"))
    turns: list[Turn] = []
    for index, message in enumerate(messages):
        turn = _message(message, index, last=index == len(messages) - 1, kind=kind, signed=signed)
        if turns and turns[-1].role == turn.role:
            turns[-1].blocks += turn.blocks
        else:
            turns.append(turn)
    _order(turns)
    for turn in turns if newer else ():
        _newer(turn)
    for turn, following in zip(turns, [*turns[1:], None], strict=True):
        if turn.role == "assistant":
            _calls(turn, following)
    _results(turns)
    if (body.get("thinking") or {}).get("type") == "enabled":
        _open_loop(turns)
    _prefill(turns[-1], kind, thinks=(body.get("thinking") or {}).get("type") in ("enabled", "adaptive"))


def _system(system: Any) -> None:
    if system is None or isinstance(system, str):
        return
    if not isinstance(system, list):
        raise Refused(invalid("system: Input should be a valid string"))
    for index, block in enumerate(system):
        anthropic_blocks.check(block, f"system.{index}", {"text"}, signed=False)


def _message(message: Any, index: int, *, last: bool, kind: Family, signed: bool) -> Turn:
    where = f"messages.{index}"
    if not isinstance(message, dict):
        raise Refused(invalid(f"{where}: Input should be a valid dictionary"))
    for member in ("role", "content"):
        if member not in message:
            raise Refused(invalid(f"{where}.{member}: Field required"))
    for member in set(message) - {"role", "content"}:
        raise Refused(invalid(f"{where}.{member}: Extra inputs are not permitted"))
    role = _role(message["role"], where, kind)
    content = _content(message["content"], where, may_be_empty=last and role == "assistant")
    kinds = {"user": anthropic_blocks.USER, "assistant": anthropic_blocks.ASSISTANT, "system": {"text"}}[role]
    turn = Turn(role, where)
    for number, block in enumerate(content):
        place = f"{where}.content.{number}"
        anthropic_blocks.check(block, place, kinds, signed=signed)
        turn.blocks.append((place, block))
    return turn


def _role(role: Any, where: str, kind: Family) -> str:
    if role == "system" and not kind.system_turns:
        text = 'messages: Unexpected role "system". The Messages API accepts a top-level `system` parameter, not '
        raise Refused(invalid(text + '"system" as an input message role.'))
    if role not in ("user", "assistant", "system"):
        raise Refused(invalid(f"{where}.role: Input should be 'user' or 'assistant'"))
    return str(role)


def _content(content: Any, where: str, *, may_be_empty: bool) -> list[Any]:
    """Return the blocks of a message; text alone is one block."""
    if not isinstance(content, str | list):
        raise Refused(invalid(f"{where}.content: Input should be a valid list"))
    if not content and not may_be_empty:
        text = f"{where}: all messages must have non-empty content except for the optional final assistant message"
        raise Refused(invalid(text))
    return content if isinstance(content, list) else [{"type": "text", "text": content}] if content else []


def _order(turns: list[Turn]) -> None:
    if turns[0].role != "user":
        raise Refused(invalid('messages: first message must use the "user" role'))
    for before, turn, after in zip(turns, turns[1:], [*turns[2:], None], strict=False):
        if turn.role != "system":
            continue
        if before.role != "user" or (after is not None and after.role != "assistant"):
            text = f"{turn.where}: a message with role 'system' must follow a user turn and be last or precede an "
            raise Refused(invalid(text + "assistant turn"))


def _newer(turn: Turn) -> None:
    for place, _ in turn.of("document") if turn.role == "assistant" else ():
        raise Refused(invalid(f"{place}: `document` blocks are not permitted in assistant messages"))
    for place, block in turn.of("text") if turn.role == "user" else ():
        if block.get("citations"):
            raise Refused(invalid(f"{place}.text.citations: citations are not permitted in user messages"))


def _calls(turn: Turn, following: Turn | None) -> None:
    """Check that every call of a turn is answered at the head of the next one, and hosted calls in their own."""
    wanted = [block["id"] for _, block in turn.of("tool_use")]
    answered: list[str] = []
    for _, block in following.blocks if following is not None else ():
        if block["type"] != "tool_result":
            break
        answered.append(block["tool_use_id"])
    missing = [id for id in wanted if id not in answered]
    if missing:
        text = (
            f"{turn.where}: `tool_use` ids were found without `tool_result` blocks immediately after: "
            f"{', '.join(missing)}. Each `tool_use` block must have a corresponding `tool_result` block in the next "
            "message."
        )
        raise Refused(invalid(text))
    results = {block["tool_use_id"] for _, block in turn.blocks if block["type"].endswith("_tool_result")}
    for _, block in turn.of("server_tool_use"):
        if following is not None and block["id"] not in results:
            text = f"`{block['name']}` tool use with id `{block['id']}` was found without a corresponding "
            raise Refused(invalid(f"{turn.where}: {text}`{block['name']}_tool_result` block"))


def _results(turns: list[Turn]) -> None:
    seen: set[str] = set()
    for before, turn in zip([None, *turns], turns, strict=False):
        for _, block in turn.of("tool_use", "server_tool_use"):
            if block["id"] in seen:
                raise Refused(invalid("messages: `tool_use` ids must be unique"))
            seen.add(block["id"])
        called = {block["id"] for _, block in before.of("tool_use")} if before is not None else set()
        answered: set[str] = set()
        for place, block in turn.of("tool_result"):
            id = block["tool_use_id"]
            if id not in called:
                text = (
                    f"{place}: unexpected `tool_use_id` found in `tool_result` blocks: {id}. Each `tool_result` block "
                    "must have a corresponding `tool_use` block in the previous message."
                )
                raise Refused(invalid(text))
            if id in answered:
                text = f"each tool_use must have a single result. Found multiple `tool_result` blocks with id: {id}"
                raise Refused(invalid(f"{place}: {text}"))
            answered.add(id)


def _open_loop(turns: list[Turn]) -> None:
    """Check that the assistant began with a thought in the loop of tools that is still open, or in its prefill."""
    first: Turn | None = None
    for turn in reversed(turns):
        if turn.role == "user" and not turn.of("tool_result"):
            break
        if turn.role == "assistant":
            first = turn
    if first is None or not first.blocks or first.blocks[0][1]["type"] in THOUGHTS:
        return
    place, block = first.blocks[0]
    text = (
        f"{place}.type: Expected `thinking` or `redacted_thinking`, but found `{block['type']}`. When `thinking` is "
        "enabled, a final `assistant` message must start with a thinking block (preceeding the lastmost set of "
        "`tool_use` and `tool_result` blocks). We recommend you include thinking blocks from previous turns. To avoid "
        f"this requirement, disable `thinking`. Please consult our documentation at {_DOCS}"
    )
    raise Refused(invalid(text))


def _prefill(last: Turn, kind: Family, *, thinks: bool) -> None:
    if last.role != "assistant" or last.of("server_tool_use"):
        return
    if not kind.prefill or thinks:
        text = "This model does not support assistant message prefill. The conversation must end with a user message."
        raise Refused(invalid(text))
    text = last.blocks[-1][1].get("text", "") if last.blocks else ""
    if text != text.rstrip():
        raise Refused(invalid("messages: final assistant content cannot end with trailing whitespace"))
