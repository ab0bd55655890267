"""The client hangs up: the upstream is closed within a second, one row says cancelled, usage so far is kept."""

import json
import socket
import time

import pytest

from tests.live import LiveProxx
from tests.upstreams.server import SimulatedProvider

pytestmark = pytest.mark.parametrize("module_proxx", ["daphne", "uvicorn"], indirect=True)


def begin(proxx: LiveProxx, model: str, *, stream: bool) -> socket.socket:
    body = json.dumps({"model": model, "stream": stream, "messages": [{"role": "user", "content": "hi"}]}).encode()
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {proxx.token}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    connection = socket.create_connection(("127.0.0.1", proxx.port), timeout=10)
    connection.sendall(head.encode() + body)
    return connection


def read_until(connection: socket.socket, mark: bytes) -> bytes:
    received = b""
    while mark not in received:
        piece = connection.recv(65536)
        assert piece, received
        received += piece
    return received


def newest(proxx: LiveProxx, model: str):
    query = (
        "SELECT outcome, status, usage_state, output_tokens FROM analytics_requestlog "
        f"WHERE model_requested = '{model}' ORDER BY id DESC"
    )
    return proxx.wait_for_rows(query, 1)[0]


def left_within_a_second(provider: SimulatedProvider) -> None:
    left_at = time.monotonic()
    entry = provider.journal.last
    assert entry.wait(3) == "client_gone"
    assert entry.ended - left_at <= 1


def test_a_client_gone_while_waiting_for_headers(module_proxx: LiveProxx, module_provider: SimulatedProvider):
    model = "sim-fault-stall-before-headers"
    before = len(module_provider.journal)
    connection = begin(module_proxx, model, stream=True)
    module_provider.journal.wait_for(before + 1)
    connection.close()
    left_within_a_second(module_provider)
    assert newest(module_proxx, model)[:3] == ("cancelled", 499, "none")


def test_a_client_gone_in_the_middle_of_a_stream(module_proxx: LiveProxx, module_provider: SimulatedProvider):
    connection = begin(module_proxx, "sim-pace-500x20", stream=True)
    read_until(connection, b'"content"')
    connection.close()
    left_within_a_second(module_provider)
    outcome, status, usage_state, tokens = newest(module_proxx, "sim-pace-500x20")
    assert (outcome, status, usage_state) == ("cancelled", 200, "estimated")
    assert 0 < tokens < 500


def test_a_client_gone_during_a_whole_answer(module_proxx: LiveProxx, module_provider: SimulatedProvider):
    model = "sim-fault-stall-mid-stream"
    before = len(module_provider.journal)
    connection = begin(module_proxx, model, stream=False)
    module_provider.journal.wait_for(before + 1)
    connection.close()
    left_within_a_second(module_provider)
    assert newest(module_proxx, model)[0] == "cancelled"


def test_a_client_gone_after_the_end_mark_is_no_cancellation(module_proxx: LiveProxx):
    connection = begin(module_proxx, "sim-usage-7-5-0-0", stream=True)
    read_until(connection, b"[DONE]")
    connection.close()
    assert newest(module_proxx, "sim-usage-7-5-0-0")[:3] == ("ok", 200, "reported")


def test_many_departures_leave_nothing_open(module_proxx: LiveProxx, module_provider: SimulatedProvider):
    connections = [begin(module_proxx, "sim-pace-900x20", stream=True) for _ in range(40)]
    for connection in connections:
        read_until(connection, b'"content"')
    for connection in connections:
        connection.close()
    entries = [entry for entry in module_provider.journal if entry.model == "sim-pace-900x20"]
    assert {entry.wait(3) for entry in entries} == {"client_gone"}
    query = "SELECT outcome FROM analytics_requestlog WHERE model_requested = 'sim-pace-900x20'"
    assert set(module_proxx.wait_for_rows(query, 40)) == {("cancelled",)}
    assert module_proxx.healthy()
