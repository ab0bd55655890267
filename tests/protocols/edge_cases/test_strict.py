"""What is lost in translation is told: in a header, on the record, and as 400 to those who want no loss."""

import json
import uuid

import pytest

from tests.clients.asking import CLIENTS
from tests.clients.talk import Talk
from tests.live import LiveProxx
from tests.protocols.matrix.cell import Cell
from tests.until import until
from tests.upstreams.script import say

MODEL = "gpt-5.1"  # it thinks, and takes no temperature
WARM = Talk(temperature=0.5)


def foreign(client: str) -> str:
    """Return the dialect in which a client's model is asked, another than its own."""
    return "openai_chat" if client == "openai_responses" else "openai_responses"


def record(proxx: LiveProxx, headers: dict[str, str]) -> tuple[int, list[str]]:
    """Return status and notes of the call with these answer headers, once it is recorded."""
    query = "SELECT status, warnings FROM analytics_requestlog WHERE id = %s"
    call = [uuid.UUID(headers["x-request-id"]).hex]
    until(lambda: len(proxx.rows(query, call)) == 1, seconds=5)
    status, notes = proxx.rows(query, call)[0]
    return status, json.loads(notes) if isinstance(notes, str) else notes


@pytest.mark.parametrize("streams", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("client", CLIENTS)
def test_a_loss_is_told_in_a_header_and_on_the_record(proxx: LiveProxx, client: str, streams: bool) -> None:
    cell = Cell(proxx, client, foreign(client), streams)
    assert cell.ask(WARM, say("Done."), model=MODEL).text == "Done."
    assert cell.loses("temperature")
    assert "temperature" not in cell.sent
    status, notes = record(proxx, cell.headers)
    assert status == 200
    assert [note.partition(";")[0] for note in notes] == cell.warnings


@pytest.mark.parametrize("streams", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("client", CLIENTS)
def test_a_strict_client_is_refused_in_its_own_words(proxx: LiveProxx, client: str, streams: bool) -> None:
    cell = Cell(proxx, client, foreign(client), streams)
    status, answer = cell.answer(WARM, say("never"), model=MODEL, x_proxx_strict="true")
    assert status == 400
    assert "'temperature'" in str(json.loads(answer)["error"])
    assert cell.error(answer)
    assert len(proxx.provider.journal) == 0
    assert record(proxx, cell.headers)[0] == 400


def test_openais_clients_learn_the_field_at_fault(proxx: LiveProxx) -> None:
    cell = Cell(proxx, "openai_chat", "openai_responses", streams=False)
    _, answer = cell.answer(WARM, say("never"), model=MODEL, x_proxx_strict="1")
    fault = json.loads(answer)["error"]
    assert (fault["code"], fault["param"]) == ("unsupported_parameter", "temperature")


@pytest.mark.parametrize("client", CLIENTS)
def test_a_strict_client_that_loses_nothing_is_answered(proxx: LiveProxx, client: str) -> None:
    cell = Cell(proxx, client, foreign(client), streams=False)
    status, _ = cell.answer(Talk(), say("Done."), model=MODEL, x_proxx_strict="true")
    assert (status, cell.warnings) == (200, [])


def test_nothing_is_lost_in_the_clients_own_dialect(proxx: LiveProxx) -> None:
    cell = Cell(proxx, "openai_chat", "openai_chat", streams=False)
    status, _ = cell.answer(WARM, say("Done."), model="gpt-x", x_proxx_strict="true")
    assert (status, cell.sent["temperature"]) == (200, 0.5)
