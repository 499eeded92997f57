"""Who holds a claim right now, for the pages."""

from __future__ import annotations

from datetime import datetime

from claims.models import Claim
from reviews.models import ReviewLease


def hold_of(claim: Claim, *, now: datetime) -> ReviewLease | None:
    """Return the claim's live lease with its holder loaded; a lapsed one is none."""
    lease: ReviewLease | None = (
        ReviewLease.objects.select_related("holder").filter(claim_id=claim.id, expires_at__gt=now).first()
    )
    return lease
