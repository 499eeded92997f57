"""A month of a tenant's costs as pages, the API and the command tell it: every sum is the ledger's own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import numpy as np
from django.db.models import Count, QuerySet, Sum
from django.db.models.functions import TruncDate

from observability.errors import FieldProblem, InvalidInput
from tenancy.choices import CostCategory, SpendSpan
from tenancy.costs.budgets import BudgetStanding, standings
from tenancy.costs.counters import NANOS_OF_RECORD
from tenancy.costs.projection import Projection, project_month
from tenancy.costs.spans import end_of, midnight, start_of, usd_of
from tenancy.costs.usual import HISTORY_DAYS
from tenancy.models import CostRecord, SpendAnomaly, SpendCounter

_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])", re.ASCII)
_FIRST_YEAR, _LAST_YEAR = 2020, 2200


@dataclass(frozen=True)
class CategoryCost:
    category: CostCategory
    amount_usd: Decimal
    entries: int
    estimated: bool  # some of it


@dataclass(frozen=True)
class ModelCost:
    """Calls of one model; tokens as they were billed, cached ones part of the input."""

    provider: str
    model: str
    calls: int
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    pictures: int
    amount_usd: Decimal


@dataclass(frozen=True)
class DayCost:
    day: date
    amount_usd: Decimal


@dataclass(frozen=True)
class CostOverview:
    """`days` has every day of the month up to today; `projection` is None for a past month and with too few days."""

    starts_at: datetime
    ends_at: datetime
    total_usd: Decimal
    categories: Sequence[CategoryCost]
    models: Sequence[ModelCost]
    days: Sequence[DayCost]
    projection: Projection | None
    anomalies: Sequence[SpendAnomaly]
    budgets: Sequence[BudgetStanding]


def month_named(text: str | None, *, now: datetime) -> datetime:
    """Return the first moment of the month `YYYY-MM`, of the present one without a name. Raises InvalidInput."""
    if not text:
        return start_of(SpendSpan.MONTH, now)
    found = _MONTH.fullmatch(text)
    if found is None or not _FIRST_YEAR <= int(found[1]) <= _LAST_YEAR:
        raise InvalidInput(problems=[FieldProblem("/month", "invalid", "A month as 2026-11.")])
    return datetime(int(found[1]), int(found[2]), 1, tzinfo=UTC)


def cost_overview(*, month: datetime, now: datetime) -> CostOverview:
    """Return the month of the tenant in scope."""
    start, end = start_of(SpendSpan.MONTH, month), end_of(SpendSpan.MONTH, month)
    records = records_between(start, end)
    categories = _categories(records)
    current = start <= now < end
    return CostOverview(
        starts_at=start,
        ends_at=end,
        total_usd=sum((one.amount_usd for one in categories), Decimal(0)),
        categories=categories,
        models=model_costs(records),
        days=_days(records, start, min(end, now)),
        projection=projection(now=now) if current else None,
        anomalies=list(SpendAnomaly.objects.filter(found_at__gte=start, found_at__lt=end).order_by("-found_at")[:50]),
        budgets=standings(now=now) if current else [],
    )


def records_between(start: datetime, end: datetime) -> QuerySet[CostRecord]:
    found: QuerySet[CostRecord] = CostRecord.objects.filter(at__gte=start, at__lt=end)
    return found


def _categories(records: QuerySet[CostRecord]) -> list[CategoryCost]:
    rows = records.values("category", "estimated").annotate(nanos=Sum(NANOS_OF_RECORD), n=Count("id"))
    sums: dict[str, tuple[int, int, bool]] = {}
    for row in rows:
        nanos, count, estimated = sums.get(row["category"], (0, 0, False))
        sums[row["category"]] = (nanos + row["nanos"], count + row["n"], estimated or row["estimated"])
    ordered = sorted(sums.items(), key=lambda item: (-item[1][0], item[0]))
    return [CategoryCost(CostCategory(name), usd_of(nanos), count, est) for name, (nanos, count, est) in ordered]


def model_costs(records: QuerySet[CostRecord]) -> list[ModelCost]:
    """Return the calls of models, the dearest model first."""
    rows = (
        records.filter(day=None)
        .values("provider", "model")
        .annotate(
            nanos=Sum(NANOS_OF_RECORD),
            calls=Count("id"),
            told=Sum("input_tokens"),
            cached=Sum("cached_tokens"),
            answered=Sum("output_tokens"),
            shown=Sum("pictures"),
        )
    )
    found = [
        ModelCost(
            row["provider"],
            row["model"],
            row["calls"],
            row["told"],
            row["cached"],
            row["answered"],
            row["shown"],
            usd_of(row["nanos"]),
        )
        for row in rows
    ]
    return sorted(found, key=lambda one: (-one.amount_usd, one.provider, one.model))


def _days(records: QuerySet[CostRecord], start: datetime, until: datetime) -> list[DayCost]:
    rows = records.annotate(on=TruncDate("at", tzinfo=UTC)).values("on").annotate(nanos=Sum(NANOS_OF_RECORD))
    sums: dict[date, int] = {row["on"]: row["nanos"] for row in rows}
    days, day = [], start.date()
    while midnight(day) < until or day in sums:
        days.append(DayCost(day, usd_of(sums.get(day, 0))))
        day += timedelta(days=1)
    return days


def projection(*, now: datetime) -> Projection | None:
    """Project this month of the tenant in scope; None while it has fewer than seven whole days of costs."""
    today = start_of(SpendSpan.DAY, now)
    since = today - timedelta(days=HISTORY_DAYS)
    rows = SpendCounter.objects.filter(span=SpendSpan.DAY, starts_at__gte=since, starts_at__lt=today)
    known: dict[datetime, int] = dict(rows.values_list("starts_at", "spent_nanos"))
    if not known:
        return None
    first = min(known)
    past_days = [first + timedelta(days=n) for n in range((today - first).days)]
    past = [float(usd_of(known.get(day, 0))) for day in past_days]
    month, end = start_of(SpendSpan.MONTH, now), end_of(SpendSpan.MONTH, now)
    return project_month(
        spent=sum(cost for day, cost in zip(past_days, past, strict=True) if day >= month),
        past=np.array(past),
        past_weekdays=np.array([day.weekday() for day in past_days]),
        left_weekdays=np.array([(today + timedelta(days=n)).weekday() for n in range((end - today).days)]),
    )
