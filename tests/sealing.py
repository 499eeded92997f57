"""Sealing in tests: on PostgreSQL by hand, as no worker runs; on SQLite events are sealed as they are written."""

from __future__ import annotations

from base64 import b64encode
from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from tenancy.scope import tenant_scope
from tenancy.trail.sealing import seal_tenant

SIGNING_KEY = b64encode(bytes(range(32))).decode()
OTHER_KEY = b64encode(bytes(range(1, 33))).decode()


def seal_now(tenant_id: UUID) -> None:
    """Seal what the test wrote; a minute ahead, as the test's own transaction is still open."""
    with tenant_scope(tenant_id):
        while seal_tenant(now=timezone.now() + timedelta(minutes=1)):
            pass
