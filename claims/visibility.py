"""Which claims a principal may see: its role first, then the exceptions granted to the person."""

from __future__ import annotations

from django.db.models import Q, QuerySet
from guardian.shortcuts import assign_perm

from claims.models import Claim, ClaimGrant
from tenancy.choices import Role
from tenancy.models import Membership, User
from tenancy.principals import Principal

# A restricted file is open to those it was granted to.
OPEN_RESTRICTED = "open_restricted_claim"
# A claim that somebody else handed in, shared with one person of the claimant's side.
SEE_SHARED = "view_claim"
# They answer for the whole file: nothing may be hidden from who administers and from who audits.
_SEE_EVERYTHING = frozenset({Role.ADMIN, Role.AUDITOR})


def visible_claims(principal: Principal, *, claim: str = "") -> Q:
    """Return the condition that leaves the principal's claims; `claim` is the path to the claim, such as "claim".

    The claimant's side sees what it handed in and what is shared with it; staff see the tenant's claims except
    restricted ones, which take a grant. The platform's own parts (timers, commands) have no role and see all.
    """
    at = f"{claim}__" if claim else ""
    if principal.is_client:
        return Q(**{f"{at}submitted_by_id": principal.user_id}) | _granted(principal, SEE_SHARED, at)
    if principal.role is None or principal.role in _SEE_EVERYTHING:
        return Q()
    return Q(**{f"{at}restricted": False}) | _granted(principal, OPEN_RESTRICTED, at)


def shown_number(claim_number: str, restricted: bool) -> str:  # noqa: FBT001  # a row of two columns
    """Return what another claim's file may say of this one: a restricted file is not named."""
    return "a restricted file" if restricted else claim_number


def permission_for(member: Membership) -> str:
    """Return which permission opens a claim to this member."""
    return SEE_SHARED if member.role == Role.CLIENT else OPEN_RESTRICTED


def grants_of(claim: Claim) -> QuerySet[ClaimGrant]:
    """Return who was let in beside what roles say, in the order it happened."""
    rows: QuerySet[ClaimGrant] = ClaimGrant.objects.filter(content_object=claim)
    return rows.select_related("user", "permission").order_by("id")


def open_to(user: User, claim: Claim, permission: str) -> ClaimGrant:
    """Let the person see the claim; the row that is there already is returned."""
    assign_perm(permission, user, claim)
    granted: ClaimGrant = grants_of(claim).get(user=user, permission__codename=permission)
    return granted


def _granted(principal: Principal, permission: str, at: str) -> Q:
    assert principal.user_id is not None  # a role belongs to a person
    rows = ClaimGrant.objects.filter(user_id=principal.user_id, permission__codename=permission)
    return Q(**{f"{at}id__in": rows.values("content_object_id")})
