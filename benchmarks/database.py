"""The store with many calls in it, on Postgres: `make bench-database`, or ARGS="--rows 1000000".

Makes a database of its own on the server of DATABASE_URL_TEST, fills a month with calls, attempts and sums on the
server itself, measures what pages read (with the plans checked), one hour's sums, one day's retention and the writer at
a pace, says the figures beside their goals, and drops the database. It says first how much disk that takes, and stops
if there is too little. Nothing here is part of `make test`.
"""

import argparse
import asyncio
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

from benchmarks import machine, pages, reading, writing
from proxx.server.calm import calm_down
from tests.databases import execute, migrate, with_path

DAYS = 30
BYTES_A_CALL = 1_100  # with its attempt, the indexes and the sums; measured
ROOM = 2.0  # times that much must be free: the log of the database needs its share while it fills
BUSY_HOUR = 300_000  # calls
GOAL_READ, GOAL_ROLLUP, GOAL_RETENTION = 0.300, 5.0, 5.0
STAMP = "('x' || translate(left(id::text, 13), '-', ''))::bit(48)::bigint"

CALLS = """
INSERT INTO analytics_requestlog (id, tenant_id, key_id, endpoint, dialect, stream, model_requested, model_routed,
    provider_id, credential_id, status, outcome, error_code, duration_ms, first_event_ms, bytes_in, bytes_out,
    client_address, user_agent, request_id, input_tokens, cache_read_tokens, cache_write_tokens, output_tokens,
    reasoning_tokens, usage_state, cost_nano, price_state, attempt_count, warnings, fresh_tokens, text_tokens,
    service_tier, conversation, traits, planned)
SELECT (lpad(to_hex(at), 12, '0') || '7' || substr(tail, 1, 3) || '8' || substr(tail, 4, 15))::uuid,
    md5('t' || key %% 40)::uuid, md5('k' || key)::uuid, '/v1/chat/completions', 'openai_chat', key %% 2 = 0,
    'fast', 'model-' || (key %% 12), 'provider-' || (key %% 4), md5('c' || (key %% 12))::uuid, 200,
    CASE WHEN at %% 50 = 0 THEN 'error' WHEN at %% 70 = 0 THEN 'cancelled' ELSE 'ok' END, '', 400 + at %% 9000,
    100 + at %% 900, 4000, 3000, '10.0.0.1', 'OpenAI/Python 1.0', '', 1000 + at %% 500, 300, NULL, 200 + at %% 99, NULL,
    'reported', 1000000 + at %% 7777, 'priced', 1, '[]', 700 + at %% 500, 200 + at %% 99, '',
    substr(md5('v' || key), 1, 16), 0, ''
FROM (SELECT %(start)s + (n * %(step)s)::bigint AS at, md5(n::text || %(salt)s) AS tail,
    (random() ^ 3 * 400)::int AS key
    FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS n) AS made
"""
ATTEMPTS = """
INSERT INTO analytics_requestattempt (call_id, number, provider_id, credential_id, account, model, protocol, status,
    failure, message, started_ms, headers_ms, first_event_ms, duration_ms)
SELECT id, 1, provider_id, credential_id, 'main', model_routed, dialect, 200, '', '', 1, 80, first_event_ms, duration_ms
FROM analytics_requestlog WHERE id >= %(low)s AND id < %(high)s
"""


def main() -> int:
    """Prepare, fill, measure, say, drop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--seconds", type=int, default=60, help="how long the writer is watched")
    parser.add_argument("--pace", type=int, default=3000, help="records a second for the writer")
    options = parser.parse_args()
    server = os.environ.get("DATABASE_URL_TEST", "")
    if not server:
        print("DATABASE_URL_TEST names no server, such as postgres://root@127.0.0.1:5432/test")
        return 2
    need, free = int(options.rows * BYTES_A_CALL * ROOM), shutil.disk_usage("/").free
    print(f"{options.rows:,} calls need about {need / 1e9:.1f} GB while they are made; {free / 1e9:.1f} GB are free.")
    if free < need:
        return 2
    name = f"proxx_bench_{uuid4().hex[:8]}"
    execute(server, f'CREATE DATABASE "{name}"')
    try:
        with tempfile.TemporaryDirectory() as folder:
            return _measure(with_path(server, name), Path(folder), options)
    finally:
        execute(server, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _measure(url: str, folder: Path, options: argparse.Namespace) -> int:
    settings = {"DATABASE_URL": url, "PROXY_DATA_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "proxx.settings.test"}
    os.environ.update(settings)
    migrate(os.environ)
    import django

    django.setup()
    print({name: value for name, value in machine.describe().items() if name not in {"packages", "at"}})
    _say("filled", _timed(lambda: _fill(options.rows)))
    calm_down()  # as in the server: what is timed are reads, not collections of all that is loaded
    worst = max(_reads(), pages.walk())
    rollup, day = _rollup(), _retention()
    _say("sums of one hour", rollup, GOAL_ROLLUP)
    _say("retention of a day", day, GOAL_RETENTION)
    kept_up = asyncio.run(writing.kept_up(folder / "bench-journal", options.pace, options.seconds))
    print(f"worst 95th percentile of a read: {worst * 1000:.0f} ms (goal: under {GOAL_READ * 1000:.0f} ms)")
    return 0 if worst <= GOAL_READ and rollup <= GOAL_ROLLUP and day <= GOAL_RETENTION and kept_up else 1


def _fill(rows: int) -> None:
    """Make a month of calls by days, then their sums, all inside the server."""
    from django.db import connection

    from analytics import partitions
    from proxx.kit import clock, ids

    now = clock.unix()
    begin = now - DAYS * 86_400
    with clock.stopped(clock.now()) as stopped:  # partitions for the month: made from its first day on
        stopped.advance(-DAYS * 86_400)
        for _ in range(DAYS // 7 + 1):
            partitions.ensure()
            stopped.advance(7 * 86_400)
    partitions.ensure()
    step = DAYS * 86_400_000 / rows
    chunk = max(1, rows // DAYS)
    with connection.cursor() as cursor:
        for first in range(0, rows, chunk):
            last = min(rows, first + chunk) - 1
            numbers = {"first": first, "last": last, "step": step, "start": int(begin * 1000), "salt": uuid4().hex}
            cursor.execute(CALLS, numbers)
            edges = [ids.earliest(begin + number * step / 1000) for number in (first, last + 1)]
            cursor.execute(ATTEMPTS, {"low": edges[0], "high": edges[1]})
        for period in ("hour", "day"):
            cursor.execute(_sums(period))
        cursor.execute("ANALYZE")


def _sums(period: str) -> str:
    """Return the statement that makes a period's sums; what a filled call does not have is zero."""
    from analytics.models import UsageRollup

    known = {
        "period": f"'{period}'",
        "bucket": f"date_trunc('{period}', to_timestamp({STAMP} / 1000.0))",
        **{name: name for name in ("tenant_id", "key_id", "provider_id", "credential_id")},
        "model": "model_routed",
        "requests": "count(*)",
        "ok": "count(*) FILTER (WHERE outcome = 'ok')",
        "errors": "count(*) FILTER (WHERE outcome = 'error')",
        "cancelled": "count(*) FILTER (WHERE outcome = 'cancelled')",
        **{name: f"sum({name})" for name in ("input_tokens", "output_tokens", "cache_read_tokens", "cost_nano")},
    }
    columns = [field.column for field in UsageRollup._meta.concrete_fields if field.column != "id"]
    values = ", ".join(known.get(column, "0") for column in columns)
    into = f"INSERT INTO analytics_usagerollup ({', '.join(columns)})"
    return f"{into} SELECT {values} FROM analytics_requestlog GROUP BY 2, 3, 4, 5, 6, 7"


def _reads() -> float:
    """Time single questions to the store; return the worst 95th percentile in seconds."""
    from datetime import timedelta

    from analytics import queries
    from analytics.models import RequestLog

    some, _ = pages.chosen()
    log = RequestLog.objects.select_related("tenant", "key").order_by("-id")
    week = queries.since(timedelta(days=7))
    questions: dict[str, Callable[[], Any]] = {
        "newest calls": lambda: queries.newest_calls(50),
        "last hour by minutes": queries.traffic,
        "first byte, an hour": queries.first_event_percentiles,
        "one call with attempts": lambda: queries.attempts_of(queries.call(str(some.pk))),  # type: ignore[arg-type]
        "a tenant's page": lambda: list(log.filter(week, tenant_id=some.tenant_id)[:51]),
        "failures of a week": lambda: list(log.filter(week, outcome="error")[:51]),
        "a page far down": lambda: list(log.filter(id__lt=RequestLog.objects.order_by("id")[5000].pk)[:51]),
        "providers and models in use": queries.used,
    }
    return max(reading.measured(name, read) for name, read in questions.items())


def _rollup() -> float:
    """Sum an hour anew that has `BUSY_HOUR` calls, whatever there are in a month."""
    from datetime import timedelta

    from django.db import connection

    from analytics import rollup, rows
    from proxx.kit import clock

    hour = rollup.start_of("hour", clock.now()) - timedelta(hours=3)
    more = {"first": 0, "last": BUSY_HOUR - 1, "step": 3_600_000 / BUSY_HOUR, "start": int(hour.timestamp() * 1000)}
    with connection.cursor() as cursor:
        cursor.execute(CALLS, more | {"salt": uuid4().hex})
    for minute in range(60):
        rows.touch("minute", hour + timedelta(minutes=minute))
    before = _busy()
    seconds = _timed(rollup.run)
    print(f"sums of one hour: {_busy() - before:.2f} s of CPU, ours and the database's")
    return seconds


def _retention() -> float:
    from analytics import partitions
    from analytics.models import RequestLog

    oldest = partitions.partitions(RequestLog._meta.db_table)[1]  # a whole day of the month
    return _timed(lambda: partitions.drop(oldest.end))


def _busy() -> float:
    """Return the CPU seconds that this process and its database connection have used: on a busy machine they say more
    than the clock. Only where the server runs here."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        stat = Path(f"/proc/{cursor.fetchone()[0]}/stat")
    fields = stat.read_text().rpartition(")")[2].split() if stat.exists() else ["0"] * 13
    return time.process_time() + (int(fields[11]) + int(fields[12])) * machine.TICK


def _timed(function: Callable[[], Any]) -> float:
    begin = time.perf_counter()
    function()
    return time.perf_counter() - begin


def _say(what: str, seconds: float, goal: float | None = None) -> None:
    print(f"{what}: {seconds:.2f} s" + (f" (goal: under {goal:.0f} s)" if goal else ""))


if __name__ == "__main__":
    sys.exit(main())
