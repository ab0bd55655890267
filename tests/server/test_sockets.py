"""WebSockets: handed to Daphne from either data plane, refused honestly, held back."""

import base64
import json
import os
import struct

import pytest

from proxx.server.sockets import SocketProtocol
from tests.server.conftest import parsed, until

pytestmark = pytest.mark.slow


def upgrade(path, *lines):
    key = base64.b64encode(os.urandom(16)).decode()
    head = [f"GET {path} HTTP/1.1", "Host: x", "Connection: Upgrade", "Upgrade: websocket", *lines]
    return "\r\n".join([*head, f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13", "", ""]).encode()


def frame(opcode, payload):
    assert len(payload) < 126
    mask = os.urandom(4)
    masked = bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))
    return bytes([0x80 | opcode, 0x80 | len(payload)]) + mask + masked


def opened(served, path, *lines):
    sock = served.connect(5)
    sock.sendall(upgrade(path, *lines))
    head = until(sock, b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 101"), head
    return sock


def test_a_websocket_speaks_through_either_data_plane(daphne):
    sock = opened(daphne, "/chat?room=1")
    for word in (b"hello", b"again"):
        sock.sendall(frame(1, word))
        assert until(sock, word).endswith(b"room=1:" + word)
    sock.sendall(frame(8, struct.pack("!H", 1000)))
    assert until(sock, struct.pack("!H", 1000))


def test_a_message_that_is_too_large_is_refused_as_such(daphne):
    sock = opened(daphne, "/chat")
    sock.sendall(bytes([0x81, 0xFF]) + struct.pack("!Q", 2**40) + os.urandom(4))
    heard = until(sock, struct.pack("!H", 1009))
    assert heard[0] == 0x88


def test_a_websocket_may_follow_other_requests_on_its_connection(daphne):
    sock = daphne.connect()
    sock.sendall(b"GET /echo HTTP/1.1\r\nHost: x\r\n\r\n")
    until(sock, b"}")
    sock.sendall(upgrade("/chat"))
    until(sock, b"\r\n\r\n")
    sock.sendall(frame(1, b"still here"))
    assert until(sock, b"still here")


def test_a_websocket_is_refused_with_the_applications_status(server):
    assert server.ask(upgrade("/nothing"), 2).startswith(b"HTTP/1.1 426")


def test_a_refused_websocket_gets_a_whole_answer(daphne):
    _, headers, body = parsed(daphne.ask(upgrade("/nothing"), 2))
    assert headers["connection"] == "close"
    assert int(headers["content-length"]) == len(body) > 0


def test_a_client_cannot_choose_the_root_path(daphne):
    facts = json.loads(daphne.get("/echo", "Daphne-Root-Path: /evil")[2])
    assert facts["path"] == "/echo"


def test_a_websocket_that_is_not_read_fills_no_memory(daphne):
    daphne.get("/echo")
    before = daphne.facts()["kib"]
    sockets = [opened(daphne, "/gush") for _ in range(4)]
    for _ in range(20):
        assert daphne.get("/echo")[0] == 200
    assert daphne.facts()["kib"] - before < 8 * 1024
    for sock in sockets:
        sock.close()


@pytest.mark.parametrize("state", [SocketProtocol.STATE_CLOSING, SocketProtocol.STATE_CLOSED])
def test_words_for_a_client_that_has_just_left_are_no_fault(state):
    protocol = SocketProtocol()
    protocol.state = state
    protocol.handle_reply({"type": "websocket.send", "text": "late"})
