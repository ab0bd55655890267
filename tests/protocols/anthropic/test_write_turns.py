"""Conversations as Messages upstreams take them."""

import base64

import pytest

from proxx.protocols.hub.errors import Inexpressible
from proxx.protocols.hub.events import Ended, Finished, PartClosed, PartOpened, Started, TextDelta
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
)
from proxx.protocols.hub.reply import fold
from tests.protocols.anthropic.samples import SEARCH
from tests.protocols.anthropic.writing import assistant, body, messages, system, text, user, write

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"0" * 20).decode()
PDF = base64.b64encode(b"%PDF-1.4 words").decode()


def call(id: str, args: str = "{}", name: str = "look") -> ToolCall:
    return ToolCall(id, name, args)


def result(id: str, said: str = "ok") -> ToolResult:
    return ToolResult(id, (Text(said),))


def test_results_stand_together_at_the_head_in_the_order_of_their_calls():
    """D18, D19."""
    turns = [user("Go"), assistant("a", call("t1"), call("t2")), user(result("t2")), user("And?", result("t1"))]
    said = messages(*turns)
    assert [message["role"] for message in said] == ["user", "assistant", "user"]
    assert [block.get("tool_use_id") for block in said[2]["content"]] == ["t1", "t2", None]


def test_a_call_without_result_gets_one_and_the_last_one_too():
    """D22."""
    losses = Losses()
    said = messages(user("Go"), assistant(call("t1")), user("Well?"), assistant(call("t2")), losses=losses)
    assert said[2]["content"][0]["is_error"] is True
    assert said[4]["content"][0]["tool_use_id"] == "t2"
    assert losses.notes


def test_ids_that_do_not_fit_are_hashed_alike_for_call_and_result():
    """D16."""
    id = "call:" + "x" * 200
    said = messages(user("Go"), assistant(call(id)), user(result(id)))
    assert said[1]["content"][0]["id"] == said[2]["content"][0]["tool_use_id"]
    assert len(said[1]["content"][0]["id"]) <= 64


def test_arguments_go_as_written_and_broken_ones_are_mended():
    """D10, D12."""
    raw = '{"b":1.50,"a":{"z":1e3}}'
    assert raw.encode() in write(turns=(user("Go"), assistant(call("t", raw)), user(result("t")))).body
    losses = Losses()
    cut, junk = call("t1", '{"city": "Gr'), call("t2", "no json")
    said = messages(user("Go"), assistant(cut, junk), user(result("t1"), result("t2")), losses=losses)
    assert [block["input"] for block in said[1]["content"]] == [{"city": "Gr"}, {"_invalid_arguments": "no json"}]
    assert losses.notes


def test_turns_of_one_role_become_one_message():
    """D34."""
    assert messages(user("a"), user("b"), assistant("c"), assistant("d"), user("e")) == [
        {"role": "user", "content": [text("a"), text("b")]},
        {"role": "assistant", "content": [text("c"), text("d")]},
        {"role": "user", "content": [text("e")]},
    ]


def test_blank_texts_and_empty_turns_go():
    """D35, D36."""
    said = messages(user("a", ""), assistant(" \n"), user("b"), assistant("", call("t")), user(result("t", "")))
    assert said[0]["content"] == [text("a"), text("b")]
    assert [block["type"] for block in said[1]["content"]] == ["tool_use"]
    assert "content" not in said[2]["content"][0]
    assert messages(user("")) == [{"role": "user", "content": [text(".")]}]


def test_a_conversation_begins_with_the_user():
    """D38, D39."""
    assert messages(assistant("Welcome"), user("Hi"))[0] == {"role": "user", "content": [text(".")]}
    only = body(instructions=(system("Tell a joke."),), turns=())
    assert only["messages"] == [{"role": "user", "content": [text("Tell a joke.")]}]
    assert "system" not in only


def test_later_instructions_stay_in_their_place():
    """D30."""
    turns = [user("a"), system("Be brief.", "developer"), assistant("b"), user("c")]
    assert messages(*turns, model="claude-opus-4-8")[1] == {"role": "system", "content": [text("Be brief.")]}
    losses = Losses()
    tagged = messages(*turns, model="claude-sonnet-4-5", losses=losses)
    assert tagged[0]["content"][1]["text"] == "<system-reminder>\nBe brief.\n</system-reminder>"
    assert losses.notes == ["messages[].role;a later system message is sent as marked user text"]
    illegal = messages(user("a"), assistant("b"), system("S"), user("c"), model="claude-opus-4-8")
    assert [message["role"] for message in illegal] == ["user", "assistant", "user"]
    between = messages(user("a"), system("S"), user("c"), model="claude-opus-4-8")
    assert [message["role"] for message in between] == ["user"]


def test_a_prefill_stays_where_the_model_continues_it():
    """D32."""
    said = messages(user("a"), assistant("The answer is  \n"))
    assert said[-1] == {"role": "assistant", "content": [text("The answer is")]}


def test_a_prefill_becomes_a_wish_where_the_model_does_not():
    """D32, D33."""
    losses = Losses()
    turns = (user("a"), assistant("The answer"))
    written = write("claude-opus-4-8", losses, turns=turns, dialect="anthropic")
    assert b"exactly where it ends" in written.body
    (mend,) = written.mends
    events = [
        Started(),
        PartOpened(0, "text"),
        TextDelta(0, "The answer is 4"),
        PartClosed(0),
        Finished("stop"),
        Ended(),
    ]
    assert fold(mend(events)).choices[0].parts == (Text(" is 4"),)
    assert losses.notes
    complete = messages(*turns, model="claude-opus-4-8")
    assert complete[-1] == {"role": "user", "content": [text("Continue.")]}


@pytest.mark.parametrize(
    ("image", "source"),
    [
        (Image("https://a.org/b.png"), {"type": "url", "url": "https://a.org/b.png"}),
        (Image(f"data:image/jpg;base64,{PNG}"), {"type": "base64", "media_type": "image/png", "data": PNG}),
        (Image(data=PNG, media_type="image/jpeg"), {"type": "base64", "media_type": "image/png", "data": PNG}),
        (Image(file_id="file_1", dialect="anthropic"), {"type": "file", "file_id": "file_1"}),
    ],
)
def test_pictures(image: Image, source: dict[str, str]):
    """D40, D41."""
    assert messages(user(image))[0]["content"] == [{"type": "image", "source": source}]


def test_documents():
    """D43, D44."""
    words = base64.b64encode("wörds".encode()).decode()
    pdf = {"type": "base64", "media_type": "application/pdf", "data": PDF}
    plain = {"type": "text", "media_type": "text/plain", "data": "wörds"}
    files = [File(data=PDF, media_type="application/pdf", filename="a.pdf"), File(f"data:text/csv;base64,{words}")]
    assert messages(user(*files, File(text="wörds", title="T", citations=True), Image(f"data:;base64,{PDF}")))[0][
        "content"
    ] == [
        {"type": "document", "source": pdf, "title": "a.pdf"},
        {"type": "document", "source": plain},
        {"type": "document", "source": plain, "title": "T", "citations": {"enabled": True}},
        {"type": "document", "source": pdf},
    ]


@pytest.mark.parametrize(
    "part",
    [
        Audio("AAAA", "audio/wav"),
        Image(data="Qk0AAAAAAAAAAA==", media_type="image/bmp"),
        Image(file_id="file-1", dialect="openai_responses"),
        File(data="UEsDBA==", media_type="application/zip"),
    ],
)
def test_media_that_claude_cannot_take_are_refused(part: Audio | Image | File):
    with pytest.raises(Inexpressible):
        messages(user(part))


def test_pictures_in_results_stay_there():
    """D25."""
    shown = ToolResult("t", (Text("see"), Image("https://a.org/b.png")))
    content = messages(user("Go"), assistant(call("t")), user(shown))[2]["content"][0]["content"]
    assert [block["type"] for block in content] == ["text", "image"]


def test_thinking_goes_back_to_its_maker_only():
    """D84, D87."""
    own = Reasoning("hm", blob=Blob("signature", "sig", "anthropic", "claude"))
    redacted = Reasoning(blob=Blob("redacted", "zz", "anthropic"))
    foreign = Reasoning("ho", blob=Blob("encrypted", "e", "openai_responses", "gpt"))
    glm = Reasoning("h", blob=Blob("signature", "s", "anthropic", "glm"))
    said = messages(user("a"), assistant(own, redacted, foreign, glm, Reasoning("bare"), "b"), user("c"))
    assert said[1]["content"] == [
        {"type": "thinking", "thinking": "hm", "signature": "sig"},
        {"type": "redacted_thinking", "data": "zz"},
        text("b"),
    ]
    assert messages(user("a"), assistant("b", own), user("c"))[1]["content"] == [text("b")]
    assert messages(user("a"), assistant(own, "b"), user("c"), model="claude-3-5-haiku-latest")[1]["content"] == [
        text("b")
    ]


def test_searches_of_others_become_text_and_their_own_go_back():
    """D170."""
    hits = (SearchHit("https://a.org", "A"),)
    foreign = Hosted("web_search", "ws_1", "weather", hits, dialect="openai_responses")
    own = Hosted("web_search", "srvtoolu_1", "weather", hits, "completed", SEARCH, "anthropic")
    said = messages(user("a"), assistant(foreign, own, "b"), user("c"))[1]["content"]
    assert said[0] == text("[web_search: weather]\n- A: https://a.org")
    assert said[1:3] == list(SEARCH)


def test_a_hosted_call_without_result_stays_only_at_the_end():
    pausing = Hosted("web_search", "srvtoolu_1", "weather", (), "in_progress", SEARCH[:1], "anthropic")
    assert messages(user("a"), assistant("b", pausing))[1]["content"][1] == SEARCH[0]
    assert messages(user("a"), assistant("b", pausing), user("c"))[1]["content"][1] == text("[web_search: weather]")


def test_refusals_summaries_sources_and_strangers():
    losses = Losses()
    cited = Text("a", (Citation("", raw={"type": "char_location"}, dialect="anthropic"), Citation("https://b.org")))
    strange = Opaque({"type": "input_smell"}, "openai_responses")
    parts = (Refusal("No."), Compaction("so far"), cited, strange, Opaque({"type": "container_upload"}, "anthropic"))
    assert messages(user("x"), assistant(*parts), user("y"), losses=losses)[1]["content"] == [
        text("No."),
        text("so far"),
        text("a", citations=[{"type": "char_location"}]),
        {"type": "container_upload"},
    ]
    assert losses.notes == ["messages[].content;input_smell is unknown to this dialect"]


def test_what_newer_versions_forbid_is_not_written():
    """D45."""
    losses = Losses()
    cited = Text("a", (Citation("", raw={"type": "char_location"}, dialect="anthropic"),))
    said = messages(user(cited), assistant("b", File(text="words")), user("c"), losses=losses)
    assert said[0]["content"] == [text("a")]
    assert said[1]["content"] == [text("b")]
    assert losses.notes


def test_the_same_request_has_the_same_bytes():
    """D127."""
    turns = (user("Go"), assistant(call("t:1", '{"b":1,"a":2}')), user(result("t:1")))
    assert write(turns=turns).body == write(turns=turns).body
