"""Editing one member of a JSON object leaves every other byte alone."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxx.protocols.framing.members import Unclear, replaced, spans, with_first

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
objects = st.dictionaries(st.text(max_size=8), values, max_size=6)


@given(objects, values, st.booleans(), st.sampled_from([None, 1, 4]))
def test_a_replaced_member_is_the_only_change(rest, value, ascii_only, indent):
    document = {**rest, "model": value}
    body = json.dumps(document, ensure_ascii=ascii_only, indent=indent).encode()
    edited = json.loads(replaced(body, b"model", b'"other"'))
    assert edited == {**document, "model": "other"}


@given(objects, values)
def test_the_span_of_a_member_is_its_value_exactly(rest, value):
    document = {**rest, "model": value}
    body = json.dumps(document).encode()
    [(start, end)] = spans(body, b"model")
    assert body[start:end] == json.dumps(value).encode()


@given(objects)
def test_an_added_member_leaves_the_others_in_their_bytes(document):
    body = json.dumps(document).encode()
    edited = with_first(body, b'"added_here":1')
    assert json.loads(edited) == {"added_here": 1, **document}
    assert edited.endswith(body[1:])


def test_the_same_name_deeper_down_is_not_touched():
    body = b'{"tools":[{"model":"inner"}],"text":"\\"model\\": \\"quoted\\"","model":"outer"}'
    assert replaced(body, b"model", b'"new"') == body.replace(b'"outer"', b'"new"')


def test_a_key_written_in_escapes_is_refused():
    with pytest.raises(Unclear):
        spans(b'{"mod\\u0065l": "a"}', b"model")


def test_a_key_that_stands_a_thousand_times_is_refused():
    with pytest.raises(Unclear):
        spans(b'{"a":[' + b'{"model":1},' * 1001 + b'1],"model":2}', b"model")


def test_a_repeated_key_is_found_every_time():
    body = b'{"model":"a","x":{"model":"inner"},"model" : "b"}'
    assert [body[start:end] for start, end in spans(body, b"model")] == [b'"a"', b'"b"']


@pytest.mark.parametrize("body", [b"{}", b"{ }", b'{"a":1}', b' {\n"a":1}'])
def test_a_member_is_added_whatever_the_spacing(body):
    assert json.loads(with_first(body, b'"x":true'))["x"] is True


def test_a_name_that_is_no_text_stays_as_it_came():
    body = b'{"\xf6\xff":1,"model":"a","\xc3\xa9":{"model":2}}'
    assert replaced(body, b"model", b'"b"') == b'{"\xf6\xff":1,"model":"b","\xc3\xa9":{"model":2}}'
