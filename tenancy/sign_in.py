"""Signing in to the pages: slows guessing down, remembers the chosen tenant, tells the tenant's trail."""

from __future__ import annotations

import hashlib
from datetime import datetime
from uuid import UUID

from django.core.cache import cache
from django.db import transaction
from django.http import HttpRequest

from observability.errors import LimitReached, NotFound
from tenancy.audit import TenancyAction, record_event
from tenancy.authentication import SESSION_TENANT
from tenancy.choices import TenantStatus
from tenancy.models import Membership, User
from tenancy.principals import Principal
from tenancy.scope import tenant_scope

# NIST SP 800-63B section 5.2.2 asks for a limit far under 100 failures in a row; a person who mistypes needs a handful.
_FAILURES_PER_PERSON_AND_ADDRESS = 8
_FAILURES_PER_PERSON = 40
_WINDOW_SECONDS = 15 * 60


def refuse_guessing(*, username: str, address: str) -> None:
    """Raise LimitReached when too many sign-ins of this name failed lately, from this address or from anywhere."""
    here, anywhere = _counter_keys(username, address)
    failures = cache.get_many([here, anywhere])
    if failures.get(here, 0) >= _FAILURES_PER_PERSON_AND_ADDRESS or failures.get(anywhere, 0) >= _FAILURES_PER_PERSON:
        raise LimitReached("Too many failed attempts. Wait a quarter of an hour.", retry_after_seconds=_WINDOW_SECONDS)


def count_failure(*, username: str, address: str) -> None:
    """Remember one failed sign-in."""
    for key in _counter_keys(username, address):
        cache.add(key, 0, timeout=_WINDOW_SECONDS)
        cache.incr(key)


def _counter_keys(username: str, address: str) -> tuple[str, str]:
    # Hashed: names that people mistype (passwords, even) do not belong in a cache server's key list.
    person = hashlib.sha256(username.strip().lower().encode()).hexdigest()[:32]
    place = hashlib.sha256(address.encode()).hexdigest()[:16]
    return f"sign-in:{person}:{place}", f"sign-in:{person}"


def memberships_of(user: User) -> list[Membership]:
    """Return the person's memberships in active tenants, oldest first."""
    rows = Membership.objects.select_related("tenant").filter(user=user, tenant__status=TenantStatus.ACTIVE)
    return list(rows.order_by("created_at", "id"))


def choose_tenant(request: HttpRequest, *, tenant_id: UUID) -> Membership:
    """Make the tenant the one this session works in; raises NotFound where the person is no member of it."""
    assert isinstance(request.user, User)
    membership = next((m for m in memberships_of(request.user) if m.tenant_id == tenant_id), None)
    if membership is None:
        raise NotFound
    request.session[SESSION_TENANT] = str(tenant_id)
    return membership


def record_sign_in(*, principal: Principal, now: datetime) -> None:
    """Tell the tenant's audit trail that a member signed in; the platform's operator has no tenant to tell."""
    if principal.tenant_id is None or principal.user_id is None:
        return
    with tenant_scope(principal.tenant_id), transaction.atomic(durable=True):
        record_event(
            action=TenancyAction.MEMBER_SIGNED_IN,
            actor=principal,
            object_type="user",
            object_id=principal.user_id,
            now=now,
        )
