"""The timeline of incidents becomes append-only by database triggers."""

from django.db import migrations

from observability.incidents.guard import timeline_guard_statements, timeline_lift_statements


def put_guard(apps, schema_editor):
    for statement in timeline_guard_statements(schema_editor.connection.vendor):
        schema_editor.execute(statement)


def lift_guard(apps, schema_editor):
    for statement in timeline_lift_statements(schema_editor.connection.vendor):
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("observability", '0006_incidents')]
    operations = [migrations.RunPython(put_guard, lift_guard)]
