"""Errors reach each client in its own words, whoever made them."""

import itertools
import json

import pytest

from tests.clients.asking import CLIENTS
from tests.clients.talk import Talk
from tests.live import LiveProxx
from tests.protocols.edge_cases.answers import whole
from tests.protocols.edge_cases.canned import Canned, Said
from tests.protocols.matrix.cell import Cell
from tests.upstreams.script import say

CELLS = list(itertools.product(CLIENTS, CLIENTS))


def overflow(client: str, error: object) -> bool:
    """Tell whether a client of this dialect knows this error for a conversation that is too long."""
    match client, error:
        case "anthropic", {"type": "invalid_request_error", "message": str(words)}:
            return words.startswith(("prompt is too long", "input length and `max_tokens` exceed context limit"))
        case (("openai_chat" | "openai_responses"), {"code": "context_length_exceeded"}):
            return True
        case "gemini", {"status": "INVALID_ARGUMENT"}:
            return True
        case "ollama", str(words):
            return "context" in words or "too" in words or "exceeds" in words
    return False


@pytest.mark.parametrize("streams", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize(("client", "upstream"), CELLS)
def test_a_conversation_that_is_too_long_is_known_to_be(
    proxx: LiveProxx, client: str, upstream: str, streams: bool
) -> None:
    """D111, D152."""
    cell = Cell(proxx, client, upstream, streams)
    status, answer = cell.answer(Talk(), say("never"), fault="400-context")
    assert status == 400
    assert overflow(client, json.loads(answer)["error"]), answer


@pytest.mark.parametrize("client", CLIENTS)
def test_what_the_request_got_wrong_is_not_sent_again(proxx: LiveProxx, client: str) -> None:
    """D156."""
    cell = Cell(proxx, client, "anthropic", streams=False)
    assert cell.answer(Talk(), say("never"), fault="400", provider="limited-anthropic")[0] == 400
    assert len(proxx.provider.journal) == 1


@pytest.mark.parametrize(("client", "upstream"), CELLS)
def test_a_clients_own_mark_against_double_work_stays_in_its_dialect(
    proxx: LiveProxx, canned: Canned, client: str, upstream: str
) -> None:
    """D184."""
    canned.says(Said(whole(upstream)))
    provider = f"raw-{upstream.removeprefix('openai_')}"
    Cell(proxx, client, upstream, streams=False).answer(Talk(), model="m", provider=provider, idempotency_key="once-1")
    expected = "once-1" if client == upstream and client.startswith("openai") else None
    assert canned.asked[0].headers.get("idempotency-key") == expected
