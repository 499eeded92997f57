"""Money beside the ledger: counters derived from it, what is reserved, budgets, and what was told about them.

Counters are whole billionths of a dollar, because SQLite keeps decimals as floating point and would drift.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from tenancy.choices import BudgetPeriod, BudgetPolicy, CostCategory, SpendSpan
from tenancy.owned import TenantOwned


class SpendCounter(TenantOwned):
    """The sum of the ledger over a span that begins at `starts_at` (UTC), and what is reserved in it.

    Written with each record, in its commit (`tenancy/costs/counters.py`). `calls` counts the calls of models.
    """

    span = models.CharField(max_length=8, choices=SpendSpan)
    starts_at = models.DateTimeField()
    spent_nanos = models.BigIntegerField(default=0)
    reserved_nanos = models.BigIntegerField(default=0)
    calls = models.BigIntegerField(default=0)

    class Meta(TenantOwned.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "span", "starts_at"], name="spend_counter_once"),
            models.CheckConstraint(
                name="spend_not_negative", condition=Q(spent_nanos__gte=0, reserved_nanos__gte=0, calls__gte=0)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.span} {self.starts_at:%Y-%m-%d %H}: {self.spent_nanos}"


class SpendReservation(TenantOwned):
    """Money held for a call under way; whoever deletes the row settles or releases it, so that happens once."""

    nanos = models.BigIntegerField()
    reference = models.CharField(max_length=64, blank=True)
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta(TenantOwned.Meta):
        indexes = [models.Index(fields=["expires_at"], name="spend_hold_expiry")]

    def __str__(self) -> str:
        return f"{self.nanos} for {self.reference}"


class UsageMeter(TenantOwned):
    """How often something was used on a day that is booked to the ledger when the day is over."""

    category = models.CharField(max_length=16, choices=CostCategory)
    day = models.DateField()
    count = models.BigIntegerField(default=0)

    class Meta(TenantOwned.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "category", "day"], name="usage_meter_once")]

    def __str__(self) -> str:
        return f"{self.category} {self.day}: {self.count}"


class Budget(TenantOwned):
    """How much a tenant wants to spend in a month or a day, and what happens then."""

    period = models.CharField(max_length=8, choices=BudgetPeriod)
    limit_usd = models.DecimalField(max_digits=12, decimal_places=2)
    policy = models.CharField(max_length=8, choices=BudgetPolicy, default=BudgetPolicy.LOCAL)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta(TenantOwned.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "period"], name="budget_once"),
            models.CheckConstraint(name="budget_not_negative", condition=Q(limit_usd__gte=0)),
        ]

    def __str__(self) -> str:
        return f"{self.limit_usd} USD a {self.period.lower()}"


class BudgetAlert(TenantOwned):
    """That a share of a budget was reached was told: once for each period and limit, by the constraint."""

    period = models.CharField(max_length=8, choices=BudgetPeriod)
    starts_at = models.DateTimeField()
    percent = models.PositiveSmallIntegerField()
    limit_usd = models.DecimalField(max_digits=12, decimal_places=2)
    spent_nanos = models.BigIntegerField()
    at = models.DateTimeField()

    class Meta(TenantOwned.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "period", "starts_at", "percent", "limit_usd"], name="budget_alert_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.percent} % of {self.limit_usd} USD a {self.period.lower()}"


class SpendAnomaly(TenantOwned):
    """A stretch in which much more was spent than is usual at such a time; open until it is over."""

    found_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    spent_nanos = models.BigIntegerField(help_text="In the ten minutes before it was found.")
    expected_nanos = models.BigIntegerField(help_text="What is usual in ten minutes then.")
    threshold_nanos = models.BigIntegerField()

    class Meta(TenantOwned.Meta):
        verbose_name_plural = "spend anomalies"
        constraints = [
            models.UniqueConstraint(
                fields=["tenant"], condition=Q(ended_at__isnull=True), name="spend_anomaly_open_once"
            ),
        ]
        indexes = [models.Index(fields=["tenant", "found_at"], name="spend_anomaly_by_time")]

    def __str__(self) -> str:
        return f"spending anomaly {self.found_at:%Y-%m-%d %H:%M}"
