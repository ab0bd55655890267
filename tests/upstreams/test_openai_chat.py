"""The simulated OpenAI behaves like the real one: answers, streams, refusals, byte for byte in the journal."""

import http.client
import json

import openai
import pytest

from tests.upstreams.script import call_tool, cite, finish, refuse, report_usage, say, think, together
from tests.upstreams.server import closed_port

USER = [{"role": "user", "content": "What is the weather in Oslo?"}]
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
CALL = {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}


@pytest.fixture
def client(provider):
    with openai.OpenAI(base_url=provider.base_url, api_key="sk-sim-1", max_retries=0) as client:
        yield client


def post(provider, body, *, path="/v1/chat/completions", key="sk-sim-1", method="POST"):
    connection = http.client.HTTPConnection("127.0.0.1", provider.port, timeout=5)
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    connection.request(method, path, data, {"authorization": f"Bearer {key}"})
    response = connection.getresponse()
    found = response.status, response.headers, response.read()
    connection.close()
    return found


def chunks(answer):
    events = bytes(answer).split(b"\n\n")
    return [json.loads(event[6:]) for event in events if event.startswith(b"data: {")]


def test_a_whole_answer_says_what_the_script_says(provider, client):
    provider.script(say("Fine weather."), report_usage(input=20, output=9, cached=16, reasoning=4))
    answer = client.chat.completions.create(model="gpt-x", messages=USER)
    assert answer.choices[0].message.content == "Fine weather."
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.prompt_tokens_details.cached_tokens == 16
    assert answer.usage.completion_tokens_details.reasoning_tokens == 4
    assert answer.usage.total_tokens == 29


def test_a_stream_says_the_same_in_pieces(provider, client):
    provider.script(think("Hm."), say("one two three"))
    stream = client.chat.completions.create(model="gpt-x", messages=USER, stream=True)
    deltas = [chunk.choices[0].delta for chunk in stream]
    assert [delta.content for delta in deltas if delta.content] == ["one", " two", " three"]
    assert [delta.reasoning_content for delta in deltas if hasattr(delta, "reasoning_content")] == ["Hm."]


def test_usage_comes_in_a_chunk_of_its_own_and_is_null_in_the_others(provider, client):
    options = {"include_usage": True}
    list(client.chat.completions.create(model="sim-say", messages=USER, stream=True, stream_options=options))
    provider.journal.last.wait()
    *others, last = chunks(provider.journal.last.answer)
    assert all(chunk["usage"] is None and chunk["choices"] for chunk in others)
    assert last["choices"] == []
    assert last["usage"]["total_tokens"] > 0
    assert provider.journal.last.answer.endswith(b"data: [DONE]\n\n")


def test_without_the_wish_for_usage_no_chunk_has_any(provider, client):
    list(client.chat.completions.create(model="sim-say", messages=USER, stream=True))
    provider.journal.last.wait()
    assert all("usage" not in chunk for chunk in chunks(provider.journal.last.answer))


def test_parallel_tool_calls_arrive_by_index(provider, client):
    provider.script(call_tool("get_weather", {"city": "Oslo"}), call_tool("get_weather", {"city": "Bergen"}))
    stream = client.chat.completions.create(model="gpt-x", messages=USER, tools=[WEATHER], stream=True)
    arguments = {}
    for chunk in stream:
        for call in chunk.choices[0].delta.tool_calls or ():
            arguments[call.index] = arguments.get(call.index, "") + call.function.arguments
        reason = chunk.choices[0].finish_reason
    assert {index: json.loads(text)["city"] for index, text in arguments.items()} == {0: "Oslo", 1: "Bergen"}
    assert reason == "tool_calls"


def test_calls_made_together_interleave_and_have_ids_of_their_own(provider, client):
    calls = [call_tool("get_weather", {"city": city}, pieces=2) for city in ("Oslo", "Bergen")]
    provider.script(together(*calls))
    stream = client.chat.completions.create(model="gpt-x", messages=USER, tools=[WEATHER], stream=True)
    found = [call for chunk in stream for call in chunk.choices[0].delta.tool_calls or ()]
    assert [call.index for call in found] == [0, 1, 0, 1, 0, 1]
    assert len({call.id for call in found if call.id}) == 2
    texts = ["".join(call.function.arguments for call in found if call.index == index) for index in (0, 1)]
    assert [json.loads(text)["city"] for text in texts] == ["Oslo", "Bergen"]


def test_a_refusal_a_source_and_a_custom_call_have_their_own_places(provider, client):
    provider.script(
        say("So."), cite("https://a.example", "A"), refuse("I cannot."), call_tool("run", "ls", custom=True)
    )
    message = client.chat.completions.create(model="gpt-x", messages=USER).choices[0].message
    assert (message.content, message.refusal) == ("So.", "I cannot.")
    assert message.annotations[0].url_citation.url == "https://a.example"
    assert (message.tool_calls[0].custom.name, message.tool_calls[0].custom.input) == ("run", "ls")


@pytest.mark.parametrize("stream", [False, True])
def test_a_stop_sequence_ends_the_answer_before_it(provider, client, stream):
    provider.script(say("one two three"), say("never"))
    post(provider, {"model": "gpt-x", "messages": USER, "stop": [" two", "x"], "stream": stream})
    answer = bytes(provider.journal.last.answer)
    assert b"one" in answer
    assert b"two" not in answer
    assert b"never" not in answer
    assert b'"finish_reason":"stop"' in answer.replace(b": ", b":")


def test_json_is_answered_where_json_is_wanted(client):
    shape = {"type": "json_schema", "json_schema": {"name": "x", "schema": WEATHER["function"]["parameters"]}}
    answer = client.chat.completions.create(model="gpt-x", messages=USER, response_format=shape)
    assert json.loads(answer.choices[0].message.content) == {"city": "Oslo"}


def test_a_tool_loop_comes_to_its_end(client):
    first = client.chat.completions.create(model="sim-tools", messages=USER, tools=[WEATHER])
    call = first.choices[0].message.tool_calls[0]
    assert json.loads(call.function.arguments) == {"city": "Oslo"}
    answer = {"role": "tool", "tool_call_id": call.id, "content": "rain"}
    second = client.chat.completions.create(
        model="sim-tools", messages=[*USER, first.choices[0].message, answer], tools=[WEATHER]
    )
    assert second.choices[0].message.content == "The tool answered: rain"


def test_several_choices_interleave_by_index(provider, client):
    provider.script(say("a b"))
    stream = client.chat.completions.create(model="gpt-x", messages=USER, n=2, stream=True)
    said = [(chunk.choices[0].index, chunk.choices[0].delta.content) for chunk in stream]
    assert [pair for pair in said if pair[1]] == [(0, "a"), (1, "a"), (0, " b"), (1, " b")]


def test_the_limit_ends_an_answer_for_length(client):
    answer = client.chat.completions.create(model="sim-say", messages=USER, max_completion_tokens=3)
    assert answer.choices[0].finish_reason == "length"
    assert answer.usage.completion_tokens <= 3


def test_a_scripted_reason_overrides_the_natural_one(provider, client):
    provider.script(say("No."), finish("filter"))
    assert client.chat.completions.create(model="gpt-x", messages=USER).choices[0].finish_reason == "content_filter"


def test_the_journal_holds_exactly_the_bytes_that_were_sent(provider):
    status, headers, body = post(provider, {"model": "sim-think", "messages": USER, "stream": True})
    entry = provider.journal.find(headers["x-request-id"])
    assert status == entry.status == 200
    assert entry.wait() == "complete"
    assert bytes(entry.answer) == body
    assert entry.header("Authorization") == "Bearer sk-sim-1"
    assert entry.json["model"] == "sim-think"


def test_models_are_listed_and_shown(provider, client):
    assert "gpt-x" in [model.id for model in client.models.list()]
    assert client.models.retrieve("gpt-x").id == "gpt-x"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("gpt-unknown")


def test_an_unknown_model_is_not_found(client):
    with pytest.raises(openai.NotFoundError) as caught:
        client.chat.completions.create(model="gpt-unknown", messages=USER)
    assert caught.value.code == "model_not_found"


@pytest.mark.parametrize("key", ["", "sk-other", "Bearer"])
def test_a_wrong_key_is_refused(provider, key):
    status, _, body = post(provider, {"model": "sim-say", "messages": USER}, key=key)
    assert status == 401
    assert json.loads(body)["error"]["code"] == "invalid_api_key"


def test_a_doubled_version_in_the_path_is_not_found(provider):
    assert post(provider, {"model": "sim-say", "messages": USER}, path="/v1/v1/chat/completions")[0] == 404


def test_another_method_is_not_allowed(provider):
    assert post(provider, b"", method="GET")[0] == 405


def test_imitators_elsewhere_take_unknown_members(provider):
    body = {"model": "sim-say", "messages": USER, "thinking": {"type": "enabled"}}
    assert post(provider, body)[0] == 400
    assert post(provider, body, path="/api/paas/v4/chat/completions")[0] == 200
    assert post(provider, body, path="/v1beta/openai/chat/completions")[0] == 200


REFUSED = {
    "no model": ({"model": None}, None),
    "no messages": ({"messages": None}, "messages"),
    "empty messages": ({"messages": []}, "messages"),
    "unknown role": ({"messages": [{"role": "robot", "content": "x"}]}, "messages[0].role"),
    "content missing": ({"messages": [{"role": "user"}]}, "messages[0].content"),
    "unknown part": ({"messages": [{"role": "user", "content": [{"type": "smell"}]}]}, "messages[0].content[0].type"),
    "orphan tool message": (
        {"messages": [*USER, {"role": "tool", "tool_call_id": "call_1", "content": "x"}]},
        "messages[1].role",
    ),
    "tool message without id": ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].tool_call_id"),
    "unanswered call": ({"messages": [*USER, {"role": "assistant", "tool_calls": [CALL]}, *USER]}, "messages"),
    "arguments as object": (
        {
            "messages": [
                {
                    "role": "assistant",
                    "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": {}}}],
                }
            ]
        },
        "messages[0].tool_calls[0].function.arguments",
    ),
    "unknown member": ({"top_k": 3}, None),
    "temperature": ({"temperature": 2.5}, "temperature"),
    "max_tokens as text": ({"max_tokens": "10"}, "max_tokens"),
    "stream as text": ({"stream": "yes"}, "stream"),
    "too many stops": ({"stop": ["a", "b", "c", "d", "e"]}, "stop"),
    "stream_options alone": ({"stream_options": {"include_usage": True}}, "stream_options"),
    "json mode without the word": ({"response_format": {"type": "json_object"}}, "messages"),
    "empty tools": ({"tools": []}, "tools"),
    "tool without name": ({"tools": [{"type": "function", "function": {}}]}, "tools[0].function.name"),
    "bad tool name": ({"tools": [{"type": "function", "function": {"name": "a b"}}]}, "tools[0].function.name"),
    "bad schema": (
        {"tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "string"}}}]},
        "tools[0].function.parameters",
    ),
    "choice without tools": ({"tool_choice": "auto"}, "tool_choice"),
    "choice of an unknown tool": (
        {"tools": [WEATHER], "tool_choice": {"type": "function", "function": {"name": "g"}}},
        "tool_choice",
    ),
}


@pytest.mark.parametrize("change", REFUSED.values(), ids=REFUSED.keys())
def test_a_bad_request_is_refused_by_name(provider, change):
    members, param = change
    body = {"model": "sim-say", "messages": USER, **members}
    status, _, answer = post(provider, {name: value for name, value in body.items() if value is not None})
    assert status == 400
    error = json.loads(answer)["error"]
    assert (error["type"], error["param"]) == ("invalid_request_error", param)


def test_a_body_that_is_no_json_is_refused(provider):
    assert post(provider, b"{")[0] == 400


def test_a_closed_port_refuses_connections():
    with pytest.raises(ConnectionRefusedError):
        http.client.HTTPConnection("127.0.0.1", closed_port(), timeout=1).request("GET", "/")
