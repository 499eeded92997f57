"""What is said of an alert, the same for every channel, masked before it leaves."""

from __future__ import annotations

import socket
from typing import cast
from urllib.parse import urlsplit

from django.conf import settings

from observability.alerts.catalogue import CATALOGUE
from observability.alerts.channels.types import Message
from observability.alerts.choices import AlertEvent, AlertSeverity, Step
from observability.alerts.models import Alert
from observability.masking import mask_text, mask_value


def message_of(alert: Alert, *, step: Step, not_told: int = 0) -> Message:
    """Return what a channel is told of the alert as it is now."""
    event = AlertEvent(alert.event)
    known = CATALOGUE[event]
    return Message(
        alert_id=alert.id,
        step=step,
        event=event,
        severity=AlertSeverity(alert.severity),
        meaning=known.meaning,
        runbook=known.runbook,
        subject=mask_text(alert.subject),
        tenant_ref=alert.tenant_ref,
        facts=cast("dict[str, object]", mask_value(alert.facts)),
        count=alert.count,
        opened_at=alert.opened_at,
        ended_at=alert.resolved_at,
        by=alert.resolved_by or alert.acknowledged_by,
        source=source_name(),
        link=link_to(alert),
        not_told=not_told,
    )


def source_name() -> str:
    """Return the name of this installation: its public host, else this machine's."""
    return urlsplit(settings.PUBLIC_URL).netloc or socket.gethostname() or "claimwright"


def link_to(alert: Alert) -> str:
    """Return the address of the alert's page, or nothing where the installation does not know its own."""
    return f"{settings.PUBLIC_URL}/admin/observability/alert/{alert.id}/change/" if settings.PUBLIC_URL else ""
