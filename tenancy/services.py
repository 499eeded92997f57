"""Writes of the tenancy floor: keys and the tenant itself, each with its audit event in the same commit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F

from observability.errors import FieldProblem, InvalidInput, NotFound, PermissionRefused
from tenancy.audit import AuditAction, TenancyAction, record_event
from tenancy.choices import Role, Scope, TenantStatus, Tier
from tenancy.errors import KeyBeyondRights, KeyNotActive, QuotaNotCustom, StaleTenant
from tenancy.keys import PREFIX_LENGTH, make_secret, secret_hash
from tenancy.models import ApiKey, Membership, Tenant
from tenancy.permissions import require_scope, role_scopes
from tenancy.plans import most_per_minute
from tenancy.policy import THRESHOLDS, changed_settings
from tenancy.principals import Principal
from tenancy.scope import current_tenant_id, tenant_scope
from tenancy.sign_on_rules import provider_of
from tenancy.tiers import Feature, includes, require_feature

# Time for every place that holds the old secret to get the new one.
ROTATION_OVERLAP = timedelta(hours=24)


@dataclass(frozen=True)
class IssuedKey:
    """A key and its secret, which is known now and never again."""

    key: ApiKey
    secret: str


@transaction.atomic(durable=True)
def create_api_key(
    *,
    actor: Principal,
    name: str,
    scopes: Iterable[str],
    now: datetime,
    expires_at: datetime | None = None,
    user_id: UUID | None = None,
    requests_per_minute: int | None = None,
) -> IssuedKey:
    """Make a key of the actor, or of a client of the tenant (`user_id`), who has no way to make one.

    A key acts in its holder's name, so nobody makes keys for those who decide. Raises KeyBeyondRights, InvalidInput.
    """
    require_scope(actor, Scope.ADMIN)
    if expires_at is not None and expires_at <= now:
        raise InvalidInput(problems=[FieldProblem("/expires_at", "in_the_past", "This time is over.")])
    _refuse_pace(actor, requests_per_minute)
    holder = _holder(actor, user_id)
    wanted = frozenset(scopes)
    if not wanted <= (role_scopes(Role(holder.role)) & actor.scopes):
        raise KeyBeyondRights
    issued = _issue(
        holder.user_id,
        name=name,
        scopes=wanted,
        expires_at=expires_at,
        now=now,
        requests_per_minute=requests_per_minute,
    )
    _record_key(TenancyAction.API_KEY_CREATED, actor, issued.key, now=now)
    return issued


@transaction.atomic(durable=True)
def rotate_api_key(*, actor: Principal, key_id: UUID, now: datetime) -> IssuedKey:
    """Make the key's successor with the same rights and lifetime; the old one works for another 24 hours.

    Raises NotFound, KeyNotActive for a key that is over or has a successor already.
    """
    require_scope(actor, Scope.ADMIN)
    old = _locked_key(current_tenant_id(), key_id)
    over = old.revoked_at is not None or (old.expires_at is not None and old.expires_at <= now)
    if over or ApiKey.objects.filter(rotated_from=old).exists():
        raise KeyNotActive
    if not actor.scopes.issuperset(old.scopes):
        raise KeyBeyondRights
    lifetime = old.expires_at - old.created_at if old.expires_at else None
    issued = _issue(
        old.user_id,
        name=old.name,
        scopes=old.scopes,
        expires_at=now + lifetime if lifetime else None,
        now=now,
        rotated_from=old,
        requests_per_minute=old.requests_per_minute,
    )
    end = now + ROTATION_OVERLAP
    old.expires_at = min(old.expires_at, end) if old.expires_at else end
    old.save(update_fields=["expires_at"])
    _record_key(TenancyAction.API_KEY_ROTATED, actor, issued.key, now=now, replaced=old)
    return issued


@transaction.atomic(durable=True)
def change_api_key(*, actor: Principal, key_id: UUID, requests_per_minute: int | None, now: datetime) -> ApiKey:
    """Set how fast a key may go, from its next request on; None puts the default back.

    Raises NotFound, KeyNotActive, InvalidInput.
    """
    require_scope(actor, Scope.ADMIN)
    _refuse_pace(actor, requests_per_minute)
    key = _locked_key(current_tenant_id(), key_id)
    if key.revoked_at is not None:
        raise KeyNotActive
    before = key.requests_per_minute
    if before != requests_per_minute:
        key.requests_per_minute = requests_per_minute
        key.save(update_fields=["requests_per_minute"])
        record_event(
            action=TenancyAction.API_KEY_CHANGED,
            actor=actor,
            object_type="api_key",
            object_id=key.id,
            now=now,
            before={"requests_per_minute": before},
            after={"requests_per_minute": requests_per_minute},
        )
    return key


def _refuse_pace(actor: Principal, requests_per_minute: int | None) -> None:
    if requests_per_minute is None:
        return
    most = most_per_minute(actor.tier or Tier.FREE)
    if not 1 <= requests_per_minute <= most:
        problem = FieldProblem("/requests_per_minute", "out_of_range", f"From 1 to {most}, the most of the tier.")
        raise InvalidInput(problems=[problem])


@transaction.atomic(durable=True)
def revoke_api_key(*, actor: Principal, key_id: UUID, now: datetime) -> None:
    """End a key at once; one that is revoked already stays as it is. Raises NotFound.

    The tenant's administrator ends keys of the tenant, the platform's operator any key.
    """
    require_scope(actor, Scope.ADMIN, Scope.OPS)
    key = _locked_key(actor.tenant_id, key_id)
    if key.revoked_at is not None:
        return
    key.revoked_at = now
    key.save(update_fields=["revoked_at"])
    if key.tenant_id is not None:  # an operator's key has no tenant whose trail could tell
        with tenant_scope(key.tenant_id):
            _record_key(TenancyAction.API_KEY_REVOKED, actor, key, now=now)


@transaction.atomic(durable=True)
def change_tenant(
    *, actor: Principal, tenant: Tenant, now: datetime, name: str | None = None, settings: Mapping[str, Any]
) -> Tenant:
    """Change name and settings of the actor's tenant as it was read; raises StaleTenant when it changed since.

    A setting of null goes back to its default. Raises InvalidInput for unknown settings, FeatureNotIncluded.
    """
    require_scope(actor, Scope.ADMIN)
    if tenant.id != actor.tenant_id:
        raise NotFound
    if any(settings.get(name) is not None for name in THRESHOLDS):
        require_feature(tenant.tier, Feature.CUSTOM_THRESHOLDS)
    if settings.get("sso_required") and (not includes(tenant.tier, Feature.SINGLE_SIGN_ON) or not provider_of(tenant)):
        detail = "It needs a tier with single sign-on and an identity provider of the tenant's own, or nobody gets in."
        raise InvalidInput(problems=[FieldProblem("/settings/sso_required", "no_identity_provider", detail)])
    wanted = {"name": tenant.name if name is None else name, "settings": changed_settings(tenant.settings, settings)}
    return _write_tenant(tenant, wanted, actor=actor, now=now)


@transaction.atomic(durable=True)
def set_tenant_standing(
    *, actor: Principal, tenant: Tenant, tier: Tier, status: TenantStatus, now: datetime, reason: str = ""
) -> Tenant:
    """Set tier and status of a tenant, which is the platform operator's to do; raises StaleTenant."""
    require_scope(actor, Scope.OPS)
    with tenant_scope(tenant.id):
        return _write_tenant(tenant, {"tier": tier, "status": status}, actor=actor, now=now, reason=reason)


@transaction.atomic(durable=True)
def set_custom_quota(
    *, actor: Principal, tenant: Tenant, assessments_per_month: int | None, storage_gb: int | None, now: datetime
) -> Tenant:
    """Set what was agreed with a tenant of the tier Enterprise (None: unlimited), the platform operator's to do.

    In force with the next request; what is used already stays used. Raises QuotaNotCustom, StaleTenant.
    """
    require_scope(actor, Scope.OPS)
    wanted = {"custom_assessments_per_month": assessments_per_month, "custom_storage_gb": storage_gb}
    if tenant.tier != Tier.ENTERPRISE and any(value is not None for value in wanted.values()):
        raise QuotaNotCustom
    with tenant_scope(tenant.id):
        return _write_tenant(tenant, wanted, actor=actor, now=now, action=TenancyAction.QUOTA_CHANGED)


def _write_tenant(
    tenant: Tenant,
    wanted: Mapping[str, Any],
    *,
    actor: Principal,
    now: datetime,
    reason: str = "",
    action: AuditAction = TenancyAction.TENANT_CHANGED,
) -> Tenant:
    before = {name: getattr(tenant, name) for name, value in wanted.items() if getattr(tenant, name) != value}
    if not before:
        return tenant
    changes = {name: wanted[name] for name in before}
    rows = Tenant.objects.filter(id=tenant.id, version=tenant.version)
    if not rows.update(version=F("version") + 1, **changes):
        raise StaleTenant
    tenant.refresh_from_db()
    record_event(
        action=action,
        actor=actor,
        object_type="tenant",
        object_id=tenant.id,
        now=now,
        before=before,
        after=changes,
        reason=reason,
    )
    return tenant


def _holder(actor: Principal, user_id: UUID | None) -> Membership:
    wanted = user_id or actor.user_id
    if wanted is None:
        raise PermissionRefused("A key belongs to a person.")
    holder = Membership.objects.filter(tenant_id=current_tenant_id(), user_id=wanted, user__is_active=True).first()
    if holder is None:
        problem = FieldProblem("/user_id", "unknown_member", "There is no such member of the tenant.")
        raise InvalidInput(problems=[problem])
    if wanted != actor.user_id and holder.role != Role.CLIENT:
        raise KeyBeyondRights("Keys for others are made for clients only: a key acts in its holder's name.")
    return holder


def _issue(
    user_id: UUID,
    *,
    name: str,
    scopes: Iterable[str],
    expires_at: datetime | None,
    now: datetime,
    rotated_from: ApiKey | None = None,
    requests_per_minute: int | None = None,
) -> IssuedKey:
    secret = make_secret()
    key = ApiKey.objects.create(
        tenant_id=current_tenant_id(),
        user_id=user_id,
        name=name,
        prefix=secret[:PREFIX_LENGTH],
        secret_sha256=secret_hash(secret),
        scopes=sorted(str(scope) for scope in scopes),
        created_at=now,
        expires_at=expires_at,
        rotated_from=rotated_from,
        requests_per_minute=requests_per_minute,
    )
    return IssuedKey(key, secret)


def _locked_key(tenant_id: UUID | None, key_id: UUID) -> ApiKey:
    """Return the key, locked until the commit; of any tenant when the actor is the platform's operator."""
    keys = ApiKey.objects.select_for_update().filter(id=key_id)
    key = (keys if tenant_id is None else keys.filter(tenant_id=tenant_id)).first()
    if key is None:
        raise NotFound
    return key


def _record_key(
    action: AuditAction, actor: Principal, key: ApiKey, *, now: datetime, replaced: ApiKey | None = None
) -> None:
    known = {"name": key.name, "prefix": key.prefix, "scopes": key.scopes, "user_id": key.user_id}
    known |= {"requests_per_minute": key.requests_per_minute} if key.requests_per_minute else {}
    times = {"expires_at": key.expires_at, "revoked_at": key.revoked_at}
    before = {} if replaced is None else {"key_id": replaced.id, "expires_at": replaced.expires_at}
    record_event(
        action=action,
        actor=actor,
        object_type="api_key",
        object_id=key.id,
        now=now,
        before=before,
        after={**known, **{name: at for name, at in times.items() if at is not None}},
    )
