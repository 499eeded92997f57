"""Webhooks over HTTP, for the tenant's administrator."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from tenancy.base_api import TenantAPIView, created
from tenancy.choices import DeliveryState, Scope
from tenancy.cursors import OrderColumn, page_of
from tenancy.etags import answer_with_etag, etag_for, require_match
from tenancy.idempotency import IdempotentCreate, SecretShownOnce
from tenancy.listing import apply_filters, list_parameters, refuse_parameters
from tenancy.models import WebhookDelivery, WebhookEndpoint
from tenancy.openapi import listed
from tenancy.scope import current_tenant_id
from tenancy.selectors import tenant_of
from tenancy.serializers import NoBody
from tenancy.tiers import Feature, require_feature
from tenancy.webhooks import serializers as bodies
from tenancy.webhooks.catalogue import event_types
from tenancy.webhooks.filters import DeliveryFilter
from tenancy.webhooks.selectors import attempts_of, deliveries_of, delivery_of, endpoint_of, endpoints
from tenancy.webhooks.services import (
    IssuedEndpoint,
    change_endpoint,
    create_endpoint,
    delete_endpoint,
    redeliver,
    rotate_secret,
    send_ping,
)

NEWEST_FIRST = (OrderColumn("created_at", descending=True), OrderColumn("id", descending=True))
_FILTERS = [
    OpenApiParameter("state", str, enum=DeliveryState.values),
    OpenApiParameter("type", str, description="An event type."),
]


class _WebhookView(TenantAPIView):
    """Only for administrators, and from the tier on that includes webhooks."""

    scopes: ClassVar[Any] = dict.fromkeys(("GET", "POST", "PATCH", "DELETE"), (Scope.ADMIN,))

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        require_feature(tenant_of(current_tenant_id()).tier, Feature.WEBHOOKS)


class WebhooksView(_WebhookView, SecretShownOnce):
    """`GET|POST /webhooks`"""

    @extend_schema(operation_id="webhooks_list", responses=listed(bodies.WebhookAnswer))
    def get(self, request: Request) -> Response:
        """List the tenant's webhooks, newest first."""
        wanted = list_parameters(request)
        page = page_of(
            endpoints(), order=NEWEST_FIRST, limit=wanted.limit, cursor=wanted.cursor, filters=wanted.filters
        )
        return Response({"items": [bodies.webhook_data(e) for e in page.items], "next_cursor": page.next_cursor})

    @extend_schema(request=bodies.WebhookRequest, responses={201: bodies.IssuedWebhookAnswer})
    def post(self, request: Request) -> Response:
        """Make a webhook. Its signing secret is in this answer and nowhere else."""
        refuse_parameters(request)
        wanted = bodies.WebhookRequest.checked(request.data)
        return _issued(create_endpoint(actor=self.principal, now=timezone.now(), **wanted))


class EventTypesView(_WebhookView):
    """`GET /webhooks/event-types`"""

    @extend_schema(operation_id="webhooks_event_types", responses=bodies.EventTypesAnswer)
    def get(self, request: Request) -> Response:
        """List the events that a webhook can be told of."""
        refuse_parameters(request)
        items = [{"type": name, "description": words} for name, words in event_types().items()]
        return Response({"items": items})


class WebhookView(_WebhookView):
    """`GET|PATCH|DELETE /webhooks/{id}`"""

    @extend_schema(responses=bodies.WebhookAnswer)
    def get(self, request: Request, webhook_id: UUID) -> Response:
        """Show a webhook without its secret."""
        refuse_parameters(request)
        endpoint = endpoint_of(webhook_id)
        return answer_with_etag(request, bodies.webhook_data(endpoint), _etag(endpoint))

    @extend_schema(operation_id="webhooks_change", request=bodies.WebhookChange, responses=bodies.WebhookAnswer)
    def patch(self, request: Request, webhook_id: UUID) -> Response:
        """Change address, events, or whether anything is sent; with If-Match only the version that was read."""
        refuse_parameters(request)
        wanted = bodies.WebhookChange.checked(request.data)
        endpoint = endpoint_of(webhook_id)
        require_match(request, _etag(endpoint))
        endpoint = change_endpoint(actor=self.principal, endpoint=endpoint, now=timezone.now(), **wanted)
        return Response(bodies.webhook_data(endpoint), headers={"ETag": _etag(endpoint)})

    @extend_schema(responses={204: None})
    def delete(self, request: Request, webhook_id: UUID) -> Response:
        """Delete a webhook with the log of its deliveries."""
        refuse_parameters(request)
        delete_endpoint(actor=self.principal, endpoint_id=webhook_id, now=timezone.now())
        return Response(status=204)


class RotationView(_WebhookView, SecretShownOnce):
    """`POST /webhooks/{id}/rotate`"""

    @extend_schema(operation_id="webhooks_rotate", request=None, responses={201: bodies.IssuedWebhookAnswer})
    def post(self, request: Request, webhook_id: UUID) -> Response:
        """Make a new secret; for 24 hours both sign."""
        refuse_parameters(request)
        NoBody.checked(request.data)
        return _issued(rotate_secret(actor=self.principal, endpoint_id=webhook_id, now=timezone.now()))


class PingView(_WebhookView, IdempotentCreate):
    """`POST /webhooks/{id}/ping`"""

    @extend_schema(operation_id="webhooks_ping", request=None, responses={202: bodies.DeliveryAnswer})
    def post(self, request: Request, webhook_id: UUID) -> Response:
        """Send a `webhook.ping` to try the webhook out."""
        refuse_parameters(request)
        NoBody.checked(request.data)
        return _accepted(send_ping(actor=self.principal, endpoint_id=webhook_id, now=timezone.now()))


class DeliveriesView(_WebhookView):
    """`GET /webhooks/{id}/deliveries`"""

    @extend_schema(operation_id="webhook_deliveries_list", parameters=_FILTERS, responses=listed(bodies.DeliveryAnswer))
    def get(self, request: Request, webhook_id: UUID) -> Response:
        """List what was and is to be sent, newest first."""
        wanted = list_parameters(request, allowed=("state", "type"))
        rows = apply_filters(DeliveryFilter, queryset=deliveries_of(endpoint_of(webhook_id)), filters=wanted.filters)
        bound = {**wanted.filters, "webhook": str(webhook_id)}
        page = page_of(rows, order=NEWEST_FIRST, limit=wanted.limit, cursor=wanted.cursor, filters=bound)
        return Response({"items": [bodies.delivery_data(d) for d in page.items], "next_cursor": page.next_cursor})


class DeliveryView(_WebhookView):
    """`GET /webhooks/{id}/deliveries/{id}`"""

    @extend_schema(operation_id="webhook_deliveries_retrieve", responses=bodies.DeliveryDetailAnswer)
    def get(self, request: Request, webhook_id: UUID, delivery_id: UUID) -> Response:
        """Show a delivery with its payload and each attempt."""
        refuse_parameters(request)
        delivery = delivery_of(endpoint_of(webhook_id), delivery_id)
        tries = [bodies.attempt_data(attempt) for attempt in attempts_of(delivery)]
        return Response({**bodies.delivery_data(delivery), "payload": delivery.event.body, "tries": tries})


class RedeliveryView(_WebhookView, IdempotentCreate):
    """`POST /webhooks/{id}/deliveries/{id}/redeliver`"""

    @extend_schema(operation_id="webhook_deliveries_redeliver", request=None, responses={202: bodies.DeliveryAnswer})
    def post(self, request: Request, webhook_id: UUID, delivery_id: UUID) -> Response:
        """Tell the event again under the same message id; the answer is the new delivery."""
        refuse_parameters(request)
        NoBody.checked(request.data)
        now = timezone.now()
        return _accepted(redeliver(actor=self.principal, endpoint_id=webhook_id, delivery_id=delivery_id, now=now))


def _etag(endpoint: WebhookEndpoint) -> str:
    return etag_for(endpoint, endpoint.failing_since)


def _accepted(delivery: WebhookDelivery) -> Response:
    names = {"webhook_id": delivery.endpoint_id, "delivery_id": delivery.id}
    return created(
        bodies.delivery_data(delivery), location=reverse("api_tenancy:webhook-delivery", kwargs=names), status=202
    )


def _issued(issued: IssuedEndpoint) -> Response:
    data = {**bodies.webhook_data(issued.endpoint), "secret": issued.secret}
    response = created(data, location=reverse("api_tenancy:webhook", kwargs={"webhook_id": issued.endpoint.id}))
    response.headers["Cache-Control"] = "private, no-store"
    return response
