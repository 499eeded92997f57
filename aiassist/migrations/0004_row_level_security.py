"""Row-level security, and foreign keys that stay within the tenant."""

from django.db import migrations

from tenancy.row_security import TenantIsolation


class Migration(migrations.Migration):
    dependencies = [
        ("aiassist", "0003_calibration_cases"),
        ("tenancy", "0015_row_level_security"),
    ]

    operations = [
        migrations.AddConstraint(
            model_name="calibrationcase",
            constraint=TenantIsolation(name="aiassist_calibrationcase_isolation"),
        ),
        migrations.AddConstraint(
            model_name="fraudmodelversion",
            constraint=TenantIsolation(name="aiassist_fraudmodelversion_isolation"),
        ),
        migrations.AddConstraint(
            model_name="storedanswer",
            constraint=TenantIsolation(name="aiassist_storedanswer_isolation"),
        ),
    ]
