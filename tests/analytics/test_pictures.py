import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics import pictures
from analytics.models import RequestAttempt, RequestLog
from proxx.kit import ids

milliseconds = st.integers(0, 10**7)
WHOLE = {"warnings": [], "duration_ms": 1, "bytes_in": 1, "bytes_out": 1}


@pytest.mark.parametrize(
    ("length", "words"), [(0, "0 ms"), (999, "999 ms"), (1_240, "1.24 s"), (125_000, "2 min 05 s")]
)
def test_lengths_of_time_are_said_the_way_people_do(length, words):
    assert pictures.span(length) == words


@pytest.mark.parametrize(("octets", "words"), [(12, "12 bytes"), (8_300, "8.3 kB"), (2_500_000, "2.5 MB")])
def test_sizes_are_said_the_way_people_do(octets, words):
    assert pictures.size(octets) == words


def test_unknown_estimated_and_reported_tokens_differ():
    assert pictures.tokens(RequestLog(usage_state="none"), None) == "–"
    assert pictures.tokens(RequestLog(usage_state="estimated"), 1200) == "~1,200"
    assert pictures.tokens(RequestLog(usage_state="reported"), 0) == "0"


@pytest.mark.parametrize(
    ("nano", "words"), [(None, "unpriced"), (1_500_000, "$0.0015"), (2_000_000_000, "$2"), (0, "$0")]
)
def test_cost_is_dollars_or_the_reason_why_not(nano, words):
    assert pictures.cost(RequestLog(cost_nano=nano, price_state="unpriced")) == words


@given(
    whole=milliseconds,
    start=milliseconds,
    headers=st.none() | milliseconds,
    first=st.none() | milliseconds,
    took=milliseconds,
)
def test_bars_stay_inside_the_picture(whole, start, headers, first, took):
    attempt = RequestAttempt(
        number=1, started_ms=start, headers_ms=headers, first_event_ms=first, duration_ms=took, failure=""
    )
    (bar,) = pictures.bars(RequestLog(duration_ms=whole), [attempt])
    for part in bar.parts:
        left, width = float(part.left[:-1]), float(part.width[:-1])
        assert 0 <= left < 100
        assert 0 < width <= 100


def test_energy_and_water_are_said_to_be_estimates():
    call = RequestLog(
        **WHOLE,
        id=ids.new(),
        model_routed="gpt-5",
        input_tokens=10_000,
        output_tokens=1_000,
        usage_state="reported",
    )
    answer = dict(pictures.facts(call)["tables"][1][1])
    assert answer["Energy and water"] == "about 10.5 kJ, 5.25 ml (estimate by the model's family)"


def test_rare_buckets_are_shown_where_there_are_any():
    call = RequestLog(
        **WHOLE, id=ids.new(), usage_state="reported", audio_in_tokens=70, image_out_tokens=1056, server_tools=2
    )
    answer = pictures.facts(call)["tables"][1][1]
    assert {("Audio tokens", "70 in"), ("Picture tokens", "1,056 out"), ("Web searches", "2")} <= set(answer)
