"""The simulated Ollama answers like the real one: lines, whole tool calls, thinking, pages, and Go's refusals."""

import http.client
import json

import pytest

from tests.upstreams.script import call_tool, fail, finish, report_usage, say, think, together

USER = {"role": "user", "content": "hi"}
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}


def post(provider, body, path="/api/chat", *, method="POST", key=None):
    connection = http.client.HTTPConnection("127.0.0.1", provider.port, timeout=5)
    headers = {"authorization": f"Bearer {key}"} if key else {}
    connection.request(method, path, json.dumps(body), headers)
    response = connection.getresponse()
    found = response.status, response.headers["content-type"], response.read()
    connection.close()
    return found


def lines(provider, path="/api/chat", **changes):
    status, kind, body = post(provider, {"model": "gpt-x", "messages": [USER], **changes}, path)
    assert (status, kind) == (200, "application/x-ndjson"), body
    return [json.loads(line) for line in body.splitlines()]


def whole(provider, path="/api/chat", **changes):
    status, kind, body = post(provider, {"model": "gpt-x", "messages": [USER], "stream": False, **changes}, path)
    assert (status, kind) == (200, "application/json"), body
    return json.loads(body)


def test_it_streams_unless_told_otherwise(provider):
    provider.script(say("Fine weather."))
    *pieces, last = lines(provider)
    assert [piece["message"]["content"] for piece in pieces] == ["Fine", " weather."]
    assert not any(piece["done"] for piece in pieces)
    assert (last["done"], last["done_reason"], last["message"]["content"]) == (True, "stop", "")
    assert last["total_duration"] > last["eval_duration"] > 0


def test_a_whole_reply_says_the_same(provider):
    provider.script(think("Hm."), say("Fine weather."), call_tool("f", {"a": 1}, id="call_7"))
    made = whole(provider)
    call = {"id": "call_7", "function": {"index": 0, "name": "f", "arguments": {"a": 1}}}
    expected = {"role": "assistant", "content": "Fine weather.", "thinking": "Hm.", "tool_calls": [call]}
    assert made["message"] == expected
    assert made["done_reason"] == "stop"


def test_tool_calls_come_whole_and_several_in_a_line(provider):
    provider.script(together(call_tool("f", {"a": 1}), call_tool("g", {})))
    calls = [line["message"]["tool_calls"] for line in lines(provider) if "tool_calls" in line["message"]]
    assert [[call["function"]["arguments"] for call in line] for line in calls] == [[{"a": 1}, {}]]
    assert calls[0][0]["id"] != calls[0][1]["id"]


def test_older_servers_give_calls_no_id(provider):
    provider.script(call_tool("f", {}), model="llama3.1")
    assert "id" not in whole(provider, model="llama3.1")["message"]["tool_calls"][0]


def test_arguments_that_are_no_object_are_left_as_text(provider):
    provider.script(call_tool("f", '{"a": '))
    message = whole(provider)["message"]
    assert (message["content"], "tool_calls" in message) == ('{"a": ', False)


def test_counts_of_zero_are_left_out(provider):
    provider.script(say("x"), report_usage(input=0, output=3))
    made = whole(provider)
    assert (made["eval_count"], "prompt_eval_count" in made) == (3, False)


def test_a_model_thinks_unless_told_not_to(provider):
    for _ in range(3):
        provider.script(think("Hm."), say("x"))
    assert "thinking" in whole(provider)["message"]
    assert "thinking" not in whole(provider, think=False)["message"]
    assert "thinking" not in whole(provider, model="sim-plain")["message"]


def test_the_limit_and_the_stop_texts_end_an_answer(provider):
    assert whole(provider, model="sim-say", options={"num_predict": 3})["done_reason"] == "length"
    made = whole(provider, model="sim-say", options={"num_predict": -1, "stop": ["provider"]})
    assert made["message"]["content"] == "This is a simulated "


def test_the_context_is_cut_without_a_word_unless_truncation_is_off(provider):
    long = {"messages": [{"role": "user", "content": "x" * 400}], "options": {"num_ctx": 50}}
    assert whole(provider, **long)["prompt_eval_count"] == 50
    status, _, body = post(provider, {"model": "gpt-x", "truncate": False, **long})
    assert (status, json.loads(body)["error"]) == (400, "the input length exceeds the context length")


def test_a_name_and_its_latest_are_the_same_model(provider):
    provider.script(say("x"), model="gpt-x")
    assert whole(provider, model="gpt-x:latest")["model"] == "gpt-x:latest"
    assert json.loads(post(provider, {"model": "gpt-x:latest"}, "/api/show")[2])["capabilities"]


@pytest.mark.parametrize(("keep_alive", "reason"), [(None, "load"), ("5m", "load"), (0, "unload"), ("0s", "unload")])
def test_no_messages_only_load_or_unload(provider, keep_alive, reason):
    status, _, body = post(provider, {"model": "gpt-x", "messages": [], "keep_alive": keep_alive})
    assert (status, json.loads(body)["done_reason"]) == (200, reason)


def test_generate_answers_under_response(provider):
    provider.script(think("Hm."), say("one two"))
    *pieces, last = lines(provider, "/api/generate", prompt="x")
    assert "".join(piece["response"] for piece in pieces) == "one two"
    assert pieces[0]["thinking"] == "Hm."
    assert last["context"]


def test_embeddings_come_one_per_text(provider):
    made = whole(provider, "/api/embed", model="sim-embed", input=["a", "b"], dimensions=4)
    assert [len(one) for one in made["embeddings"]] == [4, 4]
    assert made["prompt_eval_count"] == 2
    assert whole(provider, "/api/embed", model="sim-embed", input=[])["embeddings"] == []
    assert len(whole(provider, "/api/embeddings", model="sim-embed", prompt="a")["embedding"]) == 768


def test_a_format_is_kept(provider):
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    assert json.loads(whole(provider, format=schema)["message"]["content"]) == {"city": "Oslo"}
    assert json.loads(whole(provider, format="json")["message"]["content"]) == {}


def test_pages_tell_of_models_and_version(provider):
    def page(path, method="GET"):
        return post(provider, None, path, method=method)[2]

    assert page("/") == b"Ollama is running"
    assert post(provider, None, "/", method="HEAD")[0] == 200
    assert [int(part) for part in json.loads(page("/api/version"))["version"].split(".")] >= [0, 6, 4]
    assert json.loads(page("/api/tags"))["models"][0]["name"] == "gpt-x:latest"
    assert json.loads(page("/api/ps"))["models"][0]["context_length"] == 4096
    shown = json.loads(post(provider, {"model": "sim-plain"}, "/api/show")[2])
    assert shown["capabilities"] == ["completion"]
    architecture = shown["model_info"]["general.architecture"]
    assert shown["model_info"][f"{architecture}.context_length"] > 0


def test_errors_are_one_sentence_whole_and_in_the_stream(provider):
    provider.script(say("Half"), fail("500"))
    assert set(lines(provider)[-1]) == {"error"}
    status, _, body = post(provider, {"model": "sim-fault-429", "messages": [USER]})
    assert (status, json.loads(body)) == (429, {"error": "too many concurrent requests"})
    assert post(provider, {"model": "nobody", "messages": [USER]})[0] == 404
    assert post(provider, {"model": "nobody"}, "/api/show")[0] == 404


def test_a_key_is_not_needed_but_must_be_good(provider):
    body = {"model": "gpt-x", "messages": [USER]}
    assert post(provider, body, key="sk-sim-1")[0] == 200
    assert post(provider, body, key="other")[0] == 401


def test_a_scripted_reason_has_its_name(provider):
    provider.script(say("x"), finish("length"))
    assert lines(provider)[-1]["done_reason"] == "length"


def message(**members):
    return {"messages": [{**USER, **members}]}


def calls(**function):
    return message(role="assistant", tool_calls=[{"function": {"name": "f", **function}}])


GO = "json: cannot unmarshal"
REFUSED = {
    "no model": ({"model": None}, 400, "model is required"),
    "content as parts": (message(content=[{"type": "text"}]), 400, f"{GO} array into Go struct field ChatRequest."),
    "arguments as text": (calls(arguments="{}"), 400, f"{GO} string into Go struct field"),
    "image as data URL": (message(images=["data:image/png;base64,AAAA"]), 400, "illegal base64 data at input byte 4"),
    "image as URL": (message(images=["https://x.example/y.png"]), 400, "illegal base64 data at input byte 5"),
    "role developer": (message(role="developer"), 400, 'invalid role "developer"'),
    "messages as text": ({"messages": "hi"}, 400, "ChatRequest.messages"),
    "stream as text": ({"stream": "no"}, 400, "of type bool"),
    "unknown thinking": ({"think": "xhigh"}, 400, 'invalid think value: "xhigh"'),
    "thinking as number": ({"think": 1}, 400, "think must be a boolean or string"),
    "thinking that it cannot": ({"model": "sim-plain", "think": True}, 400, '"sim-plain" does not support thinking'),
    "tools that it cannot": ({"model": "sim-plain", "tools": [TOOL]}, 400, "does not support tools"),
    "chat that it cannot": ({"model": "sim-embed"}, 400, '"sim-embed" does not support chat'),
    "tools as object": ({"tools": {}}, 400, "api.Tools"),
    "another format": ({"format": "xml"}, 500, 'invalid format: "xml"'),
    "temperature as text": ({"options": {"temperature": "1"}}, 500, 'option "temperature" must be of type float32'),
    "stop as text": ({"options": {"stop": "x"}}, 500, 'option "stop" must be of type array'),
    "duration without unit": ({"keep_alive": "5"}, 400, "missing unit in duration"),
    "too many logprobs": ({"top_logprobs": 21}, 400, "between 0 and 20"),
}


@pytest.mark.parametrize("change", REFUSED.values(), ids=REFUSED.keys())
def test_a_bad_request_is_refused_in_its_words(provider, change):
    members, expected, text = change
    status, _, body = post(provider, {"model": "gpt-x", "messages": [USER], **members})
    assert status == expected
    assert text in json.loads(body)["error"]


def test_what_it_does_not_know_is_ignored(provider):
    made = whole(provider, tools=[TOOL], tool_choice="required", seed=1, options={"unheard_of": "x"}, think=None)
    assert made["done"]
