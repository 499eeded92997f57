"""Signed-in browsers: opened, kept awake, listed and ended."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.contrib.auth import SESSION_KEY, login, logout
from django.db import transaction
from django.http import HttpRequest

from tenancy.audit import TenancyAction, record_event
from tenancy.clients import client_mark
from tenancy.models import ApiKey, BrowserSession, SignOnIdentity, Tenant, TokenFamily, User
from tenancy.person_events import record_person_event
from tenancy.principals import Principal
from tenancy.scope import tenant_scope
from tenancy.session_store import SIGN_IN, SessionStore, ends_at, sign_in_facts
from tenancy.sign_on_rules import Entrance

# "Last seen" needs no better than a minute; each page writing it would cost a write lock.
_SEEN_STEP = timedelta(minutes=1)


@dataclass(frozen=True)
class OwnAccess:
    """All that is signed in as one person right now."""

    sessions: list[BrowserSession]
    families: list[TokenFamily]
    identities: list[SignOnIdentity]


def open_session(request: HttpRequest, user: User, entrance: Entrance, *, now: datetime) -> None:
    """Sign the person in: under a new session key, so that nobody holds it who knew the old one."""
    if SESSION_KEY in request.session:
        request.session.flush()  # Django keeps the key when the same person signs in again
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    mark = client_mark(request)
    request.session[SIGN_IN] = sign_in_facts(
        now, network=mark.network, browser=mark.program, method=entrance.method, tenant_id=entrance.tenant_id
    )


def keep_awake(request: HttpRequest, *, now: datetime) -> None:
    """Move the idle limit, at most once a minute. What a page asks by itself (htmx, every few seconds) is no activity:
    a forgotten browser would stay signed in."""
    row = session_row(request)
    if row is None or row.user_id is None or "HX-Request" in request.headers or row.last_seen_at > now - _SEEN_STEP:
        return
    rows = BrowserSession.objects.filter(session_key=row.session_key, last_seen_at=row.last_seen_at)
    rows.update(last_seen_at=now, expire_date=ends_at(row.signed_in_at, now))


def session_row(request: HttpRequest) -> BrowserSession | None:
    """Return the stored session of the request, if it has one."""
    store = request.session
    return store.row if isinstance(store, SessionStore) else None


def forget_ended_person(request: HttpRequest) -> None:
    """Remove the session of a person who may not sign in any more, so that it does not revive with the account."""
    row = session_row(request)
    if row is not None and row.user_id is not None:
        logout(request)


def access_of(user: User, *, now: datetime) -> OwnAccess:
    """Return the person's live sessions, token families and linked identities, the latest used first."""
    sessions = BrowserSession.objects.filter(user=user, expire_date__gt=now).order_by("-last_seen_at")
    families = TokenFamily.objects.select_related("tenant").filter(user=user, revoked_at=None, expires_at__gt=now)
    identities = SignOnIdentity.objects.filter(user=user).order_by("issuer", "id")
    return OwnAccess(list(sessions), list(families.order_by("-refreshed_at")), list(identities))


@transaction.atomic(durable=True)
def end_session(*, user: User, session_id: UUID, now: datetime) -> bool:
    """Sign one of the person's browsers out; whether there was one."""
    rows = BrowserSession.objects.filter(user=user, id=session_id)
    return _end_sessions(user, rows.values_list("session_key", flat=True), now=now) > 0


@transaction.atomic(durable=True)
def end_other_sessions(*, user: User, keep: str | None, now: datetime) -> int:
    """Sign out every browser of the person but the one with the session key `keep`; return how many."""
    rows = BrowserSession.objects.filter(user=user).exclude(session_key=keep or "")
    return _end_sessions(user, rows.values_list("session_key", flat=True), now=now)


def _end_sessions(user: User, keys: Iterable[str], *, now: datetime) -> int:
    ended, _ = BrowserSession.objects.filter(user=user, session_key__in=list(keys)).delete()
    if ended:
        record_person_event(TenancyAction.SESSIONS_ENDED, user, now=now, after={"sessions": ended})
    return ended


@transaction.atomic(durable=True)
def change_password(*, user: User, new_password: str, now: datetime) -> None:
    """Set the person's password (which the form has judged) and end all sessions and tokens made with the old one.

    API keys are credentials of their own and stay. The caller signs the present browser in again.
    """
    user.set_password(new_password)
    user.save(update_fields=["password"])
    sessions, families = _end_everything(user, now=now)
    after = {"sessions": sessions, "token_families": families}
    record_person_event(TenancyAction.PASSWORD_CHANGED, user, now=now, after=after)


@transaction.atomic(durable=True)
def deactivate_person(*, actor: Principal, user: User, now: datetime) -> None:
    """Let the person in nowhere any more: sessions, tokens and keys end, and do not revive with the account."""
    user.is_active = False
    user.save(update_fields=["is_active"])
    sessions, families = _end_everything(user, now=now)
    keys = ApiKey.objects.filter(user=user, revoked_at=None).update(revoked_at=now)
    after = {"sessions": sessions, "token_families": families, "api_keys": keys}
    record_person_event(TenancyAction.MEMBER_DEACTIVATED, user, now=now, actor=actor, after=after)


@transaction.atomic(durable=True)
def end_person_access(*, actor: Principal, user: User, now: datetime, reason: str = "") -> dict[str, int]:
    """End every session, token and API key of the person, who may sign in again; return how many of each."""
    sessions, families = _end_everything(user, now=now)
    keys = ApiKey.objects.filter(user=user, revoked_at=None).update(revoked_at=now)
    ended = {"sessions": sessions, "token_families": families, "api_keys": keys}
    action = TenancyAction.SESSIONS_ENDED
    record_person_event(action, user, now=now, actor=actor, after=ended, reason=reason)
    return ended


@transaction.atomic(durable=True)
def end_tenant_access(*, actor: Principal, tenant: Tenant, now: datetime, reason: str = "") -> dict[str, int]:
    """End every API key and token of the tenant; return how many of each. People's browsers stay signed in."""
    with tenant_scope(tenant.id):
        keys = ApiKey.objects.filter(tenant=tenant, revoked_at=None).update(revoked_at=now)
        families = TokenFamily.objects.filter(tenant=tenant, revoked_at=None).update(revoked_at=now)
        ended = {"api_keys": keys, "token_families": families}
        record_event(
            action=TenancyAction.TENANT_ACCESS_ENDED,
            actor=actor,
            object_type="tenant",
            object_id=tenant.id,
            now=now,
            after=ended,
            reason=reason,
        )
    return ended


def _end_everything(user: User, *, now: datetime) -> tuple[int, int]:
    sessions, _ = BrowserSession.objects.filter(user=user).delete()
    return sessions, TokenFamily.objects.filter(user=user, revoked_at=None).update(revoked_at=now)


def purge_ended_access(*, now: datetime) -> int:
    """Delete sessions and token families that are over; return how many (a timer calls this)."""
    sessions, _ = BrowserSession.objects.filter(expire_date__lt=now).delete()
    families, _ = TokenFamily.objects.filter(expires_at__lt=now).delete()
    return sessions + families
