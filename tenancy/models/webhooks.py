"""Outgoing webhooks: where a tenant wants to be told, what there was to tell, and how each telling went."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from observability.outbound.addresses import URL_LENGTH
from tenancy.choices import DeliveryState, DisabledReason
from tenancy.owned import TenantOwned


class WebhookEndpoint(TenantOwned):
    """An address of the tenant that is told of events, and the secrets that sign for it (sealed, never shown again).

    `failing_since` is set by the first failure after a success; `resting_until` is how long nothing is sent, because
    the receiver asked for it or did not answer.
    """

    url = models.CharField(max_length=URL_LENGTH)
    events = models.JSONField(default=list)
    enabled = models.BooleanField(default=True)
    disabled_reason = models.CharField(max_length=16, choices=DisabledReason, blank=True)
    disabled_at = models.DateTimeField(null=True, blank=True)
    failing_since = models.DateTimeField(null=True, blank=True)
    resting_until = models.DateTimeField(null=True, blank=True)
    secret_sealed = models.TextField()
    old_secret_sealed = models.TextField(blank=True)
    old_secret_until = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField()

    class Meta(TenantOwned.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "url"], name="webhook_url_once"),
            models.CheckConstraint(
                name="webhook_disabled_with_reason",
                condition=Q(enabled=True, disabled_reason="") | (Q(enabled=False) & ~Q(disabled_reason="")),
            ),
        ]

    def __str__(self) -> str:
        return f"webhook {self.id}"


class WebhookEvent(TenantOwned):
    """Something that happened, as it is told; `body` is the signed text, the same bytes at every attempt."""

    type = models.CharField(max_length=64)
    body = models.TextField()
    occurred_at = models.DateTimeField()

    class Meta(TenantOwned.Meta):
        indexes = [models.Index(fields=["tenant", "occurred_at"], name="webhook_event_by_time")]

    def __str__(self) -> str:
        return f"{self.type} {self.id}"


class WebhookDelivery(TenantOwned):
    """One event on its way to one endpoint; its job has the same id. Telling it again is a further round."""

    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.CASCADE, related_name="deliveries")
    event = models.ForeignKey(WebhookEvent, on_delete=models.CASCADE, related_name="deliveries")
    round = models.PositiveSmallIntegerField(default=1)
    state = models.CharField(max_length=16, choices=DeliveryState, default=DeliveryState.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    status_code = models.PositiveSmallIntegerField(null=True, blank=True)
    latency_ms = models.PositiveIntegerField(null=True, blank=True)
    error_code = models.CharField(max_length=32, blank=True)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantOwned.Meta):
        verbose_name_plural = "webhook deliveries"
        constraints = [
            models.UniqueConstraint(fields=["tenant", "endpoint", "event", "round"], name="webhook_delivery_once"),
            models.UniqueConstraint(
                fields=["tenant", "endpoint", "event"],
                condition=Q(state=DeliveryState.PENDING),
                name="webhook_delivery_one_open",
            ),
            models.CheckConstraint(
                name="webhook_delivery_open_or_finished",
                condition=Q(state=DeliveryState.PENDING, finished_at__isnull=True)
                | (~Q(state=DeliveryState.PENDING) & Q(finished_at__isnull=False)),
            ),
        ]
        indexes = [
            models.Index(fields=["endpoint", "-created_at", "-id"], name="webhook_delivery_newest"),
            models.Index(fields=["tenant", "finished_at"], name="webhook_delivery_old"),
        ]

    def __str__(self) -> str:
        return f"delivery {self.id} {self.state}"


class WebhookAttempt(TenantOwned):
    """One try of a delivery. What the receiver answered beyond its status is not kept."""

    delivery = models.ForeignKey(WebhookDelivery, on_delete=models.CASCADE, related_name="tries")
    number = models.PositiveSmallIntegerField()
    at = models.DateTimeField()
    status_code = models.PositiveSmallIntegerField(null=True, blank=True)
    latency_ms = models.PositiveIntegerField()
    error_code = models.CharField(max_length=32, blank=True)

    class Meta(TenantOwned.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "delivery", "number"], name="webhook_attempt_once")]

    def __str__(self) -> str:
        return f"attempt {self.number}"
