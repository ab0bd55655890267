"""Turns, written as messages for chat upstreams of every habit."""

import json

import pytest

from proxx.protocols.hub.errors import Inexpressible
from proxx.protocols.hub.losses import Losses
from proxx.protocols.hub.parts import (
    Audio,
    Blob,
    CacheMark,
    File,
    Hosted,
    Image,
    Reasoning,
    Refusal,
    SearchHit,
    Text,
    ToolCall,
    ToolResult,
)
from tests.protocols.openai_chat.asking import asked, messages, sent, turn, written

CALL = ToolCall("a", "f", '{"x":1.0}')
SENT_CALL = {"id": "a", "type": "function", "function": {"name": "f", "arguments": '{"x":1.0}'}}
RESULT = ToolResult("a", (Text("ok"),))


def after(*parts, **more):
    """What is written for an assistant turn of these parts, within a conversation that goes on."""
    return messages(turn("user", "hi"), turn("assistant", *parts), turn("user", "go"), **more)[1:-1]


def test_instructions_come_first_and_later_ones_stay_in_their_place():
    """D30, D31."""
    request = asked(
        turn("user", "a"), turn("developer", "b"), instructions=(turn("developer", "x", "y"), turn("system", "z"))
    )
    said = [(message["role"], message["content"]) for message in sent(request)["messages"]]
    assert said == [("system", "x\n\ny"), ("system", "z"), ("user", "a"), ("system", "b")]


def test_the_role_of_developers_is_kept_where_it_is_known():
    """D31."""
    request = asked(instructions=(turn("developer", "x"),))
    assert sent(request, "openai_platform")["messages"][0]["role"] == "developer"
    assert sent(request, "no_system_role")["messages"][0] == {"role": "user", "content": "x"}
    assert sent(request, "openai_platform", model="o1-mini")["messages"][0]["role"] == "user"


def test_texts_stay_parts_unless_only_strings_are_taken():
    """D35, D37."""
    two = [turn("user", "a", "", "b")]
    assert messages(*two)[0]["content"] == [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    assert messages(*two, quirks=["string_content"])[0]["content"] == "a\nb"
    assert messages(turn("user", ""))[0]["content"] == ""


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (
            Image(data="AAAA", media_type="image/png", detail="low"),
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA", "detail": "low"}},
        ),
        (Image(url="https://e/x"), {"type": "image_url", "image_url": {"url": "https://e/x"}}),
        (Audio("AAAA", "audio/mpeg"), {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "mp3"}}),
        (
            File(data="JVBE", media_type="application/pdf"),
            {"type": "file", "file": {"filename": "document.pdf", "file_data": "data:application/pdf;base64,JVBE"}},
        ),
        (File(text="words", title="T"), {"type": "text", "text": "T\nwords"}),
        (File(data="aGk=", media_type="text/plain", filename="a.txt"), {"type": "text", "text": "a.txt\nhi"}),
        (File(file_id="file-1", dialect="openai_responses"), {"type": "file", "file": {"file_id": "file-1"}}),
    ],
)
def test_media_are_written_as_parts(part, expected):
    """D43."""
    assert messages(turn("user", "see", part))[0]["content"][1] == expected


@pytest.mark.parametrize(
    ("part", "quirks", "model"),
    [
        (Image(url="u"), ["no_images"], "m"),
        (Image(file_id="file-1", dialect="openai_responses"), [], "m"),
        (File(data="JVBE", media_type="application/pdf"), ["no_files"], "m"),
        (File(url="https://e/x.pdf"), [], "m"),
        (File(file_id="file-1", dialect="anthropic"), [], "m"),
        (File(data="AAAA", media_type="video/mp4"), [], "m"),
        (Audio("AAAA", "audio/ogg"), [], "m"),
    ],
)
def test_what_the_model_would_not_see_is_refused(part, quirks, model):
    """D43."""
    with pytest.raises(Inexpressible):
        messages(turn("user", part), quirks=quirks, model=model)


def test_calls_without_words_have_no_content():
    """D36."""
    assert after(CALL, RESULT)[0] == {"role": "assistant", "content": None, "tool_calls": [SENT_CALL]}
    assert after(CALL, quirks=["string_content"])[0]["content"] == ""


def test_a_call_without_arguments_has_an_empty_object():
    """D5."""
    assert after(ToolCall("a", "f", ""))[0]["tool_calls"][0]["function"]["arguments"] == "{}"


def test_results_follow_their_calls_in_order_and_errors_say_so():
    """D18, D22, D27."""
    history = (
        turn("user", "hi"),
        turn("assistant", CALL, ToolCall("b", "f", "{}"), ToolCall("c", "f", "{}")),
        turn("user", ToolResult("b"), "and?", ToolResult("a", (Text("no"),), is_error=True)),
    )
    told = messages(*history)[2:]
    assert told == [
        {"role": "tool", "tool_call_id": "a", "content": "Error: no"},
        {"role": "tool", "tool_call_id": "b", "content": ""},
        {"role": "tool", "tool_call_id": "c", "content": "Error: [no result recorded]"},
        {"role": "user", "content": "and?"},
    ]


def test_pictures_of_results_are_shown_after_all_results():
    """D25, D26."""
    picture = Image(url="https://e/x.png")
    results = (ToolResult("a", (Text("here"), picture)), ToolResult("b", (picture,)))
    told = messages(turn("assistant", CALL, ToolCall("b", "f", "{}")), turn("user", *results, "so?"))[1:]
    assert [message["role"] for message in told] == ["tool", "tool", "user", "user"]
    assert told[0]["content"] == "here\n[image in the next user message]"
    shown = told[2]["content"]
    assert [part["type"] for part in shown] == ["text", "image_url", "text", "image_url"]
    assert "call a " in shown[0]["text"]
    assert "call b " in shown[2]["text"]


def test_documents_in_results_are_not_lost():
    """D43."""
    parts = (File(text="words"), File(data="JVBE", media_type="application/pdf"))
    told = messages(turn("assistant", CALL), turn("user", ToolResult("a", parts)))
    assert told[1]["content"] == "words\n[document in the next user message]"
    assert told[2]["content"][1]["type"] == "file"


def test_long_ids_are_made_short_in_call_and_result_alike():
    """D16, D17."""
    long = ToolCall("x" * 70, "f", "{}")
    for quirks, length in ((), 45), (["short_call_ids"], 9):
        _, said, told, *_ = messages(
            turn("user", "hi"), turn("assistant", long), turn("user", ToolResult("x" * 70)), quirks=quirks
        )
        assert said["tool_calls"][0]["id"] == told["tool_call_id"]
        assert len(told["tool_call_id"]) == length


def test_free_form_calls_are_wrapped_but_for_openai_itself():
    """D166."""
    custom = ToolCall("a", "f", "text\n", kind="custom")
    assert after(custom)[0]["tool_calls"][0]["function"]["arguments"] == '{"input":"text\\n"}'
    native = after(custom, quirks=["openai_platform"])[0]["tool_calls"][0]
    assert native == {"id": "a", "type": "custom", "custom": {"name": "f", "input": "text\n"}}


def test_refusals_are_said_as_openai_says_them_or_as_text():
    assert after(Refusal("no"), quirks=["openai_platform"])[0] == {
        "role": "assistant",
        "content": None,
        "refusal": "no",
    }
    assert after(Refusal("no"))[0] == {"role": "assistant", "content": "no"}


def test_hosted_work_of_others_is_told_in_words():
    """D170."""
    search = Hosted("web_search", query="cats", hits=(SearchHit("https://e", "E"),), dialect="anthropic")
    assert after(search, "yes")[0]["content"] == "[web_search: cats]\n- E https://e\n\nyes"


OWN = Reasoning("hm", blob=Blob("thinking", "hm", "openai_chat", "deepseek"))
FOREIGN = Reasoning("hm", blob=Blob("signature", "s", "anthropic", "claude"))
DETAILS = Reasoning("hm", blob=Blob("encrypted", '[{"type":"reasoning.text","text":"hm"}]', "openai_chat"))


@pytest.mark.parametrize(
    ("thought", "quirk", "members"),
    [
        (OWN, "wants_reasoning_content", {"reasoning_content": "hm"}),
        (Reasoning(blob=OWN.blob), "wants_reasoning_content", {"reasoning_content": "hm"}),
        (FOREIGN, "wants_reasoning_content", {}),
        (OWN, "no_files", {}),
        (DETAILS, "reasoning_details", {"reasoning_details": [{"type": "reasoning.text", "text": "hm"}]}),
        (Reasoning("hm"), "reasoning_details", {"reasoning": "hm"}),
        (FOREIGN, "reasoning_details", {}),
    ],
)
def test_thinking_goes_back_to_its_maker_only(thought, quirk, members):
    """D94, D95."""
    assert after(thought, "a", quirks=[quirk])[0] == {"role": "assistant", "content": "a", **members}


def test_thinking_goes_back_as_parts_where_it_came_as_parts():
    """D48."""
    content = after(Reasoning("hm"), "a", quirks=["thinking_parts"])[0]["content"]
    assert content == [
        {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]},
        {"type": "text", "text": "a"},
    ]


def test_thinking_is_switched_off_when_the_calls_own_is_missing():
    """D94."""
    losses = Losses()
    request = asked(turn("user", "hi"), turn("assistant", FOREIGN, CALL), turn("user", RESULT))
    quirks = ("wants_reasoning_content", "thinking_switch")
    assert sent(request, *quirks, losses=losses)["thinking"] == {"type": "disabled"}
    assert len(losses.notes) == 1
    kept = {"a": OWN.blob}
    told = sent(request, *quirks, restored=kept)
    assert told["messages"][1]["reasoning_content"] == "hm"
    assert "thinking" not in told
    earlier = asked(*request.turns, turn("assistant", "done"), turn("user", "next"))
    assert "thinking" not in sent(earlier, *quirks)


def test_googles_signatures_go_back_and_the_first_call_never_lacks_one():
    """D88, D90."""
    signed = ToolCall("a", "f", "{}", blob=Blob("thought", "sig", "gemini", "gemini"))
    bare = [ToolCall("b", "f", "{}"), ToolCall("c", "f", "{}")]
    found = {}
    for name, calls, more in (
        ("slot", [signed, bare[0]], {}),
        ("none", bare, {}),
        ("kept", bare, {"restored": {"b": Blob("thought", "kept", "gemini", "gemini")}}),
    ):
        (said,) = after(*calls, quirks=["google_signatures"], model="gemini-3-pro", **more)[:1]
        found[name] = [
            call.get("extra_content", {}).get("google", {}).get("thought_signature") for call in said["tool_calls"]
        ]
    assert found == {
        "slot": ["sig", None],
        "none": ["skip_thought_signature_validator", None],
        "kept": ["kept", None],
    }


def test_roles_alternate_where_they_must():
    """D34."""
    history = (turn("user", "a"), turn("user", "b", Image(url="u")), turn("assistant", "c"), turn("assistant", "d"))
    told = messages(*history, turn("user", "e"), quirks=["alternate_roles"])
    assert [message["role"] for message in told] == ["user", "assistant", "user"]
    assert [part["type"] for part in told[0]["content"]] == ["text", "text", "image_url"]
    assert told[1]["content"] == "c\n\nd"


def test_a_begun_answer_is_continued_in_place_or_by_instruction():
    """D33."""
    begun = asked(turn("user", "hi"), turn("assistant", "The answer is "))
    assert sent(begun)["messages"][-1] == {"role": "assistant", "content": "The answer is "}
    assert sent(begun, "prefix_flag")["messages"][-1]["prefix"] is True
    losses = Losses()
    out = written(begun, "openai_platform", losses=losses)
    assert [message["role"] for message in json.loads(out.body)["messages"]] == ["user", "assistant", "user"]
    assert len(out.mends) == len(losses.notes) == 1


def test_a_last_answer_of_a_chat_client_is_history():
    """D32, D38."""
    request = asked(turn("assistant", "a"), dialect="openai_responses")
    assert sent(request, "openai_platform")["messages"] == [{"role": "assistant", "content": "a"}]


def test_marks_for_caching_reach_claude_and_nobody_else():
    """D124."""
    marked = [turn("user", Text("a", cache=CacheMark("1h")))]
    part = {"type": "text", "text": "a", "cache_control": {"type": "ephemeral", "ttl": "1h"}}
    assert messages(*marked, quirks=["cache_control"], model="anthropic/claude-sonnet-4.5")[0]["content"] == [part]
    assert messages(*marked, quirks=["cache_control"], model="x")[0]["content"] == "a"
    many = [turn("user", Text(str(n), cache=CacheMark())) for n in range(7)]
    told = messages(*many, quirks=["cache_control"], model="claude-sonnet-4-5")
    assert ["cache_control" in message["content"][0] for message in told] == [1, 0, 0, 0, 1, 1, 1]
