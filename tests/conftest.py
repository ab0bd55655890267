"""Fixtures for everyone: rows, a stopped clock, the simulated provider, a whole running proxx.

    tenant, key, credential, operator      rows (factories.py), for tests with the database
    clock                                  time stands still; clock.advance(seconds)
    provider                               a simulated provider on a port of its own (tests/upstreams)
    own_redis                              a Redis that the test may pause, empty and stop (own_redis.py)
    live_proxx, start_proxx                the real server as a process (live.py), SQLite or Postgres with Redis
    module_provider, module_proxx          the same, shared by the tests of one module

`@pytest.mark.real` skips, with the reason, when DATABASE_URL_TEST or REDIS_URL_TEST is missing.
"""

import contextlib
import gc
import os
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from proxx.kit import clock as clocks
from tests.databases import Templates
from tests.live import LiveProxx, running
from tests.own_redis import OwnRedis
from tests.upstreams.server import SimulatedProvider, simulated_provider

StartProxx = Callable[..., LiveProxx]

# How long an example takes says how busy the machine is, not what the code does.
settings.register_profile("proxx", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("proxx")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, Any, Any]:
    """Collect no garbage while tests are collected, and none of what that leaves: all of it stays to the end, and to
    look through it again and again would be 40 % of the collection."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip tests of Postgres and Redis where there are none."""
    missing = [name for name in ("DATABASE_URL_TEST", "REDIS_URL_TEST") if not os.environ.get(name)]
    if missing and item.get_closest_marker("real"):
        pytest.skip(f"needs {' and '.join(missing)}")


# Rows.


@pytest.fixture
def tenant(db: None) -> Any:
    """A tenant of its own."""
    from tests import factories

    return factories.make_tenant()


@pytest.fixture
def key(tenant: Any) -> Any:
    """A key of that tenant: `.row` and `.token`."""
    from tests import factories

    return factories.make_key(tenant)


@pytest.fixture
def credential(db: None) -> Any:
    """A credential for OpenAI that the simulated provider takes."""
    from tests import factories

    return factories.make_credential()


@pytest.fixture
def operator(db: None) -> Any:
    """An operator with all rights."""
    from tests import factories

    return factories.make_operator()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """Let SQLite empty the audit between tests, which it does by deleting; a test puts the guard back to try it."""
    from django.db import connection

    with django_db_blocker.unblock(), connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("DROP TRIGGER IF EXISTS accounts_audit_no_delete")


# Time.


@pytest.fixture
def clock() -> Iterator[clocks.Stopped]:
    """A clock that stands still until `advance`."""
    with clocks.stopped() as stopped:
        yield stopped


# Whole programs.


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[OwnRedis]:
    """A Redis of the test's own, that it may pause, empty and stop."""
    with OwnRedis(tmp_path) as server:
        yield server


@pytest.fixture
def provider() -> Iterator[SimulatedProvider]:
    """A simulated provider, fresh for each test."""
    with simulated_provider() as running_provider:
        yield running_provider


@pytest.fixture(scope="module")
def module_provider() -> Iterator[SimulatedProvider]:
    """A simulated provider for the tests of one module; they call `reset` if they care."""
    with simulated_provider() as running_provider:
        yield running_provider


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Templates]:
    """Migrated databases to copy from."""
    made = Templates(tmp_path_factory.mktemp("databases"), worker_id)
    yield made
    made.drop()


@pytest.fixture
def start_proxx(tmp_path: Path, templates: Templates, provider: SimulatedProvider) -> Iterator[StartProxx]:
    """Start servers: `start_proxx(server="uvicorn", env={...}, real=True)`, each with a database of its own."""
    with contextlib.ExitStack() as stack:
        count = 0

        def start(**options: Any) -> LiveProxx:
            nonlocal count
            count += 1
            return stack.enter_context(running(tmp_path / f"proxx-{count}", templates, provider, **options))

        yield start


@pytest.fixture
def live_proxx(start_proxx: StartProxx) -> LiveProxx:
    """A server under Daphne, fresh for each test."""
    return start_proxx()


@pytest.fixture(scope="module", params=["daphne"])
def module_proxx(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    templates: Templates,
    module_provider: SimulatedProvider,
) -> Iterator[LiveProxx]:
    """A server for the tests of one module; `parametrize(..., indirect=True)` names another one or both."""
    folder = tmp_path_factory.mktemp("proxx")
    with running(folder, templates, module_provider, server=request.param) as proxx:
        yield proxx


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say how many cells of the matrix were tried, and how many spoiled requests."""
    cells = {kind: 0 for kind in ("passed", "failed")}
    for kind in cells:
        reports = terminalreporter.stats.get(kind, ())
        cells[kind] = sum("test_matrix.py::test_every_cell" in report.nodeid for report in reports)
    told = [value for report in terminalreporter.stats.get("passed", ()) for name, value in report.user_properties]
    for line in told:
        terminalreporter.write_line(f"fuzz: {line}")
    if sum(cells.values()):
        terminalreporter.write_line(f"matrix: {cells['passed']} cells passed, {cells['failed']} failed")
