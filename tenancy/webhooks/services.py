"""What an administrator does with webhooks; each change with its audit event in the same commit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, Max

from observability.errors import FieldProblem, InvalidInput, NotFound
from observability.outbound.addresses import UnusableUrl, parse_target
from observability.outbound.transport import SendFailed, resolve
from tenancy.audit import TenancyAction, record_event
from tenancy.choices import DeliveryState, DisabledReason, Scope
from tenancy.models import Tenant, WebhookDelivery, WebhookEndpoint
from tenancy.permissions import require_scope
from tenancy.principals import Principal
from tenancy.scope import current_tenant_id
from tenancy.tiers import Feature, require_feature
from tenancy.webhooks.announcing import add_delivery, write_event
from tenancy.webhooks.catalogue import PlatformEvent, event_types
from tenancy.webhooks.errors import (
    DeliveryOpen,
    StaleWebhook,
    TooManyWebhooks,
    UnknownEventType,
    WebhookDisabled,
    WebhookExists,
)
from tenancy.webhooks.signing import make_secret, seal

# Time for the receiver to learn the new secret; both sign meanwhile.
ROTATION_OVERLAP = timedelta(hours=24)
# Every event is written once for each of them.
_MOST_ENDPOINTS = 20


@dataclass(frozen=True)
class IssuedEndpoint:
    """An endpoint and its secret, which is shown now and never again."""

    endpoint: WebhookEndpoint
    secret: str


def create_endpoint(*, actor: Principal, url: str, events: Iterable[str], now: datetime) -> IssuedEndpoint:
    """Make a webhook. Its name is resolved first, with no transaction open.

    Raises UnusableUrl, UnknownEventType, WebhookExists, TooManyWebhooks, FeatureNotIncluded.
    """
    _require_right(actor)
    return _insert(actor=actor, url=checked_url(url), events=_checked_events(events), now=now)


def change_endpoint(
    *,
    actor: Principal,
    endpoint: WebhookEndpoint,
    now: datetime,
    url: str | None = None,
    events: Iterable[str] | None = None,
    enabled: bool | None = None,
) -> WebhookEndpoint:
    """Change a webhook as it was read; raises StaleWebhook when it changed since, and what `create_endpoint` does.

    Enabling it forgets its failures. What was cancelled while it was disabled is sent only when asked for.
    """
    _require_right(actor)
    wanted: dict[str, Any] = {}
    if url is not None:
        wanted["url"] = checked_url(url)
    if events is not None:
        wanted["events"] = _checked_events(events)
    if enabled is not None and enabled != endpoint.enabled:
        wanted |= _switched(enabled, now)
    return _write(actor=actor, endpoint=endpoint, wanted=wanted, now=now)


@transaction.atomic(durable=True)
def rotate_secret(*, actor: Principal, endpoint_id: UUID, now: datetime) -> IssuedEndpoint:
    """Make a new secret; the one before signs beside it for another 24 hours. Raises NotFound."""
    _require_right(actor)
    endpoint, secret = _locked(endpoint_id), make_secret()
    endpoint.old_secret_sealed, endpoint.old_secret_until = endpoint.secret_sealed, now + ROTATION_OVERLAP
    endpoint.secret_sealed = seal(secret)
    endpoint.version += 1
    endpoint.save(update_fields=["secret_sealed", "old_secret_sealed", "old_secret_until", "version"])
    after = {"old_secret_until": endpoint.old_secret_until}
    _tell(TenancyAction.WEBHOOK_SECRET_ROTATED, actor, endpoint, now=now, after=after)
    return IssuedEndpoint(endpoint, secret)


@transaction.atomic(durable=True)
def delete_endpoint(*, actor: Principal, endpoint_id: UUID, now: datetime) -> None:
    """Delete a webhook with its deliveries; what is on its way is not sent. Raises NotFound."""
    _require_right(actor)
    endpoint = _locked(endpoint_id, to_delete=True)
    endpoint_before = _shown(endpoint)
    endpoint.delete()
    endpoint.id = endpoint_id  # Django forgets it
    _tell(TenancyAction.WEBHOOK_DELETED, actor, endpoint, now=now, before=endpoint_before)


@transaction.atomic(durable=True)
def redeliver(*, actor: Principal, endpoint_id: UUID, delivery_id: UUID, now: datetime) -> WebhookDelivery:
    """Tell an event again, under the same message id. Raises NotFound, WebhookDisabled, DeliveryOpen."""
    _require_right(actor)
    endpoint = _locked(endpoint_id)
    former = WebhookDelivery.objects.select_related("event").filter(id=delivery_id, endpoint=endpoint).first()
    if former is None:
        raise NotFound
    if not endpoint.enabled:
        raise WebhookDisabled
    # The lock puts two who press at once in order; the constraints hold without it.
    same = WebhookDelivery.objects.filter(endpoint=endpoint, event=former.event)
    if same.filter(state=DeliveryState.PENDING).exists():
        raise DeliveryOpen
    last = same.aggregate(last=Max("round"))["last"]
    delivery = add_delivery(endpoint=endpoint, event=former.event, number=last + 1, now=now)
    after = {"delivery_id": delivery.id, "event_id": former.event_id}
    _tell(TenancyAction.WEBHOOK_REDELIVERED, actor, endpoint, now=now, after=after)
    return delivery


@transaction.atomic(durable=True)
def send_ping(*, actor: Principal, endpoint_id: UUID, now: datetime) -> WebhookDelivery:
    """Send the endpoint a `webhook.ping`, to try it out. Raises NotFound, WebhookDisabled."""
    _require_right(actor)
    endpoint = _locked(endpoint_id)
    if not endpoint.enabled:
        raise WebhookDisabled
    data = {"webhook_id": endpoint.id}
    return write_event(PlatformEvent.PING, data=data, endpoints=[endpoint], now=now)[0]


def checked_url(url: str) -> str:
    """Return the URL as it is stored; raises UnusableUrl. Asks the resolver: call it with no transaction open."""
    target = parse_target(url, allow_loopback=settings.WEBHOOK_ALLOW_LOOPBACK)
    try:
        resolve(target)
    except SendFailed as failure:
        raise UnusableUrl(failure.code, failure.message) from failure
    return target.url


def _require_right(actor: Principal) -> None:
    require_scope(actor, Scope.ADMIN)
    tiers = Tenant.objects.filter(id=current_tenant_id()).values_list("tier", flat=True)
    require_feature(tiers.get(), Feature.WEBHOOKS)


def _checked_events(events: Iterable[str]) -> list[str]:
    wanted, known = sorted(set(events)), event_types()
    unknown = [name for name in wanted if name not in known]
    if unknown:
        detail = f"Known events: {', '.join(known)}."
        raise UnknownEventType(problems=[FieldProblem("/events", "unknown_event_type", detail)])
    if not wanted:
        raise InvalidInput(problems=[FieldProblem("/events", "required", "Choose at least one event.")])
    return wanted


def _switched(enabled: bool, now: datetime) -> dict[str, Any]:  # noqa: FBT001  # the column's value
    if not enabled:
        return {"enabled": False, "disabled_reason": DisabledReason.BY_PERSON, "disabled_at": now}
    fresh = {"failing_since": None, "resting_until": None, "disabled_at": None}
    return {"enabled": True, "disabled_reason": "", **fresh}


@transaction.atomic(durable=True)
def _insert(*, actor: Principal, url: str, events: list[str], now: datetime) -> IssuedEndpoint:
    # The tenant's row puts those who make webhooks at once in order, so that the bound holds.
    Tenant.objects.select_for_update(no_key=True).get(id=current_tenant_id())
    if WebhookEndpoint.objects.count() >= _MOST_ENDPOINTS:
        raise TooManyWebhooks
    _refuse_used(url)
    secret = make_secret()
    endpoint: WebhookEndpoint = WebhookEndpoint.objects.create(
        url=url, events=events, secret_sealed=seal(secret), created_at=now
    )
    _tell(TenancyAction.WEBHOOK_CREATED, actor, endpoint, now=now, after=_shown(endpoint))
    return IssuedEndpoint(endpoint, secret)


@transaction.atomic(durable=True)
def _write(*, actor: Principal, endpoint: WebhookEndpoint, wanted: Mapping[str, Any], now: datetime) -> WebhookEndpoint:
    changes = {name: value for name, value in wanted.items() if getattr(endpoint, name) != value}
    if not changes:
        return endpoint
    if "url" in changes:
        Tenant.objects.select_for_update(no_key=True).get(id=current_tenant_id())
        _refuse_used(changes["url"])
    before = _shown(endpoint)
    rows = WebhookEndpoint.objects.filter(id=endpoint.id, version=endpoint.version)
    if not rows.update(version=F("version") + 1, **changes):
        raise StaleWebhook
    endpoint.refresh_from_db()
    _tell(TenancyAction.WEBHOOK_CHANGED, actor, endpoint, now=now, before=before, after=_shown(endpoint))
    return endpoint


def _refuse_used(url: str) -> None:
    if WebhookEndpoint.objects.filter(url=url).exists():
        raise WebhookExists


def _locked(endpoint_id: UUID, *, to_delete: bool = False) -> WebhookEndpoint:
    rows = WebhookEndpoint.objects.select_for_update(no_key=not to_delete)
    endpoint: WebhookEndpoint | None = rows.filter(id=endpoint_id).first()
    if endpoint is None:
        raise NotFound
    return endpoint


def _shown(endpoint: WebhookEndpoint) -> dict[str, object]:
    """Return what the trail keeps; a query may hold a secret of the receiver's."""
    known: dict[str, object] = {"url": endpoint.url.partition("?")[0], "events": endpoint.events}
    return known | {"enabled": endpoint.enabled}


def _tell(
    action: TenancyAction,
    actor: Principal,
    endpoint: WebhookEndpoint,
    *,
    now: datetime,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
) -> None:
    record_event(
        action=action,
        actor=actor,
        object_type="webhook",
        object_id=endpoint.id,
        now=now,
        before=before,
        after=after,
    )
