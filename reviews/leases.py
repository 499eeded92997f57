"""Who works on which claim: take, take next, renew, release. A lease keeps colleagues apart; the decision itself is
guarded again by the claim's version, so a failed lease can never make a double decision.

Lock order everywhere in this app: claim row, lease row; on SQLite then the audit head.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from claims.choices import ClaimStatus
from claims.errors import ClaimNotFound
from claims.models import Claim
from claims.visibility import visible_claims
from reviews.choices import ReviewAction
from reviews.errors import LeaseHeld, LeaseLost, NotReviewable, OwnClaim, TooManyLeases
from reviews.models import ReviewLease
from reviews.queue import QUEUE_ORDER
from tenancy.audit import record_event
from tenancy.choices import Scope
from tenancy.permissions import require_scope
from tenancy.principals import Principal

# Long enough to watch a clip of minutes twice and write; short enough that a closed laptop strands nothing for long
# (other desks: 16 s pings at Mozilla, 5 min at Openverse, 10 min at Coop, an hour at Label Studio). The page renews it.
LEASE_TIME = timedelta(minutes=15)
# One page of the queue. No person gets there; a runaway script would otherwise lock every colleague out.
MOST_LEASES = 100


def count_held(*, holder_id: UUID | None, now: datetime) -> int:
    """Return how many claims the person holds right now."""
    return ReviewLease.objects.filter(holder_id=holder_id, expires_at__gt=now).count()


@transaction.atomic(durable=True)
def take_lease(*, claim_id: UUID, actor: Principal, now: datetime) -> ReviewLease:
    """Hold the claim for the actor: a free or lapsed one gets a new token, one's own live lease is extended.

    Raises ClaimNotFound, OwnClaim, NotReviewable, LeaseHeld (someone else works on it), TooManyLeases.
    """
    require_scope(actor, Scope.REVIEW)
    # NO KEY: rows that point to the claim (evidence, documents) may still be added meanwhile.
    rows = Claim.objects.select_for_update(of=("self",), no_key=True)
    claim = rows.filter(visible_claims(actor), id=claim_id).first()
    if claim is None:
        raise ClaimNotFound
    if claim.submitted_by_id == actor.user_id:
        raise OwnClaim
    if claim.status != ClaimStatus.AWAITING_REVIEW:
        raise NotReviewable
    lease = _lease_of(claim)
    if lease is None or lease.expires_at <= now:
        return _hold(claim=claim, lapsed=lease, actor=actor, now=now)
    if lease.holder_id != actor.user_id:
        raise LeaseHeld(extra={"holder": str(lease.holder), "expires_at": lease.expires_at})
    lease.expires_at = now + LEASE_TIME
    lease.save(update_fields=["expires_at"])
    return lease


@transaction.atomic(durable=True)
def take_next(*, actor: Principal, now: datetime) -> ReviewLease | None:
    """Hold the first claim of the queue that nobody holds and the actor did not submit; None when there is none.

    The claim row is locked by the statement that finds it: on PostgreSQL colleagues skip it (SKIP LOCKED), on SQLite
    they wait for the write lock that this transaction began with. Raises TooManyLeases.
    """
    require_scope(actor, Scope.REVIEW)
    held = ReviewLease.objects.filter(claim_id=OuterRef("id"), expires_at__gt=now)
    free = (
        Claim.objects.filter(~Exists(held), visible_claims(actor), status=ClaimStatus.AWAITING_REVIEW)
        .exclude(submitted_by_id=actor.user_id)
        .order_by(*QUEUE_ORDER)
    )
    passed: list[UUID] = []
    while claim := free.exclude(id__in=passed).select_for_update(skip_locked=True, no_key=True).first():
        lease = _lease_of(claim)
        if lease is None or lease.expires_at <= now:
            return _hold(claim=claim, lapsed=lease, actor=actor, now=now)
        # Someone's lease was committed between that statement's snapshot and its lock; look at the claim behind it.
        passed.append(claim.id)
    return None


def renew_lease(*, claim_id: UUID, token: UUID, actor: Principal, now: datetime) -> ReviewLease:
    """Extend the lease by one conditional write; a lapsed one too, as long as nobody took it over.

    Raises LeaseLost.
    """
    require_scope(actor, Scope.REVIEW)
    if not _own(claim_id, token, actor).update(expires_at=now + LEASE_TIME):
        raise LeaseLost
    renewed: ReviewLease | None = _own(claim_id, token, actor).first()
    if renewed is None:
        raise LeaseLost
    return renewed


@transaction.atomic(durable=True)
def release_lease(*, claim_id: UUID, token: UUID, actor: Principal, now: datetime) -> None:
    """Give the claim back to the queue. Raises LeaseLost when the lease is not the actor's (any more)."""
    require_scope(actor, Scope.REVIEW)
    deleted, _ = _own(claim_id, token, actor).delete()
    if not deleted:
        raise LeaseLost
    record_event(action=ReviewAction.LEASE_RELEASED, actor=actor, object_type="claim", object_id=claim_id, now=now)


def _own(claim_id: UUID, token: UUID, actor: Principal) -> QuerySet[ReviewLease]:
    return ReviewLease.objects.filter(claim_id=claim_id, token=token, holder_id=actor.user_id)


def _lease_of(claim: Claim) -> ReviewLease | None:
    # Locked, or a lapsed lease could be renewed by its holder between this look and the take-over.
    return ReviewLease.objects.select_for_update().filter(claim_id=claim.id).first()


def _hold(*, claim: Claim, lapsed: ReviewLease | None, actor: Principal, now: datetime) -> ReviewLease:
    """Write the actor's lease; the caller has locked the claim's row and seen that no lease is alive."""
    if ReviewLease.objects.filter(holder_id=actor.user_id, expires_at__gt=now).count() >= MOST_LEASES:
        raise TooManyLeases
    assert actor.user_id is not None  # the scope `review` belongs to people alone
    lease = lapsed or ReviewLease()
    lease.claim = claim
    lease.holder_id = actor.user_id
    lease.token = uuid4()
    lease.taken_at = now
    lease.expires_at = now + LEASE_TIME
    lease.save()
    record_event(
        action=ReviewAction.LEASE_TAKEN,
        actor=actor,
        object_type="claim",
        object_id=claim.id,
        now=now,
        after={"lease_expires_at": lease.expires_at},
    )
    return lease
