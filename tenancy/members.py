"""Tenants and who works in them: the platform operator's to make, told to each tenant's own trail."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from observability.errors import Conflict
from tenancy.audit import AuditAction, TenancyAction, record_event
from tenancy.choices import Role, Scope, Tier
from tenancy.models import ApiKey, Membership, Tenant, TokenFamily, User
from tenancy.permissions import require_scope
from tenancy.principals import Principal, system_principal
from tenancy.scope import tenant_scope


class OperatorIsNoMember(Conflict):
    code = "operator_is_no_member"
    message = "Who operates the platform works in no tenant."


@transaction.atomic(durable=True)
def create_tenant(*, actor: Principal, slug: str, name: str, tier: Tier, now: datetime) -> Tenant:
    """Open a tenant; its slug stays for good. Raises IntegrityError for a slug that is taken."""
    require_scope(actor, Scope.OPS)
    tenant = Tenant.objects.create(slug=slug, name=name, tier=tier)
    with tenant_scope(tenant.id):
        record_event(
            action=TenancyAction.TENANT_CREATED,
            actor=actor,
            object_type="tenant",
            object_id=tenant.id,
            now=now,
            after={"slug": slug, "name": name, "tier": tier},
        )
    return tenant


@transaction.atomic(durable=True)
def add_member(*, actor: Principal, tenant: Tenant, user: User, role: Role, now: datetime) -> Membership:
    """Let a person work in the tenant. Raises OperatorIsNoMember, IntegrityError for who is a member already."""
    require_scope(actor, Scope.OPS)
    if user.is_operator:
        raise OperatorIsNoMember
    member = Membership.objects.create(tenant=tenant, user=user, role=role)
    _record_member(TenancyAction.MEMBER_ADDED, actor, member, after={"role": role}, now=now)
    return member


def admit_person(*, tenant: Tenant, user: User, now: datetime) -> Membership:
    """Let in, with the lowest role there is, whom the tenant's own identity provider vouches for."""
    member = Membership.objects.create(tenant=tenant, user=user, role=Role.CLIENT)
    actor = system_principal(tenant_id=tenant.id, name="single sign-on")
    _record_member(TenancyAction.MEMBER_ADDED, actor, member, after={"role": Role.CLIENT}, now=now)
    return member


@transaction.atomic(durable=True)
def change_member_role(*, actor: Principal, member: Membership, role: Role, now: datetime) -> Membership:
    """Give a member another role; sessions and keys follow with their next request."""
    require_scope(actor, Scope.OPS)
    member = Membership.objects.select_for_update().get(id=member.id)
    before = member.role
    if before == role:
        return member
    member.role = role
    member.save(update_fields=["role"])
    _record_member(TenancyAction.MEMBER_CHANGED, actor, member, before={"role": before}, after={"role": role}, now=now)
    return member


@transaction.atomic(durable=True)
def remove_member(*, actor: Principal, member: Membership, now: datetime) -> None:
    """End a membership; the person's keys and tokens in the tenant end with it and do not revive with a new one."""
    require_scope(actor, Scope.OPS)
    before = {"role": member.role}
    member_id = member.id
    member.delete()
    member.id = member_id
    theirs = {"tenant_id": member.tenant_id, "user_id": member.user_id, "revoked_at": None}
    keys = ApiKey.objects.filter(**theirs).update(revoked_at=now)
    families = TokenFamily.objects.filter(**theirs).update(revoked_at=now)
    ended = {"api_keys": keys, "token_families": families}
    _record_member(TenancyAction.MEMBER_REMOVED, actor, member, before=before, after=ended, now=now)


def _record_member(
    action: AuditAction,
    actor: Principal,
    member: Membership,
    *,
    now: datetime,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
) -> None:
    with tenant_scope(member.tenant_id):
        record_event(
            action=action,
            actor=actor,
            object_type="membership",
            object_id=member.id,
            now=now,
            before={"user_id": member.user_id, **(before or {})},
            after={"user_id": member.user_id, **(after or {})},
        )
