"""What the platform's operator sees of money: a panel of the desk and gauges; sums and counts, no tenant by name."""

from __future__ import annotations

from datetime import datetime

from django.db.models import F, OuterRef, Subquery, Sum
from django.utils import timezone

from observability import metrics
from observability.desk import Panel, PanelRow, PanelState, Tone, register_panel
from observability.metrics import Readings, register_scrape_source
from tenancy.choices import BudgetPeriod, SpendSpan, Tier
from tenancy.costs.spans import nanos_of, start_of, usd_of
from tenancy.models import Budget, SpendAnomaly, SpendCounter
from tenancy.scope import every_tenant


def register_spending() -> None:
    register_panel(Panel("spending", "Spending", 70, spending_panel, "admin:tenancy_budget_changelist"))
    register_scrape_source(metrics.BUDGET_SHARE, budget_shares)
    register_scrape_source(metrics.SPEND_ANOMALIES, open_anomalies)


def spending_panel(now: datetime) -> PanelState:
    """This month's spending of all tenants, their budgets, and unusual spending."""
    month = SpendCounter.objects.filter(span=SpendSpan.MONTH, starts_at=start_of(SpendSpan.MONTH, now))
    today = SpendCounter.objects.filter(span=SpendSpan.DAY, starts_at=start_of(SpendSpan.DAY, now))
    spent = usd_of(month.aggregate(total=Sum("spent_nanos"))["total"] or 0)
    of_today = usd_of(today.aggregate(total=Sum("spent_nanos"))["total"] or 0)
    shares = [share for _, share in _shares(now)]
    full, near = sum(s >= 1 for s in shares), sum(0.8 <= s < 1 for s in shares)
    unusual = SpendAnomaly.objects.filter(ended_at=None).count()
    rows = [
        PanelRow("Today", f"${of_today:,.2f}"),
        PanelRow("Budgets used up", f"{full} of {len(shares)}", Tone.WATCH if full else Tone.GOOD),
        PanelRow("Budgets above 80 %", str(near), Tone.WATCH if near else Tone.GOOD),
        PanelRow("Unusual spending", str(unusual) if unusual else "none", Tone.BAD if unusual else Tone.GOOD),
    ]
    tone = Tone.BAD if unusual else Tone.WATCH if full or near else Tone.GOOD
    return PanelState(tone, f"${spent:,.2f} this month", rows)


def budget_shares() -> Readings:
    """Return the greatest spent share of any budget of each tier; 0 where none has one."""
    found: dict[tuple[str, ...], float] = dict.fromkeys(((str(tier),) for tier in Tier), 0.0)
    with every_tenant("gauges of budgets"):
        for tier, share in _shares(timezone.now()):
            found[(tier,)] = max(found[(tier,)], share)
    return found


def open_anomalies() -> Readings:
    with every_tenant("gauges of spending"):
        return {(): float(SpendAnomaly.objects.filter(ended_at=None).count())}


def _shares(now: datetime) -> list[tuple[str, float]]:
    """Return the tier and the spent share of every tenant's budgets, inside `every_tenant`; one query a period."""
    found = []
    for period in BudgetPeriod:
        start = start_of(SpendSpan(period), now)
        counters = SpendCounter.objects.filter(tenant=OuterRef("tenant"), span=str(period), starts_at=start)
        rows = Budget.objects.filter(period=period).annotate(
            tier=F("tenant__tier"), spent=Subquery(counters.values("spent_nanos")[:1])
        )
        for tier, limit, spent in rows.values_list("tier", "limit_usd", "spent"):
            found.append((str(tier), (spent or 0) / nanos_of(limit) if limit else 1.0))
    return found
