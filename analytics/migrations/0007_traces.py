from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0014_tranches"),
        ("analytics", "0006_conversations_and_streamed_tokens"),
    ]

    operations = [
        migrations.CreateModel(
            name="CallTag",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "call_id", "tag", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("call_id", models.UUIDField()),
                ("tag", models.CharField(max_length=64)),
                ("tenant_id", models.UUIDField(null=True)),
                ("added_by", models.CharField(blank=True, max_length=200)),
                ("added_at", models.DateTimeField()),
            ],
            options={
                "verbose_name": "tag of a call",
                "verbose_name_plural": "tags of calls",
            },
        ),
        migrations.AddField(
            model_name="requestlog",
            name="planned",
            field=models.CharField(default="", max_length=240),
        ),
        migrations.AddField(
            model_name="requestlog",
            name="traits",
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddIndex(
            model_name="requestlog",
            index=models.Index(fields=["key", "id"], name="log_by_key"),
        ),
        migrations.AddIndex(
            model_name="requestlog",
            index=models.Index(fields=["credential", "id"], name="log_by_credential"),
        ),
        migrations.AddIndex(
            model_name="requestlog",
            index=models.Index(fields=["model_routed", "id"], name="log_by_model"),
        ),
        migrations.AddIndex(
            model_name="requestlog",
            index=models.Index(fields=["request_id", "id"], name="log_by_request_id"),
        ),
        migrations.AddIndex(
            model_name="calltag",
            index=models.Index(fields=["tag", "call_id"], name="tag_by_word"),
        ),
    ]
