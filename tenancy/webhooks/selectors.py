"""Reads of webhooks; all inside the tenant's scope."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet

from observability.errors import NotFound
from tenancy.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint


def endpoints() -> QuerySet[WebhookEndpoint]:
    """Return the tenant's webhooks."""
    return WebhookEndpoint.objects.all()


def endpoint_of(endpoint_id: UUID) -> WebhookEndpoint:
    """Return one webhook; raises NotFound."""
    endpoint: WebhookEndpoint | None = WebhookEndpoint.objects.filter(id=endpoint_id).first()
    if endpoint is None:
        raise NotFound
    return endpoint


def deliveries_of(endpoint: WebhookEndpoint) -> QuerySet[WebhookDelivery]:
    """Return what was and is to be sent to the webhook, with the events."""
    return WebhookDelivery.objects.filter(endpoint=endpoint).select_related("event")


def delivery_of(endpoint: WebhookEndpoint, delivery_id: UUID) -> WebhookDelivery:
    """Return one delivery of the webhook; raises NotFound."""
    delivery = deliveries_of(endpoint).filter(id=delivery_id).first()
    if delivery is None:
        raise NotFound
    return delivery


def attempts_of(delivery: WebhookDelivery) -> QuerySet[WebhookAttempt]:
    """Return the attempts at a delivery, first one first."""
    return WebhookAttempt.objects.filter(delivery=delivery).order_by("number")
