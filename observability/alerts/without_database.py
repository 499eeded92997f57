"""Tells that the database is away, the one alert that no outbox can carry.

Every worker watches from a thread of its own and, after several failed looks, calls the channels directly. One fixed
`dedup_key` makes them one incident at PagerDuty; on Slack each worker says its line. When the database is back the
channels are told so, and the alert is kept for the record. A worker that is killed meanwhile tells no end: the next
outage, or a person, closes that incident.
"""

from __future__ import annotations

import time
from datetime import datetime
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction

from observability.alerts.catalogue import CATALOGUE
from observability.alerts.channels.registry import channels_for
from observability.alerts.channels.types import Channel, Message
from observability.alerts.choices import AlertEvent, AlertSeverity, ChannelName, Step
from observability.alerts.messages import source_name
from observability.alerts.raising import raise_alert
from observability.health import database_problem
from observability.outbound.addresses import UnusableUrl, parse_target
from observability.outbound.transport import Limits, post
from observability.probes import Check, Prober, look_at

log = structlog.get_logger(__name__)

# Half a minute: a restart of the database or a failover of seconds wakes nobody.
LOOKS_TO_BELIEVE = 3
_EVENT = AlertEvent.DATABASE_FAILURE
_ALERT_ID = UUID("00000000-0000-7000-8000-00000000da7a")
_LIMITS = Limits(connect_seconds=5.0, total_seconds=10.0)


class DatabaseWatch:
    """What one process knows of the database. Times are monotonic: a clock that jumps changes nothing here."""

    def __init__(self) -> None:
        self._prober = Prober(Check("database", database_problem, timeout_seconds=5.0))
        self._failed_looks = 0
        self._away_since = 0.0
        self._began: datetime | None = None
        self._told: set[ChannelName] = set()

    def look(self, *, now: datetime) -> None:
        """Look once; tell the channels when the database is believed to be away, and when it is back."""
        [finding] = look_at([self._prober])
        if finding.ok:
            self._note_back(now)
            return
        self._failed_looks += 1
        if self._failed_looks == 1:
            self._away_since, self._began = time.monotonic(), now
        if self._failed_looks >= LOOKS_TO_BELIEVE:
            self._tell(Step.TRIGGER, now)

    def _note_back(self, now: datetime) -> None:
        was_believed = self._failed_looks >= LOOKS_TO_BELIEVE
        self._failed_looks = 0
        if self._told:
            self._tell(Step.RESOLVE, now)
        if was_believed:
            seconds = int(time.monotonic() - self._away_since)
            with transaction.atomic():
                raise_alert(
                    _EVENT, severity=AlertSeverity.INFO, subject="outage", facts={"seconds_away": seconds}, now=now
                )

    def _tell(self, step: Step, now: datetime) -> None:
        """Call the channels that were not told of this step; one that fails is called again at the next look."""
        for channel in channels_for(AlertSeverity.CRITICAL):
            told = channel.name in self._told
            if told != (step == Step.TRIGGER) and _called(channel, self._message(step, now), now):
                self._told.symmetric_difference_update({channel.name})

    def _message(self, step: Step, now: datetime) -> Message:
        known = CATALOGUE[_EVENT]
        return Message(
            alert_id=_ALERT_ID,
            step=step,
            event=_EVENT,
            severity=known.severity,
            meaning=known.meaning,
            runbook=known.runbook,
            subject="database",
            tenant_ref="",
            facts={},
            count=self._failed_looks or 1,
            opened_at=self._began or now,
            ended_at=now if step == Step.RESOLVE else None,
            by="",
            source=source_name(),
            link="",
        )


def _called(channel: Channel, message: Message, now: datetime) -> bool:
    """Whether the channel took the message; no breaker is asked, because breakers are rows."""
    try:
        target = parse_target(channel.url(), allow_loopback=settings.WEBHOOK_ALLOW_LOOPBACK)
    except UnusableUrl as refusal:
        log.error("alert_not_told", channel=channel.name, code=refusal.code)
        return False
    headers = {"Content-Type": "application/json", "User-Agent": "Claimwright-Alerts/1"}
    said = channel.judge(post(target, headers=headers, body=channel.body(message), limits=_LIMITS), now=now)
    if not said.told:
        log.error("alert_not_told", channel=channel.name, code=said.error_code)
    return said.told
