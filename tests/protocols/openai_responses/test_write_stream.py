"""Events, written as a Responses stream: the whole ladder, in step, with equal ids."""

from proxx.protocols.hub.blobs import unwrap
from proxx.protocols.hub.events import (
    ArgsDelta,
    BlobGiven,
    Cited,
    Event,
    LogprobsGiven,
    PartClosed,
    PartOpened,
    ReasoningDelta,
    SummaryDelta,
    TextDelta,
)
from proxx.protocols.hub.parts import Blob, Citation, Compaction, Hosted, Image, SearchHit
from proxx.protocols.openai_responses.write_reply import ReplyWriter
from tests.protocols.openai_responses.bodies import request
from tests.protocols.openai_responses.replies import call, output, reply, text, types
from tests.protocols.openai_responses.streams import ID, occasion, parsed, write

SHOWING = request(reasoning={"summary": "auto"})


def test_a_text_goes_up_and_down_the_whole_ladder() -> None:
    """D164."""
    told = write(reply(*text(0, "Hel", "lo")))
    assert types(told) == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    assert [event["sequence_number"] for event in told] == list(range(len(told)))
    ids = {event["item_id"] for event in told if "item_id" in event} | {told[2]["item"]["id"], output(told)[0]["id"]}
    assert len(ids) == 1
    assert output(told) == [told[8]["item"]]
    assert output(told)[0]["content"][0]["text"] == "Hello"


def test_an_answer_is_told_the_same_each_time_and_shows_the_clients_name_of_the_model() -> None:
    told = write(reply(*text(0, "x")))
    assert told == write(reply(*text(0, "x")))
    assert {event["response"]["id"] for event in told if "response" in event} == {f"resp_{ID}"}
    assert {event["response"]["model"] for event in told if "response" in event} == {"alias"}


def test_calls_keep_their_pieces_and_end_with_all_of_them() -> None:
    told = write(reply(*call(0, '{"a"', ":1.0}", namespace="n"), reason="tool_calls"))
    deltas = [event["delta"] for event in told if event["type"].endswith("arguments.delta")]
    done = next(event for event in told if event["type"].endswith("arguments.done"))
    assert (deltas, done["arguments"], done["name"]) == (['{"a"', ":1.0}"], '{"a":1.0}', "f")
    item = output(told)[0]
    assert (item["call_id"], item["namespace"], item["arguments"], item["status"]) == (
        "c0",
        "n",
        '{"a":1.0}',
        "completed",
    )
    assert item["id"].startswith("fc_")


def test_a_function_called_with_nothing_is_called_with_an_empty_object() -> None:
    """D5."""
    told = write(reply(*call(0), reason="tool_calls"))
    assert [event["delta"] for event in told if "delta" in event] == ["{}"]
    assert output(told)[0]["arguments"] == "{}"


def test_a_custom_call_carries_its_raw_text() -> None:
    """D166."""
    told = write(reply(*call(0, "*** Be", "gin", tool_kind="custom"), *call(1, tool_kind="custom")))
    assert "custom_tool_call_input.delta" in types(told)
    assert [(item["type"], item["input"]) for item in output(told)] == [
        ("custom_tool_call", "*** Begin"),
        ("custom_tool_call", ""),
    ]


def test_actions_come_back_as_their_own_items_and_as_functions_when_they_are_none() -> None:
    """D172."""
    told = write(
        reply(
            *call(0, '{"command":', '["ls"]}', tool_kind="local_shell", name="local_shell"),
            *call(1, '{"commands":["ls"]}', tool_kind="shell", name="shell"),
            *call(2, '{"type":"delete_file","path":"a"}', tool_kind="apply_patch", name="apply_patch"),
            *call(3, '{"query":"q"}', tool_kind="tool_search", name="tool_search"),
            *call(4, '{"commands":', tool_kind="shell", name="shell"),
        )
    )
    items = output(told)
    assert [item["type"] for item in items] == [
        "local_shell_call",
        "shell_call",
        "apply_patch_call",
        "tool_search_call",
        "function_call",
    ]
    assert items[0]["action"] == {"type": "exec", "env": {}, "command": ["ls"]}
    assert items[2]["operation"] == {"type": "delete_file", "path": "a"}
    assert items[3]["execution"] == "client"
    assert items[4]["arguments"] == '{"commands":'


def test_parallel_calls_that_come_in_turns_are_told_one_after_another() -> None:
    mixed = [event for pair in zip(call(0, "{", "}"), call(1, "[", "]"), strict=True) for event in pair]
    told = write(reply(*mixed, reason="tool_calls"))
    assert [item["arguments"] for item in output(told)] == ["{}", "[]"]
    places = [event["output_index"] for event in told if "output_index" in event]
    assert places == sorted(places)


def test_thoughts_are_a_summary_for_those_who_asked_for_one() -> None:
    thought: list[Event] = [
        PartOpened(0, "reasoning"),
        SummaryDelta(0, 0, "a"),
        SummaryDelta(0, 0, "b"),
        SummaryDelta(0, 1, "c"),
        PartClosed(0),
        PartOpened(1, "reasoning"),
        ReasoningDelta(1, "raw"),
        PartClosed(1),
    ]
    told = write(reply(*thought), SHOWING)
    assert [[part["text"] for part in item["summary"]] for item in output(told)] == [["ab", "c"], ["raw"]]
    first = [event for event in told if event.get("output_index") == 0]
    assert types(first) == [
        "output_item.added",
        "reasoning_summary_part.added",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.done",
        "reasoning_summary_part.done",
        "reasoning_summary_part.added",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.done",
        "reasoning_summary_part.done",
        "output_item.done",
    ]
    assert [event["summary_index"] for event in first if "summary_index" in event] == [0, 0, 0, 0, 0, 1, 1, 1, 1]


def test_thoughts_stay_hidden_from_others_but_their_seal_travels() -> None:
    own = Blob("encrypted", "E", "openai_responses", "gpt", "rs_1")
    theirs = Blob("signature", "S", "anthropic", "claude")
    thought: list[Event] = [
        PartOpened(0, "reasoning", item_id="rs_1"),
        ReasoningDelta(0, "raw"),
        BlobGiven(0, own),
        PartClosed(0),
        PartOpened(1, "reasoning"),
        BlobGiven(1, theirs),
        PartClosed(1),
    ]
    items = output(write(reply(*thought)))
    assert [item["summary"] for item in items] == [[], []]
    assert (items[0]["id"], items[0]["encrypted_content"]) == ("rs_1", "E")
    assert unwrap(items[1]["encrypted_content"]) == theirs


def test_what_a_call_or_a_text_was_signed_with_stands_in_an_item_of_its_own() -> None:
    seal = Blob("thought", "S", "gemini", "gemini")
    events = reply(
        PartOpened(0, "text"),
        TextDelta(0, "t"),
        BlobGiven(0, seal),
        PartClosed(0),
        PartOpened(1, "call", id="c1", name="f"),
        ArgsDelta(1, "{}"),
        BlobGiven(1, seal),
        PartClosed(1),
    )
    writer = ReplyWriter(occasion())
    items = output(parsed(writer.write(events)))
    assert [item["type"] for item in items] == ["message", "reasoning", "reasoning", "function_call"]
    owners = [unwrap(item["encrypted_content"]) for item in items[1:3]]
    assert [blob.item_id for blob in owners if blob] == ["text", "c1"]


def test_one_message_holds_texts_in_a_row_and_phases_have_messages_of_their_own() -> None:
    """D189."""
    told = write(reply(*text(0, "a"), *text(1, "b"), *text(2, "c", phase="final_answer")))
    items = output(told)
    assert [[part["text"] for part in item["content"]] for item in items] == [["a", "b"], ["c"]]
    assert [item.get("phase") for item in items] == [None, "final_answer"]
    indexes = [event["content_index"] for event in told if event["type"] == "response.content_part.added"]
    assert indexes == [0, 1, 0]


def test_sources_and_probabilities_stand_in_the_part() -> None:
    scores = ({"token": "t", "logprob": -0.1},)
    cited = Cited(0, Citation("https://a", "A"))
    events = [PartOpened(0, "text"), TextDelta(0, "text"), cited, LogprobsGiven(0, scores), PartClosed(0)]
    told = write(reply(*events))
    part = output(told)[0]["content"][0]
    note = {"type": "url_citation", "url": "https://a", "title": "A", "start_index": 0, "end_index": 4}
    assert (part["annotations"], part["logprobs"]) == ([note], list(scores))
    assert next(event for event in told if event["type"].endswith("annotation.added"))["annotation"] == note


def test_searches_pictures_and_compactions_are_items() -> None:
    """D169."""
    search = Hosted("web_search", "s1", "q", (SearchHit("https://a"),), dialect="anthropic")
    own = Hosted(
        "web_search",
        raw=({"type": "web_search_call", "id": "ws_9", "status": "completed"},),
        dialect="openai_responses",
    )
    sealed = Compaction(blob=Blob("compaction", "E", "openai_responses", "", "cmp_1"))
    parts = (search, own, Image(data="AA=="), sealed)
    whole = [one for part, told in enumerate(parts) for one in (PartOpened(part, "whole"), PartClosed(part, told))]
    told = write(reply(*whole))
    items = output(told)
    assert items[0]["action"] == {"type": "search", "query": "q", "sources": [{"type": "url", "url": "https://a"}]}
    assert items[0]["id"].startswith("ws_")
    assert (items[1]["id"], items[2]["result"], items[3]["encrypted_content"]) == ("ws_9", "AA==", "E")
    assert "web_search_call.searching" in types(told)


def test_messages_that_were_two_stay_two() -> None:
    """D189."""
    told = write(reply(*text(0, "a", item_id="msg_1"), *text(1, "b", item_id="msg_2")))
    assert [item["id"] for item in output(told)] == ["msg_1", "msg_2"]
