"""Streams of the Messages dialect, written out by hand, and readers of what we write."""

import json
from typing import Any

from proxx.protocols.hub.facts import facts_of
from proxx.protocols.hub.occasion import Occasion
from proxx.protocols.hub.target import Target

OCCASION = Occasion("0123456789abcdef0123456789abcdef", 1_700_000_000, "shown", input_estimate=42)


def target(model: str = "claude-sonnet-4-5") -> Target:
    return Target("anthropic", model, "anthropic", facts=facts_of(model))


def frame(name: str, **data: Any) -> bytes:
    return f"event: {name}\ndata: {json.dumps({'type': name, **data})}\n\n".encode()


def start(**usage: Any) -> bytes:
    counts = {"input_tokens": 10, "cache_creation_input_tokens": 4, "cache_read_input_tokens": 3, "output_tokens": 1}
    message = {"id": "msg_up", "type": "message", "role": "assistant", "model": "claude-up", "content": []}
    return frame("message_start", message=message | {"stop_reason": None, "usage": counts | usage})


def block(index: int, begun: dict[str, Any], *deltas: dict[str, Any]) -> bytes:
    said = [frame("content_block_delta", index=index, delta=delta) for delta in deltas]
    begin = frame("content_block_start", index=index, content_block=begun)
    return b"".join([begin, *said, frame("content_block_stop", index=index)])


def text(index: int, *pieces: str) -> bytes:
    return block(index, {"type": "text", "text": ""}, *({"type": "text_delta", "text": piece} for piece in pieces))


def thinking(index: int, signature: str, *pieces: str) -> bytes:
    deltas = [{"type": "thinking_delta", "thinking": piece} for piece in pieces]
    begun = {"type": "thinking", "thinking": "", "signature": ""}
    return block(index, begun, *deltas, {"type": "signature_delta", "signature": signature})


def call(index: int, id: str, name: str, *pieces: str) -> bytes:
    begun = {"type": "tool_use", "id": id, "name": name, "input": {}}
    return block(index, begun, *({"type": "input_json_delta", "partial_json": piece} for piece in pieces))


def end(reason: str = "end_turn", output: int = 7, **delta: Any) -> bytes:
    changed = {"stop_reason": reason, "stop_sequence": None, **delta}
    return frame("message_delta", delta=changed, usage={"output_tokens": output}) + frame("message_stop")


SEARCH = (
    {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "weather"}},
    {
        "type": "web_search_tool_result",
        "tool_use_id": "srvtoolu_1",
        "content": [{"type": "web_search_result", "url": "https://a.org", "title": "A", "encrypted_content": "e"}],
    },
)


def search(index: int) -> bytes:
    use, result = SEARCH
    asked = {"type": "input_json_delta", "partial_json": json.dumps(use["input"])}
    return block(index, use | {"input": {}}, asked) + block(index + 1, result)


EVERYTHING = b"".join(
    [
        start(),
        frame("ping"),
        thinking(0, "sig", "Let me ", "see: ü€😀"),
        text(1, "I will ", "look."),
        search(2),
        block(4, {"type": "redacted_thinking", "data": "zzz"}),
        call(5, "toolu_1", "look", "", '{"city": "Gr', 'az"}'),
        call(6, "toolu_2", "now", ""),
        end("tool_use", 30),
    ]
)


def told(stream: bytes) -> list[tuple[str, dict[str, Any]]]:
    """Return name and data of each event of a stream that we wrote."""
    found = []
    for one in stream.decode().split("\n\n"):
        if one:
            name, data = one.split("\n")
            found.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return found


def collected(stream: bytes) -> dict[str, Any]:
    """Put a stream together as the vendor's own library does."""
    message: dict[str, Any] = {}
    for name, data in told(stream):
        assert name == data["type"]
        if name == "message_start":
            message = data["message"]
        elif name == "content_block_start":
            assert data["index"] == len(message["content"])
            message["content"].append(data["content_block"])
        elif name == "content_block_delta":
            _add(message["content"][data["index"]], data["delta"])
        elif name == "content_block_stop":
            _closed(message["content"][data["index"]])
        elif name == "message_delta":
            message |= data["delta"]
            message["usage"] |= data["usage"]
    return message


def _add(into: dict[str, Any], delta: dict[str, Any]) -> None:
    match delta["type"]:
        case "text_delta":
            into["text"] += delta["text"]
        case "thinking_delta":
            into["thinking"] += delta["thinking"]
        case "signature_delta":
            into["signature"] = delta["signature"]
        case "compaction_delta":
            into["content"] = (into["content"] or "") + delta["content"]
        case "input_json_delta":
            into["_json"] = into.get("_json", "") + delta["partial_json"]
        case "citations_delta":
            into.setdefault("citations", []).append(delta["citation"])


def _closed(block: dict[str, Any]) -> None:
    told = block.pop("_json", "")
    if told:
        block["input"] = json.loads(told)
