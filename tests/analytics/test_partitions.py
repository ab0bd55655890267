"""Partitions by days on Postgres: made ahead, filled from the default one, dropped whole."""

import subprocess
import sys

import pytest

from tests.databases import ROOT
from tests.live import base_environment

pytestmark = [pytest.mark.real, pytest.mark.slow]

PROGRAM = """
import django; django.setup()
from datetime import UTC, datetime, timedelta
from analytics import partitions, queries, rows, tasks
from analytics.bodies import parts, store
from analytics.models import RequestAttempt, RequestBody, RequestLog
from analytics.retention import KEEP
from proxx.kit import clock
from tests.analytics.records import record

NOW = datetime(2026, 5, 10, 12, tzinfo=UTC)
LOG = RequestLog._meta.db_table

def names():
    return [one.name.removeprefix(LOG + "_") for one in partitions.partitions(LOG)]

with clock.stopped(NOW) as stopped:
    calls = [record(at=(NOW - timedelta(days=back)).timestamp()) for back in (0, 0, 1, 2)]
    rows.insert(calls)  # before any partition is there: the default one takes them
    for call in calls:
        said = parts.Bodies(call.id, call.tenant_id, 100)
        said.part(parts.ASKED, 0, b"hello")
        store.insert([said, said])
    assert RequestBody.objects.count() == 4
    assert tasks.partitions() == 3 * 10, names()
    assert store.read(RequestBody.objects.get(pk=calls[0].id))[0].text == "hello"
    assert names() == [f"202605{day:02d}" for day in range(8, 18)]
    assert tasks.partitions() == 0
    assert RequestLog.objects.count() == RequestAttempt.objects.count() == 4
    rows.insert(calls)  # ids are unique across all of it
    rows.insert([record(at=NOW.timestamp() + 1)])
    assert RequestLog.objects.count() == 5
    from django.db import connection
    def explained(found):
        return found.explain()
    plan = explained(RequestLog.objects.filter(id=calls[3].id))
    assert "_20260508" in plan and "_20260509" not in plan, plan
    stopped.advance((KEEP["bodies"] - timedelta(days=1)).total_seconds())  # bodies go first
    assert tasks.retention() == 0
    assert RequestBody.objects.count() == 3 and RequestLog.objects.count() == 5
    stopped.advance((KEEP["log"] - KEEP["bodies"] ).total_seconds())  # the 8th is past its time, the 9th half
    assert tasks.retention() == 1
    assert "20260508" not in names() and "20260509" in names()
    assert RequestLog.objects.count() == RequestAttempt.objects.count() == 4
    assert tasks.retention() == 0
print("done")
"""


def test_days_are_made_ahead_filled_and_dropped_whole(tmp_path, templates):
    environment = base_environment(tmp_path)
    database = templates.copy(tmp_path, environment, real=True)
    try:
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM],
            cwd=ROOT,
            env={**environment, **database.environment},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert (done.stdout, done.returncode) == ("done\n", 0), done.stderr[-3000:]
    finally:
        database.drop()
