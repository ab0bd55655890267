"""An hour of traffic without a worker, one that is killed while it sums, two that follow: the sums equal the rows."""

import os
import time

import pytest

from tests import forked
from tests.analytics.test_kill import House
from tests.live import base_environment

pytestmark = pytest.mark.slow

WRITE = """
import django; django.setup()
import random
from analytics import rows
from proxx.kit import clock
from tests.analytics.records import record
from routing.buckets import Buckets
chance = random.Random(7)
start = int(clock.unix()) // 3600 * 3600 - 3600
def one():
    fresh, read, text = (chance.randrange(500) for _ in range(3))
    return record(
        at=start + chance.random() * 3600,
        model_routed=f"m{chance.randrange(9)}", provider_id=f"p{chance.randrange(3)}",
        input_tokens=fresh + read, cache_read_tokens=read, output_tokens=text, cost_nano=chance.randrange(10**6),
        outcome=chance.choice(["ok", "ok", "error", "cancelled"]),
        tokens=Buckets(fresh=fresh, cache_read=read, text=text),
    )
for _ in range(6):
    rows.insert([one() for _ in range(500)])
"""
SUM = "import django; django.setup(); from analytics import rollup; print('begin', flush=True); print(rollup.run())"

ROWS = """SELECT count(*), sum(input_tokens), sum(fresh_tokens), sum(cache_read_tokens), sum(text_tokens),
    sum(cost_nano), sum(CASE WHEN outcome = 'ok' THEN 1 ELSE 0 END) FROM analytics_requestlog"""
SUMS = """SELECT sum(requests), sum(input_tokens), sum(fresh_tokens), sum(cache_read_tokens), sum(text_tokens),
    sum(cost_nano), sum(ok) FROM analytics_usagerollup WHERE period = %s"""
DUE = "SELECT count(*) FROM analytics_rollupdue"


@pytest.fixture(params=[False, pytest.param(True, marks=pytest.mark.real)], ids=["sqlite", "postgres"])
def house(request, tmp_path, templates):
    made = House(tmp_path, templates, request.param)
    yield made
    made.database.drop()


def start(house, program):
    environment = {**os.environ, **base_environment(house.folder), **house.database.environment}
    return forked.start("-c", program, env=environment)


def ended(process):
    process.communicate(timeout=120)
    assert process.returncode == 0


def test_sums_equal_the_rows_after_an_hour_without_a_worker_and_a_kill(house):
    ended(start(house, WRITE))
    before = house.database.rows(DUE)[0][0]
    assert before >= 55
    worker = start(house, SUM)
    assert worker.stdout.readline() == "begin\n"
    deadline = time.monotonic() + 60
    while house.database.rows(DUE)[0][0] > before - 20 and time.monotonic() < deadline:
        pass  # it is summing; killed between any two of its statements
    worker.kill()
    worker.communicate()
    assert house.database.rows(DUE)[0][0] > 1  # it was not done
    for _ in range(2):
        ended(start(house, SUM))
    raw = [int(number) for number in house.database.rows(ROWS)[0]]
    for period in ("minute", "hour", "day"):
        assert [int(number) for number in house.database.rows(SUMS, [period])[0]] == raw
    assert house.database.rows(DUE) == [(0,)]
