"""No claim starves: one that waits past the bound of its class moves up by one, and its history says why."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q

from claims.choices import QUEUE_RANK, ClaimAction, ClaimStatus, ReviewPriority
from claims.models import Claim
from reviews.queue import CLASS_OF_RANK, forget_counts
from tenancy.audit import record_event
from tenancy.choices import TenantStatus
from tenancy.models import Tenant
from tenancy.policy import TenantPolicy, tenant_policy
from tenancy.principals import Principal, system_principal
from tenancy.scope import tenant_scope

# One commit moves at most so many: on SQLite the writers' line waits for it (some 1 ms an event).
_BATCH = 100
_STANDARD, _LOW = QUEUE_RANK[ReviewPriority.STANDARD], QUEUE_RANK[ReviewPriority.LOW_PRIORITY]


def raise_waiting_claims(*, now: datetime) -> int:
    """Move up what waited too long in any active tenant, and return how many claims moved. Safe to run twice."""
    moved = 0
    for tenant_id in Tenant.objects.filter(status=TenantStatus.ACTIVE).order_by("id").values_list("id", flat=True):
        with tenant_scope(tenant_id):
            moved += _raise_in_tenant(tenant_id, now)
    return moved


def _raise_in_tenant(tenant_id: UUID, now: datetime) -> int:
    policy = tenant_policy(tenant_id)
    actor = system_principal(tenant_id=tenant_id, name="queue")
    moved = 0
    while batch := _raise_batch(policy=policy, actor=actor, now=now):
        moved += batch
    if moved:
        forget_counts(tenant_id=tenant_id)
    return moved


def past_bound(policy: TenantPolicy, now: datetime) -> Q:
    """Return the condition for claims that waited too long in the class they stand in.

    The time a claim may wait as LOW_PRIORITY comes before its time as STANDARD, so it climbs one class at a time.
    """
    standard = timedelta(hours=policy.waiting_bound_hours_standard)
    low = timedelta(hours=policy.waiting_bound_hours_low)
    return (
        Q(queue_rank=_LOW, waiting_since__lte=now - low)
        | Q(queue_rank=_STANDARD, review_priority=ReviewPriority.STANDARD, waiting_since__lte=now - standard)
        | Q(queue_rank=_STANDARD, review_priority=ReviewPriority.LOW_PRIORITY, waiting_since__lte=now - low - standard)
    )


@transaction.atomic(durable=True)
def _raise_batch(*, policy: TenantPolicy, actor: Principal, now: datetime) -> int:
    late = Claim.objects.filter(past_bound(policy, now), status=ClaimStatus.AWAITING_REVIEW)
    # Claims that a reviewer is deciding right now are locked and need no better place.
    claims = list(
        late.select_for_update(skip_locked=True, no_key=True)
        .only("id", "queue_rank", "waiting_since")
        .order_by("queue_rank", "review_due_at", "id")[:_BATCH]
    )
    Claim.objects.filter(id__in=[claim.id for claim in claims]).update(queue_rank=F("queue_rank") - 1)
    for claim in claims:
        _tell(claim, actor, now)
    return len(claims)


def _tell(claim: Claim, actor: Principal, now: datetime) -> None:
    assert claim.waiting_since is not None
    record_event(
        action=ClaimAction.PRIORITY_RAISED,
        actor=actor,
        object_type="claim",
        object_id=claim.id,
        now=now,
        before={"review_priority": CLASS_OF_RANK[claim.queue_rank]},
        after={"review_priority": CLASS_OF_RANK[claim.queue_rank - 1], "waiting_since": claim.waiting_since},
        reason="waiting_bound",
    )
