"""Rows of the opinion engine: answers of models that are kept, and the fraud models of a tenant's own history."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from aiassist.choices import FraudModelState
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
