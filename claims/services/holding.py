"""A legal hold on a claim: while it stands, nothing of the claim is erased."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from claims.choices import ClaimAction
from claims.errors import ClaimErased, ClaimNotFound
from claims.identifiers import refuse_identifiers
from claims.models import Claim
from claims.visibility import visible_claims
from observability.errors import FieldProblem, InvalidInput
from tenancy.audit import record_event
from tenancy.choices import Scope
from tenancy.permissions import require_scope
from tenancy.principals import Principal


@transaction.atomic(durable=True)
def set_legal_hold(*, actor: Principal, claim_id: UUID, held: bool, reason: str, now: datetime) -> Claim:
    """Put the claim on hold or lift the hold, with the reason in its history; what stands so already stays as it is.

    Raises PermissionRefused, InvalidInput without a reason, ClaimNotFound, ClaimErased.
    """
    require_scope(actor, Scope.SUPERVISE)
    if not reason.strip():
        raise InvalidInput(problems=[FieldProblem("/reason", "required", "Say why.")])
    claim: Claim | None = (
        Claim.objects.select_for_update(no_key=True).filter(visible_claims(actor), id=claim_id).first()
    )
    if claim is None:
        raise ClaimNotFound
    if claim.erased_at is not None:
        raise ClaimErased
    refuse_identifiers(claim, reason=reason)
    if held == (claim.held_since is not None):
        return claim
    claim.held_since, claim.hold_reason = (now, reason.strip()) if held else (None, "")
    claim.save(update_fields=["held_since", "hold_reason"])
    record_event(
        action=ClaimAction.HOLD_SET if held else ClaimAction.HOLD_LIFTED,
        actor=actor,
        object_type="claim",
        object_id=claim.id,
        now=now,
        reason=reason.strip(),
    )
    return claim
