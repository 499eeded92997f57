"""Reserve, call, settle: what is held, what is spent, what lapses, and what is told when a budget is reached."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from observability.alerts.choices import AlertState
from observability.alerts.models import Alert
from tenancy.choices import BudgetPeriod, BudgetPolicy, CostCategory, SpendSpan
from tenancy.costs.budget_alerts import resolve_past_budgets
from tenancy.costs.budgets import change_budget, remove_budget, standings
from tenancy.costs.counters import counter_differences, recount_spend, spent_in
from tenancy.costs.errors import BudgetExhausted, BudgetExists, StaleBudget
from tenancy.costs.reservations import (
    HOLD_LASTS,
    STOPS_OWN,
    SpendHold,
    release_expired_reservations,
    release_spend,
    reserve_spend,
)
from tenancy.costs.spans import end_of, start_of
from tenancy.ledger import record_cost
from tenancy.models import AuditEvent, Budget, BudgetAlert, SpendCounter, SpendReservation
from tenancy.scope import tenant_scope
from tests.people import Person
from tests.tenancy.costs.money import NOON, call, make_budget, month


@pytest.fixture
def scope(adam: Person) -> Iterator[None]:
    with tenant_scope(adam.tenant.id):
        yield


def hold(amount: str, now: datetime = NOON) -> SpendHold:
    found = reserve_spend(amount_usd=Decimal(amount), reference="claim-1", now=now)
    assert found is not None
    return found


def spend(amount: str, now: datetime = NOON) -> None:
    record_cost(call=call(amount), reference="claim-1", now=now)


def test_without_a_budget_nothing_is_held_and_everything_is_counted(scope: None) -> None:
    assert reserve_spend(amount_usd=Decimal(5), reference="", now=NOON) is None
    for _ in range(3):
        spend("0.123456789")
    assert month() == (Decimal("0.370370367"), Decimal(0))
    assert spent_in(SpendSpan.DAY, NOON) == spent_in(SpendSpan.HOUR, NOON) == month()
    assert SpendCounter.objects.get(span=SpendSpan.HOUR).calls == 3


def test_what_is_held_counts_until_it_is_settled_for_what_it_cost(scope: None, adam: Person) -> None:
    make_budget(adam, "1.00")
    first = hold("0.60")
    with pytest.raises(BudgetExhausted) as refused:
        hold("0.40000001")
    assert refused.value.retry_after_seconds > 12 * 86_400, "the month ends in twelve days"
    assert month() == (Decimal(0), Decimal("0.6"))
    record_cost(call=call("0.25"), reference="claim-1", now=NOON, hold=first)
    assert month() == (Decimal("0.25"), Decimal(0))
    assert not SpendReservation.objects.exists()
    hold("0.75")


def test_a_released_hold_is_given_back_once(scope: None, adam: Person) -> None:
    make_budget(adam, "1.00")
    held = hold("0.90")
    release_spend(held)
    release_spend(held)
    assert month() == (Decimal(0), Decimal(0))


def test_what_nobody_settles_lapses_and_a_late_settlement_still_counts(scope: None, adam: Person) -> None:
    make_budget(adam, "1.00")
    held = hold("0.90")
    assert release_expired_reservations(now=NOON + HOLD_LASTS) == 0
    assert release_expired_reservations(now=NOON + HOLD_LASTS + timedelta(seconds=1)) == 1
    record_cost(call=call("0.30"), reference="claim-1", now=NOON, hold=held)
    assert month() == (Decimal("0.3"), Decimal(0))


def test_a_hold_over_midnight_is_given_back_to_the_day_it_was_made(scope: None, adam: Person) -> None:
    make_budget(adam, "1.00", period=BudgetPeriod.DAY)
    late = NOON.replace(hour=23, minute=59)
    held = hold("0.90", late)
    after = late + timedelta(minutes=2)
    record_cost(call=call("0.50"), reference="claim-1", now=after, hold=held)
    assert spent_in(SpendSpan.DAY, late) == (Decimal(0), Decimal(0))
    assert spent_in(SpendSpan.DAY, after) == (Decimal("0.5"), Decimal(0))
    assert counter_differences(since=late, until=after) == []


def test_the_tighter_of_two_budgets_decides_and_nothing_stays_held(scope: None, adam: Person) -> None:
    make_budget(adam, "10.00")
    make_budget(adam, "0.50", period=BudgetPeriod.DAY)
    with pytest.raises(BudgetExhausted):
        hold("0.51")
    assert month() == (Decimal(0), Decimal(0))
    hold("0.50")


@pytest.mark.parametrize(
    ("policy", "others_stopped", "own_stopped"),
    [(BudgetPolicy.ALERT, False, False), (BudgetPolicy.LOCAL, True, False), (BudgetPolicy.RULES, True, True)],
)
def test_the_policy_says_whom_an_empty_budget_stops(
    scope: None, adam: Person, policy: BudgetPolicy, others_stopped: bool, own_stopped: bool
) -> None:
    make_budget(adam, "0.00", policy=policy)

    def stopped(**named: object) -> bool:
        try:
            reserve_spend(amount_usd=Decimal("0.001"), reference="", now=NOON, **named)  # type: ignore[arg-type]
        except BudgetExhausted:
            return True
        return False

    assert (stopped(), stopped(stopped_by=STOPS_OWN)) == (others_stopped, own_stopped)


def test_eighty_and_a_hundred_percent_are_told_once_each(scope: None, adam: Person) -> None:
    make_budget(adam, "1.00")
    told = []
    for _ in range(12):
        spend("0.10")
        told.append(sorted(BudgetAlert.objects.values_list("percent", flat=True)))
    assert told == [[]] * 7 + [[80]] * 2 + [[80, 100]] * 3
    alert = Alert.objects.get()
    assert (alert.event, alert.subject, alert.severity) == ("BUDGET_EXCEEDED", "budget-month", "ERROR")
    next_month = end_of(SpendSpan.MONTH, NOON)
    resolve_past_budgets(now=next_month)
    assert Alert.objects.get().state == AlertState.RESOLVED
    for _ in range(9):
        spend("0.10", next_month)
    assert BudgetAlert.objects.filter(starts_at=next_month).get().percent == 80


def test_another_limit_is_another_promise(scope: None, adam: Person) -> None:
    budget = make_budget(adam, "1.00")
    spend("1.00")
    budget = change_budget(actor=adam.principal, budget=budget, limit_usd=Decimal("1.20"), now=NOON)
    assert BudgetAlert.objects.filter(limit_usd="1.20").get().percent == 80
    (standing,) = standings(now=NOON)
    assert (standing.percent, standing.remaining_usd, standing.alerts) == (83, Decimal("0.2"), (80,))


def test_changes_are_versioned_told_in_the_trail_and_end_with_removal(scope: None, adam: Person) -> None:
    budget = make_budget(adam, "1.00")
    with pytest.raises(BudgetExists):
        make_budget(adam, "2.00")
    stale = Budget.objects.get()
    change_budget(actor=adam.principal, budget=budget, policy=BudgetPolicy.RULES, now=NOON)
    with pytest.raises(StaleBudget):
        change_budget(actor=adam.principal, budget=stale, limit_usd=Decimal(3), now=NOON)
    remove_budget(actor=adam.principal, budget_id=budget.id, now=NOON)
    assert list(AuditEvent.objects.filter(object_type="budget").order_by("id").values_list("event", flat=True)) == [
        "budget.set",
        "budget.changed",
        "budget.removed",
    ]


def test_counters_can_be_made_anew_from_the_ledger(scope: None, adam: Person) -> None:
    make_budget(adam, "9.00")
    for amount in ("0.1", "0.000000001", "0.2"):
        spend(amount)
    hold("0.5")
    SpendCounter.objects.update(spent_nanos=7, reserved_nanos=0, calls=0)
    differences = counter_differences(since=NOON, until=NOON + timedelta(seconds=1))
    assert [(d.span, d.counted_nanos, d.ledger_nanos) for d in differences] == [
        ("MONTH", 7, 300_000_001),
        ("DAY", 7, 300_000_001),
    ]
    recount_spend(span=SpendSpan.MONTH, starts_at=start_of(SpendSpan.MONTH, NOON))
    assert month() == (Decimal("0.300000001"), Decimal("0.5"))


def test_a_tenants_money_is_its_own(scope: None, adam: Person, zoe: Person) -> None:
    make_budget(adam, "1.00")
    with tenant_scope(zoe.tenant.id):
        record_cost(call=call("5", category=CostCategory.INFERENCE), reference="", now=NOON)
        assert reserve_spend(amount_usd=Decimal(9), reference="", now=NOON) is None
    assert month() == (Decimal(0), Decimal(0))
    assert not BudgetAlert.objects.exists()
