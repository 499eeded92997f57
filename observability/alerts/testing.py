"""A test of the channels: an alert that is told everywhere and is over by itself."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from observability.alerts.channels.registry import configured_channels
from observability.alerts.choices import AlertEvent, AlertSeverity
from observability.alerts.errors import NoChannel
from observability.alerts.models import Alert
from observability.alerts.raising import raise_alert
from observability.alerts.telling import tell_on

TEST_SUBJECT = "alerting-test"


def send_test_alert(*, by: str, now: datetime) -> Alert:
    """Open a test alert, or find the one that is still open, and have every configured channel told of it.

    It takes the way of every alert: outbox, job, worker. The sweep resolves it once it was told, on the channels too.
    `by` is the id of the person who asks. Raises NoChannel.
    """
    channels = configured_channels()
    if not channels:
        raise NoChannel
    with transaction.atomic():
        raised = raise_alert(
            AlertEvent.DEPLOYMENT_STATUS, severity=AlertSeverity.INFO, subject=TEST_SUBJECT, by=by, now=now
        )
        alert = Alert.objects.get(id=raised.alert_id)
        if raised.opened:
            told = set(alert.tellings.values_list("channel", flat=True))
            tell_on([channel for channel in channels if channel.name not in told], alert=alert, now=now)
    return alert
