"""The watch over every tenant's spending: every five minutes the last ten are held against what is usual."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import structlog
from django.db import transaction

from observability.alerts.choices import AlertEvent, AlertSeverity
from observability.alerts.raising import raise_alert, resolve_alert
from tenancy.choices import SpendSpan
from tenancy.costs.counters import MODEL_CALLS, ledger_nanos
from tenancy.costs.spans import start_of, usd_of
from tenancy.costs.usual import (
    FEWEST_DAYS,
    HISTORY_DAYS,
    WINDOW_MINUTES,
    expected_in_window,
    usual_hours,
    window_threshold,
)
from tenancy.models import CostRecord, SpendAnomaly, SpendCounter
from tenancy.scope import current_tenant_id, every_tenant, tenant_scope

log = structlog.get_logger(__name__)

WATCH_SECONDS = 300.0
# There is no event of its own among the twelve; the subject tells it from a budget.
ANOMALY = "spending-anomaly"
# An anomaly is over when nothing unusual was seen for so long.
_OVER_AFTER = timedelta(hours=1)


@dataclass(frozen=True)
class Verdict:
    """The last ten minutes of a tenant; `threshold_nanos` None: too few days to know what is usual."""

    spent_nanos: int
    expected_nanos: int
    threshold_nanos: int | None

    @property
    def unusual(self) -> bool:
        return self.threshold_nanos is not None and self.spent_nanos > self.threshold_nanos


def watch_spending(*, now: datetime) -> int:
    """Look at every tenant that has spent something lately; return how many anomalies began (a timer calls this)."""
    since = now - _OVER_AFTER
    with every_tenant("the watch over spending"):
        spending = set(CostRecord.objects.filter(at__gte=since, day=None).values_list("tenant_id", flat=True))
        spending |= set(SpendAnomaly.objects.filter(ended_at=None).values_list("tenant_id", flat=True))
    began = 0
    for tenant_id in sorted(spending):
        with tenant_scope(tenant_id):
            began += watch_tenant(now=now)
    return began


def watch_tenant(*, now: datetime) -> bool:
    """Look at the tenant in scope; open, continue or end its anomaly. Return whether one began."""
    verdict = judge(now=now)
    if verdict.unusual:
        return _open(verdict, now=now)
    _end_what_is_over(now=now)
    return False


def judge(*, now: datetime) -> Verdict:
    """Hold the last ten minutes of the tenant in scope against the same hours of the last six weeks."""
    window = timedelta(minutes=WINDOW_MINUTES)
    spent = ledger_nanos(since=now - window, until=now, categories=MODEL_CALLS)
    today = start_of(SpendSpan.DAY, now)
    since = today - timedelta(days=HISTORY_DAYS)
    rows = SpendCounter.objects.filter(span=SpendSpan.HOUR, starts_at__gte=since, starts_at__lt=today)
    hours = list(rows.values_list("starts_at", "spent_nanos", "calls"))
    if not hours:
        return Verdict(spent, 0, None)
    first = start_of(SpendSpan.DAY, min(at for at, _, _ in hours))
    days = (today - first).days
    if days < FEWEST_DAYS:
        return Verdict(spent, 0, None)
    hourly = np.zeros((1, days, 24))
    for at, nanos, _ in hours:
        hourly[0, (at - first).days, at.hour] += float(usd_of(nanos))
    weekdays = np.array([(first + timedelta(days=n)).weekday() for n in range(days)])
    usual = usual_hours(hourly, weekdays, today.weekday())[0, start_of(SpendSpan.HOUR, now).hour]
    call_usd = hourly.sum() / max(1, sum(calls for _, _, calls in hours))
    expected = expected_in_window(np.array([usual]))
    threshold = window_threshold(expected, np.array([call_usd]))
    return Verdict(spent, _nanos(expected[0]), _nanos(threshold[0]))


@transaction.atomic(durable=True)
def _open(verdict: Verdict, *, now: datetime) -> bool:
    """Open an anomaly, or note that the open one goes on; two workers open one, by the constraint."""
    anomaly, began = SpendAnomaly.objects.get_or_create(
        ended_at=None,
        defaults={
            "found_at": now,
            "last_seen_at": now,
            "spent_nanos": verdict.spent_nanos,
            "expected_nanos": verdict.expected_nanos,
            "threshold_nanos": verdict.threshold_nanos,
        },
    )
    if began:
        spent, expected = usd_of(verdict.spent_nanos), usd_of(verdict.expected_nanos)
        log.warning("spend_anomaly", spent=str(spent), expected=str(expected))
        raise_alert(
            AlertEvent.BUDGET_EXCEEDED,
            severity=AlertSeverity.ERROR,
            subject=ANOMALY,
            tenant=current_tenant_id(),
            facts={"spent_usd": spent, "expected_usd": expected},
            now=now,
        )
    else:
        SpendAnomaly.objects.filter(id=anomaly.id).update(last_seen_at=now)
    return began


@transaction.atomic(durable=True)
def _end_what_is_over(*, now: datetime) -> None:
    open_rows = SpendAnomaly.objects.filter(ended_at=None, last_seen_at__lt=now - _OVER_AFTER)
    if open_rows.update(ended_at=now):
        log.info("spend_anomaly_over")
        resolve_alert(AlertEvent.BUDGET_EXCEEDED, ANOMALY, current_tenant_id(), now=now)


def _nanos(usd: float) -> int:
    return round(usd * 10**9)
