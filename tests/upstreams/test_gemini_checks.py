"""The simulated Gemini refuses what the real one refuses, in its words."""

import base64

import pytest

from tests.upstreams import signatures
from tests.upstreams.gemini_requests import (
    LOOP,
    NEWEST,
    OLDER,
    PRO,
    SIGNED,
    U,
    asked,
    call,
    config,
    contents,
    declare,
    image,
    model,
    parameters,
    response,
    text,
    thinking,
    user,
)
from tests.upstreams.posting import GIF

UNREADABLE = {
    "unknown name": ({"max_tokens": 5}, 'Unknown name "max_tokens": Cannot find field.', None),
    "unknown name inside": (
        config(top_a=1),
        "Unknown name \"top_a\" at 'generation_config': Cannot find field.",
        "generation_config",
    ),
    "keyword outside the subset": (
        parameters(properties={"a": {"type": "STRING", "const": "x"}}),
        "Unknown name \"const\" at 'tools[0].function_declarations[0].parameters.properties[0].value'",
        "tools[0].function_declarations[0].parameters.properties[0].value",
    ),
    "oneOf": (parameters(oneOf=[]), 'Unknown name "oneOf"', "tools[0].function_declarations[0].parameters"),
    "$schema": (parameters(**{"$schema": "x"}), '"$schema"', "tools[0].function_declarations[0].parameters"),
    "list of types": (
        parameters(properties={"a": {"type": ["string", "null"]}}),
        "Proto field is not repeating, cannot start list.",
        "tools[0].function_declarations[0].parameters.properties[0].value.type",
    ),
    "enum of numbers": (
        parameters(properties={"a": {"type": "STRING", "enum": [1]}}),
        "(TYPE_STRING), 1",
        "tools[0].function_declarations[0].parameters.properties[0].value.enum[0]",
    ),
    "arguments as text": (
        contents(U, model({"functionCall": {"name": "f", "args": "{}"}}), user(response())),
        "google.protobuf.Struct",
        "contents[1].parts[0].function_call.args",
    ),
    "result as text": (
        contents(U, model(call()), user({"functionResponse": {"name": "f", "response": "ok"}})),
        "google.protobuf.Struct",
        "contents[2].parts[0].function_response.response",
    ),
    "base64": (
        contents(user(image(data="no base64!"))),
        "Base64 decoding failed",
        "contents[0].parts[0].inline_data.data",
    ),
    "snake_case": (config(max_output_tokens=5), "camelCase", "max_output_tokens"),
}  # fmt: skip


@pytest.mark.parametrize("case", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_what_the_parser_does_not_know_is_named_with_its_place(provider, case):
    members, words, place = case
    error = asked(provider, members).json["error"]
    assert (error["code"], error["status"]) == (400, "INVALID_ARGUMENT")
    violation = error["details"][0]["fieldViolations"][0]
    assert words in error["message"]
    assert words in violation["description"]
    assert violation.get("field") == place


def test_all_unknown_names_are_told_at_once(provider):
    error = asked(provider, {"a": 1, "b": 2}).json["error"]
    assert len(error["details"][0]["fieldViolations"]) == 2
    assert error["message"].count("Cannot find field.") == 2


def test_snake_case_is_taken_and_noted_where_the_world_is_lenient(provider):
    provider.world.only_camel_case = False
    body = {"generation_config": {"max_output_tokens": 1}, "system_instruction": user(text("x"))}
    reply = asked(provider, body)
    assert reply.json["candidates"][0]["finishReason"] == "MAX_TOKENS"
    assert set(provider.journal.last.wishes["snake_case"]) == {
        "generation_config", "max_output_tokens", "system_instruction",
    }  # fmt: skip


REFUSED = {
    "no contents": (contents(), NEWEST, "* GenerateContentRequest.contents: contents is not specified"),
    "no parts": (contents({"role": "user", "parts": []}), NEWEST, "contents[0].parts: contents.parts must not be"),
    "role": (contents({"role": "assistant", "parts": [text("x")]}), NEWEST, "Please use a valid role: user, model."),
    "role function": (
        contents(U, model(call()), {"role": "function", "parts": [response()]}),
        NEWEST,
        "Role 'function' is not supported",
    ),
    "empty part": (contents(user({})), NEWEST, "required oneof field 'data' must have one initialized field"),
    "two in a part": (contents(user({**text("x"), **image()})), NEWEST, "oneof field 'data' is already set"),
    "image in the system": ({"systemInstruction": user(image())}, NEWEST, "text parts only"),
    # Calls and responses.
    "fewer responses": (contents(U, model(call(), call()), user(response())), NEWEST, "number of function response"),
    "more responses": (contents(U, model(call()), user(response(), response())), NEWEST, "number of function response"),
    "no response": (contents(U, model(call())), NEWEST, "number of function response parts is equal"),
    "text before the response": (contents(U, model(call()), user(text("x"), response())), NEWEST, "number of function"),
    "spread responses": (
        contents(U, model(call(), call()), user(response()), user(response())),
        NEWEST,
        "number of function response parts",
    ),
    "response without call": (contents(user(response())), NEWEST, "comes immediately after a function call turn"),
    "call first": (contents(model(call()), user(response())), NEWEST, "immediately after a user turn"),
    "other order": (
        contents(U, model(call("f"), call("g")), user(response("g"), response("f"))),
        NEWEST,
        "match the function call parts in order",
    ),
    "other id": (contents(U, model(call(id="a")), user(response(id="b"))), NEWEST, "match the function call parts"),
    "response without name": (contents(U, model(call()), user(response(""))), NEWEST, "Name cannot be empty."),
    "media in the response": (
        contents(U, model(call()), user(response(parts=[image()]))),
        OLDER,
        "`function_response.parts` is not supported for this model",
    ),
    # Signatures.
    "no signature": (contents(U, model(call(signature="")), user(response())), NEWEST, "missing a thought_signature"),
    "no signature on the second step": (
        contents(*LOOP, model(call(signature="")), user(response())),
        NEWEST,
        "function call `default_api:f` , position 4",
    ),
    "signature of another vendor": (
        contents(U, model(call(signature=signatures.sign("anthropic", "call f"))), user(response())),
        OLDER,
        "Corrupted thought signature.",
    ),
    # Functions.
    "function name": (declare(name="9f"), NEWEST, "[FIELD_INVALID] Invalid function name"),
    "long name on an older model": (declare(name="f" * 65), OLDER, "maximum length of 64"),
    "same name twice": (
        {"tools": [{"functionDeclarations": [{"name": "f"}, {"name": "f"}]}]},
        NEWEST,
        "Duplicate function declaration found: f",
    ),
    "two schemas": (
        declare(parameters={"type": "OBJECT"}, parametersJsonSchema={}),
        NEWEST,
        "only one of parameters and parameters_json_schema",
    ),
    "parameters of no object": (declare(parameters={"type": "STRING"}), NEWEST, "must be OBJECT"),
    "empty object on an older model": (parameters(properties={}), OLDER, "should be non-empty for OBJECT type"),
    "list without items": (parameters(properties={"a": {"type": "ARRAY"}}), NEWEST, "items: missing field."),
    "format": (
        parameters(properties={"a": {"type": "STRING", "format": "uri"}}),
        NEWEST,
        "only 'enum' and 'date-time' are supported for STRING type",
    ),
    "enum of another type": (
        parameters(properties={"a": {"type": "INTEGER", "enum": ["1"]}}),
        NEWEST,
        "only allowed for STRING type",
    ),
    "required but unknown": (parameters(required=["b"]), NEWEST, "required[0]: property is not defined"),
    "any without functions": (
        {"toolConfig": {"functionCallingConfig": {"mode": "ANY"}}},
        NEWEST,
        "set without function_declarations",
    ),
    "allowed names with auto": (
        {**declare(), "toolConfig": {"functionCallingConfig": {"mode": "AUTO", "allowedFunctionNames": ["f"]}}},
        NEWEST,
        "should only be set when function_calling_config.mode is ANY",
    ),
    "search beside functions on an older model": (
        {"tools": [*declare()["tools"], {"googleSearch": {}}]},
        OLDER,
        "Tool use with function calling is unsupported",
    ),
    "search beside functions unannounced": (
        {"tools": [*declare()["tools"], {"googleSearch": {}}]},
        NEWEST,
        "include_server_side_tool_invocations",
    ),
    # Settings.
    "JSON with functions on an older model": (
        {**declare(), **config(responseMimeType="application/json")},
        OLDER,
        "Function calling with a response mime type: 'application/json' is unsupported",
    ),
    "schema without JSON": (config(responseJsonSchema={}), NEWEST, "needs response_mime_type"),
    "mime type": (config(responseMimeType="text/html"), NEWEST, "allowed mimetypes are"),
    "candidates": (config(candidateCount=9), NEWEST, "candidate_count: must be in range [1, 8]"),
    "temperature": (config(temperature=2.5), NEWEST, "temperature: must be in range [0, 2]"),
    "stop sequences": (config(stopSequences=list("abcdef")), NEWEST, "at most 5 stop sequences"),
    "too many tokens": (config(maxOutputTokens=65_537), NEWEST, "maxOutputTokens value of 65537"),
    "budget and level": (thinking(thinkingBudget=5, thinkingLevel="LOW"), "sim-say", "only one of thinking budget"),
    "level before 3": (thinking(thinkingLevel="LOW"), OLDER, "Thinking level is not supported for this model."),
    "level of another model": (thinking(thinkingLevel="MINIMAL"), NEWEST, "Thinking level MINIMAL is not supported"),
    "budget from 3": (thinking(thinkingBudget=1024), NEWEST, "Thinking budget is not supported"),
    "budget 0 on pro": (thinking(thinkingBudget=0), PRO, "Budget 0 is invalid. This model only works in thinking mode"),
    "budget out of range": (thinking(thinkingBudget=24_577), OLDER, "choose a value between 1 and 24576"),
    # Media.
    "media type": (contents(user(image("image/gif", GIF))), NEWEST, "Unsupported MIME type: image/gif"),
    "another image": (contents(user(image("image/jpeg"))), NEWEST, "Unable to process input image"),
    "file elsewhere": (
        contents(user({"fileData": {"fileUri": "https://a.example/x.png"}})),
        NEWEST,
        "Invalid or unsupported file uri",
    ),
    "media without type": (contents(user(image(""))), NEWEST, "mime_type must not be empty"),
    "media without data": (contents(user(image(data=""))), NEWEST, "data must not be empty"),
    "no PDF": (contents(user(image("application/pdf"))), NEWEST, "The document has no pages."),
    "file without place": (contents(user({"fileData": {"mimeType": "x/y"}})), NEWEST, "file_uri must not be empty"),
    # What is left out or stands where it may not.
    "empty tool": ({"tools": [{}]}, NEWEST, "required one_of 'tool_type'"),
    "JSON schema of no object": (declare(parametersJsonSchema=[]), NEWEST, "must be a JSON schema of an object"),
    "unknown allowed name": (
        {**declare(), "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["g"]}}},
        NEWEST,
        "allowed_function_names[0]: function g is not declared",
    ),
    "empty enum value": (parameters(properties={"a": {"type": "STRING", "enum": [""]}}), NEWEST, "cannot be empty"),
    "logprobs alone": (config(logprobs=2), NEWEST, "should only be set when response_logprobs is true"),
    "two answer schemas": (
        config(responseMimeType="application/json", responseSchema={"type": "STRING"}, responseJsonSchema={}),
        NEWEST,
        "only one of response_schema and response_json_schema",
    ),
    "response by the model": (contents(U, model(call()), model(response())), NEWEST, "comes from the user"),
    "call by the user": (contents(user(call()), user(response())), NEWEST, "comes from the model"),
    "response without content": (
        contents(U, model(call()), user({"functionResponse": {"name": "f"}})),
        NEWEST,
        "function_response.response: response must not be empty",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED.keys())
def test_a_bad_request_is_refused_in_the_services_words(provider, case):
    members, of, words = case
    reply = asked(provider, members, of)
    assert reply.status == 400, reply.body
    assert reply.json["error"]["status"] == "INVALID_ARGUMENT"
    assert words in reply.json["error"]["message"]


DUMMY = "skip_thought_signature_validator"
TAKEN = {
    "no role": (contents({"parts": [text("x")]}), NEWEST),
    "same roles": (contents(U, U, model(text("x")), model(text("y")), U), NEWEST),
    "loop": (contents(*LOOP, model(call()), user(response())), NEWEST),
    "parallel calls, first signed": (
        contents(U, model(call(), call("g", signature="")), user(response(), response("g"), text("go on"))),
        NEWEST,
    ),
    "earlier turn unsigned": (contents(U, model(call(signature="")), user(response()), model(text("x")), U), NEWEST),
    "dummy": (contents(U, model(call(signature=DUMMY)), user(response())), NEWEST),
    "dummy in base64": (
        contents(U, model(call(signature=base64.b64encode(DUMMY.encode()).decode())), user(response())),
        NEWEST,
    ),
    "unsigned on an older model": (contents(U, model(call(signature="")), user(response())), OLDER),
    "signed text": (contents(U, model(text("x"), text("", thoughtSignature=SIGNED)), U), NEWEST),
    "JSON schema": (declare(parametersJsonSchema={"type": ["object"], "$defs": {}, "oneOf": []}), OLDER),
    "lower case types": (parameters(properties={"a": {"type": "string", "enum": ["x"], "nullable": True}}), OLDER),
    "JSON with functions": ({**declare(), **config(responseMimeType="application/json")}, NEWEST),
    "search beside functions": (
        {
            "tools": [*declare()["tools"], {"googleSearch": {}}],
            "toolConfig": {"includeServerSideToolInvocations": True},
        },
        NEWEST,
    ),
    "budgets": (thinking(thinkingBudget=-1), PRO),
    "level": (thinking(thinkingLevel="low", includeThoughts=True), NEWEST),
    "dynamic budget from 3": (thinking(thinkingBudget=-1), NEWEST),
    "media": (contents(user(image(), {"fileData": {"fileUri": "gs://a/b.png", "mimeType": "image/png"}})), NEWEST),
    "media in the response": (contents(U, model(call()), user(response(parts=[image()]))), NEWEST),
}


@pytest.mark.parametrize("case", TAKEN.values(), ids=TAKEN.keys())
def test_a_good_request_is_taken(provider, case):
    members, of = case
    reply = asked(provider, members, of)
    assert reply.status == 200, reply.body
