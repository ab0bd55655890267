from typing import Any

import django.db.models.deletion
from django.db import migrations, models

import accounts.fields
import proxx.kit.sealing

TABLE = "analytics_requestbody"


def partition(apps: Any, schema_editor: Any) -> None:
    """On Postgres the table is partitioned by ranges of ids, like the calls; it is empty now."""
    if schema_editor.connection.vendor != "postgresql":
        return
    whole = f"{TABLE}_whole"
    for statement in (
        f'ALTER TABLE "{TABLE}" RENAME TO "{whole}"',
        f'ALTER TABLE "{whole}" DROP CONSTRAINT "{TABLE}_pkey"',
        # What is sealed cannot be compressed: trying costs time only.
        f'ALTER TABLE "{whole}" ALTER COLUMN "content" SET STORAGE EXTERNAL',
        f'CREATE TABLE "{TABLE}" (LIKE "{whole}" INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE) '
        'PARTITION BY RANGE ("id")',
        f'ALTER TABLE "{TABLE}" ADD CONSTRAINT "{TABLE}_pkey" PRIMARY KEY ("id")',
        f'CREATE TABLE "{TABLE}_rest" PARTITION OF "{TABLE}" DEFAULT',
        f'DROP TABLE "{whole}"',
    ):
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0014_tranches"),
        ("analytics", "0007_traces"),
    ]

    operations = [
        migrations.CreateModel(
            name="RequestBody",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("why", models.CharField(max_length=8)),
                ("plain_bytes", models.BigIntegerField()),
                ("stored_bytes", models.BigIntegerField()),
                ("mark", models.CharField(default=proxx.kit.sealing.current_mark, max_length=24)),
                ("content", accounts.fields.SealedTextField(mark="mark")),
                (
                    "tenant",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="accounts.tenant",
                    ),
                ),
            ],
            options={
                "verbose_name": "kept body",
                "verbose_name_plural": "kept bodies",
            },
        ),
        migrations.RunPython(partition, migrations.RunPython.noop),
        migrations.AddIndex("requestbody", models.Index(fields=["stored_bytes"], name="body_sizes")),
    ]
