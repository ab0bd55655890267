"""Accounts that take only so many calls at once: nobody gets more, who finds no room waits or is sent away."""

import asyncio
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from proxx.gateway import slots
from proxx.kit import clock
from routing import health, planner
from routing.plan import Plan
from tests.live import LiveProxx
from tests.routing.pictures import TENANT, credential, picture
from tests.until import until
from tests.upstreams.server import SimulatedProvider


@dataclass
class Waiter:
    """A call that asks for room until its deadline."""

    deadline: float

    async def __call__(self, plan: Plan) -> str:
        found = await slots.Patience().room(plan.candidates, self.deadline)
        return found.account if found is not None else "nobody"


@pytest.fixture(autouse=True)
def _all_free() -> Iterator[None]:
    health.forget()
    yield
    assert not slots._waiting
    for key in list(health._in_flight):
        while health.in_flight(key):
            health.done(key)


def plan(**limits: int) -> Plan:
    views = [credential(id=uuid4(), account_id=name, at_once=limit) for name, limit in limits.items()]
    found = planner.plan(
        model="gpt-x", dialect="openai_chat", tenant=TENANT, snapshot=picture(*views), now=0.0, turns=lambda _: 0
    )
    ordered = sorted(found.candidates, key=lambda one: one.account)
    return Plan(found.requested, tuple(ordered), (), None, None, None)


def key(found: Plan, name: str) -> Any:
    return next(one.key for one in found.candidates if one.account == name)


@pytest.fixture
def patient(settings: Any) -> Waiter:
    settings.PROXY_BUSY_WAIT = 30
    return Waiter(clock.monotonic() + 60)


async def test_who_has_room_goes_before_who_has_none(patient: Waiter) -> None:
    found = plan(a=1, b=0, c=2)
    assert await patient(found) == "a"
    health.begin(key(found, "a"))
    assert await patient(found) == "b"


async def test_a_call_that_finds_no_room_waits_until_another_ends(patient: Waiter) -> None:
    found = plan(a=1)
    health.begin(key(found, "a"))
    waiting = asyncio.create_task(patient(found))
    await asyncio.sleep(0)
    assert not waiting.done()
    health.done(key(found, "a"))
    assert await waiting == "a"


async def test_many_who_wait_are_served_in_the_order_in_which_they_came(patient: Waiter) -> None:
    found = plan(a=2)
    served: list[int] = []
    most = 0

    async def call(number: int) -> None:
        nonlocal most
        await patient(found)
        health.begin(key(found, "a"))
        most = max(most, health.in_flight(key(found, "a")))
        served.append(number)
        await asyncio.sleep(0)
        health.done(key(found, "a"))

    await asyncio.gather(*(call(number) for number in range(9)))
    assert (served, most) == (list(range(9)), 2)


@pytest.mark.parametrize(("wait", "left"), [(0.0, 60.0), (0.01, 60.0), (30.0, 0.0)])
async def test_patience_and_the_deadline_end(settings: Any, wait: float, left: float) -> None:
    settings.PROXY_BUSY_WAIT = wait
    found = plan(a=1)
    health.begin(key(found, "a"))
    assert await Waiter(clock.monotonic() + left)(found) == "nobody"


async def test_patience_is_for_all_waits_of_a_call_together(settings: Any) -> None:
    settings.PROXY_BUSY_WAIT = 0.01
    found = plan(a=1)
    health.begin(key(found, "a"))
    patience, ends = slots.Patience(), clock.monotonic() + 60
    assert await patience.room(found.candidates, ends) is None
    assert patience.left <= 0
    health.done(key(found, "a"))
    assert await patience.room(found.candidates, ends) is found.candidates[0]


async def test_a_caller_who_leaves_waits_no_more(patient: Waiter) -> None:
    found = plan(a=1)
    health.begin(key(found, "a"))
    waiting = asyncio.create_task(patient(found))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


def test_an_account_in_use_takes_no_second_call(start_proxx, provider: SimulatedProvider) -> None:
    proxx: LiveProxx = start_proxx(
        env={
            "OPENAI_API_KEY": "sk-sim-fault-stall-mid-stream",
            "PROXY_BUSY_WAIT": "0",
            "UPSTREAM_IDLE_TIMEOUT_MS": "9000",
        }
    )
    proxx.run(
        "from accounts.models import Credential\nfor row in Credential.objects.all():\n    row.at_once = 1; row.save()"
    )
    proxx.stop()
    proxx.start()
    first = threading.Thread(target=proxx.chat, args=("gpt-x", "first"), kwargs={"stream": True}, daemon=True)
    first.start()
    until(lambda: len(provider.journal) == 1, seconds=10)
    status, headers, body = proxx.chat("gpt-x", "second")
    assert (status, headers["retry-after"]) == (429, "1")
    assert json.loads(body)["error"]["code"] == "all_keys_busy"
    assert len(provider.journal) == 1
    first.join()
