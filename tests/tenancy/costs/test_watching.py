"""The watch over spending: what it calls out, once, and what it leaves alone; and the benchmark's quick figures."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest

from benchmarks.spending import check_projection, watch_loops
from observability.alerts.choices import AlertState
from observability.alerts.models import Alert
from tenancy.choices import SpendSpan
from tenancy.costs.projection import project_month
from tenancy.costs.watching import judge, watch_spending
from tenancy.ledger import record_cost
from tenancy.models import SpendAnomaly, SpendCounter
from tenancy.scope import tenant_scope
from tests.people import Person
from tests.tenancy.costs.money import NOON, call


@pytest.fixture
def scope(adam: Person) -> Iterator[None]:
    with tenant_scope(adam.tenant.id):
        yield


def make_history(days: int, *, now: datetime = NOON) -> None:
    """Six calls of a cent in each working hour, for so many whole days."""
    rows = [
        SpendCounter(
            span=SpendSpan.HOUR,
            starts_at=now.replace(hour=hour) - timedelta(days=day),
            spent_nanos=60_000_000,
            calls=6,
        )
        for day in range(1, days + 1)
        for hour in range(8, 18)
    ]
    SpendCounter.objects.bulk_create(rows)


def calls(count: int, *, at: datetime) -> None:
    for _ in range(count):
        record_cost(call=call("0.01"), reference="claim-1", now=at)


def test_a_loop_is_called_out_once_and_ends_an_hour_after_it(adam: Person, scope: None) -> None:
    make_history(28)
    calls(14, at=NOON - timedelta(minutes=4))
    assert watch_spending(now=NOON) == 1
    anomaly = SpendAnomaly.objects.get()
    assert (anomaly.spent_nanos, anomaly.expected_nanos, anomaly.ended_at) == (140_000_000, 10_000_000, None)
    alert = Alert.objects.get()
    assert (alert.event, alert.subject, alert.severity) == ("BUDGET_EXCEEDED", "spending-anomaly", "ERROR")
    assert alert.tenant_ref == str(adam.tenant.id)
    calls(14, at=NOON + timedelta(minutes=3))
    assert watch_spending(now=NOON + timedelta(minutes=5)) == 0, "it is open already"
    assert watch_spending(now=NOON + timedelta(minutes=60)) == 0
    assert SpendAnomaly.objects.get().ended_at is None
    assert watch_spending(now=NOON + timedelta(minutes=66)) == 0
    assert SpendAnomaly.objects.get().ended_at == NOON + timedelta(minutes=66)
    assert Alert.objects.get().state == AlertState.RESOLVED


def test_what_is_usual_is_left_alone(adam: Person, scope: None) -> None:
    make_history(28)
    calls(2, at=NOON - timedelta(minutes=4))
    assert watch_spending(now=NOON) == 0
    verdict = judge(now=NOON)
    assert verdict.threshold_nanos is not None and verdict.spent_nanos == 20_000_000 < verdict.threshold_nanos


def test_without_a_week_of_history_nothing_is_unusual(adam: Person, scope: None) -> None:
    make_history(6)
    calls(50, at=NOON - timedelta(minutes=4))
    assert watch_spending(now=NOON) == 0
    assert judge(now=NOON).threshold_nanos is None


def test_yesterdays_loop_is_not_todays_custom(adam: Person, scope: None) -> None:
    make_history(28)
    for hour in (10, 11, 12, 13):
        rows = SpendCounter.objects.filter(starts_at=NOON.replace(hour=hour) - timedelta(days=7))
        rows.update(spent_nanos=6_000_000_000, calls=600)
    calls(14, at=NOON - timedelta(minutes=4))
    assert watch_spending(now=NOON) == 1


def test_quick_figures_of_the_watch() -> None:
    found = watch_loops(60, seed=7)
    assert found.found_share >= 0.97
    assert found.false_alarms_per_quarter <= 1.5, "sixty months only: the benchmark walks a thousand"


def test_quick_figures_of_the_projection() -> None:
    found = check_projection(100, after_days=10, seed=7)
    assert 0.8 <= found.covered <= 0.98


def test_a_projection_needs_seven_days_and_knows_the_end() -> None:
    week = np.arange(7)
    days = np.array([1.0, 1.1, 0.9, 1.0, 1.05, 0.2, 0.3])
    assert project_month(spent=1.0, past=days[:6], past_weekdays=week[:6], left_weekdays=week) is None
    over = project_month(spent=5.5, past=days, past_weekdays=week, left_weekdays=week[:0])
    assert over is not None and (over.expected, over.low, over.high) == (5.5, 5.5, 5.5)
    more = project_month(spent=5.5, past=days, past_weekdays=week, left_weekdays=week)
    assert more is not None and more.low < more.expected < more.high
    assert more.expected == pytest.approx(5.5 + days.sum())
    assert Decimal(repr(more.low)) >= Decimal("5.5")
