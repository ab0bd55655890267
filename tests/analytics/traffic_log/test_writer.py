"""The log between the loop and its file: bounded, and honest about what is missing."""

import errno
import json
from uuid import uuid4

import pytest

from analytics.bodies.parts import ASKED, HEARD, SENT, TOLD
from analytics.traffic_log import passing, writer
from analytics.traffic_log.head import Head
from analytics.traffic_log.passing import CUT, Trail
from proxx.kit import metrics
from proxx.kit.sealing import Secret

STREAM = Head(streams=True)


@pytest.fixture
def log(tmp_path, monkeypatch):
    monkeypatch.setattr(writer, "PAUSE", 3600)  # nothing is written before the end
    one = writer.Log(tmp_path / "traffic.jsonl", 2**20)
    yield one
    one.end()


def written(log):
    log.end()
    return [json.loads(line) for line in log.path.read_text().splitlines()][2:]


def begun(log):
    return Trail(uuid4(), log.put)


def test_pieces_of_a_stream_end_at_lines_so_that_no_secret_lies_in_two_of_them(log):
    trail = begun(log)
    trail.hides(Secret("plain-horse-battery"))
    part = trail.part(HEARD, 1, b"", STREAM)
    for piece in (b"data: a\n\ndata: plain-ho", b"rse-battery b", b"\n\nda", b"ta: c"):
        part.take(piece)
    part.end()
    chunks = [one["text"] for one in written(log) if one["direction"].endswith("-chunk")]
    assert chunks == ["data: a\n\n", "data: [secret] b\n\n", "data: c"]


def test_of_a_line_without_end_only_the_beginning_is_there(log):
    part = begun(log).part(HEARD, 1, b"", STREAM)
    for _ in range(20):
        part.take(b"word " * 2000)
    part.take(b"\nnext line\n")
    part.end()
    first, second = (one for one in written(log) if one["direction"].endswith("-chunk"))
    assert first["cut"]
    assert CUT - 10 < len(first["text"]) <= CUT
    assert second["text"] == "\nnext line\n"


def test_a_secret_that_is_found_out_with_the_first_attempt_is_hidden_in_what_the_client_asked(log):
    trail = begun(log)
    trail.part(ASKED, 0, b"I say plain-horse-battery", Head())
    trail.hides(Secret("plain-horse-battery"))
    trail.part(SENT, 1, b"{}", Head())
    assert [one["text"] for one in written(log)] == ["I say [secret]", "{}"]


def test_what_a_call_asked_is_there_although_nobody_was_asked(log):
    trail = begun(log)
    trail.part(ASKED, 0, b"hello", Head())
    trail.end()
    assert [one["text"] for one in written(log)] == ["hello"]


def test_what_finds_no_room_is_counted_and_the_file_says_so(log, monkeypatch):
    monkeypatch.setattr(writer, "ROOM", 5000)
    before = metrics.value("proxx_traffic_log_dropped", reason="memory full")
    part = begun(log).part(TOLD, 0, b"", STREAM)
    for number in range(10):
        part.take(b"%04d " % number * 200 + b"\n")
    part.end()
    *_, last, lost = written(log)
    assert last["cut"]
    assert (lost["direction"], lost["lost"], lost["reason"]) == ("system/info", 1, "memory full")
    assert metrics.value("proxx_traffic_log_dropped", reason="memory full") == before + 1


def test_a_disk_that_refuses_costs_lines_but_not_the_log(log, monkeypatch, caplog):
    before = metrics.value("proxx_traffic_log_dropped", reason="disk full")

    def refuse(lines):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(log._file, "write", refuse)
        begun(log).part(SENT, 1, b"lost", Head())
        log._turn()
        begun(log).part(SENT, 1, b"lost, too", Head())
        log._turn()
    begun(log).part(SENT, 1, b"there", Head())
    assert [one["text"] for one in written(log)] == ["there"]
    assert metrics.value("proxx_traffic_log_dropped", reason="disk full") == before + 2
    assert [line.message for line in caplog.records].count(
        "The traffic log cannot be written: [Errno 28] No space left on device"
    ) == 1


def test_of_a_whole_body_only_what_an_entry_holds_waits_in_memory(log):
    trail = begun(log)
    trail.part(SENT, 1, bytes(10 * 2**20), Head())
    assert log._put_in < passing.HOLD + 1000


def test_control_characters_reach_no_terminal(log):
    begun(log).part(SENT, 1, "a\x1b[2J\x9b\x7f\u2028 ü".encode(), Head())
    raw = log.path.read_text() if written(log) else ""
    assert not {"\x1b", "\x9b", "\x7f", "\u2028"} & set(raw)
    assert "ü" in raw


def test_bytes_that_are_no_text_are_named_not_shown(log):
    begun(log).part(SENT, 1, bytes(range(256)) * 10, Head())
    (one,) = written(log)
    assert (one["text"], one["bytes"]) == ("(not text)", 2560)
