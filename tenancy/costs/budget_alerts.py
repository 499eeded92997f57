"""Budgets that were reached: told at 80 and at 100 percent, once for each period and limit."""

from __future__ import annotations

from datetime import datetime

import structlog
from django.db import transaction

from observability.alerts.choices import AlertEvent, AlertSeverity
from observability.alerts.raising import raise_alert, resolve_alert
from tenancy.choices import BudgetPeriod, SpendSpan
from tenancy.costs.counters import counter_rows
from tenancy.costs.spans import nanos_of, start_of, usd_of
from tenancy.models import Budget, BudgetAlert
from tenancy.scope import current_tenant_id

log = structlog.get_logger(__name__)

ALERT_AT_PERCENT = (80, 100)


def note_budgets(*, at: datetime, now: datetime) -> list[BudgetAlert]:
    """Write down which budgets the money spent by `at` has reached, in the caller's transaction; return the new ones.

    The caller holds the lock of the counters, and the constraint says "once" beside it.
    """
    found: list[BudgetAlert] = []
    for budget in Budget.objects.all():
        span = SpendSpan(budget.period)
        start = start_of(span, at)
        spent = counter_rows(span, start).values_list("spent_nanos", flat=True).first() or 0
        found += _reached(budget, start, spent, now)
    return found


def _reached(budget: Budget, start: datetime, spent: int, now: datetime) -> list[BudgetAlert]:
    limit, new = nanos_of(budget.limit_usd), []
    for percent in ALERT_AT_PERCENT:
        if spent * 100 < limit * percent:
            continue
        alert, made = BudgetAlert.objects.get_or_create(
            period=budget.period,
            starts_at=start,
            percent=percent,
            limit_usd=budget.limit_usd,
            defaults={"spent_nanos": spent, "at": now},
        )
        if made:
            log.warning("budget_reached", percent=percent, period=budget.period, limit=str(budget.limit_usd))
            _tell(alert, now)
            new.append(alert)
    return new


def _tell(alert: BudgetAlert, now: datetime) -> None:
    """Raise the operator's alert: a warning at 80 percent, which a used-up budget makes graver."""
    raise_alert(
        AlertEvent.BUDGET_EXCEEDED,
        severity=AlertSeverity.ERROR if alert.percent >= ALERT_AT_PERCENT[-1] else AlertSeverity.WARNING,
        subject=subject_of(BudgetPeriod(alert.period)),
        tenant=current_tenant_id(),
        facts={"percent": alert.percent, "limit_usd": alert.limit_usd, "spent_usd": usd_of(alert.spent_nanos)},
        now=now,
    )


def subject_of(period: BudgetPeriod) -> str:
    return f"budget-{period.lower()}"


@transaction.atomic
def resolve_past_budgets(*, now: datetime) -> None:
    """End the alerts of the tenant in scope whose budget has room again: a new period, a higher limit, none at all."""
    for period in BudgetPeriod:
        budget = Budget.objects.filter(period=period).first()
        span = SpendSpan(period)
        spent = counter_rows(span, start_of(span, now)).values_list("spent_nanos", flat=True).first() or 0
        if budget is None or spent * 100 < nanos_of(budget.limit_usd) * ALERT_AT_PERCENT[0]:
            resolve_alert(AlertEvent.BUDGET_EXCEEDED, subject_of(period), current_tenant_id(), now=now)
