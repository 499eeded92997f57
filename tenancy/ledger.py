"""The ledger: what was spent, per tenant, in exact decimals. Sums are derived from the records, never kept beside."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.db.models import Sum

from observability.context import current_context
from tenancy.choices import CostCategory
from tenancy.models import CostRecord


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


@transaction.atomic(durable=True)
def record_cost(*, call: ModelCall, reference: str, now: datetime) -> CostRecord:
    """Add the call to the ledger of the tenant in scope, under the job in hand."""
    job_id = current_context().job_id
    record: CostRecord = CostRecord.objects.create(
        category=call.category,
        provider=call.provider,
        model=call.model,
        input_tokens=call.input_tokens,
        output_tokens=call.output_tokens,
        estimated=call.estimated,
        amount_usd=call.amount_usd,
        prices_of=call.prices_of,
        reference=reference,
        job_id=UUID(job_id) if job_id else None,
        at=now,
    )
    return record


def spent_usd(*, since: datetime, until: datetime) -> Decimal:
    """Return what the tenant in scope spent from `since` up to, not including, `until`."""
    spent = CostRecord.objects.filter(at__gte=since, at__lt=until).aggregate(total=Sum("amount_usd"))["total"]
    return spent if spent is not None else Decimal(0)
