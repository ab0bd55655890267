"""Every test of routing begins and ends without rests, streaks, turns, a picture or files seen."""

from collections.abc import Iterator

import pytest

from routing import affinity, health, policies, quota, reload, seeding


@pytest.fixture(autouse=True)
def _no_memory() -> Iterator[None]:
    _forget()
    yield
    _forget()


def _forget() -> None:
    health.forget()
    quota.forget()
    policies.forget()
    affinity.forget()
    seeding.forget()
    reload.install(None)
