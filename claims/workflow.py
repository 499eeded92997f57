"""The status graph as one table, and the only writer of `Claim.status`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.db.models import F

from claims.choices import CLOSED, ClaimStatus
from claims.errors import ClaimErased, MoveNotAllowed, StaleClaim
from claims.models import Claim
from observability.errors import PlatformError
from tenancy.audit import AuditAction, record_event
from tenancy.principals import Principal

_RECEIVED, _PROCESSING, _AWAITING = ClaimStatus.RECEIVED, ClaimStatus.PROCESSING, ClaimStatus.AWAITING_REVIEW
_APPROVED, _REJECTED, _INFO = ClaimStatus.APPROVED, ClaimStatus.REJECTED, ClaimStatus.INFO_REQUESTED

MOVES: Mapping[ClaimStatus, frozenset[ClaimStatus]] = {
    _RECEIVED: frozenset({_PROCESSING, _AWAITING, ClaimStatus.FAILED}),
    # To itself: another worker takes over after a kill. Straight to review: every attempt was spent.
    _PROCESSING: frozenset({_PROCESSING, _AWAITING, ClaimStatus.FAILED}),
    # These two to themselves: a newer opinion arrives while people, or the claimant's answer, are waited for; the
    # version moves, so nobody decides on the older one.
    _AWAITING: frozenset({_AWAITING, _APPROVED, _REJECTED, _INFO}),
    _INFO: frozenset({_INFO, _AWAITING, _REJECTED}),
    _APPROVED: frozenset({_AWAITING}),
    _REJECTED: frozenset({_AWAITING}),
    ClaimStatus.FAILED: frozenset(),
}


def move(
    *,
    claim: Claim,
    to: ClaimStatus,
    action: AuditAction,
    actor: Principal,
    now: datetime,
    changes: Mapping[str, object] | None = None,
    details: Mapping[str, object] | None = None,
    reason: str = "",
) -> Claim:
    """Move the claim along the graph by one conditional write, with its audit event, in the caller's transaction.

    `changes` are further columns written with it; `details` stand in the event beside the status. Call it last: on
    SQLite the writers' line waits from here to the commit. Raises MoveNotAllowed, ClaimErased when nothing is left to
    look at again, or StaleClaim when the row changed since it was read.
    """
    if not transaction.get_connection().in_atomic_block:
        raise PlatformError("A claim moves with its reason, in one transaction.", code="move_outside")
    origin = ClaimStatus(claim.status)
    if to not in MOVES[origin]:
        raise MoveNotAllowed(f"A claim that is {origin.label.lower()} cannot become {to.label.lower()}.")
    if claim.erased_at is not None and origin in CLOSED:
        raise ClaimErased
    columns = {**(changes or {}), "closed_at": now if to in CLOSED else None}
    moved = Claim.objects.filter(id=claim.id, status=origin, version=claim.version).update(
        status=to, version=F("version") + 1, **columns
    )
    if not moved:
        raise StaleClaim
    claim.refresh_from_db()
    record_event(
        action=action,
        actor=actor,
        object_type="claim",
        object_id=claim.id,
        now=now,
        before={"status": origin},
        after={"status": to, **(details or {})},
        reason=reason,
    )
    return claim
