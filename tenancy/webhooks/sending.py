"""One attempt of a delivery: read, send with no transaction open, record under the job's lease."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from observability import metrics
from observability.errors import PlatformError
from observability.jobs import Lease, argument_id, continue_job, finish_job
from observability.outbound.addresses import Target, parse_target
from observability.outbound.transport import Answer, post
from tenancy.audit import TenancyAction, record_event
from tenancy.choices import DeliveryState, DisabledReason, TenantStatus
from tenancy.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from tenancy.principals import system_principal
from tenancy.scope import current_tenant_id, tenant_scope
from tenancy.tiers import Feature, includes
from tenancy.webhooks.retries import DISABLE_AFTER, MOST_ATTEMPTS, Verdict, after_rest, verdict
from tenancy.webhooks.signing import signed_headers, unseal

log = structlog.get_logger(__name__)

_USER_AGENT = "Claimwright-Webhooks/1"


class Post(Protocol):
    """The way to the receiver."""

    def __call__(self, target: Target, *, headers: Mapping[str, str], body: bytes) -> Answer: ...


@dataclass(frozen=True)
class _Order:
    """All that one attempt needs, read in one go."""

    delivery_id: UUID
    message_id: str
    body: str
    url: str
    sealed: tuple[str, ...]


def send_delivery(*, lease: Lease, send: Post = post) -> None:
    """Make one attempt at the delivery of the job, or end what is not to be sent. The caller is in the tenant's scope.

    A killed attempt was not recorded and is made again. Raises LeaseLost when another worker took over.
    """
    order = _begin(lease=lease, now=timezone.now())
    if order is None:
        return
    answer = _attempt(order, send)
    metrics.WEBHOOK_SECONDS.observe(answer.latency_ms / 1000)
    _record(lease=lease, order=order, answer=answer, now=timezone.now())


def bury_delivery(*, delivery_id: UUID, tenant_id: UUID, code: str, now: datetime) -> None:
    """End a delivery whose job ended without an answer. Safe to run twice."""
    with tenant_scope(tenant_id), transaction.atomic():
        open_rows = WebhookDelivery.objects.filter(id=delivery_id, state=DeliveryState.PENDING)
        ended = open_rows.update(
            state=DeliveryState.FAILED, error_code=code[:32], finished_at=now, next_attempt_at=None
        )
    if ended:
        metrics.WEBHOOK_DELIVERIES.labels(outcome="failed").inc()


def _attempt(order: _Order, send: Post) -> Answer:
    now = timezone.now()
    try:
        target = parse_target(order.url, allow_loopback=settings.WEBHOOK_ALLOW_LOOPBACK)
        keys = [unseal(sealed) for sealed in order.sealed]
    except PlatformError as refusal:
        return Answer(None, refusal.code, 0)
    headers = signed_headers(message_id=order.message_id, body=order.body, keys=keys, at=now)
    headers |= {"Content-Type": "application/json", "User-Agent": _USER_AGENT}
    return send(target, headers=headers, body=order.body.encode())


@transaction.atomic(durable=True)
def _begin(*, lease: Lease, now: datetime) -> _Order | None:
    """Return what to send; None when there is nothing to send (now), and the turn is over then."""
    delivery = _delivery(lease)
    if delivery is None or delivery.state != DeliveryState.PENDING:
        finish_job(lease=lease, result={"state": delivery.state if delivery else "DELETED"}, now=now)
        return None
    endpoint = delivery.endpoint
    refusal = _refusal(endpoint)
    if refusal:
        _end(delivery, DeliveryState.CANCELLED, code=refusal, now=now)
        finish_job(lease=lease, result={"state": delivery.state}, now=now)
        return None
    if endpoint.resting_until is not None and endpoint.resting_until > now:
        delivery.next_attempt_at = after_rest(endpoint.resting_until)
        delivery.save(update_fields=["next_attempt_at"])
        continue_job(lease=lease, percent=0, now=now, run_after=delivery.next_attempt_at)
        return None
    return _order(delivery, now)


def _order(delivery: WebhookDelivery, now: datetime) -> _Order:
    endpoint, event = delivery.endpoint, delivery.event
    both = endpoint.old_secret_until is not None and endpoint.old_secret_until > now
    sealed = (endpoint.secret_sealed, endpoint.old_secret_sealed) if both else (endpoint.secret_sealed,)
    return _Order(delivery.id, str(event.id), event.body, endpoint.url, sealed)


def _delivery(lease: Lease) -> WebhookDelivery | None:
    rows = WebhookDelivery.objects.select_related("endpoint__tenant", "event")
    found: WebhookDelivery | None = rows.filter(id=argument_id(lease.arguments, "delivery_id")).first()
    return found


def _refusal(endpoint: WebhookEndpoint) -> str:
    """Return why nothing is sent to the endpoint now, or nothing."""
    if not endpoint.enabled:
        return "endpoint_disabled"
    if endpoint.tenant.status != TenantStatus.ACTIVE:
        return "tenant_inactive"
    return "" if includes(endpoint.tenant.tier, Feature.WEBHOOKS) else "tier_required"


def _record(*, lease: Lease, order: _Order, answer: Answer, now: datetime) -> None:
    ended = _commit(lease=lease, order=order, answer=answer, now=now)
    metrics.WEBHOOK_ATTEMPTS.labels(outcome=ended.error_code or "ok").inc()
    if ended.state != DeliveryState.PENDING:
        metrics.WEBHOOK_DELIVERIES.labels(outcome=ended.state.lower()).inc()


@dataclass(frozen=True)
class _Ended:
    state: DeliveryState
    error_code: str


@transaction.atomic(durable=True)
def _commit(*, lease: Lease, order: _Order, answer: Answer, now: datetime) -> _Ended:
    # Endpoint before delivery, as everyone who locks both: two orders would be a deadlock.
    rows = WebhookEndpoint.objects.select_for_update(no_key=True)
    endpoint = rows.filter(deliveries__id=order.delivery_id).first()
    delivery = WebhookDelivery.objects.filter(id=order.delivery_id, state=DeliveryState.PENDING).first()
    if endpoint is None or delivery is None:  # deleted while it was sent
        finish_job(lease=lease, result={"state": "DELETED"}, now=now)
        return _Ended(DeliveryState.CANCELLED, answer.error_code)
    said = verdict(answer, attempt=delivery.attempts + 1, now=now)
    _write_attempt(delivery, answer, said, now)
    if said.retry_at is not None:
        delivery.save()
        continue_job(lease=lease, percent=100 * delivery.attempts // MOST_ATTEMPTS, now=now, run_after=said.retry_at)
    else:
        _end(
            delivery, DeliveryState.DELIVERED if said.delivered else DeliveryState.FAILED, code=said.error_code, now=now
        )
        finish_job(lease=lease, result={"state": delivery.state}, now=now)
    _judge_endpoint(endpoint, said, now)
    return _Ended(DeliveryState(delivery.state), said.error_code)


def _write_attempt(delivery: WebhookDelivery, answer: Answer, said: Verdict, now: datetime) -> None:
    """Keep the attempt, and set the delivery's columns, which the caller saves."""
    delivery.attempts += 1
    WebhookAttempt.objects.create(
        delivery=delivery,
        number=delivery.attempts,
        at=now,
        status_code=answer.status_code,
        latency_ms=answer.latency_ms,
        error_code=said.error_code,
    )
    delivery.status_code, delivery.latency_ms = answer.status_code, answer.latency_ms
    delivery.error_code, delivery.next_attempt_at = said.error_code, said.retry_at


def _end(delivery: WebhookDelivery, state: DeliveryState, *, code: str, now: datetime) -> None:
    delivery.state, delivery.error_code = state, code
    delivery.finished_at, delivery.next_attempt_at = now, None
    delivery.save()


def _judge_endpoint(endpoint: WebhookEndpoint, said: Verdict, now: datetime) -> None:
    """Note how the endpoint stands; disable it when it is gone or has failed for too long."""
    if said.delivered:
        if endpoint.failing_since or endpoint.resting_until:
            WebhookEndpoint.objects.filter(id=endpoint.id).update(failing_since=None, resting_until=None)
        return
    failing_since = endpoint.failing_since or now
    WebhookEndpoint.objects.filter(id=endpoint.id).update(failing_since=failing_since, resting_until=said.rest_until)
    if not endpoint.enabled:  # somebody was quicker
        return
    if said.gone:
        _disable(endpoint, DisabledReason.GONE, now)
    elif now - failing_since >= DISABLE_AFTER:
        _disable(endpoint, DisabledReason.FAILING, now)


def _disable(endpoint: WebhookEndpoint, reason: DisabledReason, now: datetime) -> None:
    WebhookEndpoint.objects.filter(id=endpoint.id).update(
        enabled=False, disabled_reason=reason, disabled_at=now, version=endpoint.version + 1
    )
    log.warning("webhook_disabled", endpoint=str(endpoint.id), reason=str(reason))
    record_event(
        action=TenancyAction.WEBHOOK_DISABLED,
        actor=system_principal(tenant_id=current_tenant_id(), name="worker"),
        object_type="webhook",
        object_id=endpoint.id,
        now=now,
        before={"enabled": True},
        after={"enabled": False, "disabled_reason": reason, "failing_since": endpoint.failing_since or now},
    )
