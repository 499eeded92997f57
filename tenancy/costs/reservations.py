"""Money held for a call before it is made: reserve, call, settle (`tenancy.ledger.record_cost`) or release.

A reservation is one conditional update under the counter's row lock, so no two calls use the same rest of a budget.
What nobody settles lapses (`release_expired_reservations`).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.db.models import F

from observability import metrics
from observability.ids import new_id
from tenancy.choices import BudgetPeriod, BudgetPolicy, SpendSpan
from tenancy.costs.counters import Changes, counter_rows, ensure_counter
from tenancy.costs.errors import BudgetExhausted
from tenancy.costs.spans import end_of, nanos_of, start_of
from tenancy.models import Budget, SpendReservation
from tenancy.scope import every_tenant, tenant_scope

# Longer than any call may take (AI_CALL_TIMEOUT_SECONDS is at most ten minutes).
HOLD_LASTS = timedelta(minutes=15)
# Whom a budget stops: calls to others always unless it only tells, a model of our own only under RULES.
STOPS_OTHERS = (BudgetPolicy.LOCAL, BudgetPolicy.RULES)
STOPS_OWN = (BudgetPolicy.RULES,)


@dataclass(frozen=True)
class SpendHold:
    """Money held for one call."""

    id: UUID
    nanos: int
    made_at: datetime


def reserve_spend(
    *, amount_usd: Decimal, reference: str, now: datetime, stopped_by: Collection[BudgetPolicy] = STOPS_OTHERS
) -> SpendHold | None:
    """Hold the most that a call can cost in the month and the day of the tenant in scope.

    None where no budget could stop the call. Raises BudgetExhausted, with nothing held.
    """
    limits = dict(Budget.objects.filter(policy__in=list(stopped_by)).values_list("period", "limit_usd"))
    if not limits:
        return None
    try:
        return _reserve(nanos=nanos_of(amount_usd), reference=reference, limits=limits, now=now)
    except BudgetExhausted:
        metrics.BUDGET_REFUSALS.inc()
        raise


@transaction.atomic(durable=True)
def _reserve(*, nanos: int, reference: str, limits: dict[str, Decimal], now: datetime) -> SpendHold:
    for span, period in ((SpendSpan.MONTH, BudgetPeriod.MONTH), (SpendSpan.DAY, BudgetPeriod.DAY)):
        start, limit = start_of(span, now), limits.get(period)
        ensure_counter(span, start)
        rows = counter_rows(span, start)
        if limit is not None:
            rows = rows.filter(spent_nanos__lte=nanos_of(limit) - nanos - F("reserved_nanos"))
        if not rows.update(reserved_nanos=F("reserved_nanos") + nanos):
            wait = int((end_of(span, now) - now).total_seconds()) + 1
            raise BudgetExhausted(retry_after_seconds=wait)
    hold = SpendHold(new_id(), nanos, now)
    SpendReservation.objects.create(
        id=hold.id, nanos=nanos, reference=reference, made_at=now, expires_at=now + HOLD_LASTS
    )
    return hold


def end_hold(hold: SpendHold | None, changes: Changes) -> None:
    """Give back what is held as part of the caller's commit; a hold that lapsed meanwhile gave it back already."""
    if hold is None:
        return
    deleted, _ = SpendReservation.objects.filter(id=hold.id).delete()
    if deleted:
        changes.add_reserved(nanos=-hold.nanos, at=hold.made_at)


@transaction.atomic(durable=True)
def release_spend(hold: SpendHold) -> None:
    """Give back what is held for a call that cost nothing. Safe to call twice."""
    changes = Changes()
    end_hold(hold, changes)
    changes.write()


def release_expired_reservations(*, now: datetime) -> int:
    """Give back what killed processes held; return how many reservations (a timer calls this)."""
    with every_tenant("reservations of money that lapsed"):
        lapsed = list(SpendReservation.objects.filter(expires_at__lt=now))
    for row in lapsed:
        with tenant_scope(row.tenant_id):
            release_spend(SpendHold(row.id, row.nanos, row.made_at))
    return len(lapsed)
