"""Single sign-on: whom an identity provider's word lets in.

A person is known by (issuer, subject). An e-mail address is looked at once, to link a first arrival with a member of
the tenant that the provider speaks for, and only when the provider vouches for it and the person belongs nowhere else.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from observability.errors import NotFound, PermissionRefused
from tenancy.audit import TenancyAction
from tenancy.choices import TenantStatus
from tenancy.errors import IdentityRefused
from tenancy.members import admit_person
from tenancy.models import Membership, SignOnIdentity, Tenant, User
from tenancy.person_events import record_person_event
from tenancy.policy import policy_from
from tenancy.sign_on_rules import Entrance, SignOnProvider
from tenancy.tiers import Feature, require_feature

_LONGEST = 255


class IdentityNotLinked(PermissionRefused):
    code = "identity_not_linked"
    message = "Nobody here is linked with this identity. Sign in with your password and link it on your account page."


@dataclass(frozen=True)
class Arrival:
    """Who stands at the door, in a provider's checked words."""

    provider: SignOnProvider
    subject: str
    email: str
    email_verified: bool
    given_name: str = ""
    family_name: str = ""

    def __post_init__(self) -> None:
        if not self.subject or len(self.subject) > _LONGEST or len(self.email) > _LONGEST:
            raise IdentityRefused(reason="subject or email")


def entrance_through(provider: SignOnProvider) -> Entrance:
    """Return the way in that the provider is. Raises NotFound for one whose tenant is not there (any more)."""
    if not provider.tenant:
        return Entrance("sign_on")
    return Entrance("sign_on", str(_tenant_of(provider).id))


@transaction.atomic(durable=True)
def person_for(arrival: Arrival, *, now: datetime) -> User:
    """Return the person whom the arrival is, linking or admitting them where the rules allow it.

    Raises IdentityRefused, IdentityNotLinked, FeatureNotIncluded, NotFound. Writes SignOnIdentity, perhaps a person.
    """
    tenant = _tenant_of(arrival.provider) if arrival.provider.tenant else None
    if tenant is not None:
        require_feature(tenant.tier, Feature.SINGLE_SIGN_ON)
    identity = _identity_of(arrival)
    if identity is not None:
        _refuse_unfit(identity.user)
        SignOnIdentity.objects.filter(id=identity.id).update(last_used_at=now)
        return identity.user
    if tenant is None or not arrival.email or not arrival.email_verified:
        raise IdentityNotLinked
    user = _member_with_address(tenant, arrival.email) or _admitted(tenant, arrival, now)
    _link(user, arrival, now)
    return user


@transaction.atomic(durable=True)
def link_identity(*, user: User, arrival: Arrival, now: datetime) -> None:
    """Link the arrival with the person who is signed in. Raises IdentityRefused for an identity of someone else."""
    _refuse_unfit(user)
    if arrival.provider.tenant:
        tenant = _tenant_of(arrival.provider)
        require_feature(tenant.tier, Feature.SINGLE_SIGN_ON)
        if not Membership.objects.filter(user=user, tenant=tenant).exists():
            raise IdentityRefused(f"You are no member of the tenant that {arrival.provider.name} speaks for.")
    identity = _identity_of(arrival)
    if identity is None:
        _link(user, arrival, now)
    elif identity.user_id != user.id:
        raise IdentityRefused("This identity is linked with another account.")


@transaction.atomic(durable=True)
def unlink_identity(*, user: User, identity_id: UUID, now: datetime) -> None:
    """Forget one of the person's identities; raises NotFound, IdentityRefused where it is their only way in."""
    identity = SignOnIdentity.objects.filter(user=user, id=identity_id).first()
    if identity is None:
        raise NotFound
    if not user.has_usable_password():
        raise IdentityRefused("Without a password this is your only way in.")
    identity.delete()
    record_person_event(TenancyAction.IDENTITY_UNLINKED, user, now=now, after={"issuer": identity.issuer})


def _tenant_of(provider: SignOnProvider) -> Tenant:
    tenant = Tenant.objects.filter(slug=provider.tenant, status=TenantStatus.ACTIVE).first()
    if tenant is None:
        raise NotFound("The tenant of this identity provider is not there.")
    return tenant


def _identity_of(arrival: Arrival) -> SignOnIdentity | None:
    rows = SignOnIdentity.objects.select_related("user")
    return rows.filter(issuer=arrival.provider.issuer, subject=arrival.subject).first()


def _refuse_unfit(user: User) -> None:
    """Who runs the platform comes in by its own password and second factor, whatever a provider says."""
    if not user.is_active or user.is_operator or user.is_superuser or user.is_staff:
        raise IdentityRefused(reason="inactive or runs the platform")


def _member_with_address(tenant: Tenant, email: str) -> User | None:
    """Return the one member with the address; raises IdentityRefused when it is not safe to say that it is them."""
    rows = Membership.objects.select_related("user").filter(tenant=tenant, user__email__iexact=email)
    members = [membership.user for membership in rows]
    if not members:
        return None
    user = members[0]
    _refuse_unfit(user)
    if len(members) > 1 or Membership.objects.filter(user=user).exclude(tenant=tenant).exists():
        # One tenant's provider must not become a key to a person who works for another tenant as well.
        raise IdentityNotLinked
    if SignOnIdentity.objects.filter(user=user).exists():
        raise IdentityNotLinked  # the address has a holder already; it may have changed hands
    return user


def _admitted(tenant: Tenant, arrival: Arrival, now: datetime) -> User:
    if not policy_from(tenant.settings).sso_new_people:
        raise IdentityNotLinked
    user = User(
        username=f"{arrival.provider.id}.{secrets.token_hex(5)}",
        email=arrival.email,
        first_name=_short(arrival.given_name),
        last_name=_short(arrival.family_name),
    )
    user.set_unusable_password()
    user.save()
    admit_person(tenant=tenant, user=user, now=now)
    return user


def _short(name: str) -> str:
    return "".join(sign for sign in name if sign.isprintable())[:80].strip()


def _link(user: User, arrival: Arrival, now: datetime) -> None:
    """Insert the identity. Of two arrivals at once one insert is ignored; whose it became decides."""
    fresh = SignOnIdentity(user=user, issuer=arrival.provider.issuer, subject=arrival.subject, linked_at=now)
    SignOnIdentity.objects.bulk_create([fresh], ignore_conflicts=True)
    stored = _identity_of(arrival)
    if stored is None or stored.user_id != user.id:
        raise IdentityRefused("This identity is linked with another account.")
    record_person_event(TenancyAction.IDENTITY_LINKED, user, now=now, after={"issuer": arrival.provider.issuer})
