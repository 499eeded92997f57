"""Row-level security, and foreign keys that stay within the tenant."""

from django.conf import settings
from django.db import migrations

from tenancy.row_security import SameTenant, TenantIsolation


class Migration(migrations.Migration):
    dependencies = [
        ("claims", "0014_when_claims_were_closed"),
        ("tenancy", "0015_row_level_security"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddConstraint(
            model_name="assessment",
            constraint=TenantIsolation(name="claims_assessment_isolation"),
        ),
        migrations.AddConstraint(
            model_name="assessment",
            constraint=SameTenant(field="claim", name="claims_assessment_claim_tenant"),
        ),
        migrations.AddConstraint(
            model_name="claim",
            constraint=TenantIsolation(name="claims_claim_isolation"),
        ),
        migrations.AddConstraint(
            model_name="claim",
            constraint=SameTenant(field="video", name="claims_claim_video_tenant"),
        ),
        migrations.AddConstraint(
            model_name="claim",
            constraint=SameTenant(field="policy", name="claims_claim_policy_tenant"),
        ),
        migrations.AddConstraint(
            model_name="claim",
            constraint=SameTenant(field="assessment", name="claims_claim_assessment_tenant"),
        ),
        migrations.AddConstraint(
            model_name="coverage",
            constraint=TenantIsolation(name="claims_coverage_isolation"),
        ),
        migrations.AddConstraint(
            model_name="coverage",
            constraint=SameTenant(field="policy", name="claims_coverage_policy_tenant"),
        ),
        migrations.AddConstraint(
            model_name="evidence",
            constraint=TenantIsolation(name="claims_evidence_isolation"),
        ),
        migrations.AddConstraint(
            model_name="evidence",
            constraint=SameTenant(field="assessment", name="claims_evidence_assessment_tenant"),
        ),
        migrations.AddConstraint(
            model_name="linkkey",
            constraint=TenantIsolation(name="claims_linkkey_isolation"),
        ),
        migrations.AddConstraint(
            model_name="linkkey",
            constraint=SameTenant(field="claim", name="claims_linkkey_claim_tenant"),
        ),
        migrations.AddConstraint(
            model_name="party",
            constraint=TenantIsolation(name="claims_party_isolation"),
        ),
        migrations.AddConstraint(
            model_name="party",
            constraint=SameTenant(field="claim", name="claims_party_claim_tenant"),
        ),
        migrations.AddConstraint(
            model_name="policy",
            constraint=TenantIsolation(name="claims_policy_isolation"),
        ),
        migrations.AddConstraint(
            model_name="reassessment",
            constraint=TenantIsolation(name="claims_reassessment_isolation"),
        ),
        migrations.AddConstraint(
            model_name="reassessment",
            constraint=SameTenant(field="claim", name="claims_reassessment_claim_tenant"),
        ),
        migrations.AddConstraint(
            model_name="reassessment",
            constraint=SameTenant(field="assessment", name="claims_reassessment_assessment_tenant"),
        ),
        migrations.AddConstraint(
            model_name="resubmission",
            constraint=TenantIsolation(name="claims_resubmission_isolation"),
        ),
        migrations.AddConstraint(
            model_name="resubmission",
            constraint=SameTenant(field="claim", name="claims_resubmission_claim_tenant"),
        ),
        migrations.AddConstraint(
            model_name="videofile",
            constraint=TenantIsolation(name="claims_videofile_isolation"),
        ),
        migrations.AddConstraint(
            model_name="claimgrant",
            constraint=TenantIsolation(name="claims_claimgrant_isolation"),
        ),
        migrations.AddConstraint(
            model_name="claimgrant",
            constraint=SameTenant(field="content_object", name="claims_claimgrant_content_object_tenant"),
        ),
        migrations.AddConstraint(
            model_name='claim',
            constraint=SameTenant(field='subject_key', name='claims_claim_subject_key_tenant'),
        ),
    ]
