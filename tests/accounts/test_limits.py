"""What a tenant or key may ask for: reserved at its worst, settled at its price, refused beyond."""

import asyncio
import uuid
from itertools import count

import pytest

from accounts import limits
from accounts.held import Held, LedgerAway, OverTheLimit, Worst
from accounts.limit import LimitView
from proxx.kit import clock as clocks

CALLS = count(1)


@pytest.fixture(autouse=True)
def _counted_here(settings):
    settings.PROXY_LIMITS = "local"
    limits.forget()
    yield
    limits.forget()


def limit(measure: str, period: str, amount: int, **more) -> LimitView:
    return LimitView(uuid.uuid4(), measure, period, amount, **more)


def reserve(*of: LimitView, **worst: int) -> Held:
    return asyncio.run(limits.reserve(uuid.UUID(int=next(CALLS)), of, Worst(**worst)))


def refusal(*of: LimitView, **worst: int) -> OverTheLimit:
    with pytest.raises(OverTheLimit) as caught:
        reserve(*of, **worst)
    return caught.value


def test_requests_are_counted_over_a_sliding_minute(clock: clocks.Stopped):
    two = limit("requests", "minute", 2)
    reserve(two)
    clock.advance(30)
    reserve(two)
    clock.advance(29)
    wait = refusal(two).retry_after
    assert wait is not None
    assert 0 < wait <= 2
    clock.advance(wait)
    reserve(two)
    assert refusal(two).retry_after == pytest.approx(30, abs=2)


def test_tokens_per_minute_are_corrected_by_what_was_used(clock: clocks.Stopped):
    hundred = limit("tokens", "minute", 100)
    held = reserve(hundred, usual=80)
    assert refusal(hundred, usual=30).retry_after is not None
    limits.settle(held, tokens=20, nano=0)
    reserve(hundred, usual=80)
    standing = limits.standing([hundred], "tokens")
    assert standing is not None
    assert (standing.limit, standing.left) == (100, 0)


def test_a_correction_that_comes_after_its_minute_changes_nothing(clock: clocks.Stopped):
    hundred = limit("tokens", "minute", 100)
    held = reserve(hundred, usual=80)
    clock.advance(62)
    reserve(hundred, usual=100)
    limits.settle(held, tokens=0, nano=0)
    refusal(hundred, usual=1)


def test_calls_at_a_time_are_free_again_when_they_end():
    one = limit("calls", "", 1)
    held = reserve(one)
    refusal(one)
    limits.settle(held, tokens=5, nano=5)
    reserve(one)


def test_a_budget_holds_the_worst_case_and_keeps_the_real_price():
    budget = limit("money", "total", 100)
    held = reserve(budget, nano=60)
    assert refusal(budget, nano=60).retry_after is None
    bill = limits.settle(held, tokens=3, nano=40)
    assert bill is not None
    assert (bill.tokens, bill.nano) == (3, 40)
    assert bill.charged() == [(budget.id, 0, 40)]
    reserve(budget, nano=60)
    refusal(budget, nano=1)


def test_a_call_that_one_limit_refuses_is_counted_by_none():
    requests, budget = limit("requests", "minute", 1), limit("money", "total", 10)
    refusal(requests, budget, nano=11)
    reserve(requests, budget, nano=10)


def test_settling_twice_counts_once():
    budget, one = limit("tokens", "total", 100), limit("calls", "", 1)
    held = reserve(budget, one, tokens=50)
    assert limits.settle(held, tokens=50, nano=0) is not None
    assert limits.settle(held, tokens=50, nano=0) is None
    reserve(budget, one, tokens=50)
    refusal(one)


def test_what_the_ledger_confirms_is_not_counted_twice():
    budget = limit("tokens", "total", 100)
    held = reserve(budget, tokens=50)
    limits.settle(held, tokens=40, nano=0)
    limits.confirm([held.call_id], {(budget.id, 0): 40})
    reserve(budget, tokens=60)
    refusal(budget, tokens=1)


def test_an_older_word_of_the_ledger_changes_nothing():
    budget = limit("tokens", "total", 100)
    reserve(budget, tokens=0)
    limits.confirm([], {(budget.id, 0): 70})
    limits.confirm([], {(budget.id, 0): 30})
    refusal(budget, tokens=31)


@pytest.mark.parametrize(
    ("period", "seconds"), [("hour", 1800), ("day", 12 * 3600 + 1800), ("month", 20 * 86_400 + 12 * 3600 + 1800)]
)
def test_a_budget_begins_anew_with_its_window(period, seconds):
    from datetime import UTC, datetime

    with clocks.stopped(datetime(2026, 12, 11, 11, 30, tzinfo=UTC)) as clock:
        budget = limit("money", period, 10)
        reserve(budget, nano=10)
        assert refusal(budget, nano=1).retry_after == seconds
        clock.advance(seconds)
        reserve(budget, nano=10)


def test_a_call_that_is_more_than_the_limit_by_itself_says_so():
    assert refusal(limit("money", "month", 10), nano=11).alone
    assert not refusal(limit("calls", "", 0)).retry_after


def test_an_answer_of_another_model_is_not_charged_to_a_limit_of_this_one():
    of_model, of_all = limit("money", "total", 10, model="gpt-*"), limit("money", "total", 10)
    held = reserve(of_model, of_all, nano=10)
    bill = limits.settle(held, tokens=0, nano=10, counts=[of_all.id])
    assert bill is not None
    assert bill.charged() == [(of_model.id, 0, 0), (of_all.id, 0, 10)]
    reserve(of_model, nano=10)
    refusal(of_all, nano=10)


def test_counts_that_are_below_zero_or_absurd_are_put_right():
    budget = limit("tokens", "total", 100)
    bill = limits.settle(reserve(budget, tokens=50), tokens=-5, nano=2**80)
    assert bill is not None
    assert bill.charged() == [(budget.id, 0, 0)]
    assert bill.nano < 2**63


@pytest.mark.django_db  # the thread that asks has a connection, if another test made it ask
def test_a_database_that_does_not_answer_lets_nobody_in(settings, monkeypatch):
    import django.db

    def away(*_: object, **__: object) -> None:
        raise django.db.OperationalError("away")

    settings.PROXY_LIMITS = "database"
    monkeypatch.setattr("accounts.ledger.hold", away)
    one = limit("calls", "", 1)
    with pytest.raises(LedgerAway):
        reserve(one, limit("money", "total", 10), nano=1)
    limits.settle(reserve(one), tokens=0, nano=0)  # nothing stayed reserved
