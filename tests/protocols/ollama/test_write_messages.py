"""Turns written as Ollama's messages."""

import json

import pytest

from proxx.protocols.hub.errors import Inexpressible
from proxx.protocols.hub.losses import Losses
from proxx.protocols.hub.parts import (
    Audio,
    Blob,
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
from proxx.protocols.hub.target import ModelFacts
from tests.protocols.ollama.test_write_request import body, written

CALL = ToolCall("c1", "f", '{"b": 1.0, "a": 1e2}')


def messages(*turns, **more):
    return body(*turns, **more)["messages"]


def refused(*turns, **more):
    with pytest.raises(Inexpressible) as caught:
        body(*turns, **more)
    return caught.value.param


def user(*parts):
    return Turn("user", parts)


def test_content_is_one_text_and_pictures_stand_beside_it():
    """D37."""
    told = messages(user(Text("a"), Image(data="aGk=", media_type="image/png"), Text("b")))
    assert told == [{"role": "user", "content": "a\nb", "images": ["aGk="]}]


def test_system_and_developer_turns_stay_where_they_are():
    """D30, D31."""
    system = Turn("system", (Text("s"), Text("t")))
    told = messages(user(Text("a")), Turn("developer", (Text("d"),)), user(Text("b")), instructions=(system,))
    assert [(one["role"], one["content"]) for one in told] == [
        ("system", "s\n\nt"),
        ("user", "a"),
        ("system", "d"),
        ("user", "b"),
    ]


def test_two_turns_of_one_role_stay_two_unless_the_model_cannot_take_them():
    """D34."""
    turns = (user(Text("a")), user(Text("b")))
    assert [one["content"] for one in messages(*turns)] == ["a", "b"]
    assert [one["content"] for one in messages(*turns, quirks=["alternate_roles"])] == ["a\n\nb"]


def test_calls_carry_objects_in_the_models_own_spelling():
    """D10, D36."""
    raw = written(user(Text("a")), Turn("assistant", (CALL,)), user(ToolResult("c1", (Text("ok"),)))).body
    assert b'"arguments":{"b": 1.0, "a": 1e2}' in raw
    told = json.loads(raw)["messages"][1]
    assert (told["content"], told["tool_calls"][0]["id"]) == ("", "c1")


@pytest.mark.parametrize(
    ("args", "sent"),
    [("", {}), ('{"a":"b', {"a": "b"}), ("rm -rf", {"_invalid_arguments": "rm -rf"}), ('"{\\"a\\":1}"', {"a": 1})],
)
def test_arguments_are_an_object_whatever_they_were(args, sent):
    """D5, D11, D12."""
    told = messages(Turn("assistant", (ToolCall("c", "f", args),)), user(ToolResult("c", (Text("ok"),))))
    assert told[0]["tool_calls"][0]["function"]["arguments"] == sent


def test_results_follow_their_calls_in_order_and_know_their_names():
    """D18, D21."""
    calls = Turn("assistant", (CALL, ToolCall("c2", "g", "{}")))
    results = user(ToolResult("c2", (Text("2"),)), Text("and?"), ToolResult("c1", (Text("1"),)))
    told = messages(user(Text("a")), calls, results)
    assert told[2:] == [
        {"role": "tool", "content": "1", "tool_name": "f", "tool_call_id": "c1"},
        {"role": "tool", "content": "2", "tool_name": "g", "tool_call_id": "c2"},
        {"role": "user", "content": "and?"},
    ]


def test_calls_and_results_without_ids_get_the_same_ones_each_time():
    """D14."""
    turns = (Turn("assistant", (ToolCall("", "f", "{}"), ToolCall("", "f", "{}"))),)
    turns += (user(ToolResult("", (Text("1"),), name="f"), ToolResult("", (Text("2"),), name="f")),)
    first, one, two = messages(*turns)
    ids = [call["id"] for call in first["tool_calls"]]
    assert [one["tool_call_id"], two["tool_call_id"]] == ids
    assert len(set(ids)) == 2
    assert messages(*turns) == [first, one, two]


def test_a_failed_tool_says_so_and_pictures_stay_with_it():
    """D25."""
    result = ToolResult("c1", (Text("boom"), Image(data="aGk=")), is_error=True)
    told = messages(Turn("assistant", (CALL,)), user(result))[1]
    assert (told["content"], told["images"]) == ("Error: boom", ["aGk="])
    result = ToolResult("c1", (), is_error=False)
    assert messages(Turn("assistant", (CALL,)), user(result))[1]["content"] == ""


def test_thinking_goes_back_to_models_that_think():
    turn = Turn("assistant", (Reasoning("hm"), Reasoning(summary=("a", "b")), Text("x")))
    assert messages(turn, user(Text("a")))[0]["thinking"] == "hm\n\na\n\nb"
    assert "thinking" not in messages(turn, user(Text("a")), facts=ModelFacts(thinking="none"))[0]


def test_thinking_that_another_vendor_signed_is_left_out():
    """D84."""
    foreign = Reasoning("hm", blob=Blob("signature", "x", "anthropic"))
    assert messages(Turn("assistant", (foreign, Text("x"))), user(Text("a")))[0] == {
        "role": "assistant",
        "content": "x",
    }


def test_documents_of_text_are_text():
    """D43."""
    files = (File(text="one", title="T"), File(data="dHdv", media_type="text/plain", filename="b.txt"))
    assert messages(user(*files))[0]["content"] == "T\none\nb.txt\ntwo"


@pytest.mark.parametrize(
    ("part", "field"),
    [
        (File(data="JVBERi0=", media_type="application/pdf"), "messages[].file"),
        (File(url="https://x/y.pdf"), "messages[].file"),
        (File(file_id="f", dialect="openai_chat"), "messages[].file"),
        (Image(url="https://x/y.png"), "messages[].image"),
        (Image(file_id="f"), "messages[].image"),
        (Audio("aGk=", "audio/wav"), "messages[].audio"),
    ],
)
def test_content_with_no_place_is_refused(part, field):
    """D42, D43: never dropped, the model would answer blind."""
    assert refused(user(Text("a"), part)) == field
    assert refused(Turn("assistant", (CALL,)), user(ToolResult("c1", (part,)))) == field


def test_a_model_that_cannot_see_is_sent_no_pictures():
    assert refused(user(Image(data="aGk=")), facts=ModelFacts(images=False)) == "messages[].image"
    assert messages(user(Image(data="aGk=")), facts=ModelFacts(images=True))


def test_refusals_searches_and_summaries_are_text():
    """D170."""
    hosted = Hosted("web_search", query="q", hits=(SearchHit("https://a", "A"),), dialect="anthropic")
    turn = Turn("assistant", (Refusal("no"), hosted, Compaction("short")))
    assert messages(turn, user(Text("a")))[0]["content"] == "no\n[web_search: q]\n- A: https://a\nshort"


@pytest.mark.parametrize(
    "part", [Opaque({"type": "new"}, "anthropic"), Compaction(blob=Blob("compaction", "x", "gpt"))]
)
def test_what_only_its_vendor_can_read_is_left_out_and_noted(part):
    losses = Losses()
    told = messages(user(Text("a"), part), losses=losses)
    assert told == [{"role": "user", "content": "a"}]
    assert len(losses.notes) == 1
