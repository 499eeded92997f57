"""The outbox: what happened is written down for every endpoint that wants to know, in the commit of the change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import Enum
from uuid import UUID

from django.db import transaction

from observability.errors import PlatformError
from observability.ids import new_id
from observability.jobs import enqueue_job
from tenancy.choices import TenantStatus
from tenancy.models import WebhookDelivery, WebhookEndpoint, WebhookEvent
from tenancy.scope import current_tenant_id
from tenancy.tiers import Feature, tiers_with
from tenancy.trail.format import canonical_json
from tenancy.webhooks.catalogue import EventType

SEND_JOB = "webhooks.send"

# No free text: an event tells ids and states, so no personal data can leave in it by mistake.
Telling = UUID | Enum | int | None


def announce(event_type: EventType, *, data: Mapping[str, Telling], now: datetime) -> None:
    """Tell the tenant's endpoints of an event, in the caller's transaction.

    Writes WebhookEvent, and a WebhookDelivery with its job for each endpoint. Call it before the audit event, whose
    lock the transaction holds to its end. Raises PlatformError `announced_outside` without a transaction.
    """
    if not transaction.get_connection().in_atomic_block:
        raise PlatformError("An event is written with its change, in one transaction.", code="announced_outside")
    write_event(event_type, data=data, endpoints=_listening(event_type), now=now)


def write_event(
    event_type: EventType, *, data: Mapping[str, Telling], endpoints: Iterable[WebhookEndpoint], now: datetime
) -> list[WebhookDelivery]:
    """Write the event, if anybody is told of it, and return its deliveries."""
    told = list(endpoints)
    if not told:
        return []
    event_id = new_id()
    plain = {name: _plain(value) for name, value in data.items()}
    body = canonical_json({"id": event_id, "type": str(event_type), "timestamp": now, "data": plain})
    event = WebhookEvent.objects.create(id=event_id, type=str(event_type), body=body, occurred_at=now)
    return [add_delivery(endpoint=endpoint, event=event, number=1, now=now) for endpoint in told]


def add_delivery(*, endpoint: WebhookEndpoint, event: WebhookEvent, number: int, now: datetime) -> WebhookDelivery:
    """Write a delivery with the job that sends it; `number` is its round."""
    delivery: WebhookDelivery = WebhookDelivery.objects.create(
        endpoint=endpoint, event=event, round=number, next_attempt_at=now, created_at=now
    )
    tenant_ref = str(delivery.tenant_id)
    arguments = {"delivery_id": str(delivery.id), "tenant_id": tenant_ref}
    enqueue_job(kind=SEND_JOB, tenant_ref=tenant_ref, arguments=arguments, now=now, job_id=delivery.id)
    return delivery


def _listening(event_type: EventType) -> list[WebhookEndpoint]:
    """Return the enabled endpoints that want such events (a tenant has a handful; JSON is not searched alike on both
    engines)."""
    enabled = WebhookEndpoint.objects.filter(
        enabled=True,
        tenant_id=current_tenant_id(),
        tenant__status=TenantStatus.ACTIVE,
        tenant__tier__in=tiers_with(Feature.WEBHOOKS),
    )
    return [endpoint for endpoint in enabled.order_by("id") if event_type in endpoint.events]


def _plain(value: Telling) -> str | int | None:
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, UUID):
        return str(value)
    if value is None or isinstance(value, int):
        return value
    raise PlatformError("An event tells ids and states only.", code="event_with_free_text")
