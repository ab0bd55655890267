from django.db import migrations

# What the models refuse, the database refuses too: a second hand on the same tables meets an error. Whoever owns the
# tables can drop these; what they change then breaks the chain.
POSTGRES = (
    """
    CREATE FUNCTION accounts_audit_stays() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'entries of the audit neither change nor go';
    END $$
    """,
    """
    CREATE TRIGGER accounts_audit_stays BEFORE UPDATE OR DELETE ON accounts_auditentry
    FOR EACH ROW EXECUTE FUNCTION accounts_audit_stays()
    """,
)
POSTGRES_BACK = (
    "DROP TRIGGER IF EXISTS accounts_audit_stays ON accounts_auditentry",
    "DROP FUNCTION IF EXISTS accounts_audit_stays()",
)
SQLITE = tuple(
    f"""
    CREATE TRIGGER accounts_audit_no_{event.lower()} BEFORE {event} ON accounts_auditentry
    BEGIN SELECT RAISE(ABORT, 'entries of the audit neither change nor go'); END
    """
    for event in ("UPDATE", "DELETE")
)
SQLITE_BACK = tuple(f"DROP TRIGGER IF EXISTS accounts_audit_no_{event}" for event in ("update", "delete"))


def guard(apps, schema_editor):
    for statement in {"postgresql": POSTGRES, "sqlite": SQLITE}.get(schema_editor.connection.vendor, ()):
        schema_editor.execute(statement)


def unguard(apps, schema_editor):
    for statement in {"postgresql": POSTGRES_BACK, "sqlite": SQLITE_BACK}.get(schema_editor.connection.vendor, ()):
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0010_audit")]

    operations = [migrations.RunPython(guard, unguard)]
