"""What the AI thought of a claim, version by version, and the measured evidence behind it. Only ever added."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from aiassist.types import EvidenceStage, FraudSource, Outcome, Scenario, Severity
from claims.choices import ReviewPriority
from claims.models.claim import Claim
from tenancy.owned import TenantOwned

_LONGEST_NAME = 64


class Assessment(TenantOwned):
    """One opinion. JSON columns hold what `claims/records.py` declares as TypedDicts, in the API's shape."""

    claim = models.ForeignKey(Claim, on_delete=models.PROTECT, related_name="assessments")
    version = models.PositiveIntegerField()
    job_id = models.UUIDField(help_text="The job that made it; one job makes one assessment of a claim.")
    changes = models.JSONField(default=list, help_text="What differs from the version before.")
    outcome = models.CharField(max_length=16, choices=[(o, o) for o in Outcome])
    reason_code = models.CharField(max_length=64, blank=True)
    severity = models.CharField(max_length=8, choices=[(s, s) for s in Severity], blank=True)
    confidence = models.FloatField()
    probabilities = models.JSONField(default=dict)
    model_probabilities = models.JSONField(
        default=dict, help_text="Of the pictures alone; calibration must not see what a sensor said."
    )
    prediction_set = models.JSONField(default=list)
    coverage_target = models.FloatField()
    calibrated = models.BooleanField()
    calibration_source = models.CharField(max_length=16)
    review_priority = models.CharField(max_length=16, choices=ReviewPriority)
    priority_points = models.PositiveSmallIntegerField()
    priority_reasons = models.JSONField(default=list)
    suggested_fault_pct = models.FloatField()
    fault_low_pct = models.FloatField()
    fault_high_pct = models.FloatField()
    scenario = models.CharField(max_length=16, choices=[(s, s) for s in Scenario])
    fault_rules = models.JSONField(default=list)
    fraud_risk_score = models.FloatField()
    fraud_indicators = models.JSONField(default=list)
    fraud_source = models.CharField(max_length=16, choices=[(s, s) for s in FraudSource], default=FraudSource.SCORECARD)
    fraud_model = models.CharField(max_length=40, default="scorecard-1", help_text="The version that made the score.")
    fraud_circumstances = models.JSONField(
        default=dict, help_text="What a fraud model sees of the claim, as it stood then; no personal data."
    )
    hazards = models.JSONField(default=list)
    signals = models.JSONField(default=list)
    summary = models.TextField()
    provider_name = models.CharField(max_length=40)
    provider_model = models.CharField(max_length=120, blank=True)
    provider_attempts = models.PositiveSmallIntegerField()
    prompt_version = models.CharField(max_length=40, blank=True)
    model_version = models.CharField(max_length=80)
    degraded = models.BooleanField()
    degraded_reasons = models.JSONField(default=list)
    service_level = models.CharField(max_length=16)
    processing_seconds = models.FloatField()
    created_at = models.DateTimeField()

    class Meta(TenantOwned.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "claim", "version"], name="assessment_version_once"),
            models.UniqueConstraint(fields=["tenant", "claim", "job_id"], name="assessment_once_per_job"),
            models.CheckConstraint(
                name="assessment_severity_iff_assessed",
                condition=Q(outcome=Outcome.ASSESSED, severity__in=list(Severity))
                | (Q(outcome=Outcome.NOT_ASSESSABLE, severity="") & ~Q(reason_code="")),
            ),
            models.CheckConstraint(
                name="assessment_fault_interval",
                condition=Q(
                    fault_low_pct__gte=0,
                    suggested_fault_pct__gte=models.F("fault_low_pct"),
                    suggested_fault_pct__lte=models.F("fault_high_pct"),
                    fault_high_pct__lte=100,
                ),
            ),
            models.CheckConstraint(
                name="assessment_shares",
                condition=Q(confidence__gte=0, confidence__lte=1, fraud_risk_score__gte=0, fraud_risk_score__lte=1),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.claim_id} v{self.version}"

    @property
    def previous_version(self) -> int | None:
        """The version that this one stands beside, None for the first."""
        return self.version - 1 or None

    @property
    def computed_by(self) -> str:
        """Provider and model, as the history names the acting AI."""
        return f"{self.provider_name}/{self.provider_model or self.model_version}"[:_LONGEST_NAME]


class Evidence(TenantOwned):
    """One measured fact with its time range, raw value and threshold."""

    assessment = models.ForeignKey(Assessment, on_delete=models.PROTECT, related_name="evidence")
    position = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=40)
    stage = models.CharField(max_length=16, choices=[(s, s) for s in EvidenceStage])
    measure = models.CharField(max_length=60)
    value = models.FloatField()
    threshold = models.FloatField()
    start_seconds = models.FloatField()
    end_seconds = models.FloatField()
    at_seconds = models.FloatField()
    image_key = models.CharField(max_length=200, blank=True)

    class Meta(TenantOwned.Meta):
        verbose_name_plural = "evidence"
        constraints = [
            models.UniqueConstraint(fields=["tenant", "assessment", "position"], name="evidence_position_once"),
            models.CheckConstraint(name="evidence_range", condition=Q(end_seconds__gte=models.F("start_seconds"))),
        ]
        indexes = [
            # Asked only when an image may have been left behind, and then the table is long.
            models.Index(fields=["image_key"], name="evidence_by_image", condition=~Q(image_key="")),
        ]

    def __str__(self) -> str:
        return f"{self.stage} {self.measure} {self.value:g}"
