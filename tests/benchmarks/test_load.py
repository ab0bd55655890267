"""The measuring instruments measure: load against the bench provider and a trivial ASGI app, figures and report."""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks import load, machine, overhead, report, serving, upstream

ROOT = Path(__file__).parents[2]
TRIVIAL = """
async def app(scope, receive, send):
    status = 404 if scope["path"] == "/missing" else 200
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": b"ok", "more_body": True})
    await send({"type": "http.response.body", "body": b""})
"""


@pytest.fixture(scope="module")
def provider():
    core = machine.cores()[1]
    with upstream.running(core) as running:
        yield running


@pytest.fixture
def trivial(tmp_path):
    """A trivial ASGI app under uvicorn, which answers in chunks; its port."""
    (tmp_path / "trivial.py").write_text(TRIVIAL)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", "trivial:app", "--port", str(port), "--log-level", "error"]
    process = subprocess.Popen(command, cwd=tmp_path)
    try:
        deadline = time.monotonic() + 20
        while not listens(port) and time.monotonic() < deadline:
            time.sleep(0.01)
        yield port
    finally:
        process.terminate()
        process.wait(10)


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def payload(model):
    return load.post("/v1/chat/completions", serving.body(model), key="sk-benchmark")


def test_a_request_is_about_one_kilobyte():
    assert 900 < len(serving.body("openai/bench")) < 1300
    assert json.loads(serving.body("bench-10x5"))["stream"] is True
    assert "stream" not in json.loads(serving.body("bench"))


def test_whole_answers_are_counted_and_timed(provider):
    block = load.ask_for(provider.port, payload("bench"), concurrency=4, seconds=0.1)
    assert block.done > 20
    assert block.failed == block.reconnects == 0
    assert 0 < overhead.percentile(block.times, 0.5) <= overhead.percentile(block.times, 0.99) < 1e9


def test_chunked_answers_are_understood(trivial):
    block = load.ask_for(trivial, load.get("/"), concurrency=2, seconds=0.1)
    assert block.done > 5
    assert block.failed == 0


def test_nothing_but_failures_stops_the_load(trivial):
    with pytest.raises(ConnectionError, match="404"):
        load.ask_for(trivial, load.get("/missing"), concurrency=1, seconds=30)


def test_every_chunk_of_a_paced_stream_is_seen_with_its_age(provider):
    block = load.stream_from(provider.port, payload("bench-5x10"), count=6, at_once=3)
    assert (block.finished, block.failed, len(block.ages)) == (6, 0, 30)
    assert min(block.ages) > 0
    assert len(block.first) == 6
    assert block.seconds > 0.1  # two rounds of five chunks, 10 ms apart


def test_a_stream_in_one_write_is_seen_whole(provider):
    block = load.stream_from(provider.port, payload("bench-100x0"), count=1, at_once=1)
    assert (block.finished, len(block.ages)) == (1, 100)


def test_usage_is_sent_only_when_asked_for(provider):
    asked = serving.body("bench-2x0")[:-1] + b',"stream_options":{"include_usage":true}}'
    for body, wanted in ((serving.body("bench-2x0"), False), (asked, True)):
        with socket.create_connection(("127.0.0.1", provider.port), timeout=5) as sock:
            sock.sendall(load.post("/v1/chat/completions", body, key="k"))
            data = b""
            while not data.endswith(load.LAST_CHUNK):
                data += sock.recv(65536)
        assert (b'"usage":{"prompt_tokens"' in data) == wanted
        assert (b'"usage":null' in data) == wanted


def test_cpu_and_memory_of_a_tree_include_its_children():
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'input()'])"
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE)
    deadline = time.monotonic() + 10
    while len(machine.tree(process.pid)) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(machine.tree(process.pid)) == 2
    assert machine.pss_kib(process.pid) > machine.pss_kib(machine.tree(process.pid)[1]) > 0
    assert machine.cpu_seconds(process.pid) > 0
    process.communicate(b"\n", timeout=10)


def test_the_machine_is_named():
    facts = machine.describe()
    assert facts["cpu"]
    assert facts["cores"] == os.cpu_count()
    assert "django" in facts["packages"]


def test_the_report_says_what_was_met_and_what_was_missed():
    block = {"failed": 0, "rps": 1000.0, "p50_ms": 1.0, "p99_ms": 2.0}
    medians = [
        {**block, "target": target, "concurrency": count, "cpu_us": cost, "cpu_us_least": cost, "cpu_us_most": cost}
        for count in (1, 32)
        for target, cost in (("direct", None), ("proxx", 500.0), ("health", 100.0))
    ]
    flow = {"delivered": 10, "offered": 10, "wall_s": 1.0, "due_s": 1.0, "on_time": True, "p50_ms": 0.2, "p99_ms": 1.0}
    flow |= {"first_p50_ms": 1.0, "first_p99_ms": 1.0, "cpu_us_per_chunk": 20.0, "cpu_percent": 10.0}
    streams = {"streams": 500, "seconds": 10.0, "proxx": flow, "direct": flow, "kib_per_stream": 20.0}
    one = {
        "server": "daphne",
        "requests": {"medians": medians},
        "chunks": {"cpu_us_per_chunk": 30.0},
        "streams": {**streams, "extra_p50_ms": 0.1, "extra_p99_ms": 1.0},
        "idle_pss_mib": 90.0,
        "after_pss_mib": 100.0,
        "idle_cpu_ms_per_s": 1.0,
        "start": {"healthy_s": 1.0, "answered_s": 1.1},
        "calls": 10,
        "records": 10,
    }
    result = {"quick": False, "machine": machine.describe(), "cores": [0, 1], "others": 0.5, "servers": [one]}
    text = report.markdown(result)
    assert "| CPU per request at 32 | 500 µs | ≤ 450 | **missed** |" in text
    assert "| CPU per chunk, 8 streams, 5 ms apart | 30.0 µs | ≤ 60 | met |" in text
    assert "too much: repeat it on a quiet machine" in text
