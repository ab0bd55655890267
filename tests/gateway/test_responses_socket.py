"""Responses over a WebSocket, as coding agents speak it, through a running proxx."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.clients.asking import five_upstreams, upstream
from tests.databases import Templates
from tests.live import LiveProxx, running
from tests.protocols.matrix.cell import MODELS
from tests.until import until
from tests.upstreams.script import call_tool, say, stall
from tests.upstreams.server import SimulatedProvider

ENDS = ("response.completed", "response.incomplete", "response.failed", "error")
MIB = 1024 * 1024


@pytest.fixture(scope="module")
def proxx(
    tmp_path_factory: pytest.TempPathFactory, templates: Templates, module_provider: SimulatedProvider
) -> Iterator[LiveProxx]:
    with running(tmp_path_factory.mktemp("proxx"), templates, module_provider) as started:
        five_upstreams(started)
        yield started


@pytest.fixture(autouse=True)
def fresh_scripts(module_provider: SimulatedProvider) -> None:
    module_provider.reset()


def opened(proxx: LiveProxx, path: str = "/v1/responses", **headers: str) -> ClientConnection:
    sent = {"authorization": f"Bearer {proxx.token}", "openai-beta": "responses_websockets=2026-02-06", **headers}
    address = f"ws://127.0.0.1:{proxx.port}{path}"
    return connect(address, additional_headers=sent, max_size=None, compression=None, ping_interval=None)


def model(dialect: str) -> str:
    return upstream(dialect, MODELS[dialect])


def ask(socket: ClientConnection, **members: Any) -> list[dict[str, Any]]:
    socket.send(json.dumps({"type": "response.create", "store": False, **members}))
    return heard(socket)


def heard(socket: ClientConnection) -> list[dict[str, Any]]:
    events = []
    while not events or events[-1]["type"] not in ENDS:
        events.append(json.loads(socket.recv(timeout=20)))
    return events


def said(events: list[dict[str, Any]]) -> str:
    return "".join(event["delta"] for event in events if event["type"] == "response.output_text.delta")


def message(text: str) -> dict[str, Any]:
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}


@pytest.mark.parametrize("path", ["/v1/responses", "/responses"])
@pytest.mark.parametrize("dialect", MODELS)
def test_events_come_as_frames(proxx: LiveProxx, dialect: str, path: str) -> None:
    """D188."""
    proxx.provider.script(say("Hello over there."), model=MODELS[dialect])
    with opened(proxx, path) as socket:
        events = ask(socket, model=model(dialect), input=[message("Hi")])
    assert [events[0]["type"], events[-1]["type"]] == ["response.created", "response.completed"]
    assert said(events) == "Hello over there."


@pytest.mark.parametrize("dialect", MODELS)
def test_an_earlier_response_of_the_socket_is_known_though_it_is_not_stored(proxx: LiveProxx, dialect: str) -> None:
    with opened(proxx) as socket:
        warmed = ask(socket, model=model(dialect), input=[message("Remember plum.")], generate=False)
        assert [event["type"] for event in warmed][-1] == "response.completed"
        assert warmed[-1]["response"]["output"] == []
        proxx.provider.script(say("Plum it is."), model=MODELS[dialect])
        first = ask(socket, model=model(dialect), input=[], previous_response_id=warmed[-1]["response"]["id"])
        ask(socket, model=model(dialect), input=[message("Sure?")], previous_response_id=first[-1]["response"]["id"])
    sent = proxx.provider.journal.last.body.decode()
    assert sent.index("Remember plum.") < sent.index("Plum it is.") < sent.index("Sure?")


def test_sending_ahead_asks_nobody(proxx: LiveProxx) -> None:
    before = len(proxx.provider.journal)
    with opened(proxx) as socket:
        ask(socket, model=model("anthropic"), input=[message("Hi")], generate=False)
    assert len(proxx.provider.journal) == before


def test_more_input_may_be_appended(proxx: LiveProxx) -> None:
    with opened(proxx) as socket:
        ask(socket, model=model("anthropic"), input=[message("Remember plum.")], instructions="Be brief.")
        socket.send(json.dumps({"type": "response.append", "input": [message("Which?")]}))
        assert heard(socket)[-1]["type"] == "response.completed"
    sent = proxx.provider.journal.last.body.decode()
    assert all(text in sent for text in ("Remember plum.", "Which?", "Be brief."))


def test_calls_are_added_to_outputs_that_come_alone(proxx: LiveProxx) -> None:
    """F-004."""
    tool = {"type": "function", "name": "weather", "parameters": {"type": "object", "properties": {}}}
    proxx.provider.script(call_tool("weather", {}), model=MODELS["anthropic"])
    with opened(proxx) as socket:
        first = ask(socket, model=model("anthropic"), input=[message("Weather?")], tools=[tool])
        call = first[-1]["response"]["output"][0]
        result = {"type": "function_call_output", "call_id": call["call_id"], "output": "Sun"}
        assert ask(socket, model=model("anthropic"), input=[result], tools=[tool])[-1]["type"] == "response.completed"
    messages = proxx.provider.journal.last.json["messages"]
    kinds = [block["type"] for one in messages for block in one["content"]]
    assert kinds[-2:] == ["tool_use", "tool_result"]


def test_errors_are_frames_and_the_socket_stays_open(proxx: LiveProxx) -> None:
    with opened(proxx) as socket:
        unknown = ask(socket, model="no-such-model", input="Hi")[-1]
        assert (unknown["type"], unknown["status"]) == ("error", 404)
        assert unknown["error"]["type"] == "invalid_request_error"
        lost = ask(socket, model=model("anthropic"), input="Hi", previous_response_id="resp_" + "0" * 32)[-1]
        assert (lost["status"], lost["error"]["code"]) == (400, "previous_response_not_found")
        for frame in ("no json", "[]", '{"type":"session.update"}', '{"type":"response.append","input":[]}', "{}"):
            socket.send(frame)
            assert heard(socket)[-1]["status"] == 400
        assert ask(socket, model=model("anthropic"), input="Hi")[-1]["type"] == "response.completed"


def test_a_stored_response_of_the_socket_is_known_everywhere(proxx: LiveProxx) -> None:
    with opened(proxx) as socket, proxx.openai() as client:
        made = ask(socket, model=model("gemini"), input="Remember plum.", store=True)[-1]["response"]
        assert client.responses.retrieve(made["id"]).id == made["id"]
    with opened(proxx) as socket:
        ask(socket, model=model("gemini"), input="Which?", previous_response_id=made["id"])
    assert "Remember plum." in proxx.provider.journal.last.body.decode()


@pytest.mark.parametrize("dialect", ["openai_responses", "openai_chat"])
def test_five_megabytes_go_both_ways(proxx: LiveProxx, dialect: str) -> None:
    text = "plum " * MIB
    proxx.provider.script(say(text, pieces=1), model=MODELS[dialect])
    with opened(proxx) as socket:
        events = ask(socket, model=model(dialect), input=[message(text)])
    assert said(events) == text
    assert len(proxx.provider.journal.last.body) > 5 * MIB


def test_calls_of_one_socket_are_answered_one_after_another(proxx: LiveProxx) -> None:
    with opened(proxx) as socket:
        for word in ("first", "second"):
            proxx.provider.script(say(word), model=MODELS["anthropic"])
            socket.send(json.dumps({"type": "response.create", "model": model("anthropic"), "input": word}))
        assert [said(heard(socket)), said(heard(socket))] == ["first", "second"]


def test_too_many_calls_at_once_end_the_socket(proxx: LiveProxx) -> None:
    proxx.provider.script(say("a"), stall(), model=MODELS["anthropic"])
    with opened(proxx) as socket:
        frame = json.dumps({"type": "response.create", "model": model("anthropic"), "input": "Hi"})
        for _ in range(5):
            socket.send(frame)
        with pytest.raises(ConnectionClosed):
            heard(socket)
        assert socket.close_code == 4429


def test_who_leaves_ends_the_call_at_the_provider(proxx: LiveProxx) -> None:
    proxx.provider.script(say("a"), stall(), model=MODELS["anthropic"])
    with opened(proxx) as socket:
        socket.send(json.dumps({"type": "response.create", "model": model("anthropic"), "input": "I leave"}))
        while json.loads(socket.recv(timeout=20))["type"] != "response.output_text.delta":
            continue
        # Not the last: a call of the test before may still be going on.
        entry = next(one for one in proxx.provider.journal if b"I leave" in one.body)
    assert entry.done.wait(10)
    assert entry.outcome == "client_gone"
    until(
        lambda: proxx.rows("SELECT outcome FROM analytics_requestlog ORDER BY id DESC LIMIT 1") == [("cancelled",)],
        seconds=10,
    )


def test_a_wrong_key_is_refused_before_the_socket_is_one(proxx: LiveProxx) -> None:
    with pytest.raises(InvalidStatus) as refused:
        opened(proxx, authorization="Bearer wrong")
    assert refused.value.response.status_code == 401
    assert json.loads(refused.value.response.body)["error"]["code"] == "invalid_api_key"


def test_other_paths_still_say_that_they_speak_http(proxx: LiveProxx) -> None:
    """D188."""
    with pytest.raises(InvalidStatus) as refused:
        opened(proxx, "/v1/chat/completions")
    assert refused.value.response.status_code == 426
