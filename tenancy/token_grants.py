"""Access and refresh tokens: granted for a password, renewed in turn, dead as soon as their family's row says so.

The family remembers the one refresh token that is still good. A refresh is one conditional update of it; when that hits
nothing, the token was used before, one of its two users is a thief, and the family ends.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction

from observability.ids import new_id
from tenancy.audit import AuditAction, TenancyAction, record_event
from tenancy.choices import TenantStatus
from tenancy.clients import ClientMark
from tenancy.errors import InvalidCredential, SignOnRequired, TenantInactive, TokenReused
from tenancy.jwts import TokenFacts, TokenKind, read_token, sign_token
from tenancy.models import Membership, TokenFamily, User
from tenancy.principals import Principal, principal_of_membership, principal_of_operator
from tenancy.scope import tenant_scope
from tenancy.sign_on_rules import requires_sign_on


@dataclass(frozen=True)
class TokenPair:
    """Shown once; `expires_in` are the seconds of the access token."""

    access: str
    refresh: str
    expires_in: int


@transaction.atomic(durable=True)
def grant_tokens(*, principal: Principal, user: User, client: ClientMark, now: datetime) -> TokenPair:
    """Begin a family of tokens for the person in the principal's tenant. Writes TokenFamily and an audit event."""
    family = TokenFamily.objects.create(
        user=user,
        tenant_id=principal.tenant_id,
        refresh_id=new_id(),
        password_mark=user.get_session_auth_hash(),
        created_at=now,
        refreshed_at=now,
        expires_at=now + timedelta(seconds=settings.REFRESH_TOKEN_SECONDS),
        network=client.network,
        client=client.program,
    )
    _record(TenancyAction.TOKENS_GRANTED, family, principal, now=now)
    return _pair(family, now)


def refresh_tokens(*, refresh: str, now: datetime) -> TokenPair:
    """Return the next pair of the family; raises TokenReused (and ends the family) for a token that had its turn."""
    facts = read_token(TokenKind.REFRESH, refresh)
    family = _take_turn(facts, now)
    if family is None:
        raise TokenReused
    return _pair(family, now)


@transaction.atomic(durable=True)
def _take_turn(facts: TokenFacts, now: datetime) -> TokenFamily | None:
    """Return the family with its next refresh token, or None when this one was used before: then the family is over."""
    family, principal = _standing_family(facts, now)
    next_id = new_id()
    rows = TokenFamily.objects.filter(id=family.id, revoked_at__isnull=True)
    if rows.filter(refresh_id=facts.token_id).update(refresh_id=next_id, refreshed_at=now):
        family.refresh_id = next_id
        return family
    if rows.update(revoked_at=now):
        _record(TenancyAction.TOKENS_REUSED, family, principal, now=now)
    return None


@transaction.atomic(durable=True)
def revoke_tokens(*, refresh: str, now: datetime) -> None:
    """End the token's family, whoever's turn it is; one that is over stays as it is. Raises InvalidCredential."""
    facts = read_token(TokenKind.REFRESH, refresh)
    family = TokenFamily.objects.select_related("user").filter(id=facts.family_id).first()
    if family is not None:
        _end(family, now=now)


@transaction.atomic(durable=True)
def revoke_own_family(*, user: User, family_id: UUID, now: datetime) -> bool:
    """End one of the person's families; whether there was one to end."""
    family = TokenFamily.objects.select_related("user").filter(id=family_id, user=user).first()
    return family is not None and _end(family, now=now)


def principal_for_token(*, token: str, now: datetime) -> tuple[TokenFamily, Principal]:
    """Return the token's family (person and tenant loaded) and its principal, with the role of this moment.

    Raises TokenExpired, InvalidCredential, TenantInactive, SignOnRequired.
    """
    facts = read_token(TokenKind.ACCESS, token)
    return _standing_family(facts, now)


def _standing_family(facts: TokenFacts, now: datetime) -> tuple[TokenFamily, Principal]:
    family = TokenFamily.objects.select_related("user", "tenant").filter(id=facts.family_id).first()
    if family is None or family.revoked_at is not None or family.expires_at <= now:
        raise InvalidCredential
    if (facts.user_id, facts.tenant_id) != (family.user_id, family.tenant_id):
        raise InvalidCredential
    same_password = hmac.compare_digest(family.password_mark.encode(), family.user.get_session_auth_hash().encode())
    if not family.user.is_active or not same_password:
        raise InvalidCredential
    return family, replace(_person_behind(family), token_family_id=family.id)


def _person_behind(family: TokenFamily) -> Principal:
    if family.tenant is None:
        if not family.user.is_operator:
            raise InvalidCredential
        return principal_of_operator(family.user)
    member = Membership.objects.select_related("user").filter(tenant=family.tenant, user=family.user).first()
    if member is None:
        raise InvalidCredential
    if family.tenant.status != TenantStatus.ACTIVE:
        raise TenantInactive
    if requires_sign_on(family.tenant):
        raise SignOnRequired
    member.tenant = family.tenant  # read with the family already
    return principal_of_membership(member)


def _end(family: TokenFamily, *, now: datetime) -> bool:
    ended = TokenFamily.objects.filter(id=family.id, revoked_at__isnull=True).update(revoked_at=now)
    if ended and family.tenant_id is not None:
        rows = Membership.objects.select_related("user")
        member = rows.filter(tenant_id=family.tenant_id, user_id=family.user_id).first()
        if member is not None:  # whose membership ended has no more to tell the tenant
            _record(TenancyAction.TOKENS_REVOKED, family, principal_of_membership(member), now=now)
    return bool(ended)


def _pair(family: TokenFamily, now: datetime) -> TokenPair:
    facts = TokenFacts(new_id(), family.id, family.user_id, family.tenant_id)
    seconds: int = settings.ACCESS_TOKEN_SECONDS
    access = sign_token(TokenKind.ACCESS, facts, now=now, expires_at=now + timedelta(seconds=seconds))
    turn = replace(facts, token_id=family.refresh_id)
    return TokenPair(access, sign_token(TokenKind.REFRESH, turn, now=now, expires_at=family.expires_at), seconds)


def _record(action: AuditAction, family: TokenFamily, actor: Principal, *, now: datetime) -> None:
    """Tell the tenant's trail; the platform's operator has no tenant to tell."""
    if family.tenant_id is None:
        return
    with tenant_scope(family.tenant_id):
        after = {"user_id": family.user_id, "client": family.client, "network": family.network}
        record_event(action=action, actor=actor, object_type="token_family", object_id=family.id, now=now, after=after)
