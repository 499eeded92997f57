"""What a day cost beside the calls of models, booked once the day is over: requests, runs of the platform's own models,
stored files, and an estimate of the database.

Bytes are as they stand when the day is booked, which is soon after midnight while a worker runs; a day in whose next
day no worker ran has no storage and no database entry, because nobody knows any more what there was.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_UP, Decimal
from uuid import UUID

import structlog
from django.apps import apps
from django.db import IntegrityError, connection
from django.db.models import Count

from tenancy.choices import CostCategory, QuotaResource, SpendSpan
from tenancy.costs import prices
from tenancy.costs.budget_alerts import resolve_past_budgets
from tenancy.costs.counters import counter_differences, recount_spend
from tenancy.costs.spans import days_in_month
from tenancy.ledger import DayCharge, record_day
from tenancy.models import CostRecord, QuotaCounter, SpendCounter, Tenant, UsageMeter
from tenancy.owned import TenantOwned
from tenancy.plans import GIGABYTE
from tenancy.scope import every_tenant, tenant_scope

log = structlog.get_logger(__name__)

_EXACT, _QUANTITY = Decimal("1e-9"), Decimal("1e-6")
_METERED: Mapping[CostCategory, tuple[Decimal, str]] = {
    CostCategory.API_CALL: (prices.API_CALL_USD, "calls"),
    CostCategory.INFERENCE: (prices.INFERENCE_USD, "runs"),
}
# How far back days are booked that were only counted; the counts wait for it.
_METERED_BACK = timedelta(days=40)
# Hours older than this teach nobody what is usual.
_HOURS_KEPT = timedelta(days=100)


def book_days(*, now: datetime) -> int:
    """Book what is over and not booked yet, for every tenant; return how many records (a timer calls this).

    Safe to run twice: the constraint "a category of a day once" decides.
    """
    today = now.astimezone(UTC).date()
    tenants = set(Tenant.objects.values_list("id", flat=True))
    with every_tenant("which tenants' days are booked"):
        rows = CostRecord.objects.filter(category=CostCategory.DATABASE, day=today - timedelta(days=1))
        missing = tenants - set(rows.values_list("tenant_id", flat=True))
    # Counting everybody's rows is the dear part: once a day, and for who is new.
    rows_bytes = database_bytes() if missing else {}
    return sum(_book_tenant(tenant_id, today, rows_bytes.get(tenant_id, 0), now) for tenant_id in sorted(tenants))


def _book_tenant(tenant_id: UUID, today: date, row_bytes: int, now: datetime) -> int:
    with tenant_scope(tenant_id):
        booked = sum(_book(charge, now) for charge in [*_metered(today), *_stored(today, row_bytes)])
        resolve_past_budgets(now=now)
        if booked:
            _mend_counters(now)
            SpendCounter.objects.filter(span=SpendSpan.HOUR, starts_at__lt=now - _HOURS_KEPT).delete()
    return booked


def _book(charge: DayCharge, now: datetime) -> int:
    try:
        record_day(charge=charge, now=now)
    except IntegrityError:  # another worker was first
        return 0
    return 1


def _metered(today: date) -> Iterator[DayCharge]:
    booked = _booked(since=today - _METERED_BACK)
    rows = UsageMeter.objects.filter(day__lt=today, day__gte=today - _METERED_BACK, count__gt=0)
    for row in rows.order_by("day"):
        if (row.category, row.day) in booked:
            continue
        price, unit = _METERED[CostCategory(row.category)]
        quantity = Decimal(row.count)
        amount = (price * quantity).quantize(_EXACT)
        yield DayCharge(CostCategory(row.category), row.day, quantity, unit, amount, prices.PRICES_OF, estimated=False)


def _stored(today: date, row_bytes: int) -> Iterator[DayCharge]:
    day = today - timedelta(days=1)
    booked = _booked(since=day)
    files = QuotaCounter.objects.filter(resource=QuotaResource.STORAGE_BYTES).values_list("used", flat=True).first()
    kinds = (
        (CostCategory.STORAGE, files or 0, prices.STORAGE_USD_PER_GB_MONTH),
        (CostCategory.DATABASE, row_bytes, prices.DATABASE_USD_PER_GB_MONTH),
    )
    for category, size_bytes, price in kinds:
        if size_bytes and (category, day) not in booked:
            gigabytes = (Decimal(size_bytes) / GIGABYTE).quantize(_QUANTITY, rounding=ROUND_UP)
            amount = (price * gigabytes / days_in_month(day)).quantize(_EXACT, rounding=ROUND_UP)
            yield DayCharge(category, day, gigabytes, "GB", amount, prices.PRICES_OF, estimated=True)


def _booked(*, since: date) -> set[tuple[str, date]]:
    rows = CostRecord.objects.filter(day__gte=since).values_list("category", "day")
    return {(category, day) for category, day in rows if day is not None}


def _mend_counters(now: datetime) -> None:
    """Make counters of this and the last month true where they are not (a restored backup, a ledger from before)."""
    for found in counter_differences(since=now - timedelta(days=31), until=now):
        log.error("spend_counter_was_off", span=found.span, by=found.ledger_nanos - found.counted_nanos)
        recount_spend(span=found.span, starts_at=found.starts_at)


@dataclass(frozen=True)
class _Table:
    name: str
    rows: Mapping[UUID, int]


def database_bytes() -> dict[UUID, int]:
    """Estimate how many bytes of the database each tenant fills: its share of the rows of each table's bytes.

    PostgreSQL tells the bytes of each table with its indexes; SQLite only those of the whole file, which are shared
    out by rows alone.
    """
    with every_tenant("how many rows each tenant has"):
        tables = [
            _Table(model._meta.db_table, dict(model.objects.values_list("tenant_id").annotate(n=Count("id"))))
            for model in apps.get_models()
            if issubclass(model, TenantOwned)
        ]
    if connection.vendor == "postgresql":
        shares = [_shared_out(_table_bytes(table.name), table.rows) for table in tables]
    else:
        together: dict[UUID, int] = {}
        for table in tables:
            for tenant_id, count in table.rows.items():
                together[tenant_id] = together.get(tenant_id, 0) + count
        shares = [_shared_out(_file_bytes(), together)]
    total: dict[UUID, int] = {}
    for share in shares:
        for tenant_id, size in share.items():
            total[tenant_id] = total.get(tenant_id, 0) + size
    return total


def _shared_out(size_bytes: int, rows: Mapping[UUID, int]) -> dict[UUID, int]:
    everybody = sum(rows.values())
    return {tenant_id: size_bytes * count // everybody for tenant_id, count in rows.items()}


def _table_bytes(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_total_relation_size(%s::regclass)", [connection.ops.quote_name(table)])
        return int(cursor.fetchone()[0])


def _file_bytes() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()")
        return int(cursor.fetchone()[0])
