"""Bodies of the webhook API."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from observability.outbound.addresses import URL_LENGTH
from tenancy.choices import DeliveryState, DisabledReason
from tenancy.inputs import JSONBoolean, StrictSerializer, TextField
from tenancy.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint

_URL_WORDS = "https, port 443 or 8443, a public address; looked up when it is saved and again at every attempt."


def _events(**more: Any) -> Any:
    words = "Names from `GET /webhooks/event-types`."
    return serializers.ListField(child=TextField(max_length=64), max_length=50, help_text=words, **more)


class WebhookRequest(StrictSerializer):
    url = TextField(max_length=URL_LENGTH, help_text=_URL_WORDS)
    events = _events()


class WebhookChange(StrictSerializer):
    url = TextField(max_length=URL_LENGTH, required=False, help_text=_URL_WORDS)
    events = _events(required=False)
    enabled = JSONBoolean(required=False, help_text="Enabling forgets the failures.")


class WebhookAnswer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    url = serializers.CharField()
    events = serializers.ListField(child=serializers.CharField())
    enabled = serializers.BooleanField()
    disabled_reason = serializers.ChoiceField(choices=DisabledReason.choices, allow_null=True)
    disabled_at = serializers.DateTimeField(allow_null=True)
    failing_since = serializers.DateTimeField(allow_null=True, help_text="No delivery has arrived since.")
    old_secret_until = serializers.DateTimeField(allow_null=True, help_text="Until then the former secret signs, too.")
    created_at = serializers.DateTimeField()


class IssuedWebhookAnswer(WebhookAnswer):
    secret = serializers.CharField(
        allow_null=True, help_text="Shown this once; null when the answer is replayed for an Idempotency-Key."
    )


class EventTypeAnswer(serializers.Serializer[Any]):
    type = serializers.CharField()
    description = serializers.CharField()


class EventTypesAnswer(serializers.Serializer[Any]):
    items = EventTypeAnswer(many=True)


class AttemptAnswer(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    at = serializers.DateTimeField()
    status_code = serializers.IntegerField(allow_null=True)
    latency_ms = serializers.IntegerField()
    error_code = serializers.CharField(allow_null=True)


class DeliveryAnswer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    message_id = serializers.UUIDField(help_text="The `webhook-id` that the receiver gets, the same in every round.")
    type = serializers.CharField()
    round = serializers.IntegerField(help_text="1 for the first telling; each redelivery is a further one.")
    state = serializers.ChoiceField(choices=DeliveryState.choices)
    attempts = serializers.IntegerField()
    next_attempt_at = serializers.DateTimeField(allow_null=True)
    status_code = serializers.IntegerField(allow_null=True, help_text="Of the last attempt that was answered.")
    latency_ms = serializers.IntegerField(allow_null=True)
    error_code = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)


class DeliveryDetailAnswer(DeliveryAnswer):
    payload = serializers.CharField(help_text="The signed text as it is sent.")
    tries = AttemptAnswer(many=True)


def webhook_data(endpoint: WebhookEndpoint) -> dict[str, Any]:
    """Return a webhook as it is shown; the secret is not."""
    return {
        "id": str(endpoint.id),
        "url": endpoint.url,
        "events": endpoint.events,
        "enabled": endpoint.enabled,
        "disabled_reason": endpoint.disabled_reason or None,
        "disabled_at": endpoint.disabled_at,
        "failing_since": endpoint.failing_since,
        "old_secret_until": endpoint.old_secret_until,
        "created_at": endpoint.created_at,
    }


def delivery_data(delivery: WebhookDelivery) -> dict[str, Any]:
    """Return a delivery with its event; what the receiver answered is known by its status alone."""
    return {
        "id": str(delivery.id),
        "message_id": str(delivery.event_id),
        "type": delivery.event.type,
        "round": delivery.round,
        "state": delivery.state,
        "attempts": delivery.attempts,
        "next_attempt_at": delivery.next_attempt_at,
        "status_code": delivery.status_code,
        "latency_ms": delivery.latency_ms,
        "error_code": delivery.error_code or None,
        "created_at": delivery.created_at,
        "finished_at": delivery.finished_at,
    }


def attempt_data(attempt: WebhookAttempt) -> dict[str, Any]:
    """Return one attempt."""
    return {
        "number": attempt.number,
        "at": attempt.at,
        "status_code": attempt.status_code,
        "latency_ms": attempt.latency_ms,
        "error_code": attempt.error_code or None,
    }
