"""A dead letter is within a scope its own tenant's, as its job is."""

from django.db import migrations

from tenancy.row_security import OwnWithinScope

LETTERS = OwnWithinScope(name="observability_deadletter_isolation")


def protect_letters(apps, schema_editor):
    """The floor of jobs knows no tenants, so its table is protected from here."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(LETTERS.create_sql(apps.get_model("observability", "DeadLetter"), schema_editor))


def release_letters(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(LETTERS.remove_sql(apps.get_model("observability", "DeadLetter"), schema_editor))


class Migration(migrations.Migration):
    dependencies = [
        ("observability", "0009_letters_of_dead_jobs"),
        ("tenancy", "0017_budgets"),
    ]

    operations = [
        migrations.RunPython(protect_letters, release_letters),
    ]
