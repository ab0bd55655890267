"""Frames come out whole, whatever the line ends and wherever the pieces were cut."""

import re
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxx.protocols.framing import sse
from proxx.protocols.framing.sse import FrameCutter, FrameTooLarge, data_of, frames

STREAM = 'data: {"a":1}\n\n: comment\n\nevent: x\r\ndata: one\r\ndata: two\r\n\r\ndata:ü\n\n'.encode()


@given(st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_any_cut_gives_the_same_bytes_in_whole_frames(cuts):
    edges = [0, *sorted(cuts), len(STREAM)]
    cutter = FrameCutter()
    out = [cutter.feed(STREAM[a:b]) for a, b in zip(edges, edges[1:], strict=False)]
    assert b"".join(out) == STREAM
    assert all(not block or block.endswith((b"\n\n", b"\r\n\r\n", b"\r\n\r")) for block in out)
    assert cutter.rest == b""


def test_one_byte_at_a_time_holds_exactly_the_unfinished_frame():
    cutter = FrameCutter()
    released = 0
    for index in range(len(STREAM)):
        released += len(cutter.feed(STREAM[index : index + 1]))
        assert released + len(cutter.rest) == index + 1
    assert released == len(STREAM)


@given(st.lists(st.sampled_from([b"\n", b"\r", b"\r\n", b"a", b"data: b", b""]), max_size=40))
@pytest.mark.parametrize("small", [0, 3, 4096])
def test_frames_end_where_blank_lines_end_however_they_arrive(small, pieces):
    cutter, held = FrameCutter(), b""
    with patch.object(sse, "_SMALL", small):
        for piece in pieces:
            whole = held + piece
            ends = [match.end() for match in re.finditer(rb"(?>\r\n|\n|\r)(?>\r\n|\n|\r)", whole)]
            end = whole.rfind(b"\n\n") + 2 if b"\r" not in whole and ends else ends[-1] if ends else 0
            held = whole[end:]
            assert cutter.feed(piece) == whole[:end]
            assert cutter.rest == held


def test_a_large_event_in_small_pieces_is_looked_at_once(monkeypatch):
    looked = []
    find = sse._last_frame_end
    monkeypatch.setattr(sse, "_last_frame_end", lambda whole: looked.append(len(whole)) or find(whole))
    cutter = FrameCutter()
    event = b"data: " + b"x" * 20_000 + b"\n\n"
    out = [cutter.feed(event[at : at + 1]) for at in range(len(event))]
    assert b"".join(out) == event
    assert max(looked) <= sse._SMALL
    assert looked[-1] <= 3


def test_data_lines_of_one_frame_are_joined():
    assert [data_of(frame) for frame in frames(STREAM)] == [b'{"a":1}', b"", b"one\ntwo", "ü".encode()]


def test_lone_carriage_returns_end_lines_too():
    assert [data_of(frame) for frame in frames(b"data: a\r\rdata: b\r\r")] == [b"a", b"b"]


def test_an_endless_frame_is_refused(monkeypatch):
    monkeypatch.setattr(sse, "FRAME_LIMIT", 100)
    cutter = FrameCutter()
    with pytest.raises(FrameTooLarge):
        cutter.feed(b"data: " + b"x" * 200)
