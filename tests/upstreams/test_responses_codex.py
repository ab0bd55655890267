"""The simulated ChatGPT backend keeps the rules that Codex keeps, and says no in its own way."""

import http.client
import json

import pytest

from tests.upstreams.script import call_tool, fail, say, think

PATH = "/backend-api/codex/responses"
USER = {
    "type": "message",
    "role": "user",
    "content": [{"type": "input_text", "text": "hi"}],
    "internal_chat_message_metadata_passthrough": {"turn_id": "t1", "content_item_kinds": ["user.text"]},
}
ASK = {
    "model": "gpt-x",
    "instructions": "",
    "input": [USER],
    "store": False,
    "stream": True,
    "include": ["reasoning.encrypted_content"],
    "parallel_tool_calls": True,
    "client_metadata": {},
}
TOOL = {"type": "function", "name": "shell", "strict": False, "parameters": {"type": "object", "properties": {}}}
LITE = {"x-openai-internal-codex-responses-lite": "true"}


def post(provider, body, path=PATH, *, method="POST", **headers):
    connection = http.client.HTTPConnection("127.0.0.1", provider.port, timeout=5)
    mine = {"authorization": "Bearer sk-sim-1", "chatgpt-account-id": "a", **headers}
    connection.request(method, path, json.dumps(body), {name: value for name, value in mine.items() if value})
    response = connection.getresponse()
    found = response.status, response.headers, response.read()
    connection.close()
    return found


def events(provider, **changes):
    status, _, body = post(provider, {**ASK, **changes})
    assert status == 200, body
    return [json.loads(line[6:]) for line in body.decode().splitlines() if line.startswith("data: ")]


def test_an_answer_ends_with_an_empty_output(provider):
    provider.script(say("Let me look."), call_tool("shell", {}))
    found = events(provider, tools=[TOOL])
    done = [event["item"] for event in found if event["type"] == "response.output_item.done"]
    assert [item["type"] for item in done] == ["message", "function_call"]
    assert done[0]["phase"] == "commentary"
    assert found[-1]["type"] == "response.completed"
    assert found[-1]["response"]["output"] == []
    assert found[-1]["response"]["usage"]["output_tokens"] > 0


def test_the_last_message_is_the_final_answer(provider):
    provider.script(say("Done."))
    done = [event["item"] for event in events(provider) if event["type"] == "response.output_item.done"]
    assert done[0]["phase"] == "final_answer"


def test_the_plan_is_told_in_headers_and_in_an_event(provider):
    _, headers, body = post(provider, ASK)
    assert headers["x-codex-primary-used-percent"] == "12"
    assert headers["x-codex-turn-state"]
    assert b"event: codex.rate_limits\n" in body


def test_reasoning_comes_back_only_to_the_account_that_made_it(provider):
    provider.script(think("Hm."), say("Hello."))
    done = [event["item"] for event in events(provider) if event["type"] == "response.output_item.done"]
    kept = [{name: value for name, value in item.items() if name != "id"} for item in done]
    again = {**ASK, "input": [USER, *kept, USER]}
    assert post(provider, again)[0] == 200
    status, _, body = post(provider, again, **{"chatgpt-account-id": "b"})
    assert (status, json.loads(body)["error"]["code"]) == (400, "invalid_encrypted_content")


REFUSED = {
    "stored": ({"store": True}, "Store must be set to false"),
    "store left out": ({"store": None}, "Store must be set to false"),
    "whole": ({"stream": False}, "Stream must be set to true"),
    "no instructions": ({"instructions": None}, "Instructions are required"),
    "text as input": ({"input": "hi"}, "Input must be a list"),
    "system": ({"input": [{**USER, "role": "system"}]}, "System messages are not allowed"),
    "hosted tool": ({"tools": [{"type": "file_search"}]}, "Unsupported tool type: file_search"),
    "tier": ({"service_tier": "flex"}, "Unsupported service_tier: flex"),
    "model": ({"model": "claude-x"}, "The 'claude-x' model is not supported when using Codex with a ChatGPT account."),
    "stream option": (
        {"stream_options": {"include_obfuscation": False}},
        "Unsupported parameter: stream_options.include_obfuscation",
    ),
    "slim without its header": (
        {"input": [{"type": "additional_tools", "role": "developer", "tools": [TOOL]}, USER]},
        "additional_tools need the slim form",
    ),
    **{
        name: ({name: value}, f"Unsupported parameter: {name}")
        for name, value in {
            "max_output_tokens": 50,
            "temperature": 1,
            "top_p": 1,
            "user": "u",
            "metadata": {},
            "previous_response_id": "resp_1",
            "truncation": "auto",
            "safety_identifier": "s",
            "prompt_cache_retention": "24h",
        }.items()
    },
}


@pytest.mark.parametrize("change", REFUSED.values(), ids=REFUSED.keys())
def test_its_front_refuses_with_a_detail(provider, change):
    members, text = change
    body = {name: value for name, value in {**ASK, **members}.items() if value is not None}
    status, _, answer = post(provider, body)
    assert (status, json.loads(answer)) == (400, {"detail": text})


def test_what_lies_behind_the_front_refuses_as_the_platform_does(provider):
    status, _, answer = post(provider, {**ASK, "stop": "x"})
    assert (status, json.loads(answer)) == (400, {"detail": "Unsupported parameter: stop"})
    orphan = {"type": "function_call_output", "call_id": "c", "output": ""}
    status, _, answer = post(provider, {**ASK, "input": [USER, orphan]})
    assert "No tool call found" in json.loads(answer)["error"]["message"]


def test_the_slim_form_carries_its_tools_in_the_input(provider):
    tools = {"type": "namespace", "name": "functions", "description": "x", "tools": [TOOL]}
    body = {**ASK, "input": [{"type": "additional_tools", "role": "developer", "tools": [tools]}, USER]}
    del body["parallel_tool_calls"]
    provider.script(call_tool("shell", {}))
    status, _, answer = post(provider, body, **LITE)
    assert status == 200
    assert b'"namespace":"functions"' in answer
    assert post(provider, {**body, "tools": [TOOL]}, **LITE)[0] == 400


def test_a_token_needs_its_account(provider):
    status, _, answer = post(provider, ASK, **{"chatgpt-account-id": ""})
    assert (status, json.loads(answer)) == (401, {"detail": "Unauthorized"})
    status, _, answer = post(provider, ASK, authorization="Bearer old")
    assert (status, json.loads(answer)["error"]["code"]) == (401, "token_expired")


def test_a_used_up_plan_says_when_it_resets(provider):
    status, headers, answer = post(provider, {**ASK, "model": "sim-fault-429-plan-after-60"})
    error = json.loads(answer)["error"]
    assert (status, error["type"], error["resets_in_seconds"]) == (429, "usage_limit_reached", 60)
    assert headers["x-codex-primary-used-percent"] == "100"


def test_an_error_inside_a_stream_names_its_code(provider):
    provider.script(say("Half"), fail("400-context"))
    assert events(provider)[-1]["response"]["error"]["code"] == "context_length_exceeded"


def test_a_stream_may_come_without_content_type(provider):
    assert post(provider, {**ASK, "model": "sim-fault-no-content-type"})[1]["content-type"] is None


def test_the_catalogue_wants_a_version_and_tells_old_clients_nothing(provider):
    def models(query):
        status, headers, body = post(provider, None, f"/backend-api/codex/models{query}", method="GET")
        return status, headers["etag"], json.loads(body)

    status, tag, body = models("?client_version=0.150.0")
    assert (status, body["models"][0]["slug"], bool(tag)) == (200, "gpt-x", True)
    assert models("?client_version=0.1.0")[2] == {"models": []}
    assert models("")[2]["detail"][0]["loc"] == ["query", "client_version"]


def test_compaction_the_old_way_answers_whole(provider):
    status, _, body = post(provider, {"model": "gpt-x", "instructions": "", "input": [USER]}, f"{PATH}/compact")
    assert status == 200
    assert json.loads(body)["output"][-1]["type"] == "compaction"
