"""Content blocks of every kind, read into parts."""

import json
from typing import Any

import pytest

from proxx.protocols.anthropic.read_request import read_envelope, read_request
from proxx.protocols.anthropic.write_reply import write_whole
from proxx.protocols.hub.blobs import wrap
from proxx.protocols.hub.errors import Unreadable
from proxx.protocols.hub.events import Finished
from proxx.protocols.hub.losses import Losses
from proxx.protocols.hub.parts import (
    Blob,
    CacheMark,
    Compaction,
    File,
    Hosted,
    Image,
    Opaque,
    Part,
    Reasoning,
    SearchHit,
    Text,
    ToolCall,
    ToolResult,
)
from proxx.protocols.hub.reply import Choice, Reply
from tests.protocols.anthropic.samples import OCCASION

MARK = {"type": "ephemeral", "ttl": "5m"}


def read(role: str, *blocks: Any) -> tuple[Part, ...]:
    body = {"model": "m", "messages": [{"role": "user", "content": "Hi"}, {"role": role, "content": list(blocks)}]}
    return read_request(read_envelope(json.dumps(body).encode()), Losses()).turns[1].parts


def test_text_and_its_mark():
    assert read("user", {"type": "text", "text": "Hi", "cache_control": MARK}) == (Text("Hi", cache=CacheMark("5m")),)


@pytest.mark.parametrize(
    ("source", "image"),
    [
        ({"type": "base64", "media_type": "image/png", "data": "iVBORw0="}, Image("", "iVBORw0=", "image/png")),
        ({"type": "url", "url": "https://a.org/b.png"}, Image("https://a.org/b.png")),
        ({"type": "url", "url": "DATA:image/png;base64,iVBORw=="}, Image("", "iVBORw==", "image/png")),
        ({"type": "file", "file_id": "file_1"}, Image(file_id="file_1", dialect="anthropic")),
    ],
)
def test_images_from_everywhere(source: dict[str, Any], image: Image):
    """D40."""
    assert read("user", {"type": "image", "source": source}) == (image,)


def test_documents_keep_title_context_and_the_wish_for_citations():
    """D43."""
    about = {"title": "T", "context": "C", "citations": {"enabled": True}}
    pdf = {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="}}
    plain = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "words"}}
    far = {"type": "document", "source": {"type": "url", "url": "https://a.org/b.pdf"}}
    assert read("user", pdf | about, plain, far) == (
        File(data="JVBERi0=", media_type="application/pdf", title="T", context="C", citations=True),
        File(text="words", media_type="text/plain"),
        File(url="https://a.org/b.pdf", media_type="application/pdf"),
    )


def test_a_document_of_pieces_and_a_finding_become_text_documents():
    picture = {"type": "image", "source": {"type": "url", "url": "https://a.org/b.png"}}
    content = [{"type": "text", "text": "one"}, picture, {"type": "text", "text": "two"}]
    pieces = {"type": "document", "source": {"type": "content", "content": content}, "title": "T"}
    found = {
        "type": "search_result",
        "source": "https://a.org",
        "title": "A",
        "content": [{"type": "text", "text": "w"}],
    }
    assert read("user", pieces, found) == (
        File(text="one\n\ntwo", media_type="text/plain", title="T"),
        Image("https://a.org/b.png"),
        File(text="w", media_type="text/plain", title="A", context="Source: https://a.org"),
    )


def test_arguments_of_calls_stay_as_they_were_written():
    """D10, D183."""
    raw = '{"b": 1.50, "a": {"z":1e3, "z":2}}'
    said = '{"model":"m","messages":[{"role":"assistant","content":[{"type":"tool_use","id":"t1","name":"n","input":'
    request = read_request(read_envelope((said + raw + "}]}]}").encode()), Losses())
    assert request.turns[0].parts == (ToolCall("t1", "n", raw),)
    assert read("assistant", {"type": "tool_use", "id": "t", "name": "n", "input": {}}) == (ToolCall("t", "n", "{}"),)


def test_results_hold_text_pictures_and_references():
    """D27."""
    inside = [{"type": "text", "text": "a"}, {"type": "tool_reference", "tool_name": "grep"}]
    picture = {"type": "image", "source": {"type": "url", "url": "https://a.org/b.png"}}
    result = {"type": "tool_result", "tool_use_id": "t1", "content": [*inside, picture], "is_error": True}
    assert read("user", result) == (
        ToolResult("t1", (Text("a"), Text("tool grep is available"), Image("https://a.org/b.png")), is_error=True),
    )
    for content in ("", None):
        assert read("user", {"type": "tool_result", "tool_use_id": "t", "content": content}) == (ToolResult("t"),)
    assert read("user", {"type": "tool_result", "tool_use_id": "t", "content": "ok"}) == (
        ToolResult("t", (Text("ok"),)),
    )


def test_thinking_keeps_its_signature_even_without_text():
    """D82, D87."""
    blocks = [{"type": "thinking", "thinking": text, "signature": "sig"} for text in ("hm", "")]
    own = Blob("signature", "sig", "anthropic")
    assert read("assistant", blocks[0], {"type": "text", "text": "T"}, blocks[1]) == (
        Reasoning("hm", blob=own),
        Text("T"),
        Reasoning(blob=own),
    )
    redacted = {"type": "redacted_thinking", "data": "zzz"}
    assert read("assistant", redacted) == (Reasoning(blob=Blob("redacted", "zzz", "anthropic")),)


def test_a_wrapped_signature_is_the_blob_it_was():
    """D83."""
    blob = Blob("encrypted", "enc", "openai_responses", "gpt", "rs_1")
    block = {"type": "thinking", "thinking": "short", "signature": wrap(blob)}
    assert read("assistant", block) == (Reasoning("", ("short",), blob, "rs_1"),)


def test_the_sign_of_thinking_that_nobody_signed_is_no_signature():
    told = Reply((Choice((Reasoning("hm"), Text("a")), Finished("stop")),))
    signature = json.loads(write_whole(told, OCCASION))["content"][0]["signature"]
    assert read("assistant", {"type": "thinking", "thinking": "hm", "signature": signature}) == (Reasoning("hm"),)


def test_thinking_without_text_before_a_call_signs_the_call():
    blob = Blob("thought", "sig", "gemini", "gemini")
    block = {"type": "thinking", "thinking": "", "signature": wrap(blob)}
    call = {"type": "tool_use", "id": "t1", "name": "n", "input": {}}
    assert read("assistant", block, call) == (ToolCall("t1", "n", "{}", blob=blob),)


def test_a_hosted_search_and_its_result_are_one_part():
    """D170."""
    use = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "weather"}}
    entry = {"type": "web_search_result", "url": "https://a.org", "title": "A", "encrypted_content": "e"}
    result = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": [entry]}
    hits = (SearchHit("https://a.org", "A"),)
    assert read("assistant", use, result) == (
        Hosted("web_search", "srvtoolu_1", "weather", hits, "completed", (use, result), "anthropic"),
    )
    foreign = result | {"content": [entry | {"encrypted_content": wrap(Blob("thought", "", "gemini"))}]}
    assert read("assistant", use, foreign) == (Hosted("web_search", "srvtoolu_1", "weather", hits),)


def test_a_failed_search_and_other_hosted_calls():
    error = {"type": "web_search_tool_result_error", "error_code": "unavailable"}
    failed = {"type": "web_search_tool_result", "tool_use_id": "s", "content": error}
    code = {"type": "server_tool_use", "id": "c", "name": "code_execution", "input": {"code": "1+1"}}
    search, run = read("assistant", failed, code)
    assert isinstance(search, Hosted)
    assert isinstance(run, Hosted)
    assert (search.status, run.kind, run.query, run.status) == ("failed", "code", "1+1", "in_progress")


def test_compactions_and_blocks_nobody_knows():
    new = {"type": "hologram", "text": 5}
    assert read("assistant", {"type": "compaction", "content": "so far"}, new) == (
        Compaction("so far"),
        Opaque(new, "anthropic"),
    )


def test_searches_for_tools_are_left_out_as_their_tool_is():
    use = {"type": "server_tool_use", "id": "s", "name": "tool_search_tool_regex", "input": {"query": "x"}}
    result = {"type": "tool_search_tool_result", "tool_use_id": "s", "content": {"tool_references": []}}
    assert read("assistant", use, result, {"type": "text", "text": "a"}) == (Text("a"),)


@pytest.mark.parametrize(
    ("role", "block"),
    [
        ("user", {"type": "tool_use", "id": "t", "name": "n", "input": {}}),
        ("assistant", {"type": "tool_result", "tool_use_id": "t"}),
        ("user", {"type": "thinking", "thinking": "t", "signature": "s"}),
        ("assistant", {"type": "tool_use", "id": "t", "name": "n", "input": "text"}),
        ("user", {"type": "image", "source": {"type": "fax"}}),
    ],
)
def test_blocks_in_the_wrong_place_are_refused(role: str, block: dict[str, Any]):
    with pytest.raises(Unreadable, match=r"messages\[1\]\.content\[0\]"):
        read(role, block)
