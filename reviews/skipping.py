"""Leaving a claim for the next one in the queue without deciding it."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q

from claims.models import Claim
from reviews.errors import LeaseHeld, LeaseLost, NotReviewable
from reviews.holds import hold_of
from reviews.leases import release_lease, take_lease
from reviews.models import ReviewLease
from reviews.queue import QueueFilters, open_claims
from tenancy.principals import Principal

# Others take claims at the same moment; that so many in a row slip away means that the queue is empty for us.
_TRIES = 10


def skip_claim(*, claim: Claim, actor: Principal, now: datetime) -> ReviewLease | None:
    """Give this claim back if it is held by the actor and take the next free one behind it, None at the end.

    The next is taken first: a reviewer who skips must not be handed the same claim again.
    """
    following = _take_following(claim=claim, actor=actor, now=now)
    held = hold_of(claim, now=now)
    if held is not None and held.holder_id == actor.user_id:
        try:
            release_lease(claim_id=claim.id, token=held.token, actor=actor, now=now)
        except LeaseLost:
            return following  # lapsed this very moment: given back all the same
    return following


def _take_following(*, claim: Claim, actor: Principal, now: datetime) -> ReviewLease | None:
    free = Q(lease=None) | Q(lease__expires_at__lte=now) | Q(lease__holder_id=actor.user_id)
    behind = (
        Q(queue_rank__gt=claim.queue_rank)
        | Q(queue_rank=claim.queue_rank, review_due_at__gt=claim.review_due_at)
        | Q(queue_rank=claim.queue_rank, review_due_at=claim.review_due_at, id__gt=claim.id)
    )
    rows = open_claims(principal=actor, filters=QueueFilters(), now=now).filter(free, behind)
    rows = rows.exclude(submitted_by_id=actor.user_id)
    for candidate in rows[:_TRIES]:
        try:
            return take_lease(claim_id=candidate.id, actor=actor, now=now)
        except (LeaseHeld, NotReviewable):
            continue
    return None
