"""Days are booked once: requests as counted, runs as counted, files and rows as they stand."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from tenancy.choices import CostCategory, QuotaResource, SpendSpan
from tenancy.costs import daily
from tenancy.costs.counters import counter_differences
from tenancy.costs.daily import book_days, database_bytes
from tenancy.costs.metering import RequestTally, meter, requests
from tenancy.ledger import record_cost
from tenancy.models import CostRecord, QuotaCounter, SpendCounter, UsageMeter
from tenancy.quotas import ALWAYS
from tenancy.scope import tenant_scope
from tests.people import Person
from tests.tenancy.costs.money import NOON, call, month

NEXT_DAY = NOON + timedelta(days=1)


def booked(person: Person) -> dict[str, tuple[Decimal | None, str, Decimal, bool]]:
    with tenant_scope(person.tenant.id):
        rows = CostRecord.objects.exclude(day=None)
        return {row.category: (row.quantity, row.unit, row.amount_usd, row.estimated) for row in rows}


def test_a_day_is_booked_once_with_its_sources(adam: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(daily, "database_bytes", lambda: {adam.tenant.id: 2_000_000_000})
    with tenant_scope(adam.tenant.id):
        meter(CostCategory.API_CALL, count=1200, now=NOON)
        meter(CostCategory.API_CALL, count=34, now=NOON)
        meter(CostCategory.INFERENCE, count=7, now=NOON)
        meter(CostCategory.API_CALL, count=5, now=NEXT_DAY)
        QuotaCounter.objects.create(resource=QuotaResource.STORAGE_BYTES, period=ALWAYS, used=30_000_000_000)
    assert (book_days(now=NEXT_DAY), book_days(now=NEXT_DAY)) == (4, 0)
    assert booked(adam) == {
        "API_CALL": (Decimal(1234), "calls", Decimal("0.1234"), False),
        "INFERENCE": (Decimal(7), "runs", Decimal("0.007"), False),
        # 0.023 and 0.015 dollars a gigabyte and month, for one of November's thirty days.
        "STORAGE": (Decimal(30), "GB", Decimal("0.023"), True),
        "DATABASE": (Decimal(2), "GB", Decimal("0.001"), True),
    }
    with tenant_scope(adam.tenant.id):
        assert set(CostRecord.objects.values_list("day", flat=True)) == {date(2026, 11, 18)}
        assert month() == (Decimal("0.1544"), Decimal(0))
        assert not SpendCounter.objects.filter(span=SpendSpan.HOUR).exists(), "an hour counts calls of models alone"
        assert counter_differences(since=NOON, until=NEXT_DAY) == []


def test_counted_days_wait_for_a_worker_and_bytes_do_not(adam: Person) -> None:
    with tenant_scope(adam.tenant.id):
        meter(CostCategory.API_CALL, count=10, now=NOON)
    book_days(now=NOON + timedelta(days=5))
    with tenant_scope(adam.tenant.id):
        days = dict(CostRecord.objects.values_list("category", "day"))
    assert days == {"API_CALL": date(2026, 11, 18), "DATABASE": date(2026, 11, 22)}


def test_the_database_is_shared_out_by_rows(adam: Person, zoe: Person) -> None:
    with tenant_scope(adam.tenant.id):
        for _ in range(30):
            record_cost(call=call(), reference="", now=NOON)
    sizes = database_bytes()
    assert sizes[adam.tenant.id] > 0
    assert sizes[adam.tenant.id] > 5 * sizes.get(zoe.tenant.id, 0)


def test_a_counter_that_is_off_is_mended_by_the_daily_round(adam: Person) -> None:
    with tenant_scope(adam.tenant.id):
        record_cost(call=call("0.5"), reference="", now=NOON)
        SpendCounter.objects.update(spent_nanos=1)
    book_days(now=NOON + timedelta(minutes=1))
    with tenant_scope(adam.tenant.id):
        assert counter_differences(since=NOON, until=NOON + timedelta(minutes=1)) == []


def test_requests_of_keys_are_metered_in_batches(adam: Person, settings: object) -> None:
    requests.write(now=timezone.now())
    client, browser = adam.api(), adam.browser()
    for _ in range(3):
        client.get("/api/v1/tenant")
    browser.get("/api/v1/tenant")  # a person at a page, no program
    with tenant_scope(adam.tenant.id):
        assert not UsageMeter.objects.exists()
    settings.API_METER_SECONDS = 0.0  # type: ignore[attr-defined]
    client.get("/api/v1/tenant")
    with tenant_scope(adam.tenant.id):
        assert UsageMeter.objects.get(category=CostCategory.API_CALL).count == 4


def test_what_cannot_be_written_is_kept(adam: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db import OperationalError

    from tenancy.costs import metering

    def away(*_given: object, **_named: object) -> None:
        raise OperationalError("gone")

    tally = RequestTally()
    for _ in range(3):
        tally.count(adam.tenant.id)
    with monkeypatch.context() as patch:
        patch.setattr(metering, "meter", away)
        tally.write(now=NOON)
    tally.write(now=NOON)
    with tenant_scope(adam.tenant.id):
        assert UsageMeter.objects.get().count == 3
