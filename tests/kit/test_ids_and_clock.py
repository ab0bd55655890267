"""Identifiers that sort by their moment, and a clock in the tests' hand."""

import uuid
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from proxx.kit import clock, ids

moments = st.floats(min_value=0, max_value=2**37, allow_nan=False)


@given(moments)
def test_an_id_carries_its_moment(unix):
    identifier = ids.new(unix)
    assert (identifier.version, identifier.variant) == (7, uuid.RFC_4122)
    assert abs(ids.moment(identifier) - unix) < 0.0011


@given(moments, moments)
def test_ids_sort_by_their_moment(one, other):
    if abs(one - other) > 0.001:
        assert (ids.new(one) < ids.new(other)) == (one < other)


@given(moments)
def test_the_earliest_id_of_a_moment_is_a_lower_bound(unix):
    assert ids.earliest(unix) <= ids.new(unix)


def test_stopped_time_moves_only_by_hand():
    with clock.stopped(datetime(2026, 1, 1, tzinfo=UTC)) as hand:
        before = clock.monotonic()
        assert clock.now() == datetime(2026, 1, 1, tzinfo=UTC)
        hand.advance(90)
        assert clock.monotonic() - before == 90
        assert clock.now() == datetime(2026, 1, 1, 0, 1, 30, tzinfo=UTC)
    assert clock.now().year >= 2026
