"""What the opinion engine keeps of a tenant: the fraud models of its own history."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from aiassist.choices import FraudModelState
from tenancy.owned import TenantOwned


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
