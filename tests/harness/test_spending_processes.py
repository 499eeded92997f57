"""Ten thousand calls from eight processes: the ledger's sum is the counter, and a budget is never overspent."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from tests.harness.test_breaker_processes import _go, _start
from tests.processes import own_site, wait_until

PROCESSES, CALLS_EACH = 8, 1250

_SETUP = """
from decimal import Decimal
from django.utils import timezone
from tenancy.choices import Tier
from tenancy.models import Budget, Tenant
from tenancy.scope import tenant_scope
print("ready", flush=True)
tenant = Tenant.objects.create(slug="harness", name="Harness", tier=Tier.PROFESSIONAL)
with tenant_scope(tenant.id):
    now = timezone.now()
    Budget.objects.create(period="MONTH", limit_usd=Decimal("LIMIT"), policy="LOCAL", created_at=now, changed_at=now)
"""
_SPEND = """
import json, random, sys
from decimal import Decimal
from django.utils import timezone
from tenancy.choices import CostCategory
from tenancy.costs.errors import BudgetExhausted
from tenancy.costs.reservations import release_spend, reserve_spend
from tenancy.ledger import ModelCall, record_cost
from tenancy.models import Tenant
from tenancy.scope import tenant_scope
tenant = Tenant.objects.get(slug="harness")
print("ready", flush=True)
sys.stdin.readline()
paid, refused, released = 0, 0, 0
with tenant_scope(tenant.id):
    for number in range(CALLS):
        try:
            hold = reserve_spend(amount_usd=Decimal("0.004"), reference="c", now=timezone.now())
        except BudgetExhausted:
            refused += 1
            continue
        if number % 50 == 0:
            release_spend(hold)
            released += 1
            continue
        amount = Decimal(random.randint(1, 4_000_000)).scaleb(-9)
        call = ModelCall(CostCategory.THIRD_PARTY, "openai", "gpt-4o-mini", 100, 10, amount, "2026-11")
        record_cost(call=call, reference="c", now=timezone.now(), hold=hold)
        paid += 1
print(json.dumps([paid, refused, released]), flush=True)
"""
_COUNT = """
import json
from datetime import timedelta
from django.utils import timezone
from tenancy.choices import SpendSpan
from tenancy.costs.counters import counter_differences, spent_in
from tenancy.ledger import spent_usd
from tenancy.models import BudgetAlert, CostRecord, SpendReservation, Tenant
from tenancy.scope import tenant_scope
print("ready", flush=True)
now = timezone.now()
with tenant_scope(Tenant.objects.get(slug="harness").id):
    spent, reserved = spent_in(SpendSpan.MONTH, now)
    print(json.dumps({
        "counter": str(spent), "reserved": str(reserved), "records": CostRecord.objects.count(),
        "ledger": str(spent_usd(since=now - timedelta(days=2), until=now + timedelta(days=1))),
        "differences": len(counter_differences(since=now - timedelta(days=1), until=now)),
        "open": SpendReservation.objects.count(),
        "alerts": sorted(BudgetAlert.objects.values_list("percent", flat=True)),
    }), flush=True)
"""


@pytest.mark.harness
@pytest.mark.parametrize("limit", ["1000.00", "5.00"], ids=["room for all", "room for some"])
def test_ten_thousand_calls_of_eight_processes(tmp_path: Path, limit: str) -> None:
    with own_site(tmp_path, {}) as site:
        setup = _start(site.environment, _SETUP.replace("LIMIT", limit), tmp_path / "setup.log")
        assert setup.wait(120) == 0
        program = _SPEND.replace("CALLS", str(CALLS_EACH))
        logs = [tmp_path / f"spend-{number}.log" for number in range(PROCESSES)]
        children = [_start(site.environment, program, log) for log in logs]
        try:
            wait_until(lambda: all("ready" in log.read_text() for log in logs), "all are ready", seconds=180)
            began = time.monotonic()
            for child in children:
                _go(child)
            assert [child.wait(900) for child in children] == [0] * PROCESSES
            took = time.monotonic() - began
        finally:
            for child in children:
                child.kill()
        count_log = tmp_path / "count.log"
        assert _start(site.environment, _COUNT, count_log).wait(120) == 0
    told = [json.loads(log.read_text().strip().splitlines()[-1]) for log in logs]
    paid, refused, released = (sum(column) for column in zip(*told, strict=True))
    found = json.loads(count_log.read_text().strip().splitlines()[-1])
    print(json.dumps({"limit": limit, "paid": paid, "refused": refused, "released": released, **found, "took": took}))
    assert paid + refused + released == PROCESSES * CALLS_EACH
    assert found["counter"] == found["ledger"] and found["records"] == paid
    assert (found["differences"], found["open"], float(found["reserved"])) == (0, 0, 0.0)
    assert float(found["counter"]) <= float(limit)
    if refused:
        assert float(found["counter"]) > float(limit) - 0.004 * (PROCESSES + 1), "and nearly all of it could be used"
        assert found["alerts"][0] == 80
