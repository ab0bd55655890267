"""What upstreams do to bytes on their way: each odd form of an answer, passed on and translated."""

import gzip
import json

import pytest

from tests.clients.asking import CLIENTS
from tests.clients.talk import Heard, Talk
from tests.live import LiveProxx
from tests.protocols.edge_cases import answers
from tests.protocols.edge_cases.canned import EVENTS, JSON, Canned, Said
from tests.protocols.matrix.cell import Cell
from tests.upstreams.script import say

# Each upstream with a client of its own dialect and with one of the next; each client with two upstreams.
_NAMES = list(CLIENTS)
PAIRS = [(name, name) for name in _NAMES] + list(zip(_NAMES, [*_NAMES[1:], _NAMES[0]], strict=True))


def raw(dialect: str) -> str:
    """Return the provider of this dialect that says fixed bytes."""
    return f"raw-{dialect.removeprefix('openai_')}"


def says_hello(cell: Cell, answer: bytes) -> bool:
    """Tell whether the client got the fixed answer; in its own dialect in the bytes in which it was said."""
    if cell.same:
        return b"Hel" in answer
    found = heard(cell, answer)
    return found.text == "Hello" and (found.ended or not cell.streams)


def heard(cell: Cell, answer: bytes) -> Heard:
    module = CLIENTS[cell.client]
    found: Heard = module.stream(answer) if cell.streams else module.whole(answer)
    return found


@pytest.mark.parametrize(
    "fault", ["one-byte", "crlf", "comments", "one-write", "after-done", "unframed", "no-content-type"]
)
@pytest.mark.parametrize(("client", "upstream"), PAIRS)
def test_a_stream_in_odd_wrapping_is_the_same(proxx: LiveProxx, client: str, upstream: str, fault: str) -> None:
    """D130, D131, D132, D147."""
    if (client, fault) == ("gemini", "after-done") and client == upstream:
        return  # its streams have no end mark but their own end
    cell = Cell(proxx, client, upstream, streams=True)
    _, answer = cell.answer(Talk(), say("Blåbær 🫐 and more"), fault=fault)
    assert (heard(cell, answer).text, heard(cell, answer).ended) == ("Blåbær 🫐 and more", True)


@pytest.mark.parametrize(("client", "upstream"), PAIRS)
def test_an_event_of_megabytes_passes(proxx: LiveProxx, client: str, upstream: str) -> None:
    """D133."""
    cell = Cell(proxx, client, upstream, streams=True)
    status, answer = cell.answer(Talk(), say("Much to say"), fault="huge-frame")
    assert status == 200
    assert answer.count(b"x") > 4_000_000


@pytest.mark.parametrize(("client", "upstream"), PAIRS)
def test_a_whole_answer_to_one_who_wants_a_stream_is_told_as_a_stream(
    proxx: LiveProxx, canned: Canned, client: str, upstream: str
) -> None:
    """D136."""
    canned.says(Said(answers.whole(upstream)))
    cell = Cell(proxx, client, upstream, streams=True)
    status, answer = cell.answer(Talk(), model="m", provider=raw(upstream))
    assert (status, says_hello(cell, answer)) == (200, True), answer


@pytest.mark.parametrize(("client", "upstream"), PAIRS)
def test_a_stream_to_one_who_wants_a_whole_answer_is_collected(
    proxx: LiveProxx, canned: Canned, client: str, upstream: str
) -> None:
    """D137."""
    canned.says(Said(answers.stream(upstream), kind=EVENTS))
    cell = Cell(proxx, client, upstream, streams=False)
    status, answer = cell.answer(Talk(), model="m", provider=raw(upstream))
    assert (status, says_hello(cell, answer)) == (200, True), answer


@pytest.mark.parametrize("kind", ["text/plain", JSON, "text/html", ""])
@pytest.mark.parametrize(("client", "upstream"), PAIRS)
def test_bytes_are_known_by_what_they_are(
    proxx: LiveProxx, canned: Canned, client: str, upstream: str, kind: str
) -> None:
    """D138."""
    canned.says(Said(answers.stream(upstream), kind=kind))
    cell = Cell(proxx, client, upstream, streams=True)
    status, answer = cell.answer(Talk(), model="m", provider=raw(upstream))
    assert (status, says_hello(cell, answer)) == (200, True), answer


@pytest.mark.parametrize("streams", [True, False], ids=["stream", "whole"])
@pytest.mark.parametrize(("client", "upstream"), PAIRS)
def test_a_page_instead_of_an_answer_is_a_fault_of_the_upstreams(
    proxx: LiveProxx, canned: Canned, client: str, upstream: str, streams: bool
) -> None:
    """D140."""
    page = b"<!DOCTYPE html><html><head><title>Bad Gateway</title></head><body>" + b"x" * 5000 + b"</body></html>"
    cell = Cell(proxx, client, upstream, streams)
    for status in (200, 502, 520):
        canned.says(Said(page, status=status, kind="text/html"))
        got, answer = cell.answer(Talk(), model="m", provider=raw(upstream))
        assert got >= 500
        assert cell.error(answer)
        assert b"<html" not in answer.lower()


@pytest.mark.parametrize("streams", [True, False], ids=["stream", "whole"])
@pytest.mark.parametrize(("client", "upstream"), PAIRS)
def test_an_error_in_a_200_has_a_real_status(
    proxx: LiveProxx, canned: Canned, client: str, upstream: str, streams: bool
) -> None:
    """D141, D142."""
    cell = Cell(proxx, client, upstream, streams)
    for body in (
        {"error": {"message": "It broke", "code": 500}},
        {"error": "It broke"},
        [{"error": {"message": "It"}}],
    ):
        canned.says(Said(json.dumps(body).encode()))
        status, answer = cell.answer(Talk(), model="m", provider=raw(upstream))
        assert status >= 500, (body, answer)
        assert cell.error(answer)


@pytest.mark.parametrize("upstream", CLIENTS)
def test_upstreams_are_asked_for_plain_bytes(proxx: LiveProxx, canned: Canned, upstream: str) -> None:
    """D139."""
    canned.says(Said(answers.whole(upstream)))
    Cell(proxx, "openai_chat", upstream, streams=False).answer(Talk(), model="m", provider=raw(upstream))
    assert canned.asked[0].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("streams", [True, False], ids=["stream", "whole"])
@pytest.mark.parametrize(("client", "upstream"), [("openai_chat", "openai_chat"), ("anthropic", "gemini")])
def test_an_answer_that_is_compressed_all_the_same_is_opened(
    proxx: LiveProxx, canned: Canned, client: str, upstream: str, streams: bool
) -> None:
    """D139."""
    said = answers.stream(upstream) if streams else answers.whole(upstream)
    canned.says(Said(gzip.compress(said), headers={"content-encoding": "gzip"}))
    cell = Cell(proxx, client, upstream, streams)
    status, answer = cell.answer(Talk(), model="m", provider=raw(upstream))
    assert (status, heard(cell, answer).text) == (200, "Hello")
    assert "content-encoding" not in cell.headers


@pytest.mark.parametrize(("client", "upstream"), PAIRS)
def test_only_named_headers_of_an_upstream_come_back(
    proxx: LiveProxx, canned: Canned, client: str, upstream: str
) -> None:
    """D148."""
    extra = {"set-cookie": "a=b", "server": "theirs", "x-private": "1", "x-request-id": "req_up"}
    canned.says(Said(answers.whole(upstream), headers={**extra, "x-ratelimit-remaining-requests": "7"}))
    cell = Cell(proxx, client, upstream, streams=False)
    cell.answer(Talk(), model="m", provider=raw(upstream))
    assert not {"set-cookie", "x-private"} & cell.headers.keys()
    assert cell.headers.get("server") != "theirs"
    assert cell.headers["x-proxx-upstream-request-id"] == "req_up"
    passes = client == upstream and client.startswith("openai")
    assert ("x-ratelimit-remaining-requests" in cell.headers) is passes
