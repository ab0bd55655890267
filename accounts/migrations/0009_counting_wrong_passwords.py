from django.core.management import call_command
from django.db import migrations


def make_table(apps, schema_editor):
    call_command("createcachetable", database=schema_editor.connection.alias, verbosity=0)


def drop_table(apps, schema_editor):
    schema_editor.execute(f"DROP TABLE IF EXISTS {schema_editor.quote_name('proxx_cache')}")


class Migration(migrations.Migration):
    dependencies = [("accounts", "0008_roles")]
    operations = [migrations.RunPython(make_table, drop_table)]
