"""The simulated Responses service answers like the real one: the ladder of events, the whole resource, endings."""

import http.client
import json

import openai
import pytest

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

ASK = {"model": "gpt-x", "input": "What is the weather in Oslo?"}
FUNCTION = {
    "type": "function",
    "name": "get_weather",
    "strict": True,
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
}
REASON = {"reasoning": {"summary": "auto"}, "include": ["reasoning.encrypted_content"]}


def post(provider, body, path="/v1/responses", *, method="POST", key="sk-sim-1"):
    connection = http.client.HTTPConnection("127.0.0.1", provider.port, timeout=5)
    connection.request(method, path, json.dumps(body), {"authorization": f"Bearer {key}"})
    response = connection.getresponse()
    found = response.status, response.read()
    connection.close()
    return found


def whole(provider, **changes):
    status, body = post(provider, {**ASK, **changes})
    assert status == 200, body
    return json.loads(body)


def events(provider, path="/v1/responses", **changes):
    """Return the (event line, data) of a stream."""
    status, body = post(provider, {**ASK, "stream": True, **changes}, path)
    assert status == 200, body
    found = []
    for block in body.decode().strip().split("\n\n"):
        *names, data = block.split("\n")
        found.append((names[0].removeprefix("event: ") if names else None, json.loads(data.removeprefix("data: "))))
    return found


def types(found):
    return [event["type"] for _, event in found]


@pytest.fixture
def client(provider):
    with openai.OpenAI(base_url=provider.base_url, api_key="sk-sim-1", max_retries=0) as client:
        yield client


def test_a_text_climbs_the_whole_ladder(provider):
    provider.script(say("Fine weather."))
    found = events(provider)
    assert types(found) == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    assert [event["sequence_number"] for _, event in found] == list(range(10))
    assert all(name == event["type"] for name, event in found)


def test_every_item_keeps_its_id_and_its_index_through_its_events(provider):
    provider.script(think("Hm.\n\nWell."), say("a b"), refuse("No."), together(call_tool("f", {}), call_tool("g", {})))
    found = events(provider, **REASON)
    output = found[-1][1]["response"]["output"]
    assert [item["type"] for item in output] == ["reasoning", "message", "function_call", "function_call"]
    for _, event in found:
        if "output_index" in event:
            id = event["item_id"] if "item_id" in event else event["item"]["id"]
            assert output[event["output_index"]]["id"] == id
    done = [event["item"] for _, event in found if event["type"] == "response.output_item.done"]
    assert sorted(done, key=output.index) == output


def test_the_deltas_say_what_the_whole_reply_says(provider):
    steps = (think("One.\n\nTwo."), say("Some text."), call_tool("get_weather", {"city": "Oslo"}))
    provider.script(*steps)
    provider.script(*steps)
    streamed, made = events(provider, **REASON), whole(provider, **REASON)

    def joined(kind):
        return "".join(event["delta"] for _, event in streamed if event["type"] == kind)

    reasoning, message, call = made["output"]
    assert [part["text"] for part in reasoning["summary"]] == ["One.", "Two."]
    assert joined("response.reasoning_summary_text.delta") == "One.Two."
    assert joined("response.output_text.delta") == message["content"][0]["text"] == "Some text."
    assert joined("response.function_call_arguments.delta") == call["arguments"] == '{"city":"Oslo"}'


def test_calls_at_once_interleave_by_output_index(provider):
    provider.script(together(call_tool("f", {"a": 1}), call_tool("g", {"b": 2})))
    indexes = [event["output_index"] for _, event in events(provider) if event["type"].endswith("arguments.delta")]
    assert indexes == [0, 1, 0, 1, 0, 1]


def test_reasoning_is_shown_only_when_a_summary_is_asked_for(provider):
    provider.script(think("Hm."), say("x"))
    provider.script(think("Hm."), say("x"))
    assert whole(provider)["output"][0]["summary"] == []
    shown = whole(provider, **REASON)["output"][0]
    assert shown["summary"] == [{"type": "summary_text", "text": "Hm."}]
    assert shown["encrypted_content"]


def test_open_models_show_the_reasoning_itself(provider):
    provider.script(think("Let me see."), say("x"), model="gpt-oss-120b")
    found = events(provider, model="gpt-oss-120b")
    assert "".join(event["delta"] for _, event in found if event["type"] == "response.reasoning_text.delta")
    assert found[-1][1]["response"]["output"][0]["content"] == [{"type": "reasoning_text", "text": "Let me see."}]


def test_a_sealed_text_at_the_end_is_the_one_that_counts(provider):
    provider.script(think("Hm."), say("x"))
    items = [
        event["item"] for _, event in events(provider, **REASON) if event["type"].startswith("response.output_item")
    ]
    added, done = items[:2]
    assert added["encrypted_content"] != done["encrypted_content"]


def test_a_search_is_an_item_and_its_sources_are_annotations(provider):
    provider.script(
        search("Oslo", [("Weather", "https://w.example")]), say("Rain."), cite("https://w.example", "Weather")
    )
    found = events(provider)
    searched, message = found[-1][1]["response"]["output"]
    assert searched["action"] == {"type": "search", "query": "Oslo"}
    assert message["content"][0]["annotations"][0]["url"] == "https://w.example"
    assert message["content"][0]["annotations"][0]["end_index"] == 5
    assert {"response.web_search_call.searching", "response.output_text.annotation.added"} <= set(types(found))


def test_custom_tools_and_namespaces_come_back_as_they_were_declared(provider):
    tools = [
        {"type": "custom", "name": "patch"},
        {"type": "namespace", "name": "mcp__x", "description": "x", "tools": [{**FUNCTION, "name": "look"}]},
    ]
    provider.script(call_tool("patch", "*** Begin"), call_tool("look", {"city": "Oslo"}))
    found = events(provider, tools=tools)
    custom, function = found[-1][1]["response"]["output"]
    assert (custom["type"], custom["input"]) == ("custom_tool_call", "*** Begin")
    assert (function["name"], function["namespace"]) == ("look", "mcp__x")
    assert "response.custom_tool_call_input.done" in types(found)


@pytest.mark.parametrize(
    ("reason", "status", "detail"),
    [
        ("length", "incomplete", "max_output_tokens"),
        ("filter", "incomplete", "content_filter"),
        ("raw:failed", "failed", None),
    ],
)
def test_an_ending_has_its_event_and_its_reason(provider, reason, status, detail):
    provider.script(say("Half"), finish(reason))
    last = events(provider)[-1][1]
    assert last["type"] == f"response.{status}"
    assert last["response"]["status"] == status
    assert (last["response"]["incomplete_details"] or {}).get("reason") == detail


def test_an_error_inside_a_stream_is_an_event_and_a_failed_resource(provider):
    provider.script(say("Half"), fail("429", retry_after=7))
    *_, (name, error), (_, failed) = events(provider)
    assert (name, error["error"]["code"]) == ("error", "rate_limit_exceeded")
    assert failed["response"]["status"] == "failed"
    assert "try again in 7s" in failed["response"]["error"]["message"]


def test_the_resource_echoes_what_was_asked(provider):
    made = whole(provider, tools=[FUNCTION], max_output_tokens=50, metadata={"a": "b"}, temperature=0.5, user="u")
    assert made["tools"][0]["strict"] is True
    assert (made["max_output_tokens"], made["metadata"], made["temperature"], made["user"]) == (
        50,
        {"a": "b"},
        0.5,
        "u",
    )
    assert made["text"] == {"format": {"type": "text"}, "verbosity": "medium"}
    assert (made["tool_choice"], made["store"], made["error"], made["status"]) == ("auto", True, None, "completed")


def test_usage_is_reported_with_its_details(provider):
    provider.script(say("x"), report_usage(input=20, output=9, cached=16, reasoning=4))
    usage = whole(provider)["usage"]
    assert usage["input_tokens_details"]["cached_tokens"] == 16
    assert usage["output_tokens_details"]["reasoning_tokens"] == 4
    assert usage["total_tokens"] == 29


def test_imitators_leave_out_event_lines_and_end_with_done(provider):
    body = post(provider, {**ASK, "stream": True, "top_k": 3}, "/api/v1/responses")[1]
    assert b"event:" not in body
    assert body.endswith(b"data: [DONE]\n\n")


def test_the_official_client_reads_whole_replies_streams_and_errors(provider, client):
    assert "simulated" in client.responses.create(model="sim-say", input="hi").output_text
    with client.responses.stream(model="sim-tools", input="hi", tools=[FUNCTION]) as stream:
        for _ in stream:
            pass
        assert stream.get_final_response().output[0].name == "get_weather"
    with pytest.raises(openai.RateLimitError):
        client.responses.create(model="sim-fault-429", input="hi")
    with pytest.raises(openai.NotFoundError):
        client.responses.create(model="gpt-unknown", input="hi")
