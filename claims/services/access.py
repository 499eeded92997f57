"""Who may open a claim beside what roles say: restricted files, and claims shared with one person."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import F

from claims.choices import ClaimAction
from claims.errors import AlreadyRestricted, ClaimNotFound, GrantNotFound, NotRestricted
from claims.identifiers import refuse_identifiers
from claims.models import Claim, ClaimGrant
from claims.visibility import OPEN_RESTRICTED, grants_of, open_to, permission_for, visible_claims
from observability.errors import FieldProblem, InvalidInput
from tenancy.audit import record_event
from tenancy.choices import Role, Scope
from tenancy.models import Membership, User
from tenancy.permissions import require_scope
from tenancy.principals import Principal
from tenancy.scope import current_tenant_id


@transaction.atomic(durable=True)
def restrict_claim(*, actor: Principal, claim_id: UUID, reason: str, now: datetime) -> Claim:
    """Close the claim to everyone of the staff but those it is opened to; the actor is the first of them.

    Writes Claim, ClaimGrant, AuditEvent. Raises PermissionRefused, ClaimNotFound, AlreadyRestricted.
    """
    claim = _locked(actor, claim_id)
    if claim.restricted:
        raise AlreadyRestricted
    refuse_identifiers(claim, reason=reason)
    _set_restricted(claim, restricted=True)
    if actor.user_id is not None and actor.role == Role.SUPERVISOR:
        open_to(User.objects.get(id=actor.user_id), claim, OPEN_RESTRICTED)
    _record(ClaimAction.RESTRICTED, actor, claim, now, reason=reason)
    return claim


@transaction.atomic(durable=True)
def lift_restriction(*, actor: Principal, claim_id: UUID, reason: str = "", now: datetime) -> Claim:
    """Open the claim to all staff again; who was let in stays listed for the next time.

    Writes Claim, AuditEvent. Raises PermissionRefused, ClaimNotFound, NotRestricted.
    """
    claim = _locked(actor, claim_id)
    if not claim.restricted:
        raise NotRestricted
    refuse_identifiers(claim, reason=reason)
    _set_restricted(claim, restricted=False)
    _record(ClaimAction.RESTRICTION_LIFTED, actor, claim, now, reason=reason)
    return claim


@transaction.atomic(durable=True)
def grant_access(*, actor: Principal, claim_id: UUID, username: str, now: datetime) -> ClaimGrant:
    """Open one claim to one member: a restricted file to staff, somebody else's claim to a client.

    Writes ClaimGrant, AuditEvent. Raises PermissionRefused, ClaimNotFound, InvalidInput for an unknown member.
    """
    claim = _locked(actor, claim_id)
    member = _member_named(username)
    permission = permission_for(member)
    known = grants_of(claim).filter(user_id=member.user_id, permission__codename=permission).first()
    if known is not None:
        return known
    grant = open_to(member.user, claim, permission)
    _record(ClaimAction.ACCESS_GRANTED, actor, claim, now, user_id=member.user_id, permission=permission)
    return grant


@transaction.atomic(durable=True)
def revoke_access(*, actor: Principal, claim_id: UUID, grant_id: UUID, now: datetime) -> None:
    """Take a grant back; it no longer counts from the next request on.

    Deletes ClaimGrant, writes AuditEvent. Raises PermissionRefused, ClaimNotFound, GrantNotFound.
    """
    claim = _locked(actor, claim_id)
    grant = grants_of(claim).filter(id=grant_id).first()
    if grant is None:
        raise GrantNotFound
    permission, user_id = grant.permission.codename, grant.user_id
    grant.delete()
    _record(ClaimAction.ACCESS_REVOKED, actor, claim, now, user_id=user_id, permission=permission)


def _locked(actor: Principal, claim_id: UUID) -> Claim:
    require_scope(actor, Scope.SUPERVISE)
    claims = Claim.objects.select_for_update(of=("self",), no_key=True)
    claim: Claim | None = claims.filter(visible_claims(actor), id=claim_id).first()
    if claim is None:
        raise ClaimNotFound
    return claim


def _set_restricted(claim: Claim, *, restricted: bool) -> None:
    # The version goes up so that a page or a client that holds the claim sees that it is another one now.
    Claim.objects.filter(id=claim.id).update(restricted=restricted, version=F("version") + 1)
    claim.restricted, claim.version = restricted, claim.version + 1


def _member_named(username: str) -> Membership:
    members = Membership.objects.select_related("user").filter(tenant_id=current_tenant_id(), user__is_active=True)
    member = members.filter(user__username=username).first()
    if member is None:
        problem = FieldProblem("/username", "unknown_member", "There is no such member of the tenant.")
        raise InvalidInput(problems=[problem])
    return member


def _record(
    action: ClaimAction, actor: Principal, claim: Claim, now: datetime, *, reason: str = "", **after: object
) -> None:
    known = {"restricted": claim.restricted, **after}
    record_event(
        action=action, actor=actor, object_type="claim", object_id=claim.id, now=now, after=known, reason=reason
    )
