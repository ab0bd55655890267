"""Input items, read into turns."""

import pytest

from proxx.protocols.hub.blobs import wrap
from proxx.protocols.hub.errors import Unreadable
from proxx.protocols.hub.parts import (
    Blob,
    Compaction,
    File,
    Hosted,
    Image,
    Opaque,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
    Turn,
)
from tests.protocols.openai_responses.bodies import call, message, output, request

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def test_a_text_is_one_user_message() -> None:
    assert request(input="hello").turns == (Turn("user", (Text("hello"),)),)


def test_reasoning_message_and_calls_of_one_step_are_one_turn() -> None:
    """D19."""
    read = request(
        message("user", "go"),
        {
            "type": "reasoning",
            "id": "rs_1",
            "summary": [{"type": "summary_text", "text": "hm"}],
            "encrypted_content": "E",
        },
        message("assistant", "I will", phase="commentary"),
        call("c1", "a", '{"x": 1.0}'),
        call("c2", "b"),
        output("c1"),
        output("c2", [{"type": "input_text", "text": "two"}]),
    )
    blob = Blob("encrypted", "E", "openai_responses", item_id="rs_1")
    assert read.turns == (
        Turn("user", (Text("go"),)),
        Turn(
            "assistant",
            (
                Reasoning("", ("hm",), blob, "rs_1"),
                Text("I will"),
                ToolCall("c1", "a", '{"x": 1.0}'),
                ToolCall("c2", "b", "{}"),
            ),
            phase="commentary",
        ),
        Turn("user", (ToolResult("c1", (Text("ok"),)), ToolResult("c2", (Text("two"),)))),
    )


def test_a_step_with_messages_of_two_phases_keeps_both() -> None:
    """D189."""
    read = request(message("assistant", "a", phase="commentary"), message("assistant", "b", phase="final_answer"))
    assert [(turn.phase, turn.parts) for turn in read.turns] == [
        ("commentary", (Text("a"),)),
        ("final_answer", (Text("b"),)),
    ]


def test_leading_system_words_are_instructions_and_later_ones_stay() -> None:
    read = request(message("developer", "d"), message("user", "u"), message("system", "s"), instructions="i")
    assert read.instructions == (Turn("system", (Text("i"),)), Turn("developer", (Text("d"),)))
    assert [turn.role for turn in read.turns] == ["user", "system"]


def test_a_message_may_leave_out_its_type_but_an_item_is_known_by_type_before_role() -> None:
    """D186, D167."""
    tool = {"type": "function", "name": "shell", "parameters": {"type": "object"}}
    read = request({"role": "user", "content": "u"}, {"type": "additional_tools", "role": "developer", "tools": [tool]})
    assert [turn.role for turn in read.turns] == ["user"]
    assert read.instructions == ()
    assert [tool.name for tool in read.tools] == ["shell"]


def test_every_kind_of_call_keeps_its_action_as_it_was_written() -> None:
    """D172, D166."""
    read = request(
        {"type": "custom_tool_call", "call_id": "1", "name": "apply_patch", "input": "*** Begin"},
        {"type": "local_shell_call", "call_id": "2", "action": {"type": "exec", "command": ["ls"]}},
        {"type": "shell_call", "call_id": "3", "action": {"commands": ["ls"], "timeout_ms": 1}},
        {"type": "apply_patch_call", "call_id": "4", "operation": {"type": "delete_file", "path": "a"}},
        {"type": "tool_search_call", "call_id": "5", "execution": "client", "arguments": {"query": "q"}},
    )
    calls = [(part.kind, part.name, part.args) for part in read.turns[0].parts if isinstance(part, ToolCall)]
    assert calls == [
        ("custom", "apply_patch", "*** Begin"),
        ("local_shell", "local_shell", '{"type": "exec", "command": ["ls"]}'),
        ("shell", "shell", '{"commands": ["ls"], "timeout_ms": 1}'),
        ("apply_patch", "apply_patch", '{"type": "delete_file", "path": "a"}'),
        ("tool_search", "tool_search", '{"query": "q"}'),
    ]


def test_every_kind_of_output_finds_its_call() -> None:
    """D172."""
    read = request(
        {"type": "custom_tool_call_output", "call_id": "1", "output": "done"},
        {"type": "local_shell_call_output", "id": "2", "output": "files"},
        {"type": "shell_call_output", "call_id": "3", "output": [{"stdout": "x"}]},
        {"type": "apply_patch_call_output", "call_id": "4", "status": "failed", "output": "no"},
        {"type": "function_call_output", "call_id": "5", "output": None},
    )
    assert read.turns[0].parts == (
        ToolResult("1", (Text("done"),), kind="custom"),
        ToolResult("2", (Text("files"),), kind="local_shell"),
        ToolResult("3", (Text('[{"stdout": "x"}]'),), kind="shell"),
        ToolResult("4", (Text("no"),), kind="apply_patch", is_error=True),
        ToolResult("5", ()),
    )


def test_tools_found_by_a_search_are_tools() -> None:
    found = {"type": "function", "name": "found", "parameters": {}}
    read = request({"type": "tool_search_output", "call_id": "1", "execution": "client", "tools": [found]})
    assert [tool.name for tool in read.tools] == ["found"]
    assert isinstance(read.turns[0].parts[0], ToolResult)


def test_pictures_and_files_are_told_apart_by_their_bytes() -> None:
    content = [
        {"type": "input_image", "image_url": f"data:image/jpeg;base64,{PIXEL}", "detail": "low"},
        {"type": "input_image", "image_url": "https://x/y.png"},
        {"type": "input_image", "image_url": "data:application/pdf;base64,JVBERi0xLjQK"},
        {"type": "input_file", "file_data": "data:application/pdf;base64,JVBERi0xLjQK", "filename": "a.pdf"},
        {"type": "input_file", "file_id": "file_1"},
    ]
    assert request({"role": "user", "content": content}).turns[0].parts == (
        Image(data=PIXEL, media_type="image/png", detail="low"),
        Image(url="https://x/y.png"),
        File(data="JVBERi0xLjQK", media_type="application/pdf"),
        File(data="JVBERi0xLjQK", media_type="application/pdf", filename="a.pdf"),
        File(file_id="file_1", dialect="openai_responses"),
    )


def test_a_foreign_blob_returns_to_the_call_or_text_it_was_made_for() -> None:
    def sealed(owner: str) -> dict[str, object]:
        return {"type": "reasoning", "encrypted_content": wrap(Blob("thought", "S", "gemini", "gemini", owner))}

    read = request(message("assistant", "t"), sealed("text"), sealed("c1"), call("c1"))
    blob = Blob("thought", "S", "gemini", "gemini")
    assert read.turns[0].parts == (Text("t", blob=blob), ToolCall("c1", "f", "{}", blob=blob))


def test_a_foreign_signature_on_thinking_stays_with_its_thinking() -> None:
    sealed = wrap(Blob("signature", "S", "anthropic", "claude"))
    read = request({"type": "reasoning", "summary": [], "encrypted_content": sealed})
    assert read.turns[0].parts == (Reasoning(blob=Blob("signature", "S", "anthropic", "claude")),)


def test_a_compaction_of_ours_is_told_and_one_of_theirs_stays_sealed() -> None:
    """D168."""
    ours = wrap(Blob("compaction", "we did X", "gateway"))
    read = request({"type": "compaction", "encrypted_content": ours}, message("user", "u"))
    assert read.instructions[0].parts == (Text("Summary of the conversation so far:\n\nwe did X"),)
    theirs = request({"type": "compaction", "id": "cmp_1", "encrypted_content": "E"})
    assert theirs.turns[0].parts == (Compaction(blob=Blob("compaction", "E", "openai_responses", "", "cmp_1")),)


def test_a_compaction_trigger_asks_for_a_summary_and_for_no_tools() -> None:
    """D168."""
    read = request(message("user", "u"), {"type": "compaction_trigger"}, tool_choice="auto")
    assert read.state.compact
    assert read.tool_choice is not None
    assert read.tool_choice.mode == "none"
    assert [turn.role for turn in read.turns] == ["user", "user"]


def test_hosted_work_is_told_and_kept_whole() -> None:
    item = {
        "type": "web_search_call",
        "id": "ws_1",
        "status": "completed",
        "action": {"type": "search", "query": "q", "sources": [{"type": "url", "url": "https://a"}]},
    }
    part = request(item).turns[0].parts[0]
    assert isinstance(part, Hosted)
    assert (part.kind, part.query, part.hits[0].url, part.raw) == ("web_search", "q", "https://a", (item,))


def test_unknown_items_and_parts_stay_in_their_own_shape() -> None:
    """D186."""
    read = request({"type": "program", "code": "x"}, {"role": "user", "content": [{"type": "odd", "text": "seen"}]})
    assert read.turns[0].parts == (Opaque({"type": "program", "code": "x"}, "openai_responses"),)
    assert read.turns[1].parts == (Text("seen"),)


def test_a_refusal_is_a_part_of_its_own() -> None:
    read = request({"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]})
    assert read.turns[0].parts == (Refusal("no"),)


@pytest.mark.parametrize(
    ("item", "param", "code"),
    [
        ({"role": "user"}, "input[0].content", "missing_required_parameter"),
        ({"role": "tool", "content": "x"}, "input[0].role", "invalid_value"),
        ({"content": "x"}, "input[0].type", "missing_required_parameter"),
        ({"type": "function_call", "name": "f", "arguments": "{}"}, "input[0].call_id", "missing_required_parameter"),
        ({"type": "function_call", "call_id": "1", "name": "f"}, "input[0].arguments", "missing_required_parameter"),
        ({"type": "function_call", "call_id": 1, "name": "f"}, "input[0].call_id", "invalid_type"),
        (
            {"role": "user", "content": [{"type": "input_text"}]},
            "input[0].content[0].text",
            "missing_required_parameter",
        ),
        ({"role": "user", "content": [5]}, "input[0].content[0]", "invalid_type"),
        ({"role": "user", "content": [{}]}, "input[0].content[0].type", "missing_required_parameter"),
        ({"type": "item_reference", "id": "rs_1"}, "input[0]", "item_not_found"),
        (
            {"role": "user", "content": [{"type": "input_image", "image_url": "data:image/png;base64,%%"}]},
            "input[0].content[0].image_url",
            "invalid_value",
        ),
    ],
)
def test_what_is_wrong_with_an_item_is_said_by_name(item: dict[str, object], param: str, code: str) -> None:
    with pytest.raises(Unreadable) as caught:
        request(item)
    assert (caught.value.param, caught.value.code) == (param, code)
