"""A Chat Completions client."""

import json
from typing import Any

from tests.clients.sse import events, loaded
from tests.clients.talk import Call, Heard, Raw, Results, Said, Talk, User

NAME = "openai_chat"
FINISH = {"stop": "stop", "length": "length", "tools": "tool_calls", "filter": "content_filter"}


def path(_talk: Talk) -> str:
    return "/v1/chat/completions"


def body(talk: Talk) -> dict[str, Any]:
    messages: list[dict[str, Any]] = [{"role": "system", "content": talk.system}] if talk.system else []
    for turn in talk.turns:
        messages += _messages(turn)
    sent: dict[str, Any] = {"model": talk.model, "messages": messages}
    if talk.stream:
        sent |= {"stream": True, "stream_options": {"include_usage": True}}
    if talk.tools:
        functions = [{"name": t.name, "description": t.description, "parameters": t.schema} for t in talk.tools]
        sent["tools"] = [{"type": "function", "function": function} for function in functions]
    if talk.choice:
        named = {"type": "function", "function": {"name": talk.choice}}
        sent["tool_choice"] = talk.choice if talk.choice in ("auto", "none", "required") else named
    if talk.parallel is not None:
        sent["parallel_tool_calls"] = talk.parallel
    if talk.schema is not None:
        schema = {"name": "answer", "schema": talk.schema, "strict": True}
        sent["response_format"] = {"type": "json_schema", "json_schema": schema}
    elif talk.json:
        sent["response_format"] = {"type": "json_object"}
    plain = {"reasoning_effort": talk.effort, "stop": list(talk.stop), "max_completion_tokens": talk.limit}
    plain |= {"num_ctx": talk.num_ctx, "temperature": talk.temperature, "n": talk.n if talk.n > 1 else None}
    return sent | {name: value for name, value in plain.items() if value not in ("", [], None)}


def _messages(turn: User | Said | Results | Raw) -> list[dict[str, Any]]:
    match turn:
        case Raw():
            return list(turn.items)
        case Said():
            message: dict[str, Any] = {"role": "assistant", "content": turn.text or None}
            if turn.calls:
                message["tool_calls"] = [
                    {"id": id, "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
                    for id, name, arguments in turn.calls
                ]
            return [message]
        case Results():
            return [{"role": "tool", "tool_call_id": id, "content": text} for id, _, text in turn.results]
    if not (turn.images or turn.image_urls or turn.documents):
        return [{"role": "user", "content": turn.text}]
    urls = [f"data:image/png;base64,{image}" for image in turn.images] + list(turn.image_urls)
    files = [{"filename": "a.pdf", "file_data": f"data:application/pdf;base64,{data}"} for data in turn.documents]
    parts: list[dict[str, Any]] = [{"type": "text", "text": turn.text}]
    parts += [{"type": "image_url", "image_url": {"url": url}} for url in urls]
    parts += [{"type": "file", "file": file} for file in files]
    return [{"role": "user", "content": parts}]


def whole(answer: bytes) -> Heard:
    read = json.loads(answer)
    heard = Heard(texts=[], model=read["model"], ended=True)
    for choice in read["choices"]:
        message = choice["message"]
        heard.texts.append(message.get("content") or "")
        if choice["index"] == 0:
            heard.thought = message.get("reasoning_content") or ""
            heard.refusal = message.get("refusal") or ""
            heard.finish = choice["finish_reason"]
            heard.citations = [one["url_citation"]["url"] for one in message.get("annotations") or ()]
            heard.history = (message,)
            for call in message.get("tool_calls") or ():
                assert call["type"] == "function"
                arguments = loaded(call["function"]["arguments"])
                heard.calls.append(Call(call["id"], call["function"]["name"], arguments))
    heard.usage = _usage(read["usage"])
    return heard


def stream(answer: bytes) -> Heard:
    heard, calls, texts = Heard(), {}, {}
    thought_details: list[Any] = []
    for name, chunk in events(answer):
        if chunk == "[DONE]":
            heard.ended = True
            continue
        assert not heard.ended, "nothing follows [DONE]"
        if "error" in chunk:
            heard.error = chunk["error"]
            continue
        assert name == ""
        assert chunk["object"] == "chat.completion.chunk"
        heard.model = chunk["model"]
        if chunk.get("usage"):
            heard.usage = _usage(chunk["usage"])
        for choice in chunk["choices"]:
            delta = choice["delta"]
            texts[choice["index"]] = texts.get(choice["index"], "") + (delta.get("content") or "")
            if choice["index"]:
                continue
            heard.thought += delta.get("reasoning_content") or ""
            heard.refusal += delta.get("refusal") or ""
            heard.citations += [one["url_citation"]["url"] for one in delta.get("annotations") or ()]
            thought_details += delta.get("reasoning_details") or []
            heard.finish = choice["finish_reason"] or heard.finish
            for piece in delta.get("tool_calls") or ():
                _gather(calls, piece)
    heard.texts = [texts[index] for index in sorted(texts)] or [""]
    heard.calls = [Call(one["id"], one["name"], loaded(one["arguments"])) for _, one in sorted(calls.items())]
    heard.history = (_message(heard, calls, thought_details),)
    return heard


def _gather(calls: dict[int, dict[str, Any]], piece: dict[str, Any]) -> None:
    index = piece["index"]
    if index not in calls:
        assert index == len(calls), "indexes are dense from 0"
        assert piece["id"]
        assert piece["type"] == "function"
        assert piece["function"]["name"]
        calls[index] = {"id": piece["id"], "name": piece["function"]["name"], "arguments": "", "extra": None}
    else:
        assert not any((piece.get("id"), piece["function"].get("name"))), "id and name come once"
    calls[index]["arguments"] += piece["function"].get("arguments") or ""
    calls[index]["extra"] = piece.get("extra_content") or calls[index]["extra"]


def _message(heard: Heard, calls: dict[int, dict[str, Any]], details: list[Any]) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": heard.text or None}
    if heard.thought:
        message["reasoning_content"] = heard.thought
    if details:
        message["reasoning_details"] = details
    if calls:
        message["tool_calls"] = [
            {
                "id": one["id"],
                "type": "function",
                "function": {"name": one["name"], "arguments": one["arguments"]},
                **({"extra_content": one["extra"]} if one["extra"] else {}),
            }
            for _, one in sorted(calls.items())
        ]
    return message


def _usage(read: dict[str, Any]) -> dict[str, int]:
    assert read["total_tokens"] == read["prompt_tokens"] + read["completion_tokens"]
    cached = (read.get("prompt_tokens_details") or {}).get("cached_tokens") or 0
    reasoning = (read.get("completion_tokens_details") or {}).get("reasoning_tokens") or 0
    assert cached <= read["prompt_tokens"]
    assert reasoning <= read["completion_tokens"]
    return {
        "input": read["prompt_tokens"],
        "output": read["completion_tokens"],
        "cached": cached,
        "reasoning": reasoning,
    }


def error(answer: bytes) -> str:
    read = json.loads(answer)
    assert set(read["error"]) >= {"message", "type", "param", "code"}
    return str(read["error"]["type"])
