"""The erasure journal becomes append-only by database triggers."""

from django.db import migrations

from tenancy.erasure_guard import erasure_guard_statements, erasure_lift_statements


def put_guard(apps, schema_editor):
    for statement in erasure_guard_statements(schema_editor.connection.vendor):
        schema_editor.execute(statement)


def lift_guard(apps, schema_editor):
    for statement in erasure_lift_statements(schema_editor.connection.vendor):
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("tenancy", "0008_vault")]
    operations = [migrations.RunPython(put_guard, lift_guard)]
