"""Number and hashes of an event stand with its place alone; the guard is back, around all tables of the trail."""

from django.db import migrations, models

from tenancy.audit_guard import guard_statements, lift_statements


def put_guard(apps, schema_editor):
    for statement in guard_statements(schema_editor.connection.vendor):
        schema_editor.execute(statement)


def lift_guard(apps, schema_editor):
    for statement in lift_statements(schema_editor.connection.vendor):
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("tenancy", "0013_audit_chains_sealed")]
    operations = [
        migrations.RemoveConstraint("auditevent", "audit_seq_once"),
        migrations.RemoveIndex("auditevent", "audit_by_object"),
        migrations.RemoveField("auditevent", "seq"),
        migrations.RemoveField("auditevent", "previous_hash"),
        migrations.RemoveField("auditevent", "hash"),
        migrations.AddIndex(
            "auditevent", models.Index(fields=["tenant", "object_type", "object_id", "id"], name="audit_by_object")
        ),
        migrations.RunPython(put_guard, lift_guard),
    ]
