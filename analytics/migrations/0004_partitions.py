"""On Postgres the tables of calls and attempts become partitioned by ranges of their ids; elsewhere nothing changes.

All rows move into the default partition; the worker's first run of `analytics.tasks.partitions` sorts them by days.
"""

from typing import Any

from django.db import migrations

TABLES = (
    ("analytics_requestlog", "id", '"id"', {"log_by_tenant": '"tenant_id", "id"', "log_by_outcome": '"outcome", "id"'}),
    ("analytics_requestattempt", "call_id", '"call_id", "number"', {}),
)


def partition(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor != "postgresql":
        return
    for table, column, key, indexes in TABLES:
        old = f"{table}_whole"
        for statement in (
            f'ALTER TABLE "{table}" RENAME TO "{old}"',
            f'ALTER TABLE "{old}" DROP CONSTRAINT "{table}_pkey"',
            *(f'DROP INDEX "{name}"' for name in indexes),
            f'CREATE TABLE "{table}" (LIKE "{old}" INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE) '
            f'PARTITION BY RANGE ("{column}")',
            f'ALTER TABLE "{table}" ADD CONSTRAINT "{table}_pkey" PRIMARY KEY ({key})',
            *(f'CREATE INDEX "{name}" ON "{table}" ({columns})' for name, columns in indexes.items()),
            f'CREATE TABLE "{table}_rest" PARTITION OF "{table}" DEFAULT',
            f'INSERT INTO "{table}" SELECT * FROM "{old}"',
            f'DROP TABLE "{old}"',
        ):
            schema_editor.execute(statement)


def unite(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor != "postgresql":
        return
    for table, _, key, indexes in TABLES:
        old = f"{table}_parted"
        for statement in (
            f'ALTER TABLE "{table}" RENAME TO "{old}"',
            f'CREATE TABLE "{table}" (LIKE "{old}" INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE)',
            f'INSERT INTO "{table}" SELECT * FROM "{old}"',
            f'DROP TABLE "{old}"',
            f'ALTER TABLE "{table}" ADD CONSTRAINT "{table}_pkey" PRIMARY KEY ({key})',
            *(f'CREATE INDEX "{name}" ON "{table}" ({columns})' for name, columns in indexes.items()),
        ):
            schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("analytics", "0003_sums_by_key_and_account")]

    operations = [migrations.RunPython(partition, unite)]
