"""The ledger: what was spent, per tenant, in exact decimals. The only writer of records; counters follow in their
commit (`tenancy/costs/counters.py`) and can be made anew from the records at any time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from observability import metrics
from observability.context import current_context
from tenancy.choices import CostCategory
from tenancy.costs.budget_alerts import note_budgets
from tenancy.costs.counters import Changes, ledger_nanos
from tenancy.costs.reservations import SpendHold, end_hold
from tenancy.costs.spans import last_moment, nanos_of, usd_of
from tenancy.models import CostRecord

# Who is named where no provider is: the platform itself.
PLATFORM = "platform"


@dataclass(frozen=True)
class ModelCall:
    """A call to a model and its price; `estimated` where the provider told no tokens."""

    category: CostCategory
    provider: str
    model: str
    input_tokens: int
    output_tokens: int
    amount_usd: Decimal
    prices_of: str
    estimated: bool = False
    cached_tokens: int = 0
    pictures: int = 0


@dataclass(frozen=True)
class DayCharge:
    """What is booked once for a whole day; `quantity` in `unit`."""

    category: CostCategory
    day: date
    quantity: Decimal
    unit: str
    amount_usd: Decimal
    prices_of: str
    estimated: bool


@transaction.atomic(durable=True)
def record_cost(*, call: ModelCall, reference: str, now: datetime, hold: SpendHold | None = None) -> CostRecord:
    """Add the call to the ledger of the tenant in scope, under the job in hand, and settle what was held for it."""
    job_id = current_context().job_id
    record: CostRecord = CostRecord.objects.create(
        category=call.category,
        provider=call.provider,
        model=call.model,
        input_tokens=call.input_tokens,
        cached_tokens=call.cached_tokens,
        output_tokens=call.output_tokens,
        pictures=call.pictures,
        estimated=call.estimated,
        amount_usd=call.amount_usd,
        prices_of=call.prices_of,
        reference=reference,
        job_id=UUID(job_id) if job_id else None,
        at=now,
    )
    _count(record, hold=hold, model_call=True, now=now)
    return record


@transaction.atomic(durable=True)
def record_day(*, charge: DayCharge, now: datetime) -> CostRecord:
    """Add what a whole day cost. Raises IntegrityError when this category of the day is booked already."""
    record: CostRecord = CostRecord.objects.create(
        category=charge.category,
        provider=PLATFORM,
        model="",
        input_tokens=0,
        output_tokens=0,
        quantity=charge.quantity,
        unit=charge.unit,
        day=charge.day,
        estimated=charge.estimated,
        amount_usd=charge.amount_usd,
        prices_of=charge.prices_of,
        at=last_moment(charge.day),
    )
    _count(record, hold=None, model_call=False, now=now)
    return record


def spent_usd(*, since: datetime, until: datetime) -> Decimal:
    """Return what the tenant in scope spent from `since` up to, not including, `until`: the ledger's own sum."""
    return usd_of(ledger_nanos(since=since, until=until))


def _count(record: CostRecord, *, hold: SpendHold | None, model_call: bool, now: datetime) -> None:
    changes = Changes()
    changes.add_spend(nanos=nanos_of(record.amount_usd), at=record.at, model_call=model_call)
    end_hold(hold, changes)
    changes.write()
    note_budgets(at=record.at, now=now)
    metrics.SPEND.labels(category=record.category).inc(float(record.amount_usd))
