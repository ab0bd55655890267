"""Elements of an array come out whole, wherever the pieces were cut."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxx.protocols.framing import json_array
from proxx.protocols.framing.json_array import ArrayCutter, ArrayWriter, NoArray
from proxx.protocols.framing.sse import FrameTooLarge

ELEMENTS = [b'{"a":"]}\\"{["}', b"{}", '{"ü":[1,{"b":"\\\\"}]}'.encode()]
ARRAY = b" [" + ELEMENTS[0] + b"\r\n,\r\n" + ELEMENTS[1] + b" , " + ELEMENTS[2] + b"\n]\n"
VALUES = st.lists(st.dictionaries(st.text(max_size=4), st.text(max_size=6) | st.lists(st.text(max_size=3)), max_size=3))


def cut(pieces):
    cutter = ArrayCutter()
    return [element for piece in pieces for element in cutter.feed(piece)], cutter.ended


def test_one_byte_at_a_time_gives_the_same_elements():
    assert cut(ARRAY[index : index + 1] for index in range(len(ARRAY))) == (ELEMENTS, True)


@given(VALUES, st.lists(st.integers(0, 400), max_size=8), st.sampled_from([None, 2]))
def test_any_array_cut_anywhere_gives_its_elements(values, cuts, indent):
    data = json.dumps(values, ensure_ascii=False, indent=indent).encode()
    edges = [0, *sorted(min(one, len(data)) for one in cuts), len(data)]
    found, ended = cut(data[a:b] for a, b in zip(edges, edges[1:], strict=False))
    assert [json.loads(element) for element in found] == values
    assert ended


def test_an_array_that_breaks_off_has_not_ended():
    assert cut([ARRAY[:-3]]) == (ELEMENTS, False)


def test_what_follows_the_end_is_left_alone():
    assert cut([b'[{"a":1}]{"b":2}', b"junk"]) == ([b'{"a":1}'], True)


@pytest.mark.parametrize("data", [b"[1]", b'["a"]', b"<html>", b"[{} x"])
def test_what_is_no_array_of_objects_is_refused(data):
    with pytest.raises(NoArray):
        cut([data])


def test_an_endless_element_is_refused(monkeypatch):
    monkeypatch.setattr(json_array, "FRAME_LIMIT", 100)
    with pytest.raises(FrameTooLarge):
        cut([b'[{"a":"' + b"x" * 200])


@given(VALUES)
def test_what_is_written_is_one_array(values):
    writer = ArrayWriter()
    written = b"".join(writer.element(json.dumps(value).encode()) for value in values)
    assert json.loads(written + writer.end() + writer.end()) == values
