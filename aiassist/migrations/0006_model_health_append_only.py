"""References, looks and health reports become append-only by database triggers."""

from django.db import migrations

from aiassist.monitoring.guard import health_guard_statements, health_lift_statements


def put_guard(apps, schema_editor):
    for statement in health_guard_statements(schema_editor.connection.vendor):
        schema_editor.execute(statement)


def lift_guard(apps, schema_editor):
    for statement in health_lift_statements(schema_editor.connection.vendor):
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("aiassist", "0005_model_health")]
    operations = [migrations.RunPython(put_guard, lift_guard)]
