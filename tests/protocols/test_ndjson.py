"""JSON lines are cut only where a line feed stands."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxx.protocols.framing import ndjson
from proxx.protocols.framing.ndjson import LineCutter, lines
from proxx.protocols.framing.sse import FrameTooLarge

SAID = ["ü", "a\u2028b\u2029c\x85", "\r", "日本", ""]
WHOLE = [json.dumps({"s": said}, ensure_ascii=False).encode() for said in SAID]


def cut(stream, edges):
    cutter = LineCutter()
    edges = [0, *sorted(edges), len(stream)]
    return [cutter.feed(stream[a:b]) for a, b in zip(edges, edges[1:], strict=False)], cutter.rest


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@given(edges=st.lists(st.integers(0, 80), max_size=12))
def test_the_same_lines_come_back_at_any_split(end, edges):
    stream = end.join(WHOLE) + end
    blocks, rest = cut(stream, [min(edge, len(stream)) for edge in edges])
    found = [line for block in blocks for line in lines(block)]
    assert [line.strip() for line in found] == WHOLE
    assert b"".join(found) == stream
    assert rest == b""


def test_one_byte_at_a_time_says_the_same():
    stream = b"\r\n".join(WHOLE) + b"\r\n"
    blocks, _ = cut(stream, range(len(stream)))
    assert [line.strip() for block in blocks for line in lines(block)] == WHOLE


def test_every_block_ends_at_a_line_end_and_the_rest_is_kept():
    blocks, rest = cut(b'{"a":1}\n{"b":2}\n{"c', [3, 10, 17])
    assert blocks == [b"", b'{"a":1}\n', b'{"b":2}\n', b""]
    assert rest == b'{"c'


def test_blank_lines_are_left_out():
    """D135."""
    assert lines(b"\n") == []
    assert lines(b'\r\n{"a":1}\n \n\n{"b":2}\n\r\n') == [b'{"a":1}\n', b'{"b":2}\n']


def test_a_last_line_without_its_end_is_a_line():
    assert lines(b'{"a":1}\n{"b":2}') == [b'{"a":1}\n', b'{"b":2}']


def test_a_line_above_the_limit_is_a_broken_upstream(monkeypatch):
    monkeypatch.setattr(ndjson, "FRAME_LIMIT", 10)
    cutter = LineCutter()
    cutter.feed(b"x" * 10)
    with pytest.raises(FrameTooLarge):
        cutter.feed(b"x")
