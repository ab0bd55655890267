"""A Gemini client's body -> Request."""

import base64
import json

import pytest

from proxx.protocols.gemini import PROTOCOL
from proxx.protocols.hub.blobs import wrap
from proxx.protocols.hub.errors import Inexpressible, Unreadable
from proxx.protocols.hub.losses import Losses
from proxx.protocols.hub.parts import Blob, File, Image, Reasoning, Text, ToolCall, ToolResult, Turn
from proxx.protocols.hub.request import ReasoningWish, ToolChoice, ToolRef
from tests.protocols.gemini.saying import read
from tests.upstreams.posting import PNG


def one(part, role="user"):
    """Read a single part."""
    (turn,) = read(contents=[{"role": role, "parts": [part]}]).turns
    return turn.parts


def test_the_path_says_model_stream_and_form():
    envelope = PROTOCOL.read_envelope(b'{"contents":[]}', model="tuned/x", stream=True, form="array")
    assert (envelope.model, envelope.stream, envelope.form, envelope.wants_usage) == ("tuned/x", True, "array", True)


@pytest.mark.parametrize("body", [b"[]", b"{", b"", b'"x"', b"null"])
def test_a_body_that_is_no_object_is_refused(body):
    with pytest.raises(Unreadable):
        PROTOCOL.read_envelope(body, model="m", stream=False)


def test_both_spellings_are_read():
    snake = read(
        system_instruction={"parts": {"text": "be brief"}},
        generation_config={"max_output_tokens": 5, "top_p": 0.5, "thinking_config": {"include_thoughts": True}},
        tools=[
            {"function_declarations": [{"name": "f", "parameters_json_schema": {"type": "object", "snake_name": 1}}]}
        ],
        tool_config={"function_calling_config": {"mode": "ANY", "allowed_function_names": ["f"]}},
    )
    camel = read(
        systemInstruction={"parts": [{"text": "be brief"}]},
        generationConfig={"maxOutputTokens": 5, "topP": 0.5, "thinkingConfig": {"includeThoughts": True}},
        tools=[{"functionDeclarations": [{"name": "f", "parametersJsonSchema": {"type": "object", "snake_name": 1}}]}],
        toolConfig={"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f"]}},
    )
    assert snake == camel
    assert camel.instructions == (Turn("system", (Text("be brief"),)),)
    assert camel.tool_choice == ToolChoice("named", (ToolRef("f"),))
    assert camel.tools[0].schema == {"type": "object", "snake_name": 1}


def test_a_field_in_both_spellings_is_refused():
    with pytest.raises(Unreadable, match="two spellings"):
        read(generation_config={}, generationConfig={})


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"contents": []}, "contents"),
        ({"contents": [{"role": "system", "parts": []}]}, "contents[0].role"),
        ({"contents": [{"parts": [{"text": 5}]}]}, "contents[0].parts[0].text"),
        ({"contents": [{"parts": [{"text": "a", "inlineData": {}}]}]}, "contents[0].parts[0]"),
        ({"contents": [{"parts": [{"functionCall": {"args": {}}}]}]}, "contents[0].parts[0].functionCall.name"),
        (
            {"contents": [{"parts": [{"functionCall": {"name": "f", "args": []}}]}]},
            "contents[0].parts[0].functionCall.args",
        ),
        ({"contents": [{"parts": [{"inlineData": {"data": "!"}}]}]}, "contents[0].parts[0].inlineData.data"),
        ({"generationConfig": {"temperature": "warm"}}, "generationConfig.temperature"),
        ({"generationConfig": {"stopSequences": "x"}}, "generationConfig.stopSequences"),
        ({"generationConfig": []}, "generationConfig"),
        ({"tools": [{"functionDeclarations": [{}]}]}, "tools[0].functionDeclarations[0].name"),
        ({"toolConfig": {"functionCallingConfig": {"mode": "SOME"}}}, "toolConfig.functionCallingConfig.mode"),
        ({"systemInstruction": {"parts": [{"inlineData": {"data": PNG}}]}}, "systemInstruction"),
    ],
)
def test_what_cannot_be_read_is_named(body, param):
    with pytest.raises(Unreadable) as fault:
        read(**body)
    assert fault.value.param == param


def test_arguments_stay_as_they_were_written():
    """D10, D183."""
    call = b'{"functionCall":{"name":"f","args":{"z":1.0,"a":12345678901234567890123}}}'
    body = b'{"contents":[{"role":"model","parts":[' + call + b"]}]}"
    request = PROTOCOL.read_request(PROTOCOL.read_envelope(body, model="m", stream=False), Losses())
    assert request.turns[0].parts[0].args == '{"z":1.0,"a":12345678901234567890123}'


@pytest.mark.parametrize(
    ("response", "text", "error"),
    [
        ({"output": "ok"}, "ok", None),
        ({"result": "ok"}, "ok", None),
        ({"content": "ok"}, "ok", None),
        ({"error": "no"}, "no", True),
        ({"output": {"b": 1, "a": [2]}}, '{"output":{"b":1,"a":[2]}}', None),
        ({"output": "ok", "a": 2}, '{"output":"ok","a":2}', None),
    ],
)
def test_a_result_is_its_text_or_compact_json(response, text, error):
    """D28."""
    (part,) = one({"functionResponse": {"id": "c1", "name": "f", "response": response}})
    assert part == ToolResult("c1", (Text(text),), "f", is_error=error)


@pytest.mark.parametrize("response", [None, {}, {"output": ""}])
def test_an_empty_result_has_no_parts(response):
    """D27."""
    (part,) = one({"functionResponse": {"name": "f", "response": response}})
    assert part.parts == ()


def test_media_inside_a_result_belong_to_it():
    """D25."""
    inner = {"inlineData": {"mimeType": "image/png", "data": PNG}}
    (part,) = one({"functionResponse": {"name": "f", "response": {"output": "see"}, "parts": [inner]}})
    assert part.parts == (Text("see"), Image(data=PNG, media_type="image/png"))


def test_media_and_files_are_told_apart():
    """D41, D44."""
    assert one({"inline_data": {"mime_type": "image/jpg", "data": PNG}}) == (Image(data=PNG, media_type="image/png"),)
    assert one({"fileData": {"mimeType": "image/png", "fileUri": "https://x/y.png"}}) == (
        Image(url="https://x/y.png", media_type="image/png"),
    )
    uri = "https://generativelanguage.googleapis.com/v1beta/files/a"
    assert one({"fileData": {"mimeType": "application/pdf", "fileUri": uri}}) == (
        File(file_id=uri, media_type="application/pdf", dialect="gemini"),
    )


def test_pieces_of_a_streamed_answer_are_one_part_again():
    """D89."""
    parts = [
        {"text": "let ", "thought": True},
        {"text": "me", "thought": True},
        {"text": "Hel"},
        {"text": "lo"},
        {"text": "", "thoughtSignature": "c2ln"},
    ]
    (turn,) = read(contents=[{"role": "model", "parts": parts}]).turns
    assert turn.parts == (Reasoning("let me"), Text("Hello", blob=Blob("thought", "c2ln", "gemini")))


def test_a_users_parts_are_never_put_together():
    (turn,) = read(contents=[{"parts": [{"text": "a"}, {"text": "b"}]}]).turns
    assert turn == Turn("user", (Text("a"), Text("b")))


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_another_vendors_blob_comes_back_out_of_its_wrapper(encode):
    """D83."""
    blob = Blob("signature", "sig?~", "anthropic", "claude")
    (part,) = one({"text": "t", "thought": True, "thoughtSignature": encode(wrap(blob).encode()).decode()}, "model")
    assert part == Reasoning("t", blob=blob)


@pytest.mark.parametrize(
    "dummy", ["skip_thought_signature_validator", "Y29udGV4dF9lbmdpbmVlcmluZ19pc190aGVfd2F5X3RvX2dv"]
)
def test_a_dummy_signature_is_none(dummy):
    """D88."""
    assert one({"functionCall": {"name": "f"}, "thoughtSignature": dummy}, "model") == (ToolCall("", "f", "{}"),)


@pytest.mark.parametrize(
    ("thinking", "wish"),
    [
        ({"thinkingBudget": 0}, ReasoningWish("off")),
        ({"thinkingBudget": -1, "includeThoughts": True}, ReasoningWish("dynamic", None, "summary")),
        ({"thinkingBudget": "5000"}, ReasoningWish("medium", 5000)),
        ({"thinkingLevel": "HIGH", "includeThoughts": False}, ReasoningWish("high", None, "none")),
        ({}, ReasoningWish()),
    ],
)
def test_thinking_is_read_by_level_or_budget(thinking, wish):
    """D98."""
    assert read(generationConfig={"thinkingConfig": thinking}).reasoning == wish


def test_types_of_the_subset_become_json_schema():
    """D63, D65."""
    parameters = {
        "type": "OBJECT",
        "properties": {
            "a": {"type": "STRING", "nullable": True, "enum": ["x"]},
            "b": {"type": "ARRAY", "min_items": "2", "items": {"anyOf": [{"type": "INTEGER"}], "nullable": True}},
        },
        "propertyOrdering": ["a", "b"],
    }
    request = read(tools=[{"functionDeclarations": [{"name": "f", "parameters": parameters}]}])
    assert request.tools[0].schema == {
        "type": "object",
        "properties": {
            "a": {"type": ["string", "null"], "enum": ["x", None]},
            "b": {"type": "array", "minItems": 2, "items": {"anyOf": [{"type": "integer"}, {"type": "null"}]}},
        },
    }


@pytest.mark.parametrize(
    ("config", "format", "schema"),
    [
        ({}, "", None),
        ({"responseMimeType": "text/plain"}, "text", None),
        ({"responseMimeType": "application/json"}, "json", None),
        ({"responseMimeType": "application/json", "responseSchema": {"type": "OBJECT"}}, "schema", {"type": "object"}),
        ({"responseMimeType": "application/json", "responseJsonSchema": {"oneOf": []}}, "schema", {"oneOf": []}),
    ],
)
def test_the_form_of_the_answer_is_read(config, format, schema):
    output = read(generationConfig=config).output
    assert (output.format, output.schema) == (format, schema)


@pytest.mark.parametrize(
    ("mode", "names", "choice"),
    [
        ("AUTO", [], ToolChoice("auto")),
        ("NONE", [], ToolChoice("none")),
        ("ANY", [], ToolChoice("required")),
        ("ANY", ["a", "b"], ToolChoice("subset", (ToolRef("a"), ToolRef("b")), must=True)),
        ("VALIDATED", ["a"], ToolChoice("subset", (ToolRef("a"),))),
        ("MODE_UNSPECIFIED", [], None),
    ],
)
def test_a_tool_choice_is_read(mode, names, choice):
    """D73."""
    calling = {"mode": mode, "allowedFunctionNames": names}
    assert read(toolConfig={"functionCallingConfig": calling}).tool_choice == choice


def test_what_no_other_dialect_has_is_noted_by_name():
    """D116."""
    losses = Losses()
    request = read(
        losses,
        myOwn=1,
        generationConfig={"speechConfig": {}},
        safetySettings=[{"category": "X", "threshold": "BLOCK_LOW_AND_ABOVE"}],
        labels={"a": "b"},
    )
    assert sorted(note.partition(";")[0] for note in losses.notes) == [
        "generationConfig.speechConfig",
        "myOwn",
        "safetySettings",
    ]
    assert request.extras == {"myOwn": 1}


@pytest.mark.parametrize(
    "body", [{"cachedContent": "cachedContents/a"}, {"generationConfig": {"responseMimeType": "text/x.enum"}}]
)
def test_what_would_change_the_answer_is_refused(body):
    with pytest.raises(Inexpressible):
        read(**body)


def test_hosted_tools_keep_their_declaration():
    request = read(tools=[{"googleSearch": {"excludeDomains": ["x.org"]}}, {"codeExecution": {}}])
    assert [(tool.kind, tool.name, tool.raw) for tool in request.tools] == [
        ("web_search", "web_search", {"googleSearch": {"excludeDomains": ["x.org"]}}),
        ("hosted", "codeExecution", {"codeExecution": {}}),
    ]
    assert request.tools[0].hosted.blocked_domains == ("x.org",)


def test_half_a_character_is_no_reason_to_refuse():
    """D49."""
    body = b'{"contents":[{"parts":[{"text":"\\ud83d"}]}]}'
    request = PROTOCOL.read_request(PROTOCOL.read_envelope(body, model="m", stream=False), Losses())
    assert request.turns[0].parts == (Text("\ufffd"),)


def test_numbers_may_come_as_text():
    sampling = read(generationConfig={"topK": "40", "seed": 7.0, "candidateCount": 2}).sampling
    assert (sampling.top_k, sampling.seed, sampling.n) == (40, 7, 2)


def test_deep_nesting_is_refused_not_crashed_on():
    deep = b'{"contents":' + b"[" * 5000 + b"]" * 5000 + b"}"
    with pytest.raises(Unreadable):
        PROTOCOL.read_request(PROTOCOL.read_envelope(deep, model="m", stream=False), Losses())
    schema = {"type": "OBJECT"}
    for _ in range(100):
        schema = {"type": "OBJECT", "properties": {"a": schema}}
    with pytest.raises(Unreadable):
        read(tools=[{"functionDeclarations": [{"name": "f", "parameters": json.loads(json.dumps(schema))}]}])
