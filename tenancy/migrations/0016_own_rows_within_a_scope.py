"""Keys, memberships and jobs, which are read before there is a tenant, are within a scope its own."""

from django.db import migrations

from tenancy.row_security import OwnWithinScope

JOBS = OwnWithinScope(name="observability_job_isolation")


def protect_jobs(apps, schema_editor):
    """The floor of jobs knows no tenants, so its table is protected from here."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(JOBS.create_sql(apps.get_model("observability", "Job"), schema_editor))


def release_jobs(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(JOBS.remove_sql(apps.get_model("observability", "Job"), schema_editor))


class Migration(migrations.Migration):
    dependencies = [
        ("observability", "0003_circuit_breakers"),
        ("tenancy", "0015_row_level_security"),
    ]

    operations = [
        migrations.AddConstraint(
            model_name="apikey",
            constraint=OwnWithinScope(name="tenancy_apikey_isolation"),
        ),
        migrations.AddConstraint(
            model_name="membership",
            constraint=OwnWithinScope(name="tenancy_membership_isolation"),
        ),
        migrations.AddConstraint(
            model_name="auditunsealed",
            constraint=OwnWithinScope(name="tenancy_auditunsealed_isolation"),
        ),
        migrations.RunPython(protect_jobs, release_jobs),
    ]
