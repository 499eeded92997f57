"""Django's database sessions in a table of our own: each row says whose it is, since when, and from where.

A session ends when it was idle for SESSION_IDLE_SECONDS and in any case SESSION_ABSOLUTE_SECONDS after the sign-in.
Both are in `expire_date`, past which Django does not load a row.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.utils import timezone

from observability.ids import new_id
from tenancy.models import BrowserSession

# Where a session remembers how it was opened; the row's columns are copies for lists and sweeps.
SIGN_IN = "sign_in"


class SessionStore(DatabaseStore):
    """`row` is the stored session once it is loaded or saved."""

    row: BrowserSession | None = None

    @classmethod
    def get_model_class(cls) -> type[BrowserSession]:
        return BrowserSession

    def _get_session_from_db(self) -> BrowserSession | None:
        self.row = super()._get_session_from_db()  # type: ignore[misc]  # Django's own, without types
        return self.row

    def create_model_instance(self, data: MutableMapping[str, Any]) -> BrowserSession:
        """Return the row as it is to be saved. A sign-in past our pages (tests, commands) is dated now."""
        now = timezone.now()
        sign_in = data.setdefault(SIGN_IN, sign_in_facts(now)) if SESSION_KEY in data else None
        signed_in_at = datetime.fromisoformat(sign_in["at"]) if sign_in else None
        self.row = BrowserSession(
            session_key=self._get_or_create_session_key(),  # type: ignore[attr-defined]  # Django's own
            session_data=self.encode(dict(data)),
            expire_date=ends_at(signed_in_at, now),
            id=UUID(sign_in["id"]) if sign_in else new_id(),
            user_id=UUID(data[SESSION_KEY]) if sign_in else None,
            signed_in_at=signed_in_at,
            last_seen_at=now,
            network=sign_in["network"] if sign_in else "",
            browser=sign_in["browser"] if sign_in else "",
        )
        return self.row


def sign_in_facts(
    now: datetime, *, network: str = "", browser: str = "", method: str = "password", tenant_id: str = ""
) -> dict[str, str]:
    """Return what a session remembers of its sign-in; `tenant_id` is the one that the identity provider speaks for."""
    facts = {"id": str(new_id()), "at": now.isoformat(), "network": network, "browser": browser}
    return {**facts, "method": method, "tenant": tenant_id}


def ends_at(signed_in_at: datetime | None, seen_at: datetime) -> datetime:
    """Return when a session ends if nothing more comes."""
    idle = seen_at + timedelta(seconds=settings.SESSION_IDLE_SECONDS)
    if signed_in_at is None:
        return idle
    return min(idle, signed_in_at + timedelta(seconds=settings.SESSION_ABSOLUTE_SECONDS))
