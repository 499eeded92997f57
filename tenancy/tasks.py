"""What the worker does for the tenancy floor: send webhooks, and clear away what is old."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from django.utils import timezone

from observability.jobs import JobKind, Lease, argument_id, register_kind
from observability.timers import register_timer
from tenancy.costs.daily import book_days
from tenancy.costs.reservations import release_expired_reservations
from tenancy.costs.watching import WATCH_SECONDS, watch_spending
from tenancy.count_cache import purge_expired_counts
from tenancy.idempotency import purge_expired_records
from tenancy.quotas import release_expired_holds
from tenancy.ratelimits.database_store import purge_idle_windows
from tenancy.scope import tenant_scope
from tenancy.sessions import purge_ended_access
from tenancy.sign_in import purge_old_places
from tenancy.trail.sealing import SEAL_SECONDS, countersign_seals, seal_events
from tenancy.webhooks.announcing import SEND_JOB
from tenancy.webhooks.retention import purge_old_events
from tenancy.webhooks.sending import bury_delivery, send_delivery


def send_webhook(lease: Lease) -> None:
    with tenant_scope(UUID(lease.tenant_ref)):
        send_delivery(lease=lease)


def bury_webhook(arguments: Mapping[str, str], code: str) -> None:
    delivery_id, tenant_id = argument_id(arguments, "delivery_id"), argument_id(arguments, "tenant_id")
    bury_delivery(delivery_id=delivery_id, tenant_id=tenant_id, code=code, now=timezone.now())


register_kind(JobKind(SEND_JOB, send_webhook, bury_webhook))
# A day's answers go within the hour they expire in; oftener would only write more.
register_timer("purge_idempotency", 3600.0, purge_expired_records)
# A hold is for work of seconds; what a killed process held is free again within a minute after it lapsed.
register_timer("release_quota_holds", 60.0, release_expired_holds)
# Money that a killed process held is free again within a minute after it lapsed.
register_timer("release_reservations", 60.0, release_expired_reservations)
# What a day cost is booked within the hour after it is over.
register_timer("book_costs", 3600.0, book_days)
register_timer("watch_spending", WATCH_SECONDS, watch_spending)
register_timer("purge_rate_windows", 600.0, purge_idle_windows)
register_timer("purge_counts", 600.0, purge_expired_counts)
register_timer("purge_sign_in_places", 86_400.0, purge_old_places)
register_timer("webhooks.purge", 3600.0, purge_old_events)
register_timer("purge_ended_access", 3600.0, purge_ended_access)
# In every worker, in a thread of its own: two sealers of one tenant take turns at its head.
register_timer("seal_audit", SEAL_SECONDS, seal_events, alone=True)
# A seal goes unsigned only when a key is new.
register_timer("countersign_audit", 3600.0, countersign_seals)
