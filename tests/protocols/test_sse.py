"""Frames come out whole, whatever the line ends and wherever the pieces were cut."""

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


def test_data_lines_of_one_frame_are_joined():
    assert [data_of(frame) for frame in frames(STREAM)] == [b'{"a":1}', b"", b"one\ntwo", "ü".encode()]


def test_lone_carriage_returns_end_lines_too():
    assert [data_of(frame) for frame in frames(b"data: a\r\rdata: b\r\r")] == [b"a", b"b"]


def test_an_endless_frame_is_refused(monkeypatch):
    monkeypatch.setattr(sse, "FRAME_LIMIT", 100)
    cutter = FrameCutter()
    with pytest.raises(FrameTooLarge):
        cutter.feed(b"data: " + b"x" * 200)
