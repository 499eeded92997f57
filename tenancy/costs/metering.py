"""What is counted all day and booked once the day is over: requests of the API, and runs of the platform's models.

Requests are added up in the process and written in batches, under the day on which they are written: a process that
ends loses at most what it gathered since (API_METER_SECONDS).
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

import structlog
from django.conf import settings
from django.db import Error as DatabaseProblem
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from tenancy.choices import CostCategory
from tenancy.models import Tenant, UsageMeter
from tenancy.scope import tenant_scope

log = structlog.get_logger(__name__)


@transaction.atomic
def meter(category: CostCategory, *, count: int, now: datetime) -> None:
    """Add to today's count of the tenant in scope."""
    day = now.astimezone(UTC).date()
    rows = UsageMeter.objects.filter(category=category, day=day)
    if not rows.update(count=F("count") + count):
        UsageMeter.objects.bulk_create([UsageMeter(category=category, day=day)], ignore_conflicts=True)
        rows.update(count=F("count") + count)


class RequestTally:
    """Requests by tenant since the last writing; shared by the threads of a process."""

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[UUID] = Counter()
        self._monotonic = monotonic
        self._written_at = monotonic()

    def count(self, tenant_id: UUID) -> None:
        """Count one request, and write everything down when the time has come."""
        with self._lock:
            self._counts[tenant_id] += 1
            due = self._monotonic() - self._written_at >= settings.API_METER_SECONDS
        if due:
            self.write(now=timezone.now())

    def write(self, *, now: datetime) -> None:
        """Write what was gathered; what cannot be written now is kept for the next time."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
            self._written_at = self._monotonic()
        if not counts:
            return
        try:
            # A tenant is never deleted, but a test's may be gone.
            for tenant_id in list(Tenant.objects.filter(id__in=list(counts)).values_list("id", flat=True)):
                with tenant_scope(tenant_id):
                    meter(CostCategory.API_CALL, count=counts[tenant_id], now=now)
                del counts[tenant_id]
        except DatabaseProblem as problem:
            log.warning("requests_not_metered", error=type(problem).__name__)
            with self._lock:
                self._counts += counts


requests = RequestTally()
