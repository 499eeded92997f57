"""A tenant's month of costs with something of everything, for pages to show."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from django.utils import timezone

from tenancy.choices import BudgetPeriod, BudgetPolicy, CostCategory
from tenancy.ledger import DayCharge, ModelCall, record_cost, record_day
from tenancy.models import SpendAnomaly
from tenancy.scope import tenant_scope
from tests.people import Person
from tests.tenancy.costs.money import make_budget


def spend_a_month(admin: Person) -> None:
    """Three weeks of calls with weekends, two models, what is booked by day, two budgets and a loop that goes on."""
    now = timezone.now()
    with tenant_scope(admin.tenant.id):
        for back in range(21):
            at = now - timedelta(days=back)
            for number in range(2 if at.weekday() >= 5 else 6):
                amount = Decimal("0.31") + Decimal(number * (back % 4)) / 100
                _call("gpt-4o-mini", 37_200, 420, amount, f"claim-{back}-{number // 2}", at)
            _call("claude-haiku-4-5", 7_100, 610, Decimal("1.15"), f"claim-{back}-9", at)
            if back:
                for category, unit, quantity, cost in (
                    (CostCategory.STORAGE, "GB", "31.5", "0.02415"),
                    (CostCategory.DATABASE, "GB", "1.2", "0.0006"),
                    (CostCategory.API_CALL, "calls", "1840", "0.184"),
                ):
                    estimated = category != CostCategory.API_CALL
                    charge = DayCharge(
                        category, at.date(), Decimal(quantity), unit, Decimal(cost), "2026-11", estimated=estimated
                    )
                    record_day(charge=charge, now=now)
        SpendAnomaly.objects.create(
            found_at=now - timedelta(minutes=20),
            last_seen_at=now,
            spent_nanos=412_000_000,
            expected_nanos=38_000_000,
            threshold_nanos=190_000_000,
        )
    make_budget(admin, "60.00", now=now)
    make_budget(admin, "2.00", period=BudgetPeriod.DAY, policy=BudgetPolicy.RULES, now=now)


def _call(model: str, told: int, answered: int, amount: Decimal, reference: str, at: datetime) -> None:
    provider = "openai" if model.startswith("gpt") else "anthropic"
    call = ModelCall(
        CostCategory.THIRD_PARTY, provider, model, told, answered, amount, "2026-11", cached_tokens=1_000, pictures=12
    )
    record_cost(call=call, reference=reference, now=at)
