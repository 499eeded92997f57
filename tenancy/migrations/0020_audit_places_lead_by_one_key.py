"""A place leads to its event, and by it to its tenant, by the one key `(tenant, event)`, and neither has an index on the
tenant alone; SQLite makes the tables anew, so the guard is put back."""

import django.db.models.deletion
from django.db import migrations, models

import tenancy.scope
from tenancy.audit_guard import guard_statements, lift_statements


def put_guard(apps, schema_editor):
    for statement in guard_statements(schema_editor.connection.vendor):
        schema_editor.execute(statement)


def lift_guard(apps, schema_editor):
    for statement in lift_statements(schema_editor.connection.vendor):
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("tenancy", "0019_plural_names")]
    operations = [
        migrations.RunPython(lift_guard, put_guard),
        migrations.AlterField(
            "auditevent",
            "tenant",
            models.ForeignKey(
                db_index=False,
                default=tenancy.scope.default_tenant_id,
                editable=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="tenancy.tenant",
            ),
        ),
        migrations.AlterField(
            "auditplace",
            "event",
            models.OneToOneField(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="place",
                to="tenancy.auditevent",
            ),
        ),
        migrations.AlterField(
            "auditplace",
            "tenant",
            models.ForeignKey(
                db_constraint=False,
                db_index=False,
                default=tenancy.scope.default_tenant_id,
                editable=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="tenancy.tenant",
            ),
        ),
        migrations.RunPython(put_guard, lift_guard),
    ]
