"""Calls and budgets for the tests of money."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from tenancy.choices import BudgetPeriod, BudgetPolicy, CostCategory, SpendSpan
from tenancy.costs.budgets import create_budget
from tenancy.costs.counters import spent_in
from tenancy.ledger import ModelCall
from tenancy.models import Budget
from tenancy.scope import tenant_scope
from tests.people import Person

NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)  # a Wednesday


def call(
    amount: str = "0.01", *, model: str = "gpt-4o-mini", category: CostCategory = CostCategory.THIRD_PARTY
) -> ModelCall:
    return ModelCall(category, "openai", model, 3000, 400, Decimal(amount), "2026-11", pictures=1)


def make_budget(
    admin: Person,
    limit: str = "1.00",
    *,
    period: BudgetPeriod = BudgetPeriod.MONTH,
    policy: BudgetPolicy = BudgetPolicy.LOCAL,
    now: datetime = NOON,
) -> Budget:
    with tenant_scope(admin.tenant.id):
        return create_budget(actor=admin.principal, period=period, limit_usd=Decimal(limit), policy=policy, now=now)


def month(now: datetime = NOON) -> tuple[Decimal, Decimal]:
    """Return what is spent and reserved in the month, of the tenant in scope."""
    return spent_in(SpendSpan.MONTH, now)
