"""The tenant that always exists."""

from uuid import UUID

from django.db import migrations

# Spelled out, not imported: a migration keeps the facts of its day.
DEFAULT_TENANT_ID = UUID("00000000-0000-4000-8000-000000000001")


def create_default_tenant(apps, schema_editor):
    tenants = apps.get_model("accounts", "Tenant").objects.using(schema_editor.connection.alias)
    tenants.get_or_create(slug="default", defaults={"id": DEFAULT_TENANT_ID, "name": "Default"})


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]
    operations = [migrations.RunPython(create_default_tenant, migrations.RunPython.noop)]
