"""Rows of the opinion engine: kept answers of models, a tenant's own fraud models, and people's blind labels."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from aiassist.choices import FraudModelState
from aiassist.types import Severity
from tenancy.owned import TenantOwned


class StoredAnswer(TenantOwned):
    """A valid answer to one exact question about one claim; kept for `AI_ANSWER_TTL`.

    Everything that could make another answer right stands in the key, the tenant and the claim first.
    """

    reference = models.CharField(max_length=64, help_text="Id of the claim.")
    provider = models.CharField(max_length=40)
    model = models.CharField(max_length=120, help_text="The configured model.")
    prompt_version = models.CharField(max_length=40)
    input_hash = models.CharField(max_length=64, help_text="SHA-256 of all that the model was told and shown.")
    served_model = models.CharField(max_length=120)
    content = models.JSONField()
    expires_at = models.DateTimeField()

    class Meta(TenantOwned.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "reference", "provider", "model", "prompt_version", "input_hash"],
                name="stored_answer_once",
            ),
        ]
        indexes = [models.Index(fields=["expires_at"], name="stored_answer_expiry")]

    def __str__(self) -> str:
        return f"{self.provider} {self.served_model} {self.input_hash[:8]}"


class FraudModelVersion(TenantOwned):
    """One training run: the model as plain numbers, its card, and whether the gate let it through."""

    number = models.PositiveIntegerField()
    state = models.CharField(max_length=12, choices=FraudModelState)
    document = models.JSONField(help_text="Encoder, form and cut; see aiassist/fraud/scoring.py.")
    card = models.TextField()
    passed = models.BooleanField(help_text="Whether the gate let it through.")
    refusals = models.JSONField(default=list)
    trained_at = models.DateTimeField()
    activated_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantOwned.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "number"], name="fraud_model_number_once"),
            models.UniqueConstraint(
                fields=["tenant"], name="fraud_model_one_active", condition=Q(state=FraudModelState.ACTIVE)
            ),
            models.CheckConstraint(
                name="fraud_model_active_has_passed", condition=~Q(state=FraudModelState.ACTIVE) | Q(passed=True)
            ),
        ]

    def __str__(self) -> str:
        return self.version

    @property
    def version(self) -> str:
        """The name that assessments carry."""
        return f"fraud-{self.number}"


class CalibrationCase(TenantOwned):
    """What the AI had said of a randomly drawn claim, and what a person said who saw none of it. Only ever added.

    `assessment_id` is no foreign key: the engine knows no claim file.
    """

    assessment_id = models.UUIDField()
    model_version = models.CharField(max_length=80)
    probabilities = models.JSONField()
    prediction_set = models.JSONField()
    coverage_target = models.FloatField()
    calibration_source = models.CharField(max_length=16)
    true_label = models.CharField(
        max_length=8, choices=[(s, s) for s in Severity], blank=True, help_text="Empty: it cannot be told."
    )
    inclusion_probability = models.FloatField()
    drawn_at = models.DateTimeField()
    labelled_at = models.DateTimeField()

    class Meta(TenantOwned.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "assessment_id"], name="calibration_case_once"),
            models.CheckConstraint(
                name="calibration_case_share", condition=Q(inclusion_probability__gt=0, inclusion_probability__lte=1)
            ),
        ]
        indexes = [
            models.Index(
                fields=["tenant", "model_version", "true_label", "-labelled_at"], name="calibration_case_newest"
            ),
            models.Index(fields=["tenant", "labelled_at"], name="calibration_case_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.true_label} {self.assessment_id}"
