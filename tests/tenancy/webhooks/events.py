"""Webhooks and their jobs for tests that are not about how they are made."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

import tenancy.tasks  # noqa: F401  # makes the kind of job known
from observability.ids import new_id
from observability.jobs import Lease, take_job
from observability.models import Job
from observability.running import run_job
from tenancy.models import WebhookDelivery, WebhookEndpoint
from tenancy.scope import tenant_scope
from tenancy.webhooks.announcing import announce
from tenancy.webhooks.catalogue import PlatformEvent
from tenancy.webhooks.services import create_endpoint
from tests.people import Person
from tests.tenancy.webhooks.conftest import HOST
from tests.tenancy.webhooks.receiver import Received, Receiver

PING = PlatformEvent.PING


def make_webhook(
    person: Person, receiver: Receiver | None = None, *, events: Iterable[str] = (PING,), host: str = HOST
) -> tuple[WebhookEndpoint, str]:
    """Return a webhook at the receiver, and its secret."""
    port = receiver.port if receiver else 8443
    with tenant_scope(person.tenant.id):
        issued = create_endpoint(
            actor=person.principal, url=f"https://{host}:{port}/in", events=events, now=timezone.now()
        )
    return issued.endpoint, issued.secret


def announced(person: Person, *, now: datetime | None = None) -> WebhookDelivery:
    """Announce a ping to the tenant's webhooks and return the newest delivery."""
    with tenant_scope(person.tenant.id):
        with transaction.atomic():
            announce(PING, data={"webhook_id": new_id()}, now=now or timezone.now())
        delivery: WebhookDelivery | None = WebhookDelivery.objects.order_by("-id").first()
    assert delivery is not None
    return delivery


def work_on(delivery: WebhookDelivery) -> WebhookDelivery:
    """Let a worker make one attempt, however far off it is, and return the delivery as it stands then."""
    Job.objects.filter(id=delivery.id).update(run_after=timezone.now())
    run_job(delivery.id)
    stands: WebhookDelivery = fresh(delivery)
    return stands


def lease_on(delivery: WebhookDelivery) -> Lease:
    lease = take_job(job_id=delivery.id, now=timezone.now())
    assert lease is not None
    return lease


def fresh(row: Any) -> Any:
    """Return the row as it stands in the database."""
    with tenant_scope(row.tenant_id):
        return type(row).objects.get(id=row.id)


def body_of(received: Received) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(received.body)
    return found
