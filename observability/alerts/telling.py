"""What the channels are to be told: written in the commit of the change, for a job to carry out.

A channel has one row per alert that says what is wanted now. A job brings the channel there; an alert that is over
before its channel was told of it is not told at all, and what is told comes in the right order.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db.models import F

from observability.alerts.channels.registry import CHANNELS, channels_for
from observability.alerts.channels.types import Channel
from observability.alerts.choices import AlertSeverity, ChannelName, Step, TellingState
from observability.alerts.hooks import (
    on_alert_acknowledged,
    on_alert_escalated,
    on_alert_opened,
    on_alert_resolved,
)
from observability.alerts.models import Alert, AlertTelling
from observability.jobs import enqueue_job

TELL_JOB = "alerts.tell"


def register_telling() -> None:
    """Have channels told of what happens to alerts; called when the app starts."""
    on_alert_opened(tell_opened)
    on_alert_escalated(tell_opened)
    on_alert_acknowledged(tell_acknowledged)
    on_alert_resolved(tell_resolved)


def tell_opened(alert: Alert, now: datetime) -> None:
    tell_on(channels_for(AlertSeverity(alert.severity)), alert=alert, now=now)


def tell_on(channels: list[Channel], *, alert: Alert, now: datetime) -> None:
    """Have these channels told that the alert is open; writes AlertTelling and a job each."""
    for channel in channels:
        row = AlertTelling(
            alert=alert, channel=channel.name, wanted=Step.TRIGGER, wanted_severity=alert.severity, version=0
        )
        AlertTelling.objects.bulk_create([row], ignore_conflicts=True)
        _want(alert, channel.name, Step.TRIGGER, now)


def tell_acknowledged(alert: Alert, now: datetime) -> None:
    _want_everywhere(alert, Step.ACKNOWLEDGE, now)


def tell_resolved(alert: Alert, now: datetime) -> None:
    _want_everywhere(alert, Step.RESOLVE, now)


def _want_everywhere(alert: Alert, step: Step, now: datetime) -> None:
    for name in AlertTelling.objects.filter(alert=alert).values_list("channel", flat=True):
        channel = ChannelName(name)
        if step in CHANNELS[channel].steps:
            _want(alert, channel, step, now)


def _want(alert: Alert, channel: ChannelName, step: Step, now: datetime) -> None:
    """Say what is wanted, and have a job see to it unless one does already: two would overtake each other."""
    rows = AlertTelling.objects.filter(alert=alert, channel=channel)
    rows.update(
        wanted=step,
        wanted_severity=alert.severity,
        version=F("version") + 1,
        state=TellingState.PENDING,
        attempts=0,
    )
    if rows.filter(has_job=False).update(has_job=True):
        enqueue_tell_job(rows.get().id, tenant_ref=alert.tenant_ref, now=now)


def enqueue_tell_job(telling_id: UUID, *, tenant_ref: str, now: datetime) -> None:
    """Write the job that brings the channel to what is wanted."""
    enqueue_job(kind=TELL_JOB, tenant_ref=tenant_ref, arguments={"telling_id": str(telling_id)}, now=now)
