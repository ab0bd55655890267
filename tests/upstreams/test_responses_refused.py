"""The simulated Responses service refuses what the real one refuses, with its codes."""

import json

import pytest

from tests.upstreams.test_responses import ASK, FUNCTION, post

USER = {"role": "user", "content": "hi"}
CALL = {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{}"}
OUTPUT = {"type": "function_call_output", "call_id": "call_1", "output": "x"}
LOOSE = {"type": "object", "properties": {"a": {"type": "string"}}, "required": []}


def part(**members):
    return {"input": [{"role": "user", "content": [members]}]}


def tool(**members):
    return {"tools": [{**FUNCTION, **members}]}


def schema(**members):
    return tool(parameters={**FUNCTION["parameters"], **members})


REFUSED = {
    **{
        f"chat's {name}": ({name: value}, "unknown_parameter", f"Unknown parameter: '{name}'.")
        for name, value in {
            "stop": ["x"], "seed": 1, "n": 2, "frequency_penalty": 1, "presence_penalty": 1, "logit_bias": {},
            "logprobs": True, "functions": [], "top_k": 3, "modalities": ["text"],
        }.items()
    },
    **{
        f"chat's {name}": ({name: value}, "unsupported_parameter", "this parameter has moved to")
        for name, value in {
            "messages": [USER], "max_tokens": 99, "max_completion_tokens": 99, "response_format": {"type": "text"},
            "reasoning_effort": "low", "verbosity": "low",
        }.items()
    },
    "no model": ({"model": None}, "missing_required_parameter", "'model'"),
    "no input": ({"input": None}, "missing_required_parameter", "'input'"),
    "empty input": ({"input": []}, "empty_array", "'input'"),
    "few tokens": ({"max_output_tokens": 15}, "integer_below_min_value", ">= 16"),
    "tokens as text": ({"max_output_tokens": "50"}, "invalid_type", "an integer"),
    "hot": ({"temperature": 2.5}, "decimal_above_max_value", "<= 2"),
    "stream as text": ({"stream": "yes"}, "invalid_type", "a boolean"),
    "stream options alone": ({"stream_options": {}}, None, "only allowed when 'stream'"),
    "unknown include": ({"include": ["everything"]}, "invalid_value", "everything"),
    "truncation": ({"truncation": "on"}, "invalid_value", "'disabled'"),
    "two states": ({"previous_response_id": "resp_1", "conversation": "conv_1"}, "mutually_exclusive_parameters", ""),
    "unknown effort": ({"reasoning": {"effort": "huge"}}, "invalid_value", "huge"),
    "effort of others": ({"model": "gpt-5", "reasoning": {"effort": "xhigh"}}, "unsupported_value", "'minimal'"),
    "effort where none is": ({"model": "gpt-4o", "reasoning": {"effort": "low"}}, "unsupported_parameter", "effort"),
    "sampling of o3": ({"model": "o3", "temperature": 1}, "unsupported_parameter", "'temperature'"),
    "sampling of gpt-5": ({"model": "gpt-5-mini", "top_p": 0.5}, "unsupported_parameter", "'top_p'"),
    "role tool": ({"input": [{"role": "tool", "content": "x"}]}, "invalid_value", "'developer'"),
    "unknown item": ({"input": [{"type": "thing"}]}, "invalid_value", "thing"),
    "unknown member of an item": ({"input": [{**USER, "name": "x"}]}, "unknown_parameter", "input[0].name"),
    "status of reasoning": (
        {"input": [{"type": "reasoning", "summary": [], "status": None}]}, "unknown_parameter", "input[0].status",
    ),
    "no content": ({"input": [{"role": "user"}]}, "missing_required_parameter", "input[0].content"),
    "null content": ({"input": [{"role": "user", "content": None}]}, "invalid_type", "got null"),
    "chat's part": (part(type="text", text="x"), "invalid_value", "'input_text'"),
    "output_text of a user": (part(type="output_text", text="x"), "invalid_value", "'input_text'"),
    "input_text of the assistant": (
        {"input": [{"role": "assistant", "content": [{"type": "input_text", "text": "x"}]}]},
        "invalid_value", "'output_text' and 'refusal'",
    ),
    "image as object": (part(type="input_image", image_url={"url": "x"}), "invalid_type", "an image URL"),
    "image of no URL": (part(type="input_image", image_url="AAAA"), "invalid_value", "Expected a valid URL"),
    "image of another type": (
        part(type="input_image", image_url="data:application/pdf;base64,AAAA"), "invalid_value", "MIME type",
    ),
    "image of no base64": (part(type="input_image", image_url="data:image/png;base64,???"), "invalid_value", "base64"),
    "image of no picture": (
        part(type="input_image", image_url="data:image/png;base64,AAAA"), "invalid_image_format", "valid image",
    ),
    "file without name": (
        part(type="input_file", file_data="data:application/pdf;base64,AAAA"), "missing_required_parameter", "filename",
    ),
    "long call id": ({"input": [USER, {**CALL, "call_id": "c" * 65}]}, "string_above_max_length", "length 64"),
    "bad name of a call": ({"input": [USER, {**CALL, "name": "a.b"}]}, "invalid_value", "pattern"),
    "arguments as object": ({"input": [USER, {**CALL, "arguments": {}}]}, "invalid_type", "a string"),
    "id of another kind": ({"input": [USER, {**CALL, "id": "call_1"}, OUTPUT]}, "invalid_id_prefix", "'fc'"),
    "orphan output": (
        {"input": [USER, OUTPUT]}, None, "No tool call found for function call output with call_id call_1.",
    ),
    "unanswered call": ({"input": [USER, CALL]}, None, "No tool output found for function call call_1."),
    "output of another kind": (
        {"input": [USER, CALL, {**OUTPUT, "type": "custom_tool_call_output"}]}, None,
        "No tool call found for custom tool call output",
    ),
    "trigger in the middle": ({"input": [{"type": "compaction_trigger"}, USER]}, None, "must be the last"),
    "nested tool": (
        {"tools": [{"type": "function", "function": FUNCTION}]}, "missing_required_parameter", "tools[0].name",
    ),
    "unknown member of a tool": (tool(cache=1), "unknown_parameter", "tools[0].cache"),
    "bad name of a tool": (tool(name="a b"), "invalid_value", "pattern"),
    "unknown tool": ({"tools": [{"type": "hammer"}]}, "invalid_value", "hammer"),
    "loose schema without strict": (
        {"tools": [{"type": "function", "name": "f", "parameters": LOOSE}]}, "invalid_function_parameters",
        "'additionalProperties' is required to be supplied and to be false",
    ),
    "optional property": (schema(required=[]), "invalid_function_parameters", "Missing 'city'"),
    "keyword that strict refuses": (
        schema(properties={"city": {"oneOf": [{"type": "string"}]}}), "invalid_function_parameters", "'oneOf'",
    ),
    "schema of a text": (tool(strict=False, parameters={"type": "string"}), "invalid_function_parameters", "object"),
    "array without items": (
        tool(strict=False, parameters={"type": "object", "properties": {"a": {"type": "array"}}}),
        "invalid_function_parameters", "missing items",
    ),
    "choice without tools": ({"tool_choice": "required"}, None, "must be specified with 'tools'"),
    "nested choice": (
        {"tools": [FUNCTION], "tool_choice": {"type": "function", "function": {"name": "get_weather"}}},
        "missing_required_parameter", "tool_choice.name",
    ),
    "choice of an unknown tool": (
        {"tools": [FUNCTION], "tool_choice": {"type": "function", "name": "g"}}, None, "not found in 'tools'",
    ),
    "nested format": (
        {"text": {"format": {"type": "json_schema", "json_schema": {"name": "x"}}}},
        "missing_required_parameter", "text.format.name",
    ),
    "loose format": (
        {"text": {"format": {"type": "json_schema", "name": "x", "schema": LOOSE, "strict": True}}},
        "invalid_json_schema", "response_format 'x'",
    ),
    "JSON without the word": ({"text": {"format": {"type": "json_object"}}}, None, "must contain the word 'json'"),
    "type of a list": ({"input": [{**USER, "type": []}]}, "invalid_value", "[]"),
    "include of a number": ({"include": 5}, "invalid_type", "an array"),
    "required of a number": (schema(required=5), "invalid_function_parameters", "not of type 'array'"),
    "properties of a list": (schema(properties=[]), "invalid_function_parameters", "not of type 'object'"),
    "previous of nobody": ({"previous_response_id": "resp_x"}, "previous_response_not_found", "resp_x"),
}  # fmt: skip


@pytest.mark.parametrize("change", REFUSED.values(), ids=REFUSED.keys())
def test_a_bad_request_is_refused_with_its_code(provider, change):
    members, code, text = change
    body = {name: value for name, value in {**ASK, **members}.items() if value is not None}
    status, answer = post(provider, body)
    assert status == 400, answer
    error = json.loads(answer)["error"]
    assert (error["type"], error["code"]) == ("invalid_request_error", code)
    assert text in error["message"]


TAKEN = {
    "a tool loop": {"input": [USER, CALL, OUTPUT]},
    "an output of parts": {"input": [USER, CALL, {**OUTPUT, "output": [{"type": "input_text", "text": "x"}]}]},
    "calls in a row, outputs out of order": {
        "input": [USER, CALL, {**CALL, "call_id": "b"}, {**OUTPUT, "call_id": "b"}, OUTPUT],
    },
    "every role": {"input": [{"role": role, "content": "x"} for role in ("developer", "system", "user", "assistant")]},
    "a loose schema, said so": {"tools": [{"type": "function", "name": "f", "parameters": LOOSE, "strict": False}]},
    "auto without tools": {"tool_choice": "auto", "parallel_tool_calls": True},
    "an image by URL": part(type="input_image", image_url="https://example.org/x.png", detail="low"),
    "sampling of another model": {"temperature": 0.2, "top_p": 0.9},
    "JSON with the word": {"input": "json please", "text": {"format": {"type": "json_object"}}},
}


@pytest.mark.parametrize("members", TAKEN.values(), ids=TAKEN.keys())
def test_a_good_request_is_taken(provider, members):
    assert post(provider, {**ASK, **members})[0] == 200


def test_a_wrong_key_is_refused(provider):
    status, answer = post(provider, ASK, key="sk-other")
    assert (status, json.loads(answer)["error"]["code"]) == (401, "invalid_api_key")
