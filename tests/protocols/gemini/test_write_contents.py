"""Turns -> contents, each checked by the simulated Gemini."""

import base64
import json

import pytest

from proxx.protocols.gemini import PROTOCOL
from proxx.protocols.gemini.write_request.parts import DUMMY
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
from tests.protocols.gemini.saying import NEWEST, OLDER, asking, target, write
from tests.upstreams import signatures
from tests.upstreams.posting import PNG

SIGNED = Blob("thought", signatures.sign("gemini", "call f"), "gemini", "gemini")
PDF = base64.b64encode(b"%PDF-1.7").decode()
HI = Turn("user", (Text("hi"),))


def called(*calls):
    return Turn("assistant", calls)


def answered(*results):
    return Turn("user", results)


def call(id="c1", name="f", args='{"a":1}', **members):
    return ToolCall(id, name, args, **members)


def result(id="c1", *parts, **members):
    return ToolResult(id, parts, **members)


def contents(*turns, model=NEWEST, losses=None, **members):
    return write(asking(*turns), model, losses, **members)["contents"]


def test_results_stand_in_one_content_in_the_order_of_the_calls():
    """D18, D20, D21."""
    turns = (HI, called(call("c1", "f"), call("c2", "g")), answered(result("c2", Text("2"))), answered(result("c1")))
    _, calls, results = contents(*turns)
    assert [part["functionCall"]["id"] for part in calls["parts"]] == ["c1", "c2"]
    assert [part["functionResponse"] for part in results["parts"]] == [
        {"id": "c1", "name": "f", "response": {"output": ""}},
        {"id": "c2", "name": "g", "response": {"output": "2"}},
    ]


def test_results_come_before_what_else_the_user_says():
    """D20."""
    _, _, last = contents(HI, called(call()), Turn("user", (Text("and?"), result("c1", Text("ok")))))
    assert [next(iter(part)) for part in last["parts"]] == ["functionResponse", "text"]


def test_missing_ids_are_made_the_same_each_time():
    """D14, D127."""
    turns = (HI, called(call(""), call("")), answered(result("", Text("1"), name="f"), result("", Text("2"), name="f")))
    bodies = {json.dumps(write(asking(*turns))) for _ in range(3)}
    assert len(bodies) == 1
    found = json.loads(bodies.pop())["contents"]
    ids = [part["functionCall"]["id"] for part in found[1]["parts"]]
    assert len(set(ids)) == 2
    assert [part["functionResponse"]["id"] for part in found[2]["parts"]] == ids


def test_an_unanswered_call_gets_an_answer_that_says_so():
    """D22."""
    losses = Losses()
    last = contents(HI, called(call()), losses=losses)[-1]
    assert last["parts"][0]["functionResponse"]["response"] == {"error": "[no result recorded]"}
    assert losses.notes


def test_an_error_is_told_as_one():
    """D28."""
    _, _, last = contents(HI, called(call()), answered(result("c1", Text("no"), is_error=True)))
    assert last["parts"][0]["functionResponse"]["response"] == {"error": "no"}


def test_a_picture_in_a_result_is_nested_or_stands_behind_all_results():
    """D25."""
    turns = (HI, called(call("c1"), call("c2")), answered(result("c1", Image(data=PNG)), result("c2", Text("x"))))
    picture = {"inlineData": {"mimeType": "image/png", "data": PNG}}
    assert contents(*turns)[-1]["parts"][0]["functionResponse"]["parts"] == [picture]
    assert contents(*turns, model=OLDER)[-1]["parts"][2] == picture


def test_arguments_keep_their_order_and_numbers():
    """D10, D183."""
    request = asking(HI, called(call(args='{"z": 1.0, "a": 12345678901234567890123}')), answered(result()))
    body = PROTOCOL.write_request(request, target(), Losses()).body
    assert b'"args":{"z": 1.0, "a": 12345678901234567890123}' in body


@pytest.mark.parametrize(
    ("args", "sent", "noted"),
    [("", {}, False), ('{"a": [1', {"a": [1]}, False), ("nonsense", {"_invalid_arguments": "nonsense"}, True)],
)
def test_arguments_that_are_no_object_are_mended_or_noted(args, sent, noted):
    """D5, D12."""
    losses = Losses()
    found = contents(HI, called(call(args=args)), answered(result()), losses=losses)
    assert found[1]["parts"][0]["functionCall"]["args"] == sent
    assert bool(losses.notes) is noted


def test_a_free_form_call_is_wrapped():
    """D166."""
    turns = (HI, called(call(args="raw", kind="custom")), answered(result()))
    assert contents(*turns)[1]["parts"][0]["functionCall"]["args"] == {"input": "raw"}


def test_only_the_first_call_of_a_step_needs_a_signature():
    """D88, D90."""
    _, calls, *_ = contents(HI, called(call("c1"), call("c2")), answered(result("c1"), result("c2")))
    assert [part.get("thoughtSignature") for part in calls["parts"]] == [DUMMY, None]
    _, calls, *_ = contents(HI, called(call("c1", blob=SIGNED)), answered(result("c1")))
    assert calls["parts"][0]["thoughtSignature"] == SIGNED.value
    _, calls, *_ = contents(HI, called(call("c1")), answered(result("c1")), model=OLDER)
    assert "thoughtSignature" not in calls["parts"][0]


def test_a_signature_that_the_gateway_kept_is_restored():
    """D88."""
    _, calls, *_ = contents(HI, called(call("c1")), answered(result("c1")), restored={"c1": SIGNED})
    assert calls["parts"][0]["thoughtSignature"] == SIGNED.value


def test_a_signature_on_thoughts_goes_to_the_part_that_follows_them():
    """D82, D89."""
    thought = Reasoning("secret", blob=SIGNED)
    _, said, *_ = contents(HI, Turn("assistant", (thought, call("c1"))), answered(result("c1")))
    assert [set(part) for part in said["parts"]] == [{"functionCall", "thoughtSignature"}]
    assert contents(HI, Turn("assistant", (thought, Text("a"))), HI)[1]["parts"] == [
        {"text": "a", "thoughtSignature": SIGNED.value}
    ]
    assert contents(HI, Turn("assistant", (Text("a"), thought)), HI)[1]["parts"] == [
        {"text": "a"},
        {"text": "", "thoughtSignature": SIGNED.value},
    ]


@pytest.mark.parametrize(
    "blob", [Blob("signature", "x", "anthropic", "claude"), Blob("encrypted", "x", "openai_responses", "gpt")]
)
def test_blobs_of_other_vendors_stay_away(blob):
    """D84."""
    turns = (
        HI,
        Turn("assistant", (Reasoning("why", blob=blob), Text("a", blob=blob), call(blob=blob))),
        answered(result()),
    )
    said = contents(*turns)[1]["parts"]
    assert said[0] == {"text": "a"}
    assert said[1]["thoughtSignature"] == DUMMY


def test_a_turn_of_one_role_follows_the_other():
    """D34, D35."""
    found = contents(HI, HI, Turn("assistant", (Text(""),)), HI, Turn("assistant", (Text("a"),)))
    assert found == [
        {"role": "user", "parts": [{"text": "hi"}] * 3},
        {"role": "model", "parts": [{"text": "a"}]},
    ]


def test_a_later_system_message_stays_in_place():
    """D30."""
    losses = Losses()
    found = contents(HI, Turn("assistant", (Text("a"),)), Turn("developer", (Text("x"),)), HI, losses=losses)
    assert found[2]["parts"] == [{"text": "<system-reminder>\nx\n</system-reminder>"}, {"text": "hi"}]
    assert len(losses.notes) == 1


def test_instructions_alone_are_the_users_word():
    """D39."""
    instructions = (Turn("system", (Text("be"),)), Turn("developer", (Text("brief"),)))
    body = write(asking(Turn("user", ()), instructions=instructions))
    assert body == {"contents": [{"role": "user", "parts": [{"text": "be"}, {"text": "brief"}]}]}
    body = write(asking(HI, instructions=instructions))
    assert body["systemInstruction"] == {"parts": [{"text": "be"}, {"text": "brief"}]}


def test_a_conversation_that_begins_with_the_model_gets_a_beginning():
    """D38."""
    assert contents(called(call()), answered(result()))[0] == {"role": "user", "parts": [{"text": "."}]}


def test_a_last_answer_is_continued():
    """D32."""
    assert contents(HI, Turn("assistant", (Text("Once"),)))[-1] == {"role": "model", "parts": [{"text": "Once"}]}


def test_media_are_sent_inline_as_what_they_are():
    """D40, D41, D43."""
    parts = (
        Image(data=PNG, media_type="image/jpg"),
        Image(url=f"data:image/x;name=a.png;base64,{PNG}"),
        File(data=PDF, media_type="application/pdf", filename="a.pdf"),
        File(text="words", title="T"),
        Audio("UklGRgAAAABXQVZF", "audio/wav"),
        File(url="https://youtu.be/x"),
    )
    (found,) = contents(Turn("user", parts))
    png = {"inlineData": {"mimeType": "image/png", "data": PNG}}
    assert found["parts"] == [
        png,
        png,
        {"inlineData": {"mimeType": "application/pdf", "data": PDF}},
        {"text": "T\nwords"},
        {"inlineData": {"mimeType": "audio/wav", "data": "UklGRgAAAABXQVZF"}},
        {"fileData": {"fileUri": "https://youtu.be/x"}},
    ]


@pytest.mark.parametrize(
    "part",
    [
        Image(url="https://example.org/a.png"),
        Image(file_id="file-1", dialect="openai_responses"),
        Image(data="R0lGODlhAQABAAAAACw=", media_type="image/gif"),
        File(data="!", media_type="application/pdf"),
    ],
)
def test_media_that_gemini_cannot_be_given_are_refused(part):
    """D42."""
    with pytest.raises(Inexpressible):
        contents(Turn("user", (part,)))


def test_what_only_others_can_read_is_told_in_words_or_noted():
    """D170, D186."""
    losses = Losses()
    search = Hosted("web_search", query="q", hits=(SearchHit("https://x", "X"),), dialect="anthropic", raw=({"a": 1},))
    turn = Turn(
        "assistant",
        (search, Refusal("no"), Text("t", (Citation("https://x"),)), Opaque({"type": "odd"}, "anthropic")),
    )
    found = contents(HI, turn, Turn("user", (Compaction("short"), Compaction("", Blob("c", "v", "x")))), losses=losses)
    assert [part["text"] for part in found[1]["parts"]] == ["[web search: q]\n- X https://x", "no", "t"]
    assert found[2]["parts"] == [{"text": "short"}]
    assert {note.partition(";")[0] for note in losses.notes} == {"messages[].odd", "messages[].compaction"}


def test_googles_own_parts_go_back_as_they_are():
    code = {"executableCode": {"code": "1"}}
    found = contents(HI, Turn("assistant", (Hosted("code", raw=(code,), dialect="gemini"),)), HI)
    assert found[1]["parts"] == [code]
