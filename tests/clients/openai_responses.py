"""A Responses client that keeps its own history (store: false), as coding agents do."""

import json
from typing import Any

from tests.clients.sse import events, loaded
from tests.clients.talk import Call, Heard, Raw, Results, Said, Talk, User

NAME = "openai_responses"
FINISH = {"stop": "completed", "length": "max_output_tokens", "tools": "completed", "filter": "content_filter"}
RESOURCE = (
    *("id", "object", "created_at", "completed_at", "status", "error", "incomplete_details", "instructions", "model"),
    *("max_output_tokens", "max_tool_calls", "output", "parallel_tool_calls", "previous_response_id", "reasoning"),
    *("prompt_cache_key", "safety_identifier", "service_tier", "store", "temperature", "text", "tool_choice", "tools"),
    *("top_p", "truncation", "usage", "background", "metadata", "top_logprobs"),
)
_TERMINAL = ("response.completed", "response.incomplete", "response.failed")


def path(_talk: Talk) -> str:
    return "/v1/responses"


def body(talk: Talk) -> dict[str, Any]:
    items: list[dict[str, Any]] = []
    for turn in talk.turns:
        items += _items(turn)
    sent: dict[str, Any] = {"model": talk.model, "input": items, "store": False}
    sent["include"] = ["reasoning.encrypted_content"]
    if talk.tools:
        tools = [{"name": t.name, "description": t.description, "parameters": t.schema} for t in talk.tools]
        sent["tools"] = [{"type": "function", **tool} for tool in tools]
    if talk.choice:
        named = {"type": "function", "name": talk.choice}
        sent["tool_choice"] = talk.choice if talk.choice in ("auto", "none", "required") else named
    if talk.schema is not None:
        sent["text"] = {"format": {"type": "json_schema", "name": "answer", "schema": talk.schema, "strict": True}}
    elif talk.json:
        sent["text"] = {"format": {"type": "json_object"}}
    if talk.effort:
        sent["reasoning"] = {"effort": talk.effort, "summary": "auto"}
    plain = {"instructions": talk.system, "max_output_tokens": talk.limit, "temperature": talk.temperature}
    plain |= {"parallel_tool_calls": talk.parallel, "stream": talk.stream or None, "num_ctx": talk.num_ctx}
    return sent | {name: value for name, value in plain.items() if value not in ("", None)}


def _items(turn: User | Said | Results | Raw) -> list[dict[str, Any]]:
    match turn:
        case Raw():
            return list(turn.items)
        case Said():
            items: list[dict[str, Any]] = []
            if turn.text:
                content = [{"type": "output_text", "text": turn.text, "annotations": []}]
                items.append({"type": "message", "role": "assistant", "content": content})
            for id, name, arguments in turn.calls:
                call = {"call_id": id, "name": name, "arguments": json.dumps(arguments)}
                items.append({"type": "function_call", **call})
            return items
        case Results():
            return [{"type": "function_call_output", "call_id": id, "output": text} for id, _, text in turn.results]
    urls = [f"data:image/png;base64,{image}" for image in turn.images] + list(turn.image_urls)
    parts: list[dict[str, Any]] = [{"type": "input_text", "text": turn.text}]
    parts += [{"type": "input_image", "image_url": url, "detail": "auto"} for url in urls]
    parts += [
        {"type": "input_file", "filename": "a.pdf", "file_data": f"data:application/pdf;base64,{data}"}
        for data in turn.documents
    ]
    return [{"type": "message", "role": "user", "content": parts}]


def whole(answer: bytes) -> Heard:
    return _resource(json.loads(answer))


def stream(answer: bytes) -> Heard:
    final: dict[str, Any] | None = None
    said: dict[tuple[int, int], str] = {}
    items: dict[int, dict[str, Any]] = {}
    known: dict[int, str] = {}
    for number, (name, event) in enumerate(events(answer)):
        assert event["type"] == name, "event and data name the same"
        assert event["sequence_number"] == number, "numbers begin at 0 and skip nothing"
        assert final is None, "nothing follows the end"
        if number == 0 and name not in ("response.failed", "error"):
            assert name == "response.created"
        match name:
            case "response.output_item.added":
                assert event["output_index"] == len(known), "items come one after another"
                known[event["output_index"]] = event["item"]["id"]
            case "response.output_text.delta" | "response.refusal.delta":
                assert known[event["output_index"]] == event["item_id"]
                place = (event["output_index"], event["content_index"])
                said[place] = said.get(place, "") + event["delta"]
            case "response.output_item.done":
                assert known[event["output_index"]] == event["item"]["id"]
                items[event["output_index"]] = event["item"]
            case _ if name in _TERMINAL:
                final = event["response"]
    assert final is not None, "a stream ends with its terminal event"
    if final["status"] == "failed":
        return Heard(error=final["error"], ended=False)
    assert final["output"] == [items[index] for index in sorted(items)], "the end repeats every item"
    for (index, part), text in said.items():
        content = items[index]["content"][part]
        assert content.get("text", content.get("refusal")) == text
    return _resource(final)


def _resource(read: dict[str, Any]) -> Heard:
    assert not [name for name in RESOURCE if name not in read], "the whole resource, always"
    heard = Heard(model=read["model"], ended=True, history=tuple(read["output"]))
    texts: list[str] = []
    for item in read["output"]:
        assert item["id"]
        match item["type"]:
            case "message":
                texts += [part["text"] for part in item["content"] if part["type"] == "output_text"]
                heard.refusal += "".join(part["refusal"] for part in item["content"] if part["type"] == "refusal")
                notes = [note for part in item["content"] for note in part.get("annotations") or ()]
                heard.citations += [note["url"] for note in notes]
            case "reasoning":
                heard.thought += "".join(part["text"] for part in item.get("summary") or ())
                heard.thought += "".join(part["text"] for part in item.get("content") or ())
            case "function_call":
                heard.calls.append(Call(item["call_id"], item["name"], loaded(item["arguments"])))
    heard.texts = ["\n\n".join(texts)]
    heard.finish = (read["incomplete_details"] or {}).get("reason") or read["status"]
    usage = read["usage"]
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    heard.usage = {
        "input": usage["input_tokens"],
        "output": usage["output_tokens"],
        "cached": usage["input_tokens_details"]["cached_tokens"],
        "reasoning": usage["output_tokens_details"]["reasoning_tokens"],
    }
    return heard


def error(answer: bytes) -> str:
    read = json.loads(answer)
    assert set(read["error"]) >= {"message", "type", "param", "code"}
    return str(read["error"]["type"])
