"""An Ollama client."""

import json
from typing import Any

from tests.clients.talk import Call, Heard, Raw, Results, Said, Talk, User

NAME = "ollama"
FINISH = {"stop": "stop", "length": "length", "tools": "stop", "filter": "stop"}


def path(_talk: Talk) -> str:
    return "/api/chat"


def body(talk: Talk) -> dict[str, Any]:
    messages: list[dict[str, Any]] = [{"role": "system", "content": talk.system}] if talk.system else []
    for turn in talk.turns:
        messages += _messages(turn)
    sent: dict[str, Any] = {"model": talk.model, "messages": messages, "stream": talk.stream}
    if talk.tools:
        tools = [{"name": t.name, "description": t.description, "parameters": t.schema} for t in talk.tools]
        sent["tools"] = [{"type": "function", "function": tool} for tool in tools]
    options = {"num_predict": talk.limit, "stop": list(talk.stop), "num_ctx": talk.num_ctx}
    options |= {"temperature": talk.temperature}
    options = {name: value for name, value in options.items() if value not in ([], None)}
    if options:
        sent["options"] = options
    if talk.schema is not None or talk.json:
        sent["format"] = talk.schema or "json"
    if talk.effort:
        sent["think"] = False if talk.effort == "none" else talk.effort
    return sent


def _messages(turn: User | Said | Results | Raw) -> list[dict[str, Any]]:
    match turn:
        case Raw():
            return list(turn.items)
        case Said():
            message: dict[str, Any] = {"role": "assistant", "content": turn.text}
            if turn.calls:
                functions = [{"name": name, "arguments": arguments} for _, name, arguments in turn.calls]
                message["tool_calls"] = [{"function": function} for function in functions]
            return [message]
        case Results():
            return [{"role": "tool", "tool_name": name, "content": text} for _, name, text in turn.results]
    images = {"images": list(turn.images)} if turn.images else {}
    return [{"role": "user", "content": turn.text, **images}]


def whole(answer: bytes) -> Heard:
    return _heard([json.loads(answer)])


def stream(answer: bytes) -> Heard:
    """Read as the Python client does: every line is JSON, none is blank."""
    assert answer.endswith(b"\n")
    lines = [json.loads(line) for line in answer[:-1].split(b"\n")]
    for line in lines[:-1]:
        assert "error" in line or line["done"] is False
    if "error" in lines[-1]:
        return Heard(error={"message": lines[-1]["error"]})
    return _heard(lines)


def _heard(lines: list[dict[str, Any]]) -> Heard:
    heard, last = Heard(), lines[-1]
    assert last["done"] is True
    assert last["done_reason"]
    for line in lines:
        assert line["created_at"].endswith("Z")
        assert line["model"]
        message = line["message"]
        assert isinstance(message["content"], str)
        heard.texts[0] += message["content"]
        heard.thought += message.get("thinking") or ""
        for call in message.get("tool_calls") or ():
            assert isinstance(call["function"]["arguments"], dict)
            heard.calls.append(Call(call.get("id", ""), call["function"]["name"], call["function"]["arguments"]))
    heard.model, heard.finish, heard.ended = last["model"], last["done_reason"], True
    heard.usage = {"input": last.get("prompt_eval_count", 0), "output": last.get("eval_count", 0)}
    assert last["total_duration"] >= 0
    message = {"role": "assistant", "content": heard.text}
    if heard.thought:
        message["thinking"] = heard.thought
    if heard.calls:
        calls = [{"id": one.id, "function": {"name": one.name, "arguments": one.arguments}} for one in heard.calls]
        message["tool_calls"] = calls
    heard.history = (message,)
    return heard


def error(answer: bytes) -> str:
    read = json.loads(answer)
    assert isinstance(read["error"], str)
    return "error"
