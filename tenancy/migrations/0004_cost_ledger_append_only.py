"""The ledger becomes append-only by database triggers."""

from django.db import migrations

from tenancy.ledger_guard import ledger_guard_statements, ledger_lift_statements


def put_guard(apps, schema_editor):
    for statement in ledger_guard_statements(schema_editor.connection.vendor):
        schema_editor.execute(statement)


def lift_guard(apps, schema_editor):
    for statement in ledger_lift_statements(schema_editor.connection.vendor):
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("tenancy", "0003_cost_ledger")]
    operations = [migrations.RunPython(put_guard, lift_guard)]
