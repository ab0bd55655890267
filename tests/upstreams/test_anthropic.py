"""The simulated Anthropic answers like the real one: blocks, streams, signatures, usage, models, errors."""

import json

import pytest

from tests.upstreams.posting import send
from tests.upstreams.script import (
    call_tool,
    cite,
    fail,
    finish,
    refuse,
    report_usage,
    say,
    search,
    think,
    together,
)

KEY = {"x_api_key": "sk-sim-1", "anthropic_version": "2023-06-01"}
USER = [{"role": "user", "content": "What is the weather in Oslo?"}]
THINKING = {"type": "enabled", "budget_tokens": 1024}
WEATHER = {
    "name": "get_weather",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


def ask(provider, *, path="/v1/messages", headers=KEY, **members):
    body = {"model": "claude-x", "max_tokens": 4096, "messages": USER, **members}
    return send(provider, "POST", path, body, **headers)


def names(reply):
    return [line[7:] for line in reply.body.decode().split("\n") if line.startswith("event: ")]


def folded(reply):
    """Fold a stream into a message the way the vendor's client libraries do."""
    message = {}
    texts = {}
    for event in reply.events():
        match event["type"]:
            case "message_start":
                message = event["message"]
            case "content_block_start":
                assert event["index"] == len(message["content"])
                message["content"].append(event["content_block"])
            case "content_block_delta":
                _add(message["content"][event["index"]], event["delta"], texts.setdefault(event["index"], []))
            case "message_delta":
                message |= event["delta"]
                message["usage"] |= event["usage"]
    for index, pieces in texts.items():
        if message["content"][index]["type"].endswith("tool_use"):
            message["content"][index]["input"] = json.loads("".join(pieces) or "{}")
    return message


def _add(block, delta, pieces):
    match delta["type"]:
        case "text_delta":
            block["text"] += delta["text"]
        case "thinking_delta":
            block["thinking"] += delta["thinking"]
        case "signature_delta":
            block["signature"] = delta["signature"]
        case "citations_delta":
            block.setdefault("citations", []).append(delta["citation"])
        case "input_json_delta":
            pieces.append(delta["partial_json"])


STEPS = (
    think("Let me see. A lot.", pieces=3),
    think("hidden", redacted=True),
    search("oslo weather", [("Yr", "https://yr.example")]),
    say("It rains."),
    cite("https://yr.example", "Yr"),
    say("A lot."),
    together(call_tool("f", {"a": 1}, id="toolu_a"), call_tool("g", {}, id="toolu_b")),
    report_usage(input=100, output=20, cached=30, cache_write_5m=10, cache_write_1h=5, reasoning=7),
)


def test_a_whole_answer_equals_the_folded_stream(provider):
    made = []
    for stream in (False, True):
        provider.script(*STEPS)
        reply = ask(provider, thinking=THINKING, stream=stream)
        message = folded(reply) if stream else reply.json
        made.append({**message, "id": ""})
    for message in made:
        ids = [block.get("id") or block.get("tool_use_id", "") for block in message["content"]]
        assert len([id for id in ids if id.startswith("srvtoolu_")]) == 2
        for block in message["content"]:
            if str(block.get("id", block.get("tool_use_id", ""))).startswith("srvtoolu_"):
                block["tool_use_id" if "tool_use_id" in block else "id"] = "searched"
    assert made[0] == made[1]
    kinds = ["thinking", "redacted_thinking", "server_tool_use", "web_search_tool_result", "text", "text"]
    assert [block["type"] for block in made[0]["content"]] == [*kinds, "tool_use", "tool_use"]
    assert made[0]["stop_reason"] == "tool_use"


def test_the_stream_follows_the_grammar(provider):
    provider.script(say("one two"), call_tool("f", {"a": 1}, pieces=2))
    reply = ask(provider, stream=True)
    assert names(reply) == [
        "message_start", "content_block_start", "ping", "content_block_delta", "content_block_delta",
        "content_block_stop", "content_block_start", "content_block_delta", "content_block_delta",
        "content_block_delta", "content_block_stop", "message_delta", "message_stop",
    ]  # fmt: skip
    deltas = [event["delta"] for event in reply.events() if event["type"] == "content_block_delta"]
    assert deltas[2] == {"type": "input_json_delta", "partial_json": ""}
    assert reply.headers["content-type"].startswith("text/event-stream")
    assert reply.headers["request-id"] == provider.journal.last.id


def test_a_call_without_arguments_sends_an_empty_piece_only(provider):
    provider.script(call_tool("f", {}))
    deltas = [event["delta"] for event in ask(provider, stream=True).events() if "delta" in event]
    assert deltas[0] == {"type": "input_json_delta", "partial_json": ""}
    assert deltas[1]["stop_reason"] == "tool_use"


def test_usage_leaves_the_cache_out_of_the_input(provider):
    provider.script(say("x"), report_usage(input=100, output=20, cached=30, cache_write_5m=10, cache_write_1h=5))
    start, *_, delta, _ = ask(provider, stream=True).events()
    for usage in (start["message"]["usage"], delta["usage"]):
        assert (usage["input_tokens"], usage["cache_read_input_tokens"]) == (55, 30)
        assert usage["cache_creation_input_tokens"] == 15
        assert usage["cache_creation"] == {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 5}
    assert delta["usage"]["output_tokens"] == 20


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("stop", "end_turn"),
        ("length", "max_tokens"),
        ("pause", "pause_turn"),
        ("context_window", "model_context_window_exceeded"),
        ("filter", "refusal"),
        ("raw:compaction", "compaction"),
    ],
)
def test_every_reason_has_its_name(provider, reason, told):
    for stream in (False, True):
        provider.script(say("x"), finish(reason))
        reply = ask(provider, stream=stream)
        assert (folded(reply) if stream else reply.json)["stop_reason"] == told


def test_a_stop_sequence_is_named(provider):
    provider.script(say("one END two"))
    message = folded(ask(provider, stream=True, stop_sequences=["END"]))
    assert (message["stop_reason"], message["stop_sequence"]) == ("stop_sequence", "END")
    assert message["content"] == [{"type": "text", "text": "one "}]


def test_a_refusal_is_a_good_answer_without_content(provider):
    provider.script(refuse("I cannot help with that."))
    message = ask(provider).json
    assert (message["content"], message["stop_reason"]) == ([], "refusal")
    assert message["stop_details"]["explanation"] == "I cannot help with that."


def test_thoughts_are_only_shown_to_those_who_ask(provider):
    provider.always(think("Hm."), say("x"))
    shown = [
        [block["type"] for block in ask(provider, **members).json["content"]]
        for members in ({}, {"thinking": {"type": "disabled"}}, {"thinking": {"type": "adaptive"}})
    ]
    assert shown == [["text"], ["text"], ["thinking", "text"]]


@pytest.mark.parametrize("stream", [False, True])
def test_the_text_of_thoughts_may_be_left_out_and_late_models_do_so(provider, stream):
    provider.always(think("Hm."), say("x"))
    cases = [("claude-sonnet-4-6", {}), ("claude-opus-4-8", {"display": "summarized"})]
    cases += [("claude-opus-4-8", {}), ("claude-sonnet-4-6", {"display": "omitted"})]
    texts = []
    for model, display in cases:
        reply = ask(provider, model=model, thinking={"type": "adaptive", **display}, stream=stream)
        thought = (folded(reply) if stream else reply.json)["content"][0]
        assert thought["signature"]
        texts.append(thought["thinking"])
    assert texts == ["Hm.", "Hm.", "", ""]


def test_a_loop_of_thoughts_and_tools_comes_to_its_end(provider):
    provider.script(think("Hm."), think("x", redacted=True), call_tool("get_weather", {"city": "Oslo"}))
    provider.script(say("Rain."))
    first = ask(provider, tools=[WEATHER], thinking=THINKING).json
    answer = {"type": "tool_result", "tool_use_id": first["content"][-1]["id"], "content": "rain"}
    messages = [*USER, {"role": "assistant", "content": first["content"]}, {"role": "user", "content": [answer]}]
    assert ask(provider, tools=[WEATHER], thinking=THINKING, messages=messages).status == 200


def test_a_scripted_signature_is_recognised_and_no_other(provider):
    provider.script(think("Hm.", signature="of my own"), say("x"))
    thought = ask(provider, thinking=THINKING).json["content"][0]
    assert thought["signature"] == "of my own"
    for text, status in (("Hm.", 200), ("Changed.", 400)):
        back = {"role": "assistant", "content": [{**thought, "thinking": text}, {"type": "text", "text": "x"}]}
        assert ask(provider, messages=[*USER, back, *USER]).status == status


def test_tokens_are_counted_without_an_answer(provider):
    body = {"model": "claude-x", "messages": USER}
    reply = send(provider, "POST", "/v1/messages/count_tokens?beta=true", body, **KEY)
    assert reply.json["input_tokens"] > 5
    reply = send(provider, "POST", "/v1/messages/count_tokens", {**body, "max_tokens": 5}, **KEY)
    assert reply.json["error"]["message"] == "max_tokens: Extra inputs are not permitted"


def test_models_are_listed_in_pages_and_shown(provider):
    first = send(provider, "GET", "/v1/models?limit=2", **KEY).json
    second = send(provider, "GET", f"/v1/models?limit=2&after_id={first['last_id']}", **KEY).json
    assert (len(first["data"]), first["has_more"]) == (2, True)
    assert second["first_id"] not in [model["id"] for model in first["data"]]
    model = send(provider, "GET", "/v1/models/claude-opus-4-8", **KEY).json
    assert (model["type"], model["id"]) == ("model", "claude-opus-4-8")
    assert send(provider, "GET", "/v1/models/claude-unknown", **KEY).json["error"]["type"] == "not_found_error"


def test_without_its_version_header_the_list_is_openais(provider):
    assert send(provider, "GET", "/v1/models", authorization="Bearer sk-sim-1").json["object"] == "list"


@pytest.mark.parametrize(
    ("headers", "status", "kind"),
    [
        ({"authorization": "Bearer sk-sim-1"}, 200, None),
        ({"x_api_key": "sk-sim-1", "authorization": "Bearer nonsense"}, 200, None),
        ({"x_api_key": "sk-ant-other"}, 401, "authentication_error"),
        ({}, 401, "authentication_error"),
    ],
)
def test_a_key_travels_in_either_header(provider, headers, status, kind):
    reply = ask(provider, headers={"anthropic_version": "2023-06-01", **headers})
    assert reply.status == status
    if kind is not None:
        assert reply.json["error"]["type"] == kind
        assert reply.json["request_id"] == reply.headers["request-id"]


def test_another_method_is_refused_in_the_same_envelope(provider):
    reply = send(provider, "GET", "/v1/messages", **KEY)
    assert (reply.status, reply.json["type"]) == (405, "error")


@pytest.mark.parametrize("fault", ["400-context", "401", "402", "403", "404", "413", "429", "500", "503", "504", "529"])
def test_refusals_are_in_anthropics_manner(provider, fault):
    reply = ask(provider, model=f"sim-fault-{fault}")
    assert reply.status == int(fault[:3])
    assert reply.json["type"] == "error"
    assert reply.json["error"]["type"].endswith(("_error", "request_too_large"))


def test_an_error_inside_the_stream_is_an_event_and_the_last(provider):
    provider.script(say("one"), fail("529"))
    reply = ask(provider, stream=True)
    assert names(reply)[-1] == "error"
    assert reply.events()[-1]["error"]["type"] == "overloaded_error"


def test_a_stream_without_its_end_has_neither_delta_nor_stop(provider):
    assert not {"message_delta", "message_stop"} & set(names(ask(provider, model="sim-fault-no-end", stream=True)))
    usage = [event for event in ask(provider, model="sim-fault-no-usage", stream=True).events() if "usage" in event]
    assert usage == []


def test_json_is_answered_where_a_schema_is_asked(provider):
    schema = {**WEATHER["input_schema"], "additionalProperties": False}
    shape = {"format": {"type": "json_schema", "schema": schema}}
    reply = ask(provider, model="claude-opus-4-8", output_config=shape)
    assert json.loads(reply.json["content"][0]["text"]) == {"city": "Oslo"}
