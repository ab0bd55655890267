"""Whatever JSON can say is written, also what the fast encoder refuses."""

import json

import msgspec
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxx.protocols.framing.encode import encoded

LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))


@given(VALUES)
def test_everything_reads_back_as_it_was(value):
    assert json.loads(encoded([value, 2**70])) == [value, 2**70]


@given(VALUES)
def test_both_ways_write_the_same_bytes(value):
    slow = encoded({"big": 2**64, "value": value})
    assert slow == b'{"big":18446744073709551616,"value":' + encoded(value) + b"}"


@pytest.mark.parametrize("big", [2**64, -(2**63) - 1, 10**400])
def test_numbers_of_any_size_keep_all_their_digits(big):
    assert encoded({"n": [big]}) == b'{"n":[%d]}' % big


def test_nesting_of_any_depth_is_written():
    deep: list = []
    for _ in range(20_000):
        deep = [deep]
    assert encoded({"x": deep}) == b'{"x":' + b"[" * 20_001 + b"]" * 20_001 + b"}"


def test_half_a_surrogate_pair_stays_what_it_was_in_values_and_names():
    assert encoded({"\ud800": "\udc00", "é": "é"}) == '{"\\ud800":"\\udc00","é":"é"}'.encode()


def test_what_is_already_written_keeps_its_spelling():
    assert encoded({"a": orjson.Fragment(b"1.50"), "n": 2**64}) == b'{"a":1.50,"n":18446744073709551616}'


def test_what_json_cannot_say_is_an_error():
    with pytest.raises(TypeError):
        encoded({"raw": msgspec.Raw(b"1"), "n": 2**64})
