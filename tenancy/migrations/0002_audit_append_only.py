"""The audit trail becomes append-only by database triggers."""

from django.db import migrations

from tenancy.migrations._first_audit_guard import guard_statements, lift_statements


def put_guard(apps, schema_editor):
    for statement in guard_statements(schema_editor.connection.vendor):
        schema_editor.execute(statement)


def lift_guard(apps, schema_editor):
    for statement in lift_statements(schema_editor.connection.vendor):
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("tenancy", "0001_initial")]
    operations = [migrations.RunPython(put_guard, lift_guard)]
