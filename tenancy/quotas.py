"""Quotas of a tenant: assessments a calendar month (UTC) and stored bytes.

Work that takes time holds its quota first (`held_quota`) and settles it in the commit of its result (`settle`); what is
over in one commit is charged there (`charge_assessments`). Every change is one conditional update under the counter's
row lock, so no two of them use the same rest. A hold that nobody settles lapses (`release_expired_holds`).

Assessments before storage, and counters before the audit event: everybody locks in this order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Greatest

from observability import metrics
from observability.ids import new_id
from tenancy.choices import QuotaResource, Tier
from tenancy.errors import QuotaExceeded
from tenancy.models import QuotaCounter, QuotaHold, Tenant
from tenancy.plans import GIGABYTE, PLANS
from tenancy.scope import current_tenant_id, every_tenant, tenant_scope

# Storage is not counted by month; its row carries this day.
ALWAYS = date(1970, 1, 1)
# Longer than an upload is probed and stored once it is here.
_HOLD_LASTS = timedelta(minutes=30)
# When what is in the way is only held, it may be free again in moments; a full store is no matter of moments.
_RETRY_HELD, _RETRY_STORAGE = 5, 86_400


@dataclass(frozen=True)
class Quotas:
    """A tenant's limits; None: no limit."""

    assessments_per_month: int | None
    storage_bytes: int | None

    def of(self, resource: QuotaResource) -> int | None:
        return self.assessments_per_month if resource == QuotaResource.ASSESSMENTS else self.storage_bytes


@dataclass(frozen=True)
class Hold:
    """What is held for work under way; without an id nothing is."""

    id: UUID | None
    period: date
    assessments: int = 0
    storage_bytes: int = 0


def quotas_of(tenant: Tenant) -> Quotas:
    """Return the limits in force: the tier's, and for Enterprise what was agreed."""
    plan = PLANS[Tier(tenant.tier)]
    if tenant.tier != Tier.ENTERPRISE:
        return Quotas(plan.assessments_per_month, plan.storage_bytes)
    agreed_gb = tenant.custom_storage_gb
    return Quotas(tenant.custom_assessments_per_month, None if agreed_gb is None else agreed_gb * GIGABYTE)


def month_of(now: datetime) -> date:
    """Return the first day of the month in UTC."""
    return now.astimezone(UTC).date().replace(day=1)


def next_month(month: date) -> datetime:
    """Return when the month after this one begins, in UTC."""
    return datetime.combine((month + timedelta(days=31)).replace(day=1), time(), UTC)


@contextmanager
def held_quota(*, assessments: int, storage_bytes: int, now: datetime) -> Iterator[Hold]:
    """Hold quota during the block; what the block has not settled is given back. Raises QuotaExceeded."""
    hold = _reserve(assessments=assessments, storage_bytes=storage_bytes, now=now)
    try:
        yield hold
    finally:
        _release(hold)


@transaction.atomic(durable=True)
def _reserve(*, assessments: int, storage_bytes: int, now: datetime) -> Hold:
    hold = Hold(new_id(), month_of(now), assessments, storage_bytes)
    if not assessments and not storage_bytes:
        return Hold(None, hold.period)
    limits = _limits()
    _take(QuotaResource.ASSESSMENTS, assessments, limits=limits, now=now, column="reserved")
    _take(QuotaResource.STORAGE_BYTES, storage_bytes, limits=limits, now=now, column="reserved")
    QuotaHold.objects.create(
        id=hold.id,
        period=hold.period,
        assessments=assessments,
        storage_bytes=storage_bytes,
        expires_at=now + _HOLD_LASTS,
    )
    return hold


def settle(hold: Hold, *, assessments: int, storage_bytes: int, now: datetime) -> None:
    """Count what the work took, at most what it held, and give back the rest, in the caller's transaction.

    A hold that has lapsed meanwhile is charged as if nothing had been held: raises QuotaExceeded then.
    """
    if _ended(hold):
        _move(QuotaResource.ASSESSMENTS, hold.period, used=assessments, reserved=-hold.assessments)
        _move(QuotaResource.STORAGE_BYTES, ALWAYS, used=storage_bytes, reserved=-hold.storage_bytes)
        return
    limits = _limits()
    _take(QuotaResource.ASSESSMENTS, assessments, limits=limits, now=now, column="used")
    _take(QuotaResource.STORAGE_BYTES, storage_bytes, limits=limits, now=now, column="used")


def charge_assessments(*, count: int, now: datetime) -> None:
    """Count assessments that are asked for, in the caller's transaction; raises QuotaExceeded when not all fit."""
    _take(QuotaResource.ASSESSMENTS, count, limits=_limits(), now=now, column="used")


def recharge_assessments(*, count: int, charged_at: datetime) -> None:
    """Count assessments again that had been given back, whether they fit or not (an operator repeats failed work)."""
    _move(QuotaResource.ASSESSMENTS, month_of(charged_at), used=count)


def give_back_assessments(*, count: int, charged_at: datetime) -> None:
    """Give back assessments that the platform did not do, to the month they were charged to.

    In the caller's transaction; the caller makes sure that it happens once.
    """
    _move(QuotaResource.ASSESSMENTS, month_of(charged_at), used=-count)


def give_back_storage(*, size_bytes: int) -> None:
    """Give back the bytes of a file that is no longer stored, in the transaction that removes its row."""
    _move(QuotaResource.STORAGE_BYTES, ALWAYS, used=-size_bytes)


@transaction.atomic(durable=True)
def recount_storage(measure: Callable[[], int]) -> int:
    """Make the counter of stored bytes say what `measure` finds; return by how much it was off.

    An upload counts itself and its file in one commit, for which it needs the lock that is held here.
    """
    _insert(QuotaResource.STORAGE_BYTES, ALWAYS)
    row: QuotaCounter = QuotaCounter.objects.select_for_update().get(
        resource=QuotaResource.STORAGE_BYTES, period=ALWAYS
    )
    found = measure()
    QuotaCounter.objects.filter(id=row.id).update(used=found)
    return found - row.used


def require_room_for(*, least_bytes: int, now: datetime) -> None:
    """Raise QuotaExceeded when so many bytes can surely not be stored; what passes is counted exactly later."""
    limits = _limits()
    if limits.storage_bytes is None:
        return
    row = QuotaCounter.objects.filter(resource=QuotaResource.STORAGE_BYTES, period=ALWAYS).first()
    if (row.used if row else 0) + least_bytes > limits.storage_bytes:
        raise _exceeded(QuotaResource.STORAGE_BYTES, least_bytes, limits.storage_bytes, now)


def release_expired_holds(*, now: datetime) -> int:
    """Give back what killed processes held; return how many holds (a timer calls this)."""
    with every_tenant("quota holds that lapsed"):
        lapsed = list(QuotaHold.objects.filter(expires_at__lt=now))
    for row in lapsed:
        with tenant_scope(row.tenant_id):
            _release(Hold(row.id, row.period, row.assessments, row.storage_bytes))
    return len(lapsed)


def _release(hold: Hold) -> None:
    if hold.id is None:
        return
    with transaction.atomic(durable=True):
        if _ended(hold):
            _move(QuotaResource.ASSESSMENTS, hold.period, reserved=-hold.assessments)
            _move(QuotaResource.STORAGE_BYTES, ALWAYS, reserved=-hold.storage_bytes)


def _ended(hold: Hold) -> bool:
    """Whether it was this call that ended the hold."""
    if hold.id is None:
        return False
    deleted, _ = QuotaHold.objects.filter(id=hold.id).delete()
    return bool(deleted)


def _limits() -> Quotas:
    return quotas_of(Tenant.objects.get(id=current_tenant_id()))


def _take(resource: QuotaResource, amount: int, *, limits: Quotas, now: datetime, column: str) -> None:
    """Add to the column where it fits: one conditional update."""
    if not amount:
        return
    limit, period = limits.of(resource), _period(resource, now)
    _insert(resource, period)
    rows = QuotaCounter.objects.filter(resource=resource, period=period)
    if limit is not None:
        rows = rows.filter(used__lte=limit - amount - F("reserved"))
    if not rows.update(**{column: F(column) + amount}):
        assert limit is not None
        raise _exceeded(resource, amount, limit, now)


def _move(resource: QuotaResource, period: date, *, used: int = 0, reserved: int = 0) -> None:
    if used or reserved:
        rows = QuotaCounter.objects.filter(resource=resource, period=period)
        # Never under zero: work may be given back that was asked for before there were quotas.
        rows.update(used=Greatest(F("used") + used, 0), reserved=Greatest(F("reserved") + reserved, 0))


def _insert(resource: QuotaResource, period: date) -> None:
    if not QuotaCounter.objects.filter(resource=resource, period=period).exists():
        QuotaCounter.objects.bulk_create([QuotaCounter(resource=resource, period=period)], ignore_conflicts=True)


def _period(resource: QuotaResource, now: datetime) -> date:
    return month_of(now) if resource == QuotaResource.ASSESSMENTS else ALWAYS


def _exceeded(resource: QuotaResource, amount: int, limit: int, now: datetime) -> QuotaExceeded:
    row = QuotaCounter.objects.filter(resource=resource, period=_period(resource, now)).first()
    only_held = row is not None and row.used + amount <= limit
    if resource == QuotaResource.ASSESSMENTS:
        name, words = "assessments", f"This month's {limit} assessments are used up."
        wait = int((next_month(month_of(now)) - now).total_seconds()) + 1
    else:
        name, words, wait = "storage", f"The {limit} bytes of storage have no room for this file.", _RETRY_STORAGE
    if only_held:
        words, wait = "The rest of the quota is held by uploads under way; try again in a moment.", _RETRY_HELD
    metrics.QUOTA_REFUSALS.labels(quota=name).inc()
    error = QuotaExceeded(words, retry_after_seconds=wait)
    error.extra |= {"quota": name, "limit": limit}
    return error
