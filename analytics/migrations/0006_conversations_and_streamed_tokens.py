from typing import Any

from django.db import migrations, models
from django.db.models import F


def as_it_was_counted(apps: Any, schema_editor: Any) -> None:
    """Sums made before know only all tokens out; that is what was divided by the time until now."""
    sums = apps.get_model("analytics", "UsageRollup").objects
    sums.filter(output_ms__gt=0).update(streamed_tokens=F("output_tokens"))


class Migration(migrations.Migration):

    dependencies = [
        ('analytics', '0005_alerts'),
    ]

    operations = [
        migrations.AddField(
            model_name='requestlog',
            name='conversation',
            field=models.CharField(default='', max_length=16),
        ),
        migrations.AddField(
            model_name='usagerollup',
            name='streamed_tokens',
            field=models.BigIntegerField(default=0, verbose_name='tokens out in that time'),
        ),
        migrations.RunPython(as_it_was_counted, migrations.RunPython.noop, elidable=True),
    ]
