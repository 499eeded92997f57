"""What the page of costs shows, put together from the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tenancy.choices import BudgetPeriod, BudgetPolicy, CostCategory, SpendSpan
from tenancy.costs.budgets import BudgetStanding
from tenancy.costs.calculator import MEANS_OF, Return, call_usd, estimate, mean_shape
from tenancy.costs.hints import hints_of
from tenancy.costs.inputs import CALCULATOR_MODELS, calculator_inputs
from tenancy.costs.overview import CostOverview, model_costs, records_between
from tenancy.costs.plots import days_plot, dollars, range_plot
from tenancy.costs.spans import start_of, usd_of
from tenancy.models import SpendAnomaly, UsageMeter


@dataclass(frozen=True)
class BudgetRow:
    """One budget in words; `budget` None where none is set."""

    period: BudgetPeriod
    standing: BudgetStanding | None

    @property
    def tone(self) -> str:
        percent = self.standing.percent if self.standing else 0
        return "danger" if percent >= 100 else "warn" if percent >= 80 else ""

    @property
    def width(self) -> int:
        return min(100, self.standing.percent) if self.standing else 0

    @property
    def advice(self) -> str:
        assert self.standing is not None
        policy = self.standing.budget.policy
        if policy == BudgetPolicy.ALERT:
            return "Nothing is stopped; you asked only to be told."
        if self.standing.percent < 100:
            return "At the limit claims are judged without the paid model, and none is refused."
        judge = "by the local model, else by the rules" if policy == BudgetPolicy.LOCAL else "by the rules alone"
        return f"Claims are judged {judge} until {self.standing.ends_at:%-d %B}, 0:00 UTC; none is refused."


def month_context(overview: CostOverview, now: datetime) -> dict[str, Any]:
    by_period = {standing.budget.period: standing for standing in overview.budgets}
    rows = [BudgetRow(period, by_period.get(period)) for period in BudgetPeriod]
    limit = by_period.get(BudgetPeriod.MONTH)
    this = start_of(SpendSpan.MONTH, now)
    after = overview.ends_at
    return {
        "overview": overview,
        "current": overview.starts_at == this,
        "before": f"{overview.starts_at - timedelta(days=1):%Y-%m}",
        "after": f"{after:%Y-%m}" if after <= this else "",
        "month": f"{overview.starts_at:%Y-%m}",
        "days": days_plot(overview.days, starts_at=overview.starts_at, ends_at=overview.ends_at),
        "total": dollars(float(overview.total_usd)),
        "budgets": rows,
        "reached": [row for row in rows if row.tone],
        "policies": BudgetPolicy.choices,
        "projected": _projected(overview, limit),
        "anomalies": [_anomaly_words(anomaly) for anomaly in overview.anomalies],
        "open_anomalies": [anomaly for anomaly in overview.anomalies if anomaly.ended_at is None],
    }


def _projected(overview: CostOverview, budget: BudgetStanding | None) -> dict[str, Any] | None:
    found = overview.projection
    if found is None:
        return None
    limit = float(budget.budget.limit_usd) if budget else None
    return {
        "words": [dollars(amount) for amount in (found.expected, found.low, found.high)],
        "plot": range_plot(found, spent=float(overview.total_usd), limit=limit),
        "days_known": found.days_known,
        "days_left": found.days_left,
        "limit": "" if limit is None else dollars(limit),
    }


def _anomaly_words(anomaly: SpendAnomaly) -> dict[str, Any]:
    return {
        "found_at": anomaly.found_at,
        "ended_at": anomaly.ended_at,
        "spent": dollars(float(usd_of(anomaly.spent_nanos))),
        "expected": dollars(float(usd_of(anomaly.expected_nanos))),
    }


def saving_context(query: Mapping[str, str], overview: CostOverview, now: datetime) -> dict[str, Any]:
    """Return hints from the shown month, and the calculator with the tenant's means of the last thirty days."""
    shape = mean_shape(model_costs(records_between(now - MEANS_OF, now)))
    given = calculator_inputs(query)
    returned = Return(_claims(overview), given.minutes, given.wage_usd, overview.total_usd)
    return {
        "hints": hints_of(records_between(overview.starts_at, overview.ends_at)),
        "shape": shape,
        "given": given,
        "models": CALCULATOR_MODELS,
        "estimate": estimate(model=given.model, claims=given.claims, shape=shape),
        "each": call_usd(given.model, shape),
        "returned": returned,
        "saved": abs(returned.saved_usd),
    }


def _claims(overview: CostOverview) -> int:
    """Return how many assessments ran in the month, as metered."""
    rows = UsageMeter.objects.filter(
        category=CostCategory.INFERENCE, day__gte=overview.starts_at.date(), day__lt=overview.ends_at.date()
    )
    return sum(rows.values_list("count", flat=True))
