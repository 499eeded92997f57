"""What a tenant's work cost, call by call. Written by `tenancy/ledger.py` alone."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from tenancy.append_only import AppendOnly, AppendOnlyQuerySet, AppendOnlyRow
from tenancy.choices import CostCategory
from tenancy.owned import TenantManager

# A token of the cheapest model costs 5e-8 US dollars; a record holds up to ten million dollars.
USD_PLACES = 9
_USD_DIGITS = 16


class LedgerAppendOnly(AppendOnly):
    code = "ledger_append_only"
    message = "The ledger is only ever added to; a correction is another record."


class _CostQuerySet(AppendOnlyQuerySet["CostRecord"]):
    refusal = LedgerAppendOnly


class _CostManager(TenantManager["CostRecord"]):
    queryset_class = _CostQuerySet


class CostRecord(AppendOnlyRow):
    """One thing that cost money or a model's time. Database triggers refuse UPDATE and DELETE on both engines.

    A call of a model has tokens; what is booked for a whole `day` has a `quantity` of a `unit`, once a category.
    """

    refusal = LedgerAppendOnly

    category = models.CharField(max_length=16, choices=CostCategory)
    provider = models.CharField(max_length=40)
    model = models.CharField(max_length=120)
    input_tokens = models.PositiveIntegerField()
    cached_tokens = models.PositiveIntegerField(default=0, help_text="Of the input; the provider had them cached.")
    output_tokens = models.PositiveIntegerField()
    pictures = models.PositiveSmallIntegerField(default=0)
    quantity = models.DecimalField(max_digits=16, decimal_places=6, null=True, blank=True)
    unit = models.CharField(max_length=16, blank=True)
    day = models.DateField(null=True, blank=True, help_text="The whole day that it was booked for.")
    estimated = models.BooleanField(
        help_text="The provider told no tokens and these are the most it can have been, or bytes were estimated."
    )
    amount_usd = models.DecimalField(max_digits=_USD_DIGITS, decimal_places=USD_PLACES)
    prices_of = models.CharField(max_length=16, help_text="Date of the price table that the amount comes from.")
    reference = models.CharField(max_length=64, blank=True, help_text="Id of the claim it was for.")
    job_id = models.UUIDField(null=True, blank=True)
    at = models.DateTimeField()

    objects = _CostManager()

    class Meta(AppendOnlyRow.Meta):
        constraints = [
            models.CheckConstraint(name="cost_not_negative", condition=Q(amount_usd__gte=0)),
            # Calls have no day, and NULLs are distinct on both engines.
            models.UniqueConstraint(fields=["tenant", "category", "day"], name="cost_of_a_day_once"),
        ]
        indexes = [
            models.Index(fields=["tenant", "at"], name="cost_by_time"),
            models.Index(fields=["tenant", "reference"], name="cost_by_reference"),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.amount_usd} USD"
