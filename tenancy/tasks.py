"""Periodic work of the tenancy floor."""

from __future__ import annotations

from observability.timers import register_timer
from tenancy.idempotency import purge_expired_records

# A day's answers go within the hour they expire in; oftener would only write more.
register_timer("purge_idempotency", 3600.0, purge_expired_records)
