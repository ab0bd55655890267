"""The simulated provider as a server: kept connections, departures, slow readers, control from another process."""

import asyncio
import http.client
import json
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.upstreams.script import pieces_of, say, stall
from tests.upstreams.script_json import from_json
from tests.upstreams.server import SimulatedProvider

ROOT = Path(__file__).parents[2]
USER = [{"role": "user", "content": "hello"}]
ASK = json.dumps({"model": "gpt-x", "messages": USER}).encode()
KEY = {"authorization": "Bearer sk-sim-1"}


def head(length, *more):
    lines = ["POST /v1/chat/completions HTTP/1.1", "host: x", "authorization: Bearer sk-sim-1", *more]
    return ("\r\n".join(lines) + f"\r\ncontent-length: {length}\r\n\r\n").encode()


def call(port, method, path, body=None, headers=KEY):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request(method, path, body, headers)
    response = connection.getresponse()
    found = response.status, dict(response.headers), response.read()
    connection.close()
    return found


def test_a_connection_is_kept_for_the_next_request(provider):
    connection = http.client.HTTPConnection("127.0.0.1", provider.port, timeout=5)
    for _ in range(3):
        connection.request("POST", "/v1/chat/completions", ASK, KEY)
        assert connection.getresponse().read()
    connection.close()
    assert provider.connections_made == 1
    assert {entry.connection for entry in provider.journal} == {1}


def test_pipelined_requests_are_answered_in_order(provider):
    provider.script(stall(0.05), say("first"))
    provider.script(say("second"))
    with socket.create_connection(("127.0.0.1", provider.port), timeout=5) as sock:
        sock.sendall((head(len(ASK)) + ASK) + (head(len(ASK), "connection: close") + ASK))
        data = b""
        while piece := sock.recv(65536):
            data += piece
    assert 0 < data.index(b'"first"') < data.index(b'"second"')


def test_a_client_that_waits_for_100_continue_gets_it(provider):
    with socket.create_connection(("127.0.0.1", provider.port), timeout=5) as sock:
        sock.sendall(head(len(ASK), "expect: 100-continue"))
        assert sock.recv(1024) == b"HTTP/1.1 100 Continue\r\n\r\n"
        sock.sendall(ASK)
        assert sock.recv(1024).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("seconds_of_silence_stand", ["before headers", "inside the stream"])
def test_a_client_that_leaves_is_noticed_at_once(provider, seconds_of_silence_stand):
    provider.script(*([stall()] if seconds_of_silence_stand == "before headers" else [say("a"), stall()]))
    body = json.dumps({"model": "gpt-x", "messages": USER, "stream": True}).encode()
    sock = socket.create_connection(("127.0.0.1", provider.port), timeout=5)
    sock.sendall(head(len(body)) + body)
    entry = provider.journal.wait_for(1)[0]
    left = time.monotonic()
    sock.close()
    assert entry.wait() == "client_gone"
    assert entry.ended - left < 1


def test_a_reader_that_does_not_read_stops_the_flood(provider):
    body = json.dumps({"model": "sim-flood", "messages": USER, "stream": True}).encode()
    with socket.create_connection(("127.0.0.1", provider.port), timeout=5) as sock:
        sock.sendall(head(len(body)) + body)
        assert sock.recv(1024)
        entry = provider.journal.wait_for(1)[0]
        seen = -1
        while seen != entry.answer_bytes:  # until two looks find the same
            seen = entry.answer_bytes
            time.sleep(0.1)
        assert seen < 32 * 1024 * 1024
        assert entry.outcome == "open"


async def test_it_also_runs_on_the_tests_own_loop():
    async with SimulatedProvider() as provider:
        reader, writer = await asyncio.open_connection("127.0.0.1", provider.port)
        writer.write(head(len(ASK)) + ASK)
        assert (await reader.readline()) == b"HTTP/1.1 200 OK\r\n"
        writer.close()
        await writer.wait_closed()


@pytest.fixture(scope="module")
def separate():
    """A provider in a process of its own; its port."""
    command = [sys.executable, "-m", "tests.upstreams", "--port", "0"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    yield int(re.search(r":(\d+)/v1", process.stdout.readline()).group(1))
    process.terminate()
    assert process.wait(10) == 0
    process.stdout.close()


def test_another_process_can_script_it_and_read_its_journal(separate):
    rule = {"steps": [{"say": "from afar"}, {"report_usage": {"input": 1, "output": 2}}], "model": "gpt-x"}
    assert call(separate, "POST", "/sim/script", json.dumps([rule]))[0] == 200
    _, headers, body = call(separate, "POST", "/v1/chat/completions", ASK)
    assert json.loads(body)["choices"][0]["message"]["content"] == "from afar"
    entry = json.loads(call(separate, "GET", "/sim/journal")[2])[-1]
    assert entry["id"] == headers["x-request-id"]
    assert json.loads(entry["body"])["model"] == "gpt-x"
    assert ["authorization", "Bearer sk-sim-1"] in entry["headers"]
    assert call(separate, "GET", f"/sim/journal/{entry['id']}")[2] == body
    assert json.loads(call(separate, "GET", f"/sim/journal?after={entry['number']}")[2]) == []
    assert call(separate, "POST", "/sim/reset")[0] == 200
    assert json.loads(call(separate, "GET", "/sim/state")[2])["seen"] == 0


def test_help_names_every_model_and_fault(separate):
    page = call(separate, "GET", "/sim/help")[2].decode()
    for word in ("sim-echo", "sim-fault-NAME", "cut-mid-frame", "429-gemini", "POST   /sim/script"):
        assert word in page


@pytest.mark.parametrize(
    "bad",
    [
        {"steps": [{"shout": "x"}]},
        {"step": []},
        {"steps": [{"say": "x", "loud": 1}]},
        {"steps": [{"finish": "mood"}]},
        7,
    ],
)
def test_a_script_that_cannot_be_read_is_refused_in_a_sentence(separate, bad):
    status, _, body = call(separate, "POST", "/sim/script", json.dumps(bad))
    assert status == 400
    assert json.loads(body)["error"]


def test_every_step_can_be_written_as_json():
    steps = [
        {"say": "a", "pieces": 2},
        {"think": "b"},
        {"call_tool": "f", "arguments": {"x": 1}},
        {"report_usage": {"input": 1, "output": 2}},
        {"fail": "429", "retry_after": 2},
        {"stall": "forever", "after_headers": True},
        {"cut": "in_frame"},
        {"finish": "length"},
        {"think": "b", "signature": "s", "redacted": True},
        {"refuse": "no"},
        {"together": [{"call_tool": "f", "namespace": "n"}, {"call_tool": "g", "custom": True, "arguments": "free"}]},
        {"cite": "https://a.example", "title": "A"},
        {"search": "a", "results": [["A", "https://a.example"]]},
        {"finish": "stop_sequence", "value": "END"},
        {"finish": "raw:SPII"},
    ]
    rule = from_json({"steps": steps, "times": "forever", "pace": 0.1, "fault": "one-byte"})
    assert [type(step).__name__ for step in rule.script.steps] == [
        "Say", "Think", "CallTool", "ReportUsage", "Fail", "Stall", "Cut", "Finish",
        "Think", "Refuse", "Together", "Cite", "Search", "Finish", "Finish",
    ]  # fmt: skip
    assert rule.script.steps[6].in_frame


def test_pieces_join_to_the_text():
    for count in (0, 1, 3, 100):
        assert "".join(pieces_of(" two  words ", count)) == " two  words "


def test_it_shares_no_line_with_the_gateway():
    for path in Path(__file__).parent.glob("*.py"):
        imports = re.findall(r"^\s*(?:from|import)\s+(\w+)", path.read_text(), re.MULTILINE)
        assert not {"proxx", "accounts", "oauth", "routing", "analytics", "django"} & set(imports), path.name


def test_a_request_that_no_check_has_a_word_for_is_refused(provider):
    odd = [{"role": "user", "content": [{"type": ["text"], "text": 1.5}]}]
    status, _, said = call(
        provider.port, "POST", "/v1/chat/completions", json.dumps({"model": "m", "messages": odd}).encode()
    )
    assert status == 400
    assert "TypeError" in json.loads(said)["error"]["message"]


def test_a_fault_of_its_own_ends_the_connection_instead_of_leaving_it_waiting(provider, monkeypatch):
    monkeypatch.setattr(provider, "_reply", lambda *_: 1 / 0)
    with pytest.raises(ConnectionError):
        call(provider.port, "POST", "/v1/chat/completions", ASK)
