"""Turns, written as input items."""

from typing import Any

import pytest

from proxx.protocols.hub.errors import Inexpressible
from proxx.protocols.hub.losses import Losses
from proxx.protocols.hub.parts import (
    Audio,
    Blob,
    Citation,
    Compaction,
    File,
    Hosted,
    Image,
    Opaque,
    Reasoning,
    Refusal,
    SearchHit,
    Text,
    ToolCall,
    ToolResult,
    Turn,
)
from proxx.protocols.hub.request import ToolSpec
from tests.protocols.openai_responses.bodies import foreign, written

USER = Turn("user", (Text("hi"),))


def items(*turns: Turn, **about: Any) -> list[dict[str, Any]]:
    return written(foreign(*turns), **about)["input"]


def test_one_leading_turn_is_instructions_and_further_ones_are_developer_messages() -> None:
    one = written(foreign(USER, instructions=(Turn("developer", (Text("a"), Text("b"))),)))
    assert one["instructions"] == "a\n\nb"
    two = written(foreign(USER, instructions=(Turn("system", (Text("a"),)), Turn("system", (Text("b"),)))))
    assert two["instructions"] == "a"
    assert two["input"][0] == {
        "type": "message",
        "role": "developer",
        "content": [{"type": "input_text", "text": "b"}],
    }


def test_later_system_words_stay_where_they_are() -> None:
    roles = [item["role"] for item in items(USER, Turn("system", (Text("s"),)), USER)]
    assert roles == ["user", "developer", "user"]


def test_a_step_becomes_reasoning_message_and_calls_in_their_order() -> None:
    blob = Blob("encrypted", "E", "openai_responses", "gpt", "rs_1")
    step = Turn(
        "assistant", (Reasoning("", ("s",), blob, "rs_1"), Text("t"), ToolCall("c", "f", "")), phase="commentary"
    )
    told = items(USER, step, Turn("user", (ToolResult("c", (Text("ok"),)), Text("more"))))
    assert told[1:] == [
        {
            "type": "reasoning",
            "id": "rs_1",
            "summary": [{"type": "summary_text", "text": "s"}],
            "encrypted_content": "E",
        },
        {
            "type": "message",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "t"}],
            "phase": "commentary",
        },
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": "ok"},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "more"}]},
    ]


@pytest.mark.parametrize(
    "reasoning",
    [
        Reasoning("thoughts"),
        Reasoning("", (), Blob("signature", "S", "anthropic", "claude")),
        Reasoning("", (), Blob("encrypted", "E", "openai_responses", "other-family")),
    ],
)
def test_reasoning_that_this_upstream_cannot_read_is_left_out(reasoning: Reasoning) -> None:
    """D91."""
    told = items(USER, Turn("assistant", (reasoning, Text("t"))), USER, facts=_facts("gpt"))
    assert [item["type"] for item in told] == ["message"] * 3


def test_reasoning_without_the_item_that_followed_it_is_left_out() -> None:
    """D92."""
    sealed = Reasoning("", (), Blob("encrypted", "E", "openai_responses"))
    told = items(USER, Turn("assistant", (Text("t"), sealed)), USER)
    assert [item["type"] for item in told] == ["message"] * 3


def test_all_calls_come_before_all_outputs_and_every_call_has_one() -> None:
    """D22, D24."""
    calls = Turn("assistant", (ToolCall("a", "f", "{}"), ToolCall("b", "f", "{}")))
    told = items(USER, calls, Turn("user", (ToolResult("b", (Text("2"),)),)), USER)
    assert [(item["type"], item.get("call_id")) for item in told[1:5]] == [
        ("function_call", "a"),
        ("function_call", "b"),
        ("function_call_output", "a"),
        ("function_call_output", "b"),
    ]
    assert told[3]["output"] == "Error: [no result recorded]"


def test_a_call_id_that_is_too_long_is_shortened_alike_in_call_and_output() -> None:
    """D16."""
    long = "x" * 100
    told = items(USER, Turn("assistant", (ToolCall(long, "f", "{}"),)), Turn("user", (ToolResult(long, ()),)))
    assert told[1]["call_id"] == told[2]["call_id"]
    assert len(told[1]["call_id"]) <= 64
    assert told[2]["output"] == ""


def test_pictures_in_a_result_stay_in_it() -> None:
    result = ToolResult("c", (Text("see"), Image(data="AA==", media_type="image/png")), is_error=True)
    told = items(USER, Turn("assistant", (ToolCall("c", "f", "{}"),)), Turn("user", (result,)))
    assert told[2]["output"] == [
        {"type": "input_text", "text": "Error:"},
        {"type": "input_text", "text": "see"},
        {"type": "input_image", "detail": "auto", "image_url": "data:image/png;base64,AA=="},
    ]


def test_media_find_their_parts() -> None:
    parts = (
        Image(url="https://x", detail="low"),
        File(data="AA==", media_type="application/pdf"),
        File(url="https://y"),
        File(text="words", title="T"),
        File(file_id="f1", dialect="openai_chat"),
    )
    assert items(Turn("user", parts))[0]["content"] == [
        {"type": "input_image", "detail": "low", "image_url": "https://x"},
        {"type": "input_file", "filename": "document.pdf", "file_data": "data:application/pdf;base64,AA=="},
        {"type": "input_file", "file_url": "https://y"},
        {"type": "input_text", "text": "T\n\nwords"},
        {"type": "input_file", "file_id": "f1"},
    ]


@pytest.mark.parametrize("part", [Audio("AA==", "audio/wav"), File(file_id="f", dialect="anthropic")])
def test_what_the_model_would_not_see_is_refused(part: Any) -> None:
    with pytest.raises(Inexpressible):
        items(Turn("user", (part,)))


def test_what_the_model_said_keeps_refusals_and_sources() -> None:
    cited = Text("t", (Citation("https://a", "A", 0, 1),))
    told = items(USER, Turn("assistant", (cited, Refusal("no"))), USER)
    note = {"type": "url_citation", "url": "https://a", "title": "A", "start_index": 0, "end_index": 1}
    assert told[1]["content"] == [
        {"type": "output_text", "text": "t", "annotations": [note]},
        {"type": "refusal", "refusal": "no"},
    ]


def test_another_vendors_search_is_told_as_text_and_the_own_one_goes_back_whole() -> None:
    theirs = Hosted("web_search", "s", "q", (SearchHit("https://a", "A"),), dialect="anthropic")
    assert items(USER, Turn("assistant", (theirs,)), USER)[1]["content"][0]["text"].startswith("[web_search: q]")
    raw = {"type": "web_search_call", "status": "completed", "action": {}}
    assert items(USER, Turn("assistant", (Hosted("web_search", raw=(raw,), dialect="openai_responses"),)))[1] == raw


def test_unknown_things_of_other_dialects_are_noted_and_own_ones_return() -> None:
    """D186."""
    losses = Losses()
    odd = Turn("user", (Text("t"), Opaque({"type": "odd"}, "anthropic"), Opaque({"type": "own"}, "openai_responses")))
    assert written(foreign(odd), losses)["input"][0]["content"][1] == {"type": "own"}
    assert losses.notes == ["content[].odd;unknown to this dialect"]


def test_a_foreign_compaction_is_refused_and_an_own_one_returns() -> None:
    """D168."""
    own = Compaction(blob=Blob("compaction", "E", "openai_responses"))
    assert items(USER, Turn("assistant", (own,)))[1] == {"type": "compaction", "encrypted_content": "E"}
    with pytest.raises(Inexpressible):
        items(USER, Turn("assistant", (Compaction(blob=Blob("compaction", "E", "anthropic")),)))


@pytest.mark.parametrize(
    ("call", "result", "expected"),
    [
        (
            ToolCall("c", "shell", '{"commands":["ls"]}', kind="shell"),
            Text('[{"stdout":"x"}]'),
            [
                {"type": "shell_call", "call_id": "c", "status": "completed", "action": {"commands": ["ls"]}},
                {"type": "shell_call_output", "call_id": "c", "output": [{"stdout": "x"}]},
            ],
        ),
        (
            ToolCall("c", "local_shell", '{"command":["ls"]}', kind="local_shell"),
            Text("x"),
            [
                {
                    "type": "local_shell_call",
                    "call_id": "c",
                    "status": "completed",
                    "action": {"type": "exec", "command": ["ls"]},
                },
                {"type": "local_shell_call_output", "id": "c", "output": "x"},
            ],
        ),
        (
            ToolCall("c", "apply_patch", "*** Begin", kind="custom"),
            Text("done"),
            [
                {"type": "custom_tool_call", "call_id": "c", "name": "apply_patch", "input": "*** Begin"},
                {"type": "custom_tool_call_output", "call_id": "c", "output": "done"},
            ],
        ),
    ],
)
def test_calls_of_every_kind_return_in_their_own_words(call: ToolCall, result: Text, expected: list[Any]) -> None:
    """D166, D172."""
    told = items(USER, Turn("assistant", (call,)), Turn("user", (ToolResult("c", (result,), kind=call.kind),)))
    assert told[1:] == expected


def test_an_imitator_gets_functions_where_the_vendor_gets_kinds() -> None:
    """D172."""
    call = ToolCall("c", "shell", '{"commands":["ls"]}', kind="shell")
    asked = foreign(
        USER,
        Turn("assistant", (call,)),
        Turn("user", (ToolResult("c", (Text("x"),), kind="shell"),)),
        tools=(ToolSpec("shell", "shell", "openai_responses"),),
    )
    body = written(asked, provider="imitator")
    assert body["tools"][0]["type"] == "function"
    assert body["input"][1]["type"] == "function_call"
    assert body["input"][2] == {"type": "function_call_output", "call_id": "c", "output": "x"}


def _facts(family: str) -> Any:
    from proxx.protocols.hub.target import ModelFacts

    return ModelFacts(family=family)
