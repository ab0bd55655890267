"""Budgets under many calls at once in four processes: with Redis, without it, while it goes away, and under kills."""

import os
import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.databases import Templates
from tests.gateway.fleet import Callers, fleet, start
from tests.gateway.test_limits import PRICE, TEN, WORST, ask, at_once, spent
from tests.live import LiveProxx
from tests.own_redis import OwnRedis
from tests.relay import relayed
from tests.until import until
from tests.upstreams.script import ReportUsage, Say, stall
from tests.upstreams.server import SimulatedProvider

pytestmark = [pytest.mark.real, pytest.mark.slow]

FOR_KILLS = 400  # calls that the budget of the key `kills` has room for
LEASE = "10"
ROWS = f"""
from accounts import keys
from accounts.limit import Limit
from accounts.models import Tenant
from routing.models import FactSetting
FactSetting.objects.create(model="gpt-x", price_input=0, price_output="{PRICE}")
paying = Tenant.objects.create(slug="paying", name="Paying")
result = {{}}
def add(name, **limits):
    row, result[name] = keys.issue(paying, label=name)
    for kind, amount in limits.items():
        Limit.objects.create(key=row, kind=kind, amount=amount)
for name in ("money", "half", "empty", "pause", "stop", "paused", "away", "leased"):
    add(name, money_total={TEN})
add("kills", money_month={FOR_KILLS * WORST}, in_flight=500)
add("rate", requests_minute=3)
add("free")
"""


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnRedis]:
    """The Redis of the four processes."""
    with OwnRedis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(scope="module", params=["redis", "database"])
def four(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    templates: Templates,
    module_provider: SimulatedProvider,
    redis: OwnRedis,
) -> Iterator[list[LiveProxx]]:
    """Four processes on one Postgres, which count budgets by Redis or by the database alone."""
    way: str = request.param
    env = {"PROXY_LIMITS": way, "REDIS_URL": redis.url if way == "redis" else "", "PROXY_LIMIT_LEASE": LEASE}
    folder = tmp_path_factory.mktemp(way)
    with fleet(folder, templates, module_provider, count=4, rows=ROWS, env=env) as members:
        yield members


@pytest.fixture(autouse=True)
def provider(module_provider: SimulatedProvider) -> SimulatedProvider:
    """The provider of all four; each answer costs exactly what is reserved for it."""
    module_provider.reset()
    module_provider.always(Say("x"), ReportUsage(7, 1000))
    return module_provider


with_redis = pytest.mark.parametrize("four", ["redis"], indirect=True)


def is_settled(proxx: LiveProxx, key: str, calls: int) -> bool:
    """Tell whether so many calls are in the ledger, and the window says the same as the sum of them."""
    entered, total, window, _ = spent(proxx, key)
    assert total == window <= (TEN if key != "kills" else FOR_KILLS * WORST)
    return entered == calls


def test_a_budget_for_ten_calls_holds_across_four_processes(four: list[LiveProxx], provider: SimulatedProvider):
    statuses = at_once(four, "money", 200)
    assert statuses.count(200) == 10
    assert set(statuses) == {200, 429}
    until(lambda: spent(four[0], "money")[:3] == (10, TEN, TEN), seconds=20)
    assert spent(four[0], "money")[3] == 0
    provider.reset()
    provider.always(Say("x"), ReportUsage(7, 500))
    statuses = at_once(four, "half", 200)
    assert statuses.count(200) >= 10
    until(lambda: is_settled(four[0], "half", statuses.count(200)), seconds=20)


@with_redis
def test_limits_by_the_minute_are_counted_by_all_processes_together(four: list[LiveProxx]):
    statuses = at_once(four, "rate", 20)
    assert (statuses.count(200), statuses.count(429)) == (3, 17)
    assert ask(four[1], "rate")[1]["x-ratelimit-remaining-requests"] == "0"


@with_redis
@pytest.mark.parametrize("trouble", ["empty", "pause", "stop"])
def test_a_redis_that_fails_under_load_spends_no_budget_twice(
    four: list[LiveProxx], provider: SimulatedProvider, redis: OwnRedis, trouble: str
):
    provider.reset()
    provider.always(Say("x"), ReportUsage(7, 500))
    served = at_once(four, trouble, 4)
    getattr(redis, trouble)()
    served += at_once(four, trouble, 60)
    assert ask(four[0], "free")[0] == 200
    if trouble == "pause":
        redis.resume()
    if trouble == "stop":
        redis.start()
    served += at_once(four, trouble, 60)
    assert set(served) == {200, 429}
    assert served.count(200) >= 10
    until(lambda: is_settled(four[0], trouble, served.count(200)), seconds=20)


@with_redis
def test_a_paused_redis_costs_one_wait_and_keeps_nobody_out(four: list[LiveProxx], redis: OwnRedis):
    until(lambda: ask(four[0], "paused")[0] == 200, seconds=20)
    redis.pause()
    try:
        began = time.monotonic()
        assert [ask(four[0], "paused")[0] for _ in range(3)] == [200] * 3
        assert "Redis is away" in four[0].log
        assert time.monotonic() - began < 20  # nobody waited for it for ever
    finally:
        redis.resume()


@with_redis
def test_what_killed_processes_held_returns_with_its_lease(four: list[LiveProxx], provider: SimulatedProvider):
    first, victim = four[0], four[1]
    assert at_once([first, victim], "leased", 4) == [200] * 4
    until(lambda: is_settled(first, "leased", 4), seconds=20)
    provider.reset()
    provider.always(stall())
    with ThreadPoolExecutor(6) as pool:
        waiting = [pool.submit(ask, victim, "leased") for _ in range(6)]
        until(lambda: len(provider.journal) >= 6, seconds=20)
        assert ask(first, "leased")[0] == 429
        victim.kill()
        assert all(one.exception() is not None for one in waiting)
    provider.reset()
    provider.always(Say("x"), ReportUsage(7, 1000))
    victim.start()
    served_until(first, "leased", 6)
    until(lambda: spent(first, "leased")[:3] == (10, TEN, TEN), seconds=20)


def test_kills_at_random_points_neither_lose_money_nor_spend_it_twice(four: list[LiveProxx]):
    """Three of four are killed while they reserve, answer and settle. Afterwards the ledger balances, what the dead
    held comes back with its lease, and what is left buys exactly as many calls as fit in, to the nano-dollar."""
    chance = random.Random(seed := random.randrange(10**6))
    print(f"seed {seed}")
    with Callers(four, lambda one: ask(one, "kills")[0]) as callers:
        for victim in four[1:]:
            callers.reached(callers.answered + chance.randint(5, 25))
            time.sleep(chance.random() / 100)  # some point within a call, not the end of one
            victim.kill()
        callers.reached(callers.answered + 10)
    start(four[1:])  # what the dead had answered is in their journals
    until(lambda: spent(four[0], "kills")[0] >= callers.certain, seconds=20)
    whole = FOR_KILLS * WORST
    served = 0

    def used_up() -> bool:
        nonlocal served
        served += at_once([four[0]], "kills", 16).count(200)
        calls, total, window, held = spent(four[0], "kills")
        assert total == window == calls * WORST <= whole
        return (calls, held) == (FOR_KILLS, 0)

    until(used_up, seconds=90)
    assert callers.certain + served <= FOR_KILLS
    assert at_once(four, "kills", 8) == [429] * 8


def test_without_redis_and_database_budgets_let_nobody_in_and_others_are_served(
    tmp_path: Path, templates: Templates, provider: SimulatedProvider, own_redis: OwnRedis
):
    with (
        relayed(os.environ["DATABASE_URL_TEST"]) as (relay, relay_url),
        fleet(tmp_path, templates, provider, count=1, rows=ROWS, env={"REDIS_URL": own_redis.url}, by=relay_url) as one,
    ):
        (proxx,) = one
        assert ask(proxx, "away")[0] == ask(proxx, "free")[0] == ask(proxx, "rate")[0] == 200
        relay.cut()
        own_redis.stop()
        status, headers, body = ask(proxx, "away")
        assert (status, body["error"]["code"]) == (503, "limits_unavailable")
        assert int(headers["retry-after"]) >= 1
        assert ask(proxx, "free")[0] == ask(proxx, "rate")[0] == 200
        relay.mend()
        until(lambda: ask(proxx, "away")[0] == 200, seconds=20)


def served_until(proxx: LiveProxx, key: str, calls: int) -> None:
    """Ask until so many calls were served: what others held comes back with its lease, piece by piece."""
    served = 0

    def all_served() -> bool:
        nonlocal served
        served += at_once([proxx], key, calls - served).count(200)
        return served == calls

    until(all_served, seconds=60)
