"""Coming in: password (or identity provider) first, then the second factor of who has one, then a session or tokens."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth import authenticate
from django.http import HttpRequest
from rest_framework.request import Request

from observability.errors import NotAuthenticated, PermissionRefused
from tenancy.authentication import named_tenants, principal_for_user
from tenancy.choices import TenantStatus
from tenancy.clients import client_mark
from tenancy.errors import (
    IdentityRefused,
    SecondFactorRefused,
    SecondFactorRequired,
    SignInRefused,
    SignOnRequired,
    TenantInactive,
    TenantMismatch,
    TenantRequired,
)
from tenancy.models import Membership, User
from tenancy.principals import Principal, principal_of_membership, principal_of_operator
from tenancy.second_factor import has_second_factor, require_code
from tenancy.sessions import open_session
from tenancy.sign_in import count_failure, record_sign_in, refuse_guessing, remember_place
from tenancy.sign_on_rules import Entrance, reachable
from tenancy.token_grants import TokenPair, grant_tokens

_PENDING = "pending_sign_in"
# Time to find the phone.
_PENDING_FOR = timedelta(minutes=5)


class PendingSignInGone(NotAuthenticated):
    code = "sign_in_again"
    message = "That took too long. Please sign in again."


@dataclass(frozen=True)
class Asked:
    """What `POST /token` was asked for."""

    username: str
    password: str
    code: str = ""
    tenant: str = ""


def enter(request: HttpRequest, user: User, entrance: Entrance, *, now: datetime) -> bool:
    """Sign the person in, or, where a second factor is owed, remember who asks and return False.

    Raises SignOnRequired when no tenant of theirs is open to who comes in this way.
    """
    _refuse_closed_door(user, entrance)
    if has_second_factor(user):
        request.session[_PENDING] = {
            "user": str(user.id),
            "mark": user.get_session_auth_hash(),
            "at": now.isoformat(),
            "method": entrance.method,
            "tenant": entrance.tenant_id,
        }
        return False
    _come_in(request, user, entrance, now=now)
    return True


def enter_with_code(request: HttpRequest, code: str, *, now: datetime) -> User:
    """Finish a sign-in that waits for its second factor.

    Raises PendingSignInGone, LimitReached, SecondFactorRefused.
    """
    user, entrance = pending_person(request, now=now)
    check_code(request, user, code, now=now, answered_401=True)
    del request.session[_PENDING]
    _come_in(request, user, entrance, now=now)
    return user


def pending_person(request: HttpRequest, *, now: datetime) -> tuple[User, Entrance]:
    """Return who waits to give a code; raises PendingSignInGone when nobody does (any more)."""
    waiting = request.session.get(_PENDING)
    if not waiting or datetime.fromisoformat(waiting["at"]) + _PENDING_FOR < now:
        raise PendingSignInGone
    user = User.objects.filter(id=waiting["user"], is_active=True).first()
    # The password may have been changed since, to shut out just this visitor.
    if user is None or not hmac.compare_digest(waiting["mark"].encode(), user.get_session_auth_hash().encode()):
        raise PendingSignInGone
    return user, Entrance(waiting["method"], waiting["tenant"])


def check_code(request: HttpRequest, user: User, code: str, *, now: datetime, answered_401: bool = False) -> None:
    """Use up a second-factor code; wrong ones count like wrong passwords. Raises LimitReached, SecondFactorRefused."""
    address = request.META.get("REMOTE_ADDR", "")
    refuse_guessing(username=user.username, address=address)
    try:
        require_code(user=user, code=code, now=now)
    except SecondFactorRefused:
        count_failure(username=user.username, address=address, answered_401=answered_401)
        raise


def tokens_for_password(request: Request, asked: Asked, *, now: datetime) -> TokenPair:
    """Return tokens for a name and password (and code, and tenant), the guesses counted as on the sign-in page.

    Raises LimitReached, SignInRefused, SecondFactorRequired, SecondFactorRefused, and what `_principal_in` raises.
    """
    user = _checked_password(request, asked)
    if has_second_factor(user):
        if not asked.code:
            raise SecondFactorRequired
        check_code(request._request, user, asked.code, now=now, answered_401=True)
    names = [name for name in (asked.tenant.strip().lower(), *named_tenants(request)) if name]
    principal = _principal_in(user, names)
    remember_place(user=user, address=request.META.get("REMOTE_ADDR", ""), now=now)
    return grant_tokens(principal=principal, user=user, client=client_mark(request._request), now=now)


def _checked_password(request: Request, asked: Asked) -> User:
    address = request.META.get("REMOTE_ADDR", "")
    refuse_guessing(username=asked.username, address=address)
    user = authenticate(request._request, username=asked.username, password=asked.password)
    if not isinstance(user, User):
        count_failure(username=asked.username, address=address, answered_401=True)
        raise SignInRefused
    return user


def _principal_in(user: User, names: Iterable[str]) -> Principal:
    """Return the person in the one tenant meant.

    Raises TenantMismatch, TenantRequired (several fit), TenantInactive, SignOnRequired, PermissionRefused (no tenant).
    """
    wanted = list(names)
    if user.is_operator:
        if wanted:
            raise TenantMismatch
        return principal_of_operator(user)
    memberships = list(Membership.objects.select_related("tenant", "user").filter(user=user).order_by("created_at"))
    if not memberships:
        raise PermissionRefused("You are not a member of any tenant.")
    fitting = [m for m in memberships if all(name in (str(m.tenant_id), m.tenant.slug) for name in wanted)]
    if not fitting:
        raise TenantMismatch
    if len(fitting) > 1:
        raise TenantRequired(extra={"tenants": sorted(m.tenant.slug for m in fitting)})
    if fitting[0].tenant.status != TenantStatus.ACTIVE:
        raise TenantInactive
    if not reachable(fitting, Entrance()):
        raise SignOnRequired
    return principal_of_membership(fitting[0])


def _refuse_closed_door(user: User, entrance: Entrance) -> None:
    """Refuse where a session could do nothing at all; who has another tenant open may come in."""
    rows = Membership.objects.select_related("tenant").filter(user=user, tenant__status=TenantStatus.ACTIVE)
    active = list(rows)
    if user.is_operator or reachable(active, entrance):
        return
    if not entrance.by_password:
        raise IdentityRefused("This sign-on opens no tenant of yours.")
    if active:
        raise SignOnRequired


def _come_in(request: HttpRequest, user: User, entrance: Entrance, *, now: datetime) -> None:
    open_session(request, user, entrance, now=now)
    remember_place(user=user, address=request.META.get("REMOTE_ADDR", ""), now=now)
    principal = principal_for_user(request, user)
    if principal is not None:
        record_sign_in(principal=principal, now=now, method=entrance.method)
