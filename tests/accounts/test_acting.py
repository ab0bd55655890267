"""Who acts now is known to everything that is done meanwhile, and to nothing else."""

import asyncio

import pytest
from asgiref.sync import sync_to_async

from accounts import acting
from accounts.acting import PROXX, Actor, acting_as

ADA = Actor("operator", "7", "ada", "192.0.2.7")


def test_nobody_in_particular_is_proxx_itself():
    assert (acting.current(), acting.reason()) == (PROXX, "")


def test_inside_it_is_that_actor_and_afterwards_whoever_it_was_before():
    with acting_as(ADA, "because"):
        with acting_as(Actor("command", name="apply_config")):
            assert (acting.current().name, acting.reason()) == ("apply_config", "because")
        assert (acting.current(), acting.reason()) == (ADA, "because")
    assert acting.current() is PROXX


def test_a_fault_inside_ends_it_too():
    with pytest.raises(ZeroDivisionError), acting_as(ADA):
        _ = 1 // 0
    assert acting.current() is PROXX


async def test_a_thread_started_inside_knows_it_and_a_task_beside_does_not():
    seen = []

    async def beside():
        seen.append(acting.current())

    other = asyncio.create_task(beside())
    with acting_as(ADA):
        seen.append(await sync_to_async(acting.current)())
        await other
    assert seen == [PROXX, ADA] or seen == [ADA, PROXX]


def test_who_is_costly_to_know_is_asked_for_only_when_somebody_wants_to_know():
    asked = []

    def who():
        asked.append(1)
        return ADA

    with acting_as(who):
        assert not asked
        assert acting.current() == ADA
