"""Budgets of a tenant: what an administrator sets, and how each stands; every change with its audit event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F

from observability.errors import FieldProblem, InvalidInput, NotFound
from tenancy.audit import TenancyAction, record_event
from tenancy.choices import BudgetPeriod, BudgetPolicy, Scope, SpendSpan
from tenancy.costs.budget_alerts import ALERT_AT_PERCENT, note_budgets
from tenancy.costs.counters import spent_in
from tenancy.costs.errors import BudgetExists, StaleBudget
from tenancy.costs.spans import end_of, start_of
from tenancy.models import Budget, BudgetAlert
from tenancy.permissions import require_scope
from tenancy.principals import Principal

# What the column holds.
MOST_USD = Decimal("9999999999.99")


@dataclass(frozen=True)
class BudgetStanding:
    """A budget in its present period; money in US dollars. `alerts` are the shares that were told of, in percent."""

    budget: Budget
    starts_at: datetime
    ends_at: datetime
    spent_usd: Decimal
    reserved_usd: Decimal
    alerts: tuple[int, ...]

    @property
    def remaining_usd(self) -> Decimal:
        """What is left, never less than nothing."""
        return max(Decimal(0), self.budget.limit_usd - self.spent_usd - self.reserved_usd)

    @property
    def percent(self) -> int:
        """The spent share of the limit in whole percent, not above 999; a limit of nothing is used up."""
        if not self.budget.limit_usd:
            return ALERT_AT_PERCENT[-1]
        return min(999, int(100 * self.spent_usd / self.budget.limit_usd))


def budgets() -> Any:
    """Return the budgets of the tenant in scope."""
    return Budget.objects.all()


def budget_of(budget_id: UUID) -> Budget:
    """Return one budget; raises NotFound."""
    found: Budget | None = Budget.objects.filter(id=budget_id).first()
    if found is None:
        raise NotFound
    return found


def standings(*, now: datetime) -> list[BudgetStanding]:
    """Return how the budgets of the tenant in scope stand, the month's first."""
    return [standing_of(budget, now=now) for budget in Budget.objects.order_by("-period")]


def standing_of(budget: Budget, *, now: datetime) -> BudgetStanding:
    """Return how one budget stands."""
    span = SpendSpan(budget.period)
    start = start_of(span, now)
    spent, reserved = spent_in(span, now)
    told = BudgetAlert.objects.filter(period=budget.period, starts_at=start, limit_usd=budget.limit_usd)
    percents = tuple(told.order_by("percent").values_list("percent", flat=True))
    return BudgetStanding(budget, start, end_of(span, now), spent, reserved, percents)


@transaction.atomic(durable=True)
def create_budget(
    *, actor: Principal, period: BudgetPeriod, limit_usd: Decimal, policy: BudgetPolicy, now: datetime
) -> Budget:
    """Set a budget; what was spent before counts. Raises BudgetExists, InvalidInput."""
    _require_right(actor)
    limit = _checked(limit_usd)
    try:
        with transaction.atomic():
            budget: Budget = Budget.objects.create(
                period=period, limit_usd=limit, policy=policy, created_at=now, changed_at=now
            )
    except IntegrityError as taken:
        raise BudgetExists from taken
    note_budgets(at=now, now=now)
    _tell(TenancyAction.BUDGET_SET, actor, budget, now=now, after=_shown(budget))
    return budget


@transaction.atomic(durable=True)
def change_budget(
    *,
    actor: Principal,
    budget: Budget,
    now: datetime,
    limit_usd: Decimal | None = None,
    policy: BudgetPolicy | None = None,
) -> Budget:
    """Change a budget as it was read; raises StaleBudget when it changed since, InvalidInput."""
    _require_right(actor)
    before = _shown(budget)
    wanted: dict[str, Any] = {}
    if limit_usd is not None and _checked(limit_usd) != budget.limit_usd:
        wanted["limit_usd"] = _checked(limit_usd)
    if policy is not None and policy != budget.policy:
        wanted["policy"] = policy
    if not wanted:
        return budget
    rows = Budget.objects.filter(id=budget.id, version=budget.version)
    if not rows.update(version=F("version") + 1, changed_at=now, **wanted):
        raise StaleBudget
    budget.refresh_from_db()
    note_budgets(at=now, now=now)
    _tell(TenancyAction.BUDGET_CHANGED, actor, budget, now=now, before=before, after=_shown(budget))
    return budget


@transaction.atomic(durable=True)
def remove_budget(*, actor: Principal, budget_id: UUID, now: datetime) -> None:
    """Remove a budget: nothing is told and nothing stopped any more. Raises NotFound."""
    _require_right(actor)
    budget: Budget | None = Budget.objects.select_for_update().filter(id=budget_id).first()
    if budget is None:
        raise NotFound
    before = _shown(budget)
    budget.delete()
    budget.id = budget_id  # Django forgets it
    _tell(TenancyAction.BUDGET_REMOVED, actor, budget, now=now, before=before)


def _require_right(actor: Principal) -> None:
    require_scope(actor, Scope.ADMIN, Scope.OPS)


def _checked(limit_usd: Decimal) -> Decimal:
    """Return the limit in whole cents."""
    if not limit_usd.is_finite() or not 0 <= limit_usd <= MOST_USD or limit_usd != limit_usd.quantize(Decimal("0.01")):
        problem = FieldProblem("/limit/amount", "out_of_range", f"From 0.00 to {MOST_USD} US dollars, whole cents.")
        raise InvalidInput(problems=[problem])
    return limit_usd.quantize(Decimal("0.01"))


def _shown(budget: Budget) -> dict[str, object]:
    return {"period": budget.period, "limit_usd": str(budget.limit_usd), "policy": budget.policy}


def _tell(
    action: TenancyAction,
    actor: Principal,
    budget: Budget,
    *,
    now: datetime,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
) -> None:
    record_event(
        action=action, actor=actor, object_type="budget", object_id=budget.id, now=now, before=before, after=after
    )
