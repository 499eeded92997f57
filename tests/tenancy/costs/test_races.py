"""Many calls at the same moment against one budget, each over a connection of its own."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from functools import partial

import pytest
from django.db import connection
from django.utils import timezone

from aiassist.gateway.billed_provider import BilledProvider
from aiassist.gateway.chain import ProviderChain
from aiassist.gateway.types import ChainAnswer
from tenancy.choices import SpendSpan
from tenancy.costs.counters import counter_differences, spent_in
from tenancy.ledger import spent_usd
from tenancy.models import BudgetAlert, CostRecord, SpendReservation
from tenancy.scope import tenant_scope
from tests.aiassist.gateway.requests import GOOD_ANSWER, make_request
from tests.aiassist.gateway.test_chain import Clock, Scripted
from tests.people import Person
from tests.reviews.crowd import at_once
from tests.tenancy.costs.money import make_budget

pytestmark = pytest.mark.django_db(transaction=True)
# SQLite lets one write at a time; PostgreSQL gets all two hundred, forty connections at once.
ROUNDS, AT_ONCE = (5, 40) if connection.vendor == "postgresql" else (2, 12)


def test_two_hundred_calls_at_once_never_spend_more_than_the_budget(adam: Person) -> None:
    """A call of this model costs 0.0012 dollars and holds 0.86 before: nearly the whole budget, one call at a time.

    After some twenty calls the rest is too small for another hold, so not even those who never meet are all served.
    """
    now = timezone.now()
    make_budget(adam, "0.88", now=now)
    link = Scripted(Clock(), GOOD_ANSWER)  # of no price list: the highest price

    def ask(reference: str) -> ChainAnswer:
        chain = ProviderChain([BilledProvider(link, reference=reference)])
        return chain.ask(make_request(), external_allowed=True)

    answers: list[ChainAnswer] = []
    for turn in range(ROUNDS):
        deeds = [partial(ask, f"claim-{turn}-{number}") for number in range(AT_ONCE)]
        answers += at_once(adam.tenant.id, deeds)
    assert len(answers) == ROUNDS * AT_ONCE
    with tenant_scope(adam.tenant.id):
        spent, reserved = spent_in(SpendSpan.MONTH, now)
        assert Decimal(0) < spent <= Decimal("0.88") and reserved == 0
        assert spent == spent_usd(since=now - timedelta(days=40), until=timezone.now() + timedelta(days=1))
        assert counter_differences(since=now, until=timezone.now()) == []
        served = [answer for answer in answers if answer.provider == "openai"]
        assert len(served) == CostRecord.objects.count() == len(link.timeouts) > 0
        assert not SpendReservation.objects.exists()
    kept_back = [answer for answer in answers if answer.provider == "rules"]
    assert len(kept_back) == len(answers) - len(served) > 0
    assert all(answer.held_back_by_budget for answer in kept_back)


def test_a_budget_that_is_spent_by_many_at_once_is_full_and_no_fuller(adam: Person) -> None:
    from tenancy.costs.errors import BudgetExhausted
    from tenancy.costs.reservations import reserve_spend
    from tenancy.ledger import record_cost
    from tests.tenancy.costs.money import call

    now = timezone.now()
    make_budget(adam, "0.05", now=now)

    def pay() -> bool:
        try:
            hold = reserve_spend(amount_usd=Decimal("0.01"), reference="", now=now)
        except BudgetExhausted:
            return False
        record_cost(call=call("0.01"), reference="", now=now, hold=hold)
        return True

    paid = at_once(adam.tenant.id, [pay] * AT_ONCE)
    with tenant_scope(adam.tenant.id):
        assert paid.count(True) == CostRecord.objects.count() == 5
        assert spent_in(SpendSpan.MONTH, now) == (Decimal("0.05"), Decimal(0))
        assert sorted(BudgetAlert.objects.values_list("percent", flat=True)) == [80, 100]
