"""Limits that all processes share through Redis: counted together, budgets out of what the database set aside."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable

import pytest
from asgiref.sync import async_to_sync, sync_to_async

from accounts import ledger, limits, shared_limits
from accounts.held import Held, OverTheLimit, Worst
from accounts.ledger import Owed
from accounts.limit import Hold, LimitView, LimitWindow
from tests.own_redis import OwnRedis

pytestmark = [pytest.mark.real, pytest.mark.django_db]
TENANT = uuid.uuid4()


@pytest.fixture(autouse=True)
def _shared(settings, own_redis: OwnRedis, monkeypatch):
    from proxx.kit import shared_state

    settings.PROXY_LIMITS, settings.REDIS_URL = "redis", own_redis.url
    shared_state.close()
    limits.forget()
    monkeypatch.setattr(limits, "_ask", lambda question: sync_to_async(question)())
    yield
    limits.forget()
    shared_state.close()


def scenario(test: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    """Run a test in one loop, its questions to the database in the test's own thread."""

    def run(own_redis: OwnRedis) -> None:
        async def whole() -> None:
            try:
                await test(own_redis)
            finally:
                limits.forget()

        async_to_sync(whole)()

    run.__name__ = test.__name__
    return run


def limit(measure: str, period: str, amount: int, **more) -> LimitView:
    return LimitView(uuid.uuid4(), measure, period, amount, **more)


async def reserve(*of: LimitView, **worst: int) -> Held:
    held = await limits.reserve(uuid.uuid4(), of, Worst(**worst))
    assert held.shared
    return held


async def refusal(*of: LimitView, **worst: int) -> OverTheLimit:
    with pytest.raises(OverTheLimit) as caught:
        await reserve(*of, **worst)
    return caught.value


async def settle(held: Held, tokens: int = 0, nano: int = 0) -> None:
    """Settle, and enter it into the ledger."""
    bill = limits.settle(held, tokens=tokens, nano=nano)
    if bill is not None:
        await sync_to_async(ledger.charge)([Owed(held.call_id, TENANT, None, "x", bill)])


@sync_to_async
def booked(of: LimitView) -> tuple[int, int]:
    row = LimitWindow.objects.get(limit_id=of.id)
    held = sum(Hold.objects.filter(limit_id=of.id).values_list("amount", flat=True))
    assert row.held == held
    return row.spent, row.held


@scenario
async def test_requests_and_calls_at_a_time_are_counted(own_redis: OwnRedis):
    minute, one = limit("requests", "minute", 2), limit("calls", "", 1)
    held = await reserve(minute, one)
    assert held.lefts == {minute.number: 1}
    assert (await refusal(one, minute)).retry_after == 1
    await settle(held)
    await reserve(minute, one)
    refused = await refusal(minute)
    assert 59 < refused.retry_after <= 61
    assert refused.lefts == {minute.number: 0}


@scenario
async def test_tokens_of_a_minute_are_corrected_by_what_an_answer_used(own_redis: OwnRedis):
    minute = limit("tokens", "minute", 100)
    held = await reserve(minute, usual=80)
    assert not (await refusal(minute, usual=30)).alone
    await settle(held, tokens=10)
    await reserve(minute, usual=90)
    assert (await refusal(minute, usual=101)).alone


@scenario
async def test_a_budget_is_handed_out_to_the_last_nano_dollar(own_redis: OwnRedis):
    budget = limit("money", "total", 30_000_010)
    for _ in range(10):
        await settle(await reserve(budget, nano=3_000_001), nano=3_000_001)
    assert (await refusal(budget, nano=1)).retry_after is None
    assert await booked(budget) == (30_000_010, 0)


@scenario
async def test_what_calls_did_not_need_is_handed_out_again(own_redis: OwnRedis):
    budget = limit("money", "total", 1000)
    for _ in range(19):
        await settle(await reserve(budget, nano=100), nano=50)
    assert (await booked(budget))[0] == 950
    await refusal(budget, nano=51)
    await settle(await reserve(budget, nano=50), nano=50)
    assert await booked(budget) == (1000, 0)


@scenario
async def test_a_call_that_one_limit_refuses_is_counted_by_none(own_redis: OwnRedis):
    requests, budget = limit("requests", "minute", 1), limit("money", "total", 10)
    assert (await refusal(requests, budget, nano=11)).alone
    await reserve(requests, budget, nano=10)


@scenario
async def test_a_redis_that_forgets_spends_nothing_twice(own_redis: OwnRedis):
    budget = limit("money", "total", 1000)
    first = await reserve(budget, nano=100)
    spent, held = await booked(budget)
    assert (spent, held) == (0, 125)  # an eighth of what is left
    await sync_to_async(own_redis.empty)()
    second = await reserve(budget, nano=100)
    assert (await booked(budget))[1] == 125 + 109
    await settle(first, nano=100)
    await settle(second, nano=100)
    assert await booked(budget) == (200, 25 + 9)
    await refusal(budget, nano=1000 - 200 - 25 + 1)


@scenario
async def test_settling_twice_and_reserving_twice_count_once(own_redis: OwnRedis):
    budget, one = limit("money", "total", 100), limit("calls", "", 1)
    call = uuid.uuid4()
    held = await limits.reserve(call, (budget, one), Worst(nano=60))
    again = await limits.reserve(call, (budget, one), Worst(nano=60))
    assert held.tranches == again.tranches
    for one_of_both in (held, again):
        limits.settle(one_of_both, tokens=0, nano=40)
    await reserve(budget, one, nano=60)
    await refusal(one)
    assert (await booked(budget))[1] == 100


@scenario
async def test_a_lowered_budget_gives_back_what_was_set_aside(own_redis: OwnRedis):
    budget = limit("money", "total", 1000)
    await settle(await reserve(budget, nano=100), nano=100)
    lower = LimitView(budget.id, "money", "total", 110)
    assert (await booked(budget))[1] == 25
    await refusal(lower, nano=11)
    await settle(await reserve(lower, nano=10), nano=10)
    assert await booked(budget) == (110, 0)


@scenario
async def test_a_call_that_goes_while_it_waits_holds_nothing(own_redis: OwnRedis):
    one = limit("calls", "", 1)
    await settle(await reserve(one))
    going = asyncio.create_task(reserve(one))
    await asyncio.sleep(0)
    going.cancel()
    await asyncio.wait([going])
    await reserve(one)


@scenario
async def test_the_calls_of_the_dead_return_less_what_the_ledger_knows(own_redis: OwnRedis):
    budget, one = limit("money", "total", 100), limit("calls", "", 2)
    dead, answered = await reserve(budget, one, nano=50), await reserve(budget, one, nano=50)
    bill = limits.Bill(nano=30, charges=[(budget.id, 0, 30)], tranches=answered.tranches)
    await sync_to_async(ledger.charge)([Owed(answered.call_id, TENANT, None, "x", bill)])
    with own_redis.client as client:
        (name,) = client.keys("*leases")
        for call in (dead, answered):
            client.zadd(name, {call.call_id.bytes: 1})
    await reserve(budget, nano=70)  # who comes short looks for them
    await refusal(budget, nano=1)
    assert await booked(budget) == (30, 70)


@scenario
async def test_running_calls_prolong_what_they_hold(own_redis: OwnRedis):
    one = limit("calls", "", 1)
    await reserve(one)
    with own_redis.client as client:
        (name,) = client.keys("*leases")
        client.zadd(name, dict.fromkeys(client.zrange(name, 0, -1), 1))
    await sync_to_async(shared_limits.tend)()
    await refusal(one)


@scenario
async def test_what_is_used_is_told_without_what_is_only_set_aside(own_redis: OwnRedis):
    minute, one, budget = limit("requests", "minute", 9), limit("calls", "", 9), limit("money", "total", 8000)
    await settle(await reserve(minute, one, budget, nano=100), nano=60)
    await reserve(minute, one, budget, nano=100)
    assert await sync_to_async(limits.used)([minute, one, budget]) == ([2, 1, 160], True)


@scenario
async def test_a_call_that_may_cost_nothing_is_counted_by_redis(own_redis: OwnRedis) -> None:
    free, one = limit("money", "total", 100), limit("calls", "", 1)
    held = await reserve(free, one, nano=0)
    await refusal(free, one, nano=0)
    await settle(held)
    await settle(await reserve(free, one, nano=100), nano=100)
