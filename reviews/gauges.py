"""How much waits for people, over all tenants, read when Prometheus asks."""

from __future__ import annotations

from django.db.models import Count, Q
from django.utils import timezone

from claims.choices import QUEUE_RANK, ClaimStatus
from claims.models import Claim
from observability import metrics
from observability.metrics import Readings, register_scrape_source
from tenancy.scope import every_tenant


def register_gauges() -> None:
    register_scrape_source(metrics.OPEN_REVIEWS, lambda: _counts(Q()))
    register_scrape_source(metrics.OVERDUE_REVIEWS, lambda: _counts(Q(review_due_at__lt=timezone.now())))


def _counts(which: Q) -> Readings:
    """Count by the class that a claim stands in now (it may have been raised)."""
    with every_tenant("metrics"):
        waiting = Claim.objects.filter(which, status=ClaimStatus.AWAITING_REVIEW)
        counted = dict(waiting.order_by().values_list("queue_rank").annotate(Count("id")))
    return {(str(priority),): float(counted.get(rank, 0)) for priority, rank in QUEUE_RANK.items()}
