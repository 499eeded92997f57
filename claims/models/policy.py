"""Policies and what they cover."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from tenancy.owned import TenantOwned


class Policy(TenantOwned):
    policy_number = models.CharField(max_length=64)
    holder_name = models.CharField(max_length=150)
    vehicle_plate = models.CharField(max_length=20, blank=True)
    effective_on = models.DateField()
    expires_on = models.DateField()

    class Meta(TenantOwned.Meta):
        verbose_name_plural = "policies"
        constraints = [
            models.UniqueConstraint(fields=["tenant", "policy_number"], name="policy_number_once"),
            models.CheckConstraint(name="policy_ends_after_start", condition=Q(expires_on__gte=F("effective_on"))),
        ]

    def __str__(self) -> str:
        return self.policy_number


class Coverage(TenantOwned):
    """One kind of loss that a policy pays for, up to a limit and above a deductible."""

    policy = models.ForeignKey(Policy, on_delete=models.PROTECT, related_name="coverages")
    kind = models.CharField(max_length=40)
    limit_amount = models.DecimalField(max_digits=12, decimal_places=2)
    deductible_amount = models.DecimalField(max_digits=12, decimal_places=2)
    currency = models.CharField(max_length=3)

    class Meta(TenantOwned.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "policy", "kind"], name="coverage_once"),
            models.CheckConstraint(
                name="coverage_not_negative", condition=Q(limit_amount__gte=0, deductible_amount__gte=0)
            ),
        ]

    def __str__(self) -> str:
        return self.kind
