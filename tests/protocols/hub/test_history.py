"""Histories as clients really send them, and as the strictest upstream takes them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxx.protocols.hub.errors import Inexpressible
from proxx.protocols.hub.history import NO_RESULT, merged, repaired, undeclared
from proxx.protocols.hub.losses import Losses
from proxx.protocols.hub.parts import Image, Text, ToolCall, ToolResult, Turn
from proxx.protocols.hub.request import ToolSpec


def call(id, name="f", args="{}"):
    return ToolCall(id, name, args)


def result(id, text="ok", **more):
    return ToolResult(id, (Text(text),), **more)


def user(*parts):
    return Turn("user", tuple(Text(part) if isinstance(part, str) else part for part in parts))


def model(*parts):
    return Turn("assistant", tuple(Text(part) if isinstance(part, str) else part for part in parts))


def mended(*turns, strict=False):
    losses = Losses(strict=strict)
    return repaired(turns, losses), losses.notes


def shape(turns):
    return [
        (turn.role, [getattr(part, "call_id", None) or getattr(part, "id", "text") for part in turn.parts])
        for turn in turns
    ]


def test_a_sound_history_stays_as_it_is():
    turns = (user("hi"), model("hm", call("a")), user(result("a", name="f")), model("done"), user("thanks"))
    assert mended(*turns) == (turns, [])


def test_results_in_several_turns_become_one_in_the_order_of_the_calls():
    """D18, D20."""
    turns, notes = mended(model(call("a"), call("b")), user(result("b")), user(Text("and"), result("a")), user("go"))
    assert shape(turns) == [("assistant", ["a", "b"]), ("user", ["a", "b"]), ("user", ["text"]), ("user", ["text"])]
    assert notes == []


def test_text_beside_a_result_comes_after_it():
    """D18."""
    turns, _ = mended(model(call("a")), user(Text("look"), result("a"), Image(url="u")))
    assert [type(part).__name__ for part in turns[1].parts] == ["ToolResult", "Text", "Image"]


def test_results_go_to_their_own_step():
    """D24."""
    turns, _ = mended(model(call("a")), model(call("b")), user(result("a"), result("b")))
    assert shape(turns) == [("assistant", ["a"]), ("user", ["a"]), ("assistant", ["b"]), ("user", ["b"])]


def test_a_system_turn_between_call_and_result_stays_behind_both():
    turns, _ = mended(model(call("a")), Turn("developer", (Text("x"),)), user(result("a")))
    assert [turn.role for turn in turns] == ["assistant", "user", "developer"]


def test_a_result_learns_its_name_from_the_call():
    """D21."""
    turns, _ = mended(model(ToolCall("a", "f", "x", namespace="n", kind="custom")), user(result("a", name="unknown")))
    answer = turns[1].parts[0]
    assert (answer.name, answer.namespace, answer.kind) == ("f", "n", "custom")


def test_a_call_without_a_result_gets_an_honest_one():
    """D22."""
    turns, notes = mended(model(call("a"), call("b")), user(result("b"), "go on"))
    assert turns[1].parts[0] == ToolResult("a", (Text(NO_RESULT),), "f", is_error=True)
    assert len(notes) == 1


def test_the_last_turns_calls_wait_for_their_results():
    turns = (user("hi"), model(call("a")))
    assert mended(*turns) == (turns, [])


def test_a_result_without_a_call_becomes_text():
    """D22."""
    turns, notes = mended(user(result("lost", "found 3", name="search"), "so?"))
    assert [part.text for part in turns[0].parts] == ["[result of search]", "found 3", "so?"]
    assert len(notes) == 1


def test_of_two_results_the_last_one_counts():
    """D23."""
    turns, notes = mended(model(call("a")), user(result("a", "old"), result("a", "new")))
    assert [part.parts[0].text for part in turns[1].parts] == ["new"]
    assert len(notes) == 1


@pytest.mark.parametrize("last", [user(result("lost")), user(result("a"), result("a")), user("nothing")])
def test_a_strict_caller_is_refused_instead(last):
    """D22, D23."""
    with pytest.raises(Inexpressible):
        mended(model(call("a")), last, strict=True)


def test_repeated_ids_are_told_apart_and_matched_in_order():
    turns, notes = mended(model(call("a")), user(result("a", "1")), model(call("a")), user(result("a", "2")))
    ids = [turn.parts[0].id for turn in turns[::2]]
    assert ids[0] == "a" != ids[1]
    assert [(turn.parts[0].call_id, turn.parts[0].parts[0].text) for turn in turns[1::2]] == [("a", "1"), (ids[1], "2")]
    assert notes == []


def test_missing_ids_are_made_and_results_find_calls_by_name_then_order():
    """D14."""
    asked = model(call("", "f"), call("", "g"), call("", "g", '{"x":1}'))
    answered = user(result("", "g1", name="g"), result("", "f1", name="f"), result("", "g2", name="other"))
    turns, _ = mended(asked, answered)
    assert [part.parts[0].text for part in turns[1].parts] == ["f1", "g1", "g2"]
    assert [part.call_id for part in turns[1].parts] == [part.id for part in turns[0].parts]
    assert len({part.id for part in turns[0].parts}) == 3
    assert mended(asked, answered, user("more"))[0][:2] == turns


def test_made_ids_avoid_those_the_client_gave():
    """D15."""
    made = mended(model(call("")))[0][0].parts[0].id
    turns, _ = mended(model(call("")), user(result("")), model(call(made)), user(result(made)))
    assert len({turn.parts[0].id for turn in turns[::2]}) == 2
    assert turns[2].parts[0].id == made


def test_turns_of_one_role_are_merged():
    """D34."""
    turns = (user("a"), user("b"), Turn("assistant", (Text("c"),)), Turn("assistant", (Text("d"),), phase="final"))
    assert merged(turns) == (user("a", "b"), Turn("assistant", (Text("c"), Text("d")), phase="final"))


def test_tools_that_nobody_declares_any_more_are_found():
    """D29."""
    declared = [ToolSpec("function", "f", "openai_chat")]
    found = undeclared((model(call("a"), call("b", "gone"), call("c", "gone")),), declared, dialect="openai_chat")
    assert [(tool.name, tool.schema) for tool in found] == [("gone", {"type": "object", "properties": {}})]


IDS = st.sampled_from(["", "a", "b", "c"])
PARTS = st.one_of(
    st.builds(call, IDS, st.sampled_from(["f", "g"])),
    st.builds(result, IDS, name=st.sampled_from(["", "f", "g"])),
    st.just(Text("t")),
)


def turns_of(role, parts):
    wrong = ToolResult if role == "assistant" else ToolCall
    return Turn(role, tuple(part for part in parts if not isinstance(part, wrong)))


TURNS = st.builds(turns_of, st.sampled_from(["user", "assistant", "developer"]), st.lists(PARTS, max_size=4))


@given(st.lists(TURNS, max_size=8))
def test_any_history_is_repaired_once_and_for_all(history):
    history = [
        turn
        for turn in history
        if turn.role != "developer" or not any(isinstance(part, ToolResult) for part in turn.parts)
    ]
    turns, _ = mended(*history)
    called = [part.id for turn in turns for part in turn.parts if isinstance(part, ToolCall)]
    answered = [part.call_id for turn in turns for part in turn.parts if isinstance(part, ToolResult)]
    assert len(set(called)) == len(called)
    assert "" not in called
    assert answered == called[: len(answered)]
    texts = sum(isinstance(part, Text) and part.text == "t" for turn in history for part in turn.parts)
    assert sum(isinstance(part, Text) and part.text == "t" for turn in turns for part in turn.parts) == texts
    assert mended(*turns) == (turns, [])
