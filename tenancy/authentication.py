"""From a credential to a principal: the tenant always comes from here, never from header, host or body alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import cast

from django.conf import settings
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.request import Request

from observability.errors import PermissionRefused
from tenancy.choices import Role, TenantStatus
from tenancy.errors import InvalidCredential, SignOnRequired, TenantInactive, TenantMismatch
from tenancy.key_lookup import HeldKey, key_of_hash
from tenancy.keys import secret_hash, well_formed
from tenancy.models import ApiKey, Membership, Tenant, User
from tenancy.principals import (
    Principal,
    principal_of_key,
    principal_of_membership,
    principal_of_operator,
    principal_of_operator_key,
)
from tenancy.scope import outside_any_tenant
from tenancy.sessions import session_row
from tenancy.sign_on_rules import entrance_of, reachable
from tenancy.token_grants import principal_for_token

# "Last used" needs no better than a minute; each request writing it would cost a write lock.
_LAST_USED_STEP = timedelta(minutes=1)
# Where a session remembers the tenant (its id) that a person in several has chosen.
SESSION_TENANT = "tenant"


class ApiKeyAuthentication(BaseAuthentication):
    """``X-API-Key: clm_live_…`` or ``Authorization: Bearer clm_live_…``."""

    def authenticate(self, request: Request) -> tuple[User, Principal] | None:
        secret = _presented_secret(request)
        if secret is None or _is_token(request, secret):
            return None
        key, principal = principal_for_secret(secret=secret, now=timezone.now())
        refuse_other_tenant(request, key.tenant)
        return key.user, principal

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="claimwright"'


class AccessTokenAuthentication(BaseAuthentication):
    """``Authorization: Bearer`` with an access token of `POST /token`."""

    def authenticate(self, request: Request) -> tuple[User, Principal] | None:
        secret = _presented_secret(request)
        if secret is None or not _is_token(request, secret):
            return None
        family, principal = principal_for_token(token=secret, now=timezone.now())
        refuse_other_tenant(request, family.tenant)
        return family.user, principal


class Session(SessionAuthentication):
    """A signed-in browser, with CSRF; the membership was chosen by the middleware."""

    def authenticate(self, request: Request) -> tuple[User, Principal] | None:
        found = super().authenticate(request)
        if found is None:
            return None
        refusal: PermissionRefused | None = getattr(request._request, "tenant_refusal", None)
        if refusal is not None:
            raise refusal
        principal: Principal | None = getattr(request._request, "principal", None)
        if principal is None:
            raise PermissionRefused("You are not a member of any tenant.")
        return cast(User, found[0]), principal


@outside_any_tenant()  # the credential tells the tenant
def principal_for_secret(*, secret: str, now: datetime) -> tuple[ApiKey, Principal]:
    """Return the key and its principal; raises InvalidCredential, or TenantInactive for a suspended tenant."""
    if not well_formed(secret):
        raise InvalidCredential
    held = key_of_hash(secret_hash(secret))
    if held is None:
        raise InvalidCredential
    key = held.key
    if key.revoked_at is not None or (key.expires_at is not None and key.expires_at <= now):
        raise InvalidCredential
    principal = _principal_behind(held)
    stale = Q(last_used_at__isnull=True) | Q(last_used_at__lt=now - _LAST_USED_STEP)
    if key.last_used_at is None or key.last_used_at < now - _LAST_USED_STEP:
        ApiKey.objects.filter(stale, id=key.id).update(last_used_at=now)
    return key, principal


def _principal_behind(held: HeldKey) -> Principal:
    key = held.key
    if not key.user.is_active:
        raise InvalidCredential
    if key.tenant is None or key.tenant_id is None:
        if not key.user.is_operator:
            raise InvalidCredential
        return principal_of_operator_key(key)
    if held.role is None:
        raise InvalidCredential
    if key.tenant.status != TenantStatus.ACTIVE:
        raise TenantInactive
    return principal_of_key(key, Role(held.role))


@outside_any_tenant()
def principal_for_user(request: HttpRequest, user: User) -> Principal | None:
    """Return the person in the tenant that the request chooses: by header or host, else as chosen in the session, else
    the first they joined. The platform's operator acts in no tenant, even as a member of one.

    Raises TenantMismatch when a tenant is named that the person does not belong to, TenantInactive when all of theirs
    are suspended or closed, SignOnRequired when those left want another way in. None: neither member nor operator.
    """
    names = named_tenants(request)
    row = session_row(request)
    session_id = row.id if row else None
    if user.is_operator:
        if names:
            raise TenantMismatch
        return replace(principal_of_operator(user), session_id=session_id)
    memberships = list(
        Membership.objects.select_related("tenant", "user").filter(user=user).order_by("created_at", "id")
    )
    if not memberships:
        return None
    return replace(principal_of_membership(_chosen(request, memberships, names)), session_id=session_id)


def _chosen(request: HttpRequest, memberships: list[Membership], names: tuple[str, ...]) -> Membership:
    fitting = [m for m in memberships if all(_is_named(m.tenant, name) for name in names)]
    if not fitting:
        raise TenantMismatch
    active = [m for m in fitting if m.tenant.status == TenantStatus.ACTIVE]
    if not active:
        raise TenantInactive
    open_now = reachable(active, entrance_of(request))
    if not open_now:
        raise SignOnRequired
    # A remembered choice that no longer holds (membership ended) falls back instead of locking the person out.
    chosen = str(request.session.get(SESSION_TENANT, ""))
    return next((m for m in open_now if str(m.tenant_id) == chosen), open_now[0])


def named_tenants(request: HttpRequest | Request) -> tuple[str, ...]:
    """Return the tenants named by ``X-Tenant-ID`` (id or slug) and by the first host label, if any."""
    names = (request.headers.get("X-Tenant-ID", "").strip().lower(), _host_label(request))
    return tuple(name for name in names if name)


def refuse_other_tenant(request: Request, tenant: Tenant | None) -> None:
    """Raise TenantMismatch when the request names another tenant than the credential's."""
    if not all(tenant is not None and _is_named(tenant, name) for name in named_tenants(request)):
        raise TenantMismatch


def _is_named(tenant: Tenant, name: str) -> bool:
    return name in (str(tenant.id), tenant.slug)


def _host_label(request: HttpRequest | Request) -> str:
    """Return ``acme`` for ``acme.claims.example`` when TENANT_BASE_HOST is ``claims.example``."""
    base: str = settings.TENANT_BASE_HOST
    host = request.get_host().partition(":")[0].lower().rstrip(".") if base else ""
    return host.removesuffix(f".{base}") if base and host.endswith(f".{base}") else ""


def _is_token(request: Request, secret: str) -> bool:
    """Whether the secret is meant as a token: a bearer that does not begin like a key."""
    return "X-API-Key" not in request.headers and not secret.startswith("clm_")


def _presented_secret(request: Request) -> str | None:
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    bearer = value.strip() if scheme.lower() == "bearer" else None
    header = request.headers.get("X-API-Key")
    if header is None:
        return bearer
    if bearer is not None and bearer != header.strip():
        raise InvalidCredential("Two different credentials were sent.")
    return header.strip()
