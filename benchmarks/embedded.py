"""The store with many calls in it, on SQLite: `python -m benchmarks.embedded`, or with `--rows 100000`.

Writes a month of calls by the product's own writer, sums them by its own rollup, and times every page and path that
reads them. Nothing here is part of `make test`.
"""

import argparse
import itertools
import os
import random
import sys
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any

from benchmarks import machine, pages
from proxx.server.calm import calm_down
from tests.databases import migrate

DAYS = 30
BATCH = 5_000
GOAL_READ = 0.500


def main() -> int:
    """Prepare, fill, sum, measure, say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/bench.sqlite3"
        settings = {"DATABASE_URL": url, "PROXY_DATA_DIR": folder, "DJANGO_SETTINGS_MODULE": "proxx.settings.test"}
        os.environ.update(settings)
        migrate(os.environ)
        import django

        django.setup()
        print({name: value for name, value in machine.describe().items() if name not in {"packages", "at"}})
        begin = time.monotonic()
        _fill(options.rows)
        _sum()
        size = Path(folder, "bench.sqlite3").stat().st_size
        print(f"{options.rows:,} calls and their sums in {time.monotonic() - begin:.0f} s, {size / 1e9:.2f} GB")
        calm_down()  # as in the server
        worst = pages.walk()
    print(f"worst 95th percentile of a read: {worst * 1000:.0f} ms (goal: under {GOAL_READ * 1000:.0f} ms)")
    return 0 if worst <= GOAL_READ else 1


def _fill(rows: int) -> None:
    from analytics.rows import insert
    from proxx.kit import clock

    begin, chance = clock.unix() - DAYS * 86_400, random.Random(7)
    for first in range(0, rows, BATCH):
        numbers = range(first, min(rows, first + BATCH))
        insert([_record(begin + number * DAYS * 86_400 / rows, number, chance) for number in numbers])


def _record(at: float, number: int, chance: random.Random) -> Any:
    """One call of one of forty tenants with ten keys each; a few of them make most of the traffic."""
    from tests.analytics.records import attempt, record

    key = int(chance.random() ** 3 * 400)
    model, provider = f"model-{key % 12}", f"provider-{key % 4}"
    account = uuid.UUID(int=5_000 + key % 12)
    outcome = "error" if number % 50 == 0 else "cancelled" if number % 70 == 0 else "ok"
    return record(
        at=at,
        tenant_id=uuid.UUID(int=1_000 + key % 40),
        key_id=uuid.UUID(int=2_000 + key),
        credential_id=account,
        model_routed=model,
        provider_id=provider,
        outcome=outcome,
        stream=bool(key % 2),
        cost_nano=1_000_000 + number % 7777,
        price_state="priced",
        duration_ms=400 + number % 9000,
        attempts=[attempt(provider_id=provider, credential_id=account, model=model)],
    )


def _sum() -> None:
    from analytics import rollup

    for _ in itertools.takewhile(bool, (rollup.run() for _ in itertools.count())):
        continue


if __name__ == "__main__":
    sys.exit(main())
