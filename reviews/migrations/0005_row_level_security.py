"""Row-level security, and foreign keys that stay within the tenant."""

from django.conf import settings
from django.db import migrations

from tenancy.row_security import SameTenant, TenantIsolation


class Migration(migrations.Migration):
    dependencies = [
        ("claims", "0015_row_level_security"),
        ("reviews", "0004_blind_labels"),
        ("tenancy", "0015_row_level_security"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddConstraint(
            model_name="blindlabel",
            constraint=TenantIsolation(name="reviews_blindlabel_isolation"),
        ),
        migrations.AddConstraint(
            model_name="blindlabel",
            constraint=SameTenant(field="claim", name="reviews_blindlabel_claim_tenant"),
        ),
        migrations.AddConstraint(
            model_name="blindlabel",
            constraint=SameTenant(field="assessment", name="reviews_blindlabel_assessment_tenant"),
        ),
        migrations.AddConstraint(
            model_name="blindlabel",
            constraint=SameTenant(field="decision", name="reviews_blindlabel_decision_tenant"),
        ),
        migrations.AddConstraint(
            model_name="decision",
            constraint=TenantIsolation(name="reviews_decision_isolation"),
        ),
        migrations.AddConstraint(
            model_name="decision",
            constraint=SameTenant(field="claim", name="reviews_decision_claim_tenant"),
        ),
        migrations.AddConstraint(
            model_name="decision",
            constraint=SameTenant(field="assessment", name="reviews_decision_assessment_tenant"),
        ),
        migrations.AddConstraint(
            model_name="reviewlease",
            constraint=TenantIsolation(name="reviews_reviewlease_isolation"),
        ),
        migrations.AddConstraint(
            model_name="reviewlease",
            constraint=SameTenant(field="claim", name="reviews_reviewlease_claim_tenant"),
        ),
    ]
