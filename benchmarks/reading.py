"""How long a read takes, how many questions it asks, and whether one of them reads a table from end to end."""

import re
import statistics
import time
from collections.abc import Callable
from typing import Any

ROUNDS = 20
TABLES = ("analytics_requestlog", "analytics_requestattempt", "analytics_usagerollup", "analytics_calltag")
FEW = 1_000  # rows: a day to come is empty, and reading nothing from end to end is no harm
MOST_QUESTIONS = 12
_ROWS = re.compile(r"rows=(\d+)")


def measured(name: str, read: Callable[[], Any], *, rounds: int = ROUNDS) -> float:
    """Print what a read takes; return the 95th percentile of its time in seconds."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as caught:
        read()
    statements = [query["sql"] for query in caught.captured_queries]
    times = sorted(_timed(read) for _ in range(rounds))
    p95 = times[int(len(times) * 0.95)]
    scans = sum(_scans(statement) for statement in statements)
    note = f"{len(statements)} queries" + (" TOO MANY" if len(statements) > MOST_QUESTIONS else "")
    note += f", {scans} FULL SCANS" if scans else ""
    print(f"{name:44} p50 {statistics.median(times) * 1000:7.1f} ms  p95 {p95 * 1000:7.1f} ms  {note}", flush=True)
    return p95


def _scans(statement: str) -> int:
    """Count whole tables (or whole days of one) that a statement's plan reads from end to end."""
    from django.db import connection

    if not statement.startswith("SELECT"):
        return 0
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("EXPLAIN QUERY PLAN " + statement.replace("%", "%%"))
            steps = [row[3] for row in cursor.fetchall()]
        return sum(step.startswith("SCAN") and "USING" not in step and step.split()[1] in TABLES for step in steps)
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN " + statement.replace("%", "%%"))
        lines = [row[0] for row in cursor.fetchall()]
    return sum(
        "Seq Scan on" in line and any(table in line for table in TABLES) and int(_ROWS.findall(line)[-1]) > FEW
        for line in lines
    )


def _timed(read: Callable[[], Any]) -> float:
    begin = time.perf_counter()
    read()
    return time.perf_counter() - begin
