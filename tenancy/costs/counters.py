"""Counters of money, derived from the ledger: one row each month, day and hour, changed in the commit of the record.

Everybody locks a month before a day before an hour, and an earlier span before a later one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import BigIntegerField, Count, F, Q, QuerySet, Sum
from django.db.models.functions import Cast, Greatest, Round

from tenancy.choices import CostCategory, SpendSpan
from tenancy.costs.spans import end_of, start_of, usd_of
from tenancy.models import CostRecord, SpendCounter, SpendReservation

# What a model's call costs; the rest is booked a day at a time and says nothing about an hour.
MODEL_CALLS = (CostCategory.THIRD_PARTY, CostCategory.INFERENCE)
_ORDER = {SpendSpan.MONTH: 0, SpendSpan.DAY: 1, SpendSpan.HOUR: 2}
# SQLite keeps decimals as floating point: each is made whole before they are added, so the sum is exact.
NANOS_OF_RECORD = Cast(Round(F("amount_usd") * 10**9), BigIntegerField())


@dataclass
class Change:
    """What is added to one counter."""

    spent: int = 0
    reserved: int = 0
    calls: int = 0


class Changes:
    """What one commit adds to the counters, in the order in which everybody locks them."""

    def __init__(self) -> None:
        self._rows: dict[tuple[SpendSpan, datetime], Change] = defaultdict(Change)

    def add_spend(self, *, nanos: int, at: datetime, model_call: bool) -> None:
        """Add spent money; calls of models count in their hour, too."""
        for span in SpendSpan if model_call else (SpendSpan.MONTH, SpendSpan.DAY):
            row = self._rows[span, start_of(span, at)]
            row.spent += nanos
            row.calls += int(model_call)

    def add_reserved(self, *, nanos: int, at: datetime) -> None:
        """Add to (or with less than nothing take from) what is reserved in the month and the day of `at`."""
        for span in (SpendSpan.MONTH, SpendSpan.DAY):
            self._rows[span, start_of(span, at)].reserved += nanos

    def write(self) -> None:
        """Write everything in the caller's transaction."""
        for (span, start), change in sorted(self._rows.items(), key=lambda item: (_ORDER[item[0][0]], item[0][1])):
            rows = counter_rows(span, start)
            values = {
                "spent_nanos": F("spent_nanos") + change.spent,
                # Never under zero: a recount may have come between a reservation and its end.
                "reserved_nanos": Greatest(F("reserved_nanos") + change.reserved, 0),
                "calls": F("calls") + change.calls,
            }
            if not rows.update(**values):
                ensure_counter(span, start)
                rows.update(**values)


def counter_rows(span: SpendSpan, start: datetime) -> QuerySet[SpendCounter]:
    return SpendCounter.objects.filter(span=span, starts_at=start)


def ensure_counter(span: SpendSpan, start: datetime) -> None:
    """Insert the counter where it is missing; whoever comes second changes nothing."""
    if not counter_rows(span, start).exists():
        SpendCounter.objects.bulk_create([SpendCounter(span=span, starts_at=start)], ignore_conflicts=True)


def spent_in(span: SpendSpan, at: datetime) -> tuple[Decimal, Decimal]:
    """Return what the tenant in scope has spent and reserved in the span that `at` lies in, in US dollars."""
    row = counter_rows(span, start_of(span, at)).first()
    return (usd_of(row.spent_nanos), usd_of(row.reserved_nanos)) if row else (Decimal(0), Decimal(0))


def ledger_nanos(*, since: datetime, until: datetime, categories: Iterable[str] = tuple(CostCategory)) -> int:
    """Return the ledger's exact sum from `since` up to, not including, `until`."""
    rows = CostRecord.objects.filter(at__gte=since, at__lt=until, category__in=list(categories))
    return int(rows.aggregate(total=Sum(NANOS_OF_RECORD))["total"] or 0)  # PostgreSQL sums whole numbers to a decimal


@dataclass(frozen=True)
class Difference:
    """A counter that says something else than the ledger."""

    span: SpendSpan
    starts_at: datetime
    counted_nanos: int
    ledger_nanos: int


def counter_differences(*, since: datetime, until: datetime) -> list[Difference]:
    """Compare the counters of months and days that lie in the time with the ledger; none is the promise."""
    found = []
    for span in (SpendSpan.MONTH, SpendSpan.DAY):
        start = start_of(span, since)
        while start < until:
            end = end_of(span, start)
            counted = counter_rows(span, start).values_list("spent_nanos", flat=True).first() or 0
            told = ledger_nanos(since=start, until=end)
            if counted != told:
                found.append(Difference(span, start, counted, told))
            start = end
    return found


@transaction.atomic(durable=True)
def recount_spend(*, span: SpendSpan, starts_at: datetime) -> int:
    """Make one counter say what the ledger says, and reserved what is reserved; return by how much it was off.

    A record counts itself in its own commit, for which it needs the lock that is held here.
    """
    ensure_counter(span, starts_at)
    row: SpendCounter = SpendCounter.objects.select_for_update().get(span=span, starts_at=starts_at)
    until = end_of(span, starts_at)
    of_calls = Q(category__in=MODEL_CALLS, day=None)
    records = CostRecord.objects.filter(at__gte=starts_at, at__lt=until)
    told = records.aggregate(total=Sum(NANOS_OF_RECORD), calls=Count("id", filter=of_calls))
    held = SpendReservation.objects.filter(made_at__gte=starts_at, made_at__lt=until).aggregate(total=Sum("nanos"))
    spent = int(told["total"] or 0)
    SpendCounter.objects.filter(id=row.id).update(
        spent_nanos=spent, calls=told["calls"], reserved_nanos=held["total"] or 0
    )
    return spent - row.spent_nanos
