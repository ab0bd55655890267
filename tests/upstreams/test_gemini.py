"""The simulated Gemini answers like the real one: chunks, arrays, signatures, usage, blocks, models, errors."""

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

KEY = {"x_goog_api_key": "sk-sim-1"}
USER = [{"role": "user", "parts": [{"text": "What is the weather in Oslo?"}]}]
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS = [{"functionDeclarations": [{"name": "get_weather", "parametersJsonSchema": SCHEMA}]}]
SHOWN = {"thinkingConfig": {"includeThoughts": True}}
NEWEST, OLDER = "gemini-3-pro", "gemini-2.5-flash"
HOW = {"whole": ":generateContent", "events": ":streamGenerateContent?alt=sse", "array": ":streamGenerateContent"}


def ask(provider, *, model=NEWEST, how="whole", headers=KEY, **members):
    return send(provider, "POST", f"/v1beta/models/{model}{HOW[how]}", {"contents": USER, **members}, **headers)


def chunks(reply, how):
    return {"whole": lambda: [reply.json], "events": reply.events, "array": lambda: reply.json}[how]()


def parts(found):
    """Join the parts of all chunks: neighbouring texts of one kind are one part."""
    joined = []
    for chunk in found:
        for part in chunk["candidates"][0]["content"].get("parts", ()):
            last = joined[-1] if joined else {}
            if "text" in part and "text" in last and part.get("thought") == last.get("thought"):
                last |= {**part, "text": last["text"] + part["text"]}
            else:
                joined.append(dict(part))
    return [part for part in joined if part.get("text") != "" or "thoughtSignature" in part]


@pytest.mark.parametrize("model", [NEWEST, OLDER])
def test_events_and_array_hold_what_the_whole_answer_holds(provider, model):
    found = {}
    for how in HOW:
        provider.script(
            think("Let me see. A lot.", pieces=3),
            say("It rains."),
            cite("https://yr.example", "Yr"),
            search("oslo weather", [("Met", "https://met.example")]),
            report_usage(input=100, output=20, cached=30, reasoning=7, tool_prompt=4),
        )
        found[how] = chunks(ask(provider, model=model, how=how, generationConfig=SHOWN), how)
    assert parts(found["whole"]) == parts(found["events"]) == parts(found["array"])
    for chunk in (one[-1] for one in found.values()):
        assert chunk["candidates"][0]["finishReason"] == "STOP"
        assert len(chunk["candidates"][0]["groundingMetadata"]["groundingChunks"]) == 2
        assert chunk["usageMetadata"] == found["whole"][0]["usageMetadata"]


def test_events_end_their_lines_with_crlf_and_have_no_terminator(provider):
    provider.script(say("one two"))
    reply = ask(provider, how="events")
    assert reply.headers["content-type"] == "text/event-stream"
    events = reply.body.split(b"\r\n\r\n")
    assert events[-1] == b""
    assert all(event.startswith(b"data: {") for event in events[:-1])
    assert b"[DONE]" not in reply.body


def test_usage_counts_thoughts_beside_the_answer_and_leaves_out_zeros(provider):
    provider.script(say("x"), report_usage(input=100, output=20, cached=30, reasoning=7, tool_prompt=4, audio_in=10))
    usage = ask(provider).json["usageMetadata"]
    assert (usage["promptTokenCount"], usage["candidatesTokenCount"], usage["thoughtsTokenCount"]) == (100, 13, 7)
    assert (usage["cachedContentTokenCount"], usage["toolUsePromptTokenCount"]) == (30, 4)
    assert usage["totalTokenCount"] == 124
    assert {"modality": "AUDIO", "tokenCount": 10} in usage["promptTokensDetails"]
    provider.script(report_usage(input=5, output=0))
    assert not {"candidatesTokenCount", "thoughtsTokenCount"} & set(ask(provider).json["usageMetadata"])


def test_thoughts_are_only_shown_to_those_who_ask(provider):
    provider.always(think("Hm."), say("x"))
    assert [part["text"] for part in ask(provider).json["candidates"][0]["content"]["parts"]] == ["x"]
    reply = ask(provider, generationConfig=SHOWN).json
    assert reply["candidates"][0]["content"]["parts"][0] == {"text": "Hm.", "thought": True}
    off = {"thinkingConfig": {"thinkingBudget": 0}}
    assert "thoughtsTokenCount" not in ask(provider, model=OLDER, generationConfig=off).json["usageMetadata"]


@pytest.mark.parametrize("how", HOW)
def test_parallel_calls_come_whole_and_only_the_first_is_signed(provider, how):
    provider.script(together(call_tool("f", {"a": 1}), call_tool("f", {"a": 2})))
    found = chunks(ask(provider, how=how, tools=TOOLS), how)
    calls = [part for part in parts(found) if "functionCall" in part]
    assert [call["functionCall"]["args"] for call in calls] == [{"a": 1}, {"a": 2}]
    assert ["thoughtSignature" in call for call in calls] == [True, False]
    assert len({call["functionCall"]["id"] for call in calls}) == 2
    assert found[-1]["candidates"][0]["finishReason"] == "STOP"


def test_older_models_give_calls_no_id(provider):
    provider.script(call_tool("f", {}, id="mine"))
    part = ask(provider, model=OLDER, tools=TOOLS).json["candidates"][0]["content"]["parts"][0]
    assert part == {"functionCall": {"name": "f", "args": {}}}


def test_a_loop_of_calls_and_responses_comes_to_its_end(provider):
    provider.script(think("Hm."), call_tool("get_weather", {"city": "Oslo"}))
    provider.script(say("Rain."))
    said = ask(provider, tools=TOOLS).json["candidates"][0]["content"]
    call = said["parts"][0]["functionCall"]
    answer = {"functionResponse": {"name": call["name"], "id": call["id"], "response": {"output": "rain"}}}
    contents = [*USER, said, {"role": "user", "parts": [answer]}]
    assert ask(provider, tools=TOOLS, contents=contents).status == 200


def test_arguments_that_are_no_object_end_the_answer_as_malformed(provider):
    provider.script(call_tool("f", '{"a": '))
    candidate = ask(provider, tools=TOOLS).json["candidates"][0]
    assert candidate["finishReason"] == "MALFORMED_FUNCTION_CALL"
    assert "parts" not in candidate["content"]


@pytest.mark.parametrize("how", HOW)
def test_a_refusal_before_the_first_word_blocks_the_prompt(provider, how):
    for step, reason in ((refuse("No."), "PROHIBITED_CONTENT"), (finish("filter"), "SAFETY")):
        provider.script(step)
        found = chunks(ask(provider, how=how), how)
        assert found[-1]["promptFeedback"] == {"blockReason": reason}
        assert not any("candidates" in chunk for chunk in found)


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("stop", "STOP"),
        ("length", "MAX_TOKENS"),
        ("filter", "SAFETY"),
        ("malformed", "MALFORMED_FUNCTION_CALL"),
        ("raw:RECITATION", "RECITATION"),
    ],
)
def test_every_reason_has_its_name(provider, reason, told):
    for how in HOW:
        provider.script(say("x"), finish(reason))
        assert chunks(ask(provider, how=how), how)[-1]["candidates"][0]["finishReason"] == told


@pytest.mark.parametrize("how", HOW)
def test_candidates_are_told_apart_by_index(provider, how):
    provider.script(say("a b"))
    found = chunks(ask(provider, how=how, generationConfig={"candidateCount": 2}), how)
    ended = [one["index"] for chunk in found for one in chunk["candidates"] if "finishReason" in one]
    assert ended == [0, 1]


def test_an_error_inside_the_stream_is_an_object_of_its_own(provider):
    for how in ("events", "array"):
        provider.script(say("one"), fail("503"))
        last = chunks(ask(provider, how=how), how)[-1]
        assert last["error"]["status"] == "UNAVAILABLE"


def test_a_refused_array_is_an_array(provider):
    reply = ask(provider, how="array", contents=[])
    assert (reply.status, reply.json[0]["error"]["status"]) == (400, "INVALID_ARGUMENT")
    assert ask(provider, how="events", contents=[]).json["error"]["code"] == 400


@pytest.mark.parametrize("fault", ["400-context", "401", "403", "404", "429", "500", "503", "504"])
def test_refusals_are_in_googles_manner(provider, fault):
    reply = ask(provider, model=f"sim-fault-{fault}")
    assert reply.status == reply.json["error"]["code"] == int(fault[:3])
    assert reply.json["error"]["status"].isupper()


def test_faults_of_the_wire_fit_arrays_and_events(provider):
    for how in ("events", "array"):
        for fault in ("huge-frame", "error-first-event", "error-mid-stream", "comments", "no-usage", "crlf"):
            found = chunks(ask(provider, model=f"sim-fault-{fault}", how=how), how)
            assert ("error" in found[-1]) == fault.startswith("error")
            assert any("usageMetadata" in chunk for chunk in found) == (fault not in {"no-usage", "error-first-event"})


@pytest.mark.parametrize(
    ("headers", "query", "status"),
    [
        ({"x_goog_api_key": "sk-sim-1"}, "", 200),
        ({"authorization": "Bearer sk-sim-1"}, "", 200),
        ({}, "?key=sk-sim-1", 200),
        ({"x_goog_api_key": "AIza-other"}, "", 400),
        ({}, "", 403),
    ],
)
def test_a_key_travels_in_three_places(provider, headers, query, status):
    body = {"contents": USER}
    reply = send(provider, "POST", f"/v1beta/models/gemini-3-pro:generateContent{query}", body, **headers)
    assert reply.status == status
    if status == 400:
        assert reply.json["error"]["details"][0]["reason"] == "API_KEY_INVALID"


def test_models_are_listed_in_pages_and_shown(provider):
    first = send(provider, "GET", "/v1beta/models?pageSize=3", **KEY).json
    second = send(provider, "GET", f"/v1beta/models?pageSize=3&pageToken={first['nextPageToken']}", **KEY).json
    names = [model["name"] for model in (*first["models"], *second["models"])]
    assert len(set(names)) == 6
    assert send(provider, "GET", "/v1beta/models/gemini-3-pro", **KEY).json["name"] == "models/gemini-3-pro"
    assert send(provider, "GET", "/v1/models/gemini-x", **KEY).json["error"]["status"] == "NOT_FOUND"


def test_tokens_are_counted_and_texts_embedded(provider):
    path = "/v1beta/models/gemini-3-pro"
    for body in ({"contents": USER}, {"generateContentRequest": {"model": "models/gemini-3-pro", "contents": USER}}):
        assert send(provider, "POST", f"{path}:countTokens", body, **KEY).json["totalTokens"] > 5
    one = {"content": {"parts": [{"text": "a"}]}, "outputDimensionality": 4}
    values = send(provider, "POST", f"{path}:embedContent", one, **KEY).json["embedding"]["values"]
    assert len(values) == 4
    many = {"requests": [{"model": "models/gemini-3-pro", **one}] * 2}
    found = send(provider, "POST", f"{path}:batchEmbedContents", many, **KEY).json["embeddings"]
    assert [each["values"] for each in found] == [values, values]
    other = {"requests": [{"model": "models/other", **one}]}
    assert send(provider, "POST", f"{path}:batchEmbedContents", other, **KEY).status == 400


def test_json_is_answered_where_it_is_wanted(provider):
    config = {"responseMimeType": "application/json", "responseSchema": {**SCHEMA, "type": "OBJECT"}}
    text = ask(provider, generationConfig=config).json["candidates"][0]["content"]["parts"][0]["text"]
    assert json.loads(text) == {"city": "Oslo"}
