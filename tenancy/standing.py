"""Asks again, inside the commit of a long request, whether who began it may still do it."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q

from tenancy.choices import ActorType, TenantStatus
from tenancy.errors import InvalidCredential, TenantInactive
from tenancy.models import ApiKey, BrowserSession, Membership, TokenFamily
from tenancy.principals import Principal


def require_standing(principal: Principal, *, now: datetime) -> None:
    """Raise InvalidCredential when the key, tokens, session, person or role ended meanwhile, TenantInactive when the
    tenant did. An upload takes minutes; a key that is revoked in between must not have its last word."""
    if principal.kind != ActorType.HUMAN or principal.user_id is None or principal.tenant_id is None:
        return
    if not _credential_stands(principal, now):
        raise InvalidCredential
    membership = (
        Membership.objects.select_related("tenant")
        .filter(tenant_id=principal.tenant_id, user_id=principal.user_id, user__is_active=True, role=principal.role)
        .first()
    )
    if membership is None:
        raise InvalidCredential
    if membership.tenant.status != TenantStatus.ACTIVE:
        raise TenantInactive


def _credential_stands(principal: Principal, now: datetime) -> bool:
    if principal.key_id is not None:
        lasting = Q(expires_at__isnull=True) | Q(expires_at__gt=now)
        return ApiKey.objects.filter(lasting, id=principal.key_id, revoked_at__isnull=True).exists()
    if principal.token_family_id is not None:
        families = TokenFamily.objects.filter(revoked_at__isnull=True, expires_at__gt=now)
        return families.filter(id=principal.token_family_id).exists()
    if principal.session_id is not None:
        return BrowserSession.objects.filter(id=principal.session_id, expire_date__gt=now).exists()
    return True  # a command that acts in a person's name
