"""How a call goes wrong in every cell: refusals, filters, errors before and inside a stream, streams that break off."""

from collections.abc import Callable
from dataclasses import replace

from tests.clients.asking import CLIENTS, limited
from tests.clients.talk import Talk, User
from tests.protocols.matrix.cell import Cell
from tests.upstreams.script import cut, fail, finish, refuse, say, stall

Scenario = Callable[[Cell], None]

# What each client's dialect calls an error class (vendors' own lists), and the HTTP status it comes with.
ERRORS = {
    "400": (400, "invalid_request_error", "invalid_request_error", "INVALID_ARGUMENT"),
    "429": (429, "rate_limit_error", "rate_limit_error", "RESOURCE_EXHAUSTED"),
    "500": (502, "server_error", "api_error", "INTERNAL"),
}
_PLACE = {"openai_chat": 1, "openai_responses": 1, "anthropic": 2, "gemini": 3}


def refusal(cell: Cell) -> None:
    heard = cell.ask(Talk(), refuse("I cannot help with that."))
    if cell.upstream in ("gemini", "ollama"):
        assert heard.ended  # they have no refusals in words of their own
        return
    if cell.client == "gemini" and cell.upstream == "anthropic":
        assert heard.finish == "SAFETY"  # Claude explains beside its answer, and Gemini has no place for that
        return
    assert "I cannot help with that." in (heard.refusal or heard.text)


def content_filter(cell: Cell) -> None:
    if cell.upstream == "ollama":
        return  # it filters nothing
    heard = cell.ask(Talk(), say("Begin"), finish("filter"))
    assert heard.finish == cell.finish("filter")


def several_answers(cell: Cell) -> None:
    if cell.client not in ("openai_chat", "gemini"):
        return  # the others cannot ask for several
    talk = Talk(n=2)
    if cell.upstream in ("openai_chat", "gemini"):
        assert cell.ask(talk, say("Same")).texts == ["Same", "Same"]
    else:
        status, answer = cell.answer(talk, say("Same"))
        assert status == 400, answer
        assert len(cell.proxx.provider.journal) == 0


def errors_before_the_first_event(cell: Cell) -> None:
    for fault, row in ERRORS.items():
        provider = limited(cell.upstream) if fault == "429" else ""
        status, answer = cell.answer(Talk(), fail(fault), provider=provider)
        assert status == row[0], (fault, answer)
        if cell.client in _PLACE:
            assert cell.error(answer) == row[_PLACE[cell.client]], fault
        else:
            assert cell.error(answer) == "error"


def error_inside_the_stream(cell: Cell) -> None:
    status, answer = cell.answer(Talk(), say("Begin to", pieces=2), stall(0.1), fail("500"))
    if not cell.streams:
        assert status >= 500
        return
    heard = CLIENTS[cell.client].stream(answer)
    assert (status, heard.error is not None, heard.ended) == (200, True, False)


def stream_that_breaks_off(cell: Cell) -> None:
    status, answer = cell.answer(Talk(), say("Begin to say", pieces=3), stall(0.1), cut())
    if not cell.streams:
        assert status >= 500
        return
    heard = CLIENTS[cell.client].stream(answer)
    assert heard.error is not None
    assert not heard.ended


def empty_answer(cell: Cell) -> None:
    status, answer = cell.answer(Talk(), finish("stop"))
    if status == 200:
        module = CLIENTS[cell.client]
        heard = module.stream(answer) if cell.streams else module.whole(answer)
        assert (heard.text, heard.calls) == ("", [])
    else:
        assert status >= 500
        cell.error(answer)


def unreadable_request(cell: Cell) -> None:
    if cell.same:
        return  # the provider's to judge: its client's bytes go there as they are
    talk = replace(Talk(), turns=(User("x"),), temperature="hot")  # type: ignore[arg-type]
    status, answer = cell.answer(talk, say("never"))
    assert status == 400, answer
    cell.error(answer)


SCENARIOS: tuple[Scenario, ...] = (
    refusal,
    content_filter,
    several_answers,
    errors_before_the_first_event,
    error_inside_the_stream,
    stream_that_breaks_off,
    empty_answer,
    unreadable_request,
)
