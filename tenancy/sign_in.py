"""Signing in to the pages: slows guessing down, remembers the chosen tenant, tells the tenant's trail."""

from __future__ import annotations

import hashlib
import unicodedata
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db import transaction
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from observability import metrics
from observability.errors import LimitReached, NotFound, Unavailable
from observability.request_minutes import note_failed_sign_in
from tenancy.audit import TenancyAction, record_event
from tenancy.authentication import SESSION_TENANT
from tenancy.choices import TenantStatus
from tenancy.form_limits import CounterAway, count_attempt
from tenancy.models import Membership, SignInPlace, User
from tenancy.principals import Principal
from tenancy.ratelimits.window import Rate
from tenancy.scope import outside_any_tenant, tenant_scope

log = structlog.get_logger(__name__)

_QUARTER, _HOUR = 15 * 60, 3600
# NIST SP 800-63B section 5.2.2 asks for a limit far under 100 failures in a row; a person who mistypes needs a handful.
_PER_PERSON_AND_ADDRESS = Rate(8, _QUARTER)
# From any address together, and slower. It does not bind where the person has signed in before: else whoever knows a
# name could keep its owner out.
_PER_PERSON = Rate(40, _HOUR)
# One address that tries many names. An office behind one address signs in at nine o'clock, so it is not tight.
_PER_ADDRESS = Rate(300, _QUARTER)
_PLACES_KEPT = 20
_PLACE_LASTS = timedelta(days=180)


def refuse_guessing(*, username: str, address: str) -> None:
    """Count an attempt to sign in before the password is looked at; raises LimitReached when there were too many.

    Counted first, so that many guesses at once are not all let through; `remember_place` forgets them after a success.
    The same for names that exist and that do not. Raises Unavailable when attempts cannot be counted: a door that
    cannot count stays shut.
    """
    person = _digest(_folded(username))
    place = _place(username, address)
    seen = SignInPlace.objects.filter(place=place).values_list("last_at", flat=True).first()
    # A success starts a count of its own, so that whoever signs in often is not slowed down.
    since = seen.isoformat() if seen is not None else ""
    counted = [
        ("sign-in-here", f"{place}:{since}", _PER_PERSON_AND_ADDRESS),
        ("sign-in-address", _digest(address), _PER_ADDRESS),
    ]
    if seen is None:
        counted.append(("sign-in-person", person, _PER_PERSON))
    for group, value, rate in counted:
        _refuse_over(group, value, rate)


def _refuse_over(group: str, value: str, rate: Rate) -> None:
    try:
        wait = count_attempt(group=group, value=value, rate=rate)
    except CounterAway as error:
        log.error("sign_in_closed", error=str(error))
        metrics.SIGN_INS.labels(outcome="closed").inc()
        message = "Signing in is closed for a moment: attempts cannot be counted. Who is signed in can go on."
        raise Unavailable(message, code="sign_in_closed", retry_after_seconds=10) from error
    if wait is not None:
        metrics.SIGN_INS.labels(outcome="refused").inc()
        note_failed_sign_in()
        raise LimitReached("Too many attempts to sign in. Wait a quarter of an hour.", retry_after_seconds=wait)


def count_failure(*, username: str, address: str, answered_401: bool = False) -> None:
    """Note a failed attempt for operations; that it counts against the limit was said by `refuse_guessing`.

    `answered_401`: the answer will say so, and the shared minutes count it by that; the pages of forms have another.
    """
    metrics.SIGN_INS.labels(outcome="failed").inc()
    if not answered_401:
        note_failed_sign_in()
    log.warning("sign_in_failed", person=_digest(_folded(username))[:12], place=_place(username, address)[:12])


def remember_place(*, user: User, address: str, now: datetime) -> None:
    """Note that the person has signed in from this address: earlier attempts here are forgotten, and guesses from
    elsewhere do not keep them out here."""
    metrics.SIGN_INS.labels(outcome="ok").inc()
    place = _place(user.username, address)
    SignInPlace.objects.update_or_create(place=place, defaults={"user": user, "last_at": now})
    newest = SignInPlace.objects.filter(user=user).order_by("-last_at").values_list("id", flat=True)[:_PLACES_KEPT]
    SignInPlace.objects.filter(user=user).exclude(id__in=list(newest)).delete()


def purge_old_places(*, now: datetime) -> int:
    """Forget addresses that nobody signed in from for half a year; return how many (a timer calls this)."""
    deleted, _ = SignInPlace.objects.filter(last_at__lt=now - _PLACE_LASTS).delete()
    return int(deleted)


def _folded(username: str) -> str:
    """Return the name as Django's sign-in form reads it, so that no other spelling of it has a count of its own."""
    return unicodedata.normalize("NFKC", username).strip().casefold()


def _digest(text: str) -> str:
    # Hashed: names that people mistype (passwords, even) do not belong in a list of keys.
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:32]


def _place(username: str, address: str) -> str:
    """Return a keyed hash of name and address: the few addresses that there are could be tried out otherwise."""
    text = f"{_folded(username)}\0{address}".encode("utf-8", "backslashreplace")
    return salted_hmac("tenancy.sign_in.place", text, algorithm="sha256").hexdigest()


def memberships_of(user: User) -> list[Membership]:
    """Return the person's memberships in active tenants, oldest first."""
    rows = Membership.objects.select_related("tenant").filter(user=user, tenant__status=TenantStatus.ACTIVE)
    with outside_any_tenant():  # a page of one tenant offers the others
        return list(rows.order_by("created_at", "id"))


def choose_tenant(request: HttpRequest, *, tenant_id: UUID) -> Membership:
    """Make the tenant the one this session works in; raises NotFound where the person is no member of it."""
    assert isinstance(request.user, User)
    membership = next((m for m in memberships_of(request.user) if m.tenant_id == tenant_id), None)
    if membership is None:
        raise NotFound
    request.session[SESSION_TENANT] = str(tenant_id)
    return membership


def record_sign_in(*, principal: Principal, now: datetime, method: str = "password") -> None:
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
            after={"method": method},
        )
