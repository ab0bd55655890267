"""Messages of a chat completion body, read into turns."""

import pytest

from proxx.protocols.hub import blobs
from proxx.protocols.hub.parts import (
    Audio,
    Blob,
    CacheMark,
    File,
    Image,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
    Turn,
)
from tests.protocols.openai_chat.asking import read, user

PNG = "iVBORw0KGgoAAAANSUhEUg=="
PDF = "JVBERi0xLjQK"


def parts(*content):
    return read(user(list(content))).turns[0].parts


def model(**message):
    return read(user(), {"role": "assistant", **message}).turns[1].parts


def test_leading_instructions_stand_apart_and_later_ones_in_their_place():
    """D30."""
    request = read(
        {"role": "system", "content": "a"},
        {"role": "developer", "content": [{"type": "text", "text": "b"}]},
        user(name="ann"),
        {"role": "system", "content": "c"},
    )
    assert request.instructions == (Turn("system", (Text("a"),)), Turn("developer", (Text("b"),)))
    assert request.turns == (Turn("user", (Text("hi"),), name="ann"), Turn("system", (Text("c"),)))


@pytest.mark.parametrize(
    ("part", "read_as"),
    [
        ({"type": "text", "text": "x"}, Text("x")),
        (
            {"type": "text", "text": "x", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
            Text("x", cache=CacheMark("1h")),
        ),
        (
            {"type": "image_url", "image_url": {"url": "https://e/x.png", "detail": "low"}},
            Image(url="https://e/x.png", detail="low"),
        ),
        ({"type": "image_url", "image_url": "https://e/x.png"}, Image(url="https://e/x.png")),
        (
            {"type": "image_url", "image_url": {"url": f"DATA:image/jpg;name=a.png;base64,{PNG}"}},
            Image(data=PNG, media_type="image/png"),
        ),
        (
            {"type": "image_url", "image_url": {"url": f"data:application/pdf;base64,{PDF}"}},
            File(data=PDF, media_type="application/pdf"),
        ),
        ({"type": "input_audio", "input_audio": {"data": "AAAA", "format": "mp3"}}, Audio("AAAA", "audio/mpeg")),
        (
            {"type": "file", "file": {"filename": "a.pdf", "file_data": f"data:application/pdf;base64,{PDF}"}},
            File(data=PDF, media_type="application/pdf", filename="a.pdf"),
        ),
        ({"type": "file", "file": {"file_data": PDF}}, File(data=PDF, media_type="application/pdf")),
        ({"type": "file", "file": {"file_id": "file-1"}}, File(file_id="file-1", dialect="openai_chat")),
        ({"type": "input_image", "file_id": "file-1"}, Image(file_id="file-1", dialect="openai_chat")),
    ],
)
def test_each_kind_of_part_is_read(part, read_as):
    """D40, D41, D44."""
    assert parts(part) == (read_as,)


def test_an_assistants_thinking_words_refusal_and_calls_are_parts_of_one_turn():
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": '{"a":1.0}'}}
    said = model(reasoning_content="hm", content=[{"type": "text", "text": "a"}], refusal="no", tool_calls=[call])
    assert said == (Reasoning("hm"), Text("a"), Refusal("no"), ToolCall("c", "f", '{"a":1.0}'))


@pytest.mark.parametrize("nothing", [{}, {"content": None}, {"content": []}])
def test_a_call_needs_no_text_beside_it(nothing):
    """D36."""
    assert [type(part) for part in model(tool_calls=[{"id": "c", "function": {"name": "f"}}], **nothing)] == [ToolCall]


def test_custom_calls_keep_their_text():
    said = model(tool_calls=[{"id": "c", "type": "custom", "custom": {"name": "f", "input": "a\nb"}}])
    assert said == (ToolCall("c", "f", "a\nb", kind="custom"),)


def test_arguments_sent_as_an_object_become_text():
    """D10."""
    said = model(tool_calls=[{"id": "c", "function": {"name": "f", "arguments": {"b": 1, "a": [2]}}}])
    assert said[0].args == '{"b":1,"a":[2]}'


def test_results_that_follow_one_another_are_one_turn():
    """D18."""
    request = read(
        user(),
        {"role": "assistant", "tool_calls": [{"id": i, "function": {"name": "f", "arguments": ""}} for i in "ab"]},
        {"role": "tool", "tool_call_id": "a", "content": "1"},
        {"role": "tool", "tool_call_id": "b", "content": [{"type": "text", "text": "2"}]},
        user("go"),
    )
    assert request.turns[2] == Turn("user", (ToolResult("a", (Text("1"),)), ToolResult("b", (Text("2"),))))
    assert request.turns[3] == Turn("user", (Text("go"),))


@pytest.mark.parametrize("empty", ["", None, []])
def test_an_empty_result_has_no_parts(empty):
    """D27."""
    assert read({"role": "tool", "tool_call_id": "a", "content": empty}).turns[0].parts == (ToolResult("a"),)


CLAUDES = Blob("signature", "sig", "anthropic", "claude")
WRAPPED = blobs.wrap(CLAUDES)


@pytest.mark.parametrize(
    ("message", "thought"),
    [
        ({"reasoning_content": "hm", "reasoning": "other"}, [Reasoning("hm")]),
        ({"reasoning": "hm"}, [Reasoning("hm")]),
        (
            {
                "reasoning_content": "hm",
                "reasoning_details": [{"type": "reasoning.text", "text": "hm", "signature": WRAPPED}],
            },
            [Reasoning("hm", blob=CLAUDES)],
        ),
        (
            {
                "reasoning_details": [
                    {"type": "reasoning.summary", "summary": "a"},
                    {"type": "reasoning.summary", "summary": "b"},
                    {"type": "reasoning.encrypted", "data": WRAPPED},
                ]
            },
            [Reasoning(summary=("a", "b"), blob=CLAUDES)],
        ),
        (
            {"reasoning_details": [{"type": "reasoning.text", "text": "a", "signature": "s"}]},
            [
                Reasoning(
                    "a", blob=Blob("encrypted", '[{"type":"reasoning.text","text":"a","signature":"s"}]', "openai_chat")
                )
            ],
        ),
        (
            {
                "thinking_blocks": [
                    {"type": "thinking", "thinking": "a", "signature": "sig"},
                    {"type": "redacted_thinking", "data": "x"},
                ]
            },
            [Reasoning("a", blob=CLAUDES), Reasoning(blob=Blob("redacted", "x", "anthropic", "claude"))],
        ),
    ],
)
def test_earlier_thinking_is_found_in_each_place(message, thought):
    assert list(model(content="ok", **message)) == [*thought, Text("ok")]


def test_thinking_parts_of_a_content_list_are_thinking():
    """D48."""
    said = model(
        content=[{"type": "thinking", "thinking": [{"type": "text", "text": "a"}]}, {"type": "text", "text": "b"}]
    )
    assert said == (Reasoning("a"), Text("b"))


def test_a_calls_signature_is_read_wrapped_and_bare():
    def call(signature):
        extra = {"google": {"thought_signature": signature}}
        return {"id": "c", "function": {"name": "f"}, "extra_content": extra}

    bare, wrapped = model(tool_calls=[call("s"), call(blobs.wrap(Blob("thought", "t", "gemini", "gemini")))])
    assert bare.blob == Blob("thought", "s", "gemini", "gemini")
    assert wrapped.blob == Blob("thought", "t", "gemini", "gemini")
