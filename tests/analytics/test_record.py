import msgspec
from hypothesis import given
from hypothesis import strategies as st

from analytics.record import MOST, UsageRecord, mended
from tests.analytics.records import attempt, record


@given(text=st.text(), count=st.one_of(st.none(), st.integers()), small=st.integers())
def test_a_mended_record_is_what_journal_and_database_take(text, count, small):
    odd = record(
        model_requested=text,
        error_code=text,
        warnings=[text],
        input_tokens=count,
        duration_ms=small,
        status=small,
        attempts=[attempt(message=text, status=small, started_ms=small)],
    )
    whole = mended(odd)
    assert msgspec.json.decode(msgspec.json.encode(whole), type=UsageRecord) == whole
    assert len(whole.model_requested) <= 200
    assert "\x00" not in whole.model_requested
    assert whole.input_tokens is None or 0 <= whole.input_tokens <= MOST
    assert 0 <= whole.status < 2**15
    assert 0 <= whole.duration_ms <= MOST
    assert whole.attempts[0].status is None or 0 <= whole.attempts[0].status < 2**15


def test_mending_leaves_a_sound_record_as_it_is():
    assert mended(sound := record(warnings=["tools dropped"])) == sound


def test_half_a_surrogate_pair_becomes_readable_text():
    assert mended(record(user_agent="a\ud800b")).user_agent == "a?b"


def test_a_record_of_an_older_version_still_reads():
    older = msgspec.json.encode(msgspec.to_builtins(record())[:20])
    assert msgspec.json.decode(older, type=UsageRecord).price_state == "unpriced"
