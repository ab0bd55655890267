"""A Messages client."""

import json
from typing import Any

from tests.clients.sse import events, loaded
from tests.clients.talk import Call, Heard, Raw, Results, Said, Talk, User

NAME = "anthropic"
FINISH = {"stop": "end_turn", "length": "max_tokens", "tools": "tool_use", "filter": "refusal"}
HEADERS = {"anthropic-version": "2023-06-01"}
_EFFORT_BUDGET = {"low": 2048, "medium": 8192, "high": 16384}
_CHOICES = {"auto": "auto", "none": "none", "required": "any"}


def path(_talk: Talk) -> str:
    return "/v1/messages?beta=true"


def body(talk: Talk) -> dict[str, Any]:
    sent: dict[str, Any] = {"model": talk.model, "max_tokens": talk.limit or 32000}
    sent["messages"] = [_message(turn) for turn in talk.turns]
    if talk.system:
        sent["system"] = [{"type": "text", "text": talk.system}]
    if talk.tools:
        sent["tools"] = [{"name": t.name, "description": t.description, "input_schema": t.schema} for t in talk.tools]
    if talk.choice or talk.parallel is False:
        kind = _CHOICES.get(talk.choice or "auto", "tool")
        sent["tool_choice"] = {"type": kind, **({"name": talk.choice} if kind == "tool" else {})}
        if talk.parallel is False:
            sent["tool_choice"]["disable_parallel_tool_use"] = True
    if talk.effort:
        budget = _EFFORT_BUDGET.get(talk.effort)
        sent["thinking"] = {"type": "enabled", "budget_tokens": budget} if budget else {"type": "disabled"}
    if talk.schema is not None:
        sent["output_config"] = {"format": {"type": "json_schema", "schema": talk.schema}}
    plain = {"stop_sequences": list(talk.stop), "temperature": talk.temperature, "stream": talk.stream or None}
    plain |= {"num_ctx": talk.num_ctx}
    return sent | {name: value for name, value in plain.items() if value not in ("", [], None)}


def _message(turn: User | Said | Results | Raw) -> dict[str, Any]:
    match turn:
        case Raw():
            return {"role": "assistant", "content": list(turn.items)}
        case Said():
            blocks: list[dict[str, Any]] = [{"type": "text", "text": turn.text}] if turn.text else []
            for id, name, arguments in turn.calls:
                blocks.append({"type": "tool_use", "id": id, "name": name, "input": arguments})
            return {"role": "assistant", "content": blocks}
        case Results():
            results = [{"tool_use_id": id, "content": text} for id, _, text in turn.results]
            return {"role": "user", "content": [{"type": "tool_result", **result} for result in results]}
    blocks = [{"type": "text", "text": turn.text}]
    sources = [{"type": "base64", "media_type": "image/png", "data": image} for image in turn.images]
    sources += [{"type": "url", "url": url} for url in turn.image_urls]
    blocks += [{"type": "image", "source": source} for source in sources]
    for data in turn.documents:
        source = {"type": "base64", "media_type": "application/pdf", "data": data}
        blocks.append({"type": "document", "source": source})
    return {"role": "user", "content": blocks}


def whole(answer: bytes) -> Heard:
    read = json.loads(answer)
    assert (read["type"], read["role"]) == ("message", "assistant")
    return _heard(read, read["content"], read["usage"])


def stream(answer: bytes) -> Heard:
    message: dict[str, Any] | None = None
    blocks: list[dict[str, Any]] = []
    open_block: int | None = None
    stopped = False
    for name, event in events(answer):
        assert event["type"] == name
        assert not stopped, "nothing follows message_stop"
        match name:
            case "message_start":
                assert message is None
                message = event["message"]
                assert set(message["usage"]) >= {"input_tokens", "output_tokens", "cache_read_input_tokens"}
            case "error":
                return Heard(error=event["error"])
            case "content_block_start":
                assert message is not None
                assert open_block is None
                assert event["index"] == len(blocks)
                open_block = event["index"]
                blocks.append({**event["content_block"], "pieces": ""})
            case "content_block_delta":
                assert event["index"] == open_block
                _grow(blocks[-1], event["delta"])
            case "content_block_stop":
                assert event["index"] == open_block
                open_block = None
            case "message_delta":
                assert message is not None
                assert open_block is None
                message |= event["delta"]
                message["usage"] = {**message["usage"], **event["usage"]}
            case "message_stop":
                assert message is not None
                assert message["stop_reason"]
                stopped = True
            case "ping":
                continue
            case _:
                raise AssertionError(f"an event nobody knows: {name}")
    assert message is not None
    assert stopped
    for block in blocks:
        pieces = block.pop("pieces")
        if block["type"] in ("tool_use", "server_tool_use") and pieces:
            block["input"] = loaded(pieces)
    return _heard(message, blocks, message["usage"])


def _grow(block: dict[str, Any], delta: dict[str, Any]) -> None:
    match delta["type"]:
        case "text_delta":
            assert block["type"] == "text"
            block["text"] += delta["text"]
        case "thinking_delta":
            assert block["type"] == "thinking"
            assert not block.get("signature")
            block["thinking"] += delta["thinking"]
        case "signature_delta":
            assert block["type"] == "thinking"
            block["signature"] = delta["signature"]
        case "input_json_delta":
            assert block["type"] in ("tool_use", "server_tool_use")
            block["pieces"] += delta["partial_json"]
        case "citations_delta":
            block.setdefault("citations", [])
            block["citations"] = [*(block["citations"] or []), delta["citation"]]


def _heard(message: dict[str, Any], blocks: list[dict[str, Any]], usage: dict[str, Any]) -> Heard:
    heard = Heard(model=message["model"], finish=message["stop_reason"], ended=True)
    # Claude Code forgets thinking without a signature, so a test that needs it back must find one.
    heard.history = tuple(block for block in blocks if block["type"] != "thinking" or block.get("signature"))
    heard.texts = ["".join(block["text"] for block in blocks if block["type"] == "text")]
    heard.thought = "".join(block["thinking"] for block in blocks if block["type"] == "thinking")
    calls = [block for block in blocks if block["type"] == "tool_use"]
    heard.calls = [Call(block["id"], block["name"], block["input"]) for block in calls]
    cited = [one for block in blocks if block["type"] == "text" for one in block.get("citations") or ()]
    heard.citations = [one["url"] for one in cited]
    heard.refusal = ((message.get("stop_details") or {}).get("explanation")) or ""
    cached, written = usage.get("cache_read_input_tokens") or 0, usage.get("cache_creation_input_tokens") or 0
    reasoning = (usage.get("output_tokens_details") or {}).get("thinking_tokens") or 0
    total = usage["input_tokens"] + cached + written
    heard.usage = {"input": total, "output": usage["output_tokens"], "cached": cached, "reasoning": reasoning}
    return heard


def error(answer: bytes) -> str:
    read = json.loads(answer)
    assert read["type"] == "error"
    assert read["error"]["message"]
    return str(read["error"]["type"])
