"""How much of its quotas a tenant has used, for people and programs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from tenancy.choices import QuotaResource, Tier
from tenancy.models import QuotaCounter, Tenant
from tenancy.plans import most_per_minute
from tenancy.quotas import ALWAYS, month_of, next_month, quotas_of


@dataclass(frozen=True)
class Share:
    """One quota; `limit` None: no limit."""

    limit: int | None
    used: int
    reserved: int

    @property
    def remaining(self) -> int | None:
        """What is left, never less than nothing (a lowered limit leaves more used than allowed)."""
        return None if self.limit is None else max(0, self.limit - self.used - self.reserved)

    @property
    def percent(self) -> int:
        """Used and reserved of the limit, 0 to 100; 0 without a limit."""
        if not self.limit:
            return 100 if self.limit == 0 else 0
        return min(100, 100 * (self.used + self.reserved) // self.limit)


@dataclass(frozen=True)
class Usage:
    tier: Tier
    starts_at: datetime
    ends_at: datetime
    assessments: Share
    storage: Share
    most_requests_per_minute: int


def usage_of(tenant: Tenant, *, now: datetime) -> Usage:
    """Return the usage of the tenant in scope in the present month."""
    month, limits = month_of(now), quotas_of(tenant)
    return Usage(
        Tier(tenant.tier),
        datetime.combine(month, time(), UTC),
        next_month(month),
        _share(QuotaResource.ASSESSMENTS, month, limits.assessments_per_month),
        _share(QuotaResource.STORAGE_BYTES, ALWAYS, limits.storage_bytes),
        most_per_minute(Tier(tenant.tier)),
    )


def past_months(*, before: date, count: int = 12) -> list[tuple[date, int]]:
    """Return the months before this one that have a count, the newest first, with their used assessments."""
    rows = QuotaCounter.objects.filter(resource=QuotaResource.ASSESSMENTS, period__lt=before).order_by("-period")
    return list(rows.values_list("period", "used")[:count])


def _share(resource: QuotaResource, period: date, limit: int | None) -> Share:
    row = QuotaCounter.objects.filter(resource=resource, period=period).first()
    return Share(limit, row.used, row.reserved) if row else Share(limit, 0, 0)
