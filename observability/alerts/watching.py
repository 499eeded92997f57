"""The sweep: asks every watcher what is wrong now, raises it, and resolves what is over.

How long nothing was seen is counted in sweeps, not read off a clock: a clock that jumps resolves nothing early, so it
neither loses a page nor sends one twice. While no sweep runs, nothing is resolved.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from uuid import UUID

import structlog
from django.conf import settings
from django.db import models, transaction
from django.db.models import F

from observability import metrics
from observability.alerts.catalogue import CATALOGUE
from observability.alerts.choices import OPEN_STATES, AlertEvent, AlertSeverity, TellingState
from observability.alerts.models import Alert, AlertTelling
from observability.alerts.raising import Fact, quiet_resolve, raise_alert
from observability.alerts.testing import TEST_SUBJECT

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Condition:
    """Something that is wrong now; `facts` are ids, codes and numbers."""

    event: AlertEvent
    subject: str = ""
    severity: AlertSeverity | None = None
    tenant: UUID | str = ""
    facts: Mapping[str, Fact] = field(default_factory=dict)


Watch = Callable[[datetime], Iterable[Condition]]
_watchers: dict[str, Watch] = {}


def register_watcher(name: str, read: Watch) -> None:
    """Have `read(now)` tell at every sweep what is wrong; called once when the owner's app starts.

    It is quick and reads only. What it told of and tells of no more is resolved after `ALERT_QUIET_SECONDS`. A watcher
    that raises is logged, and its alerts stay as they are: not to see is not to be well.
    """
    _watchers[name] = read


def sweep_alerts(*, now: datetime) -> int:
    """Raise what the watchers see and resolve what is over; return how many were resolved (a timer calls this)."""
    for name, read in sorted(_watchers.items()):
        with _Look(name):
            _look(name, read, now)
    with transaction.atomic():
        lasting = [event for event, facts in CATALOGUE.items() if facts.quiet_seconds is None]
        _open_alerts().exclude(watcher__in=list(_watchers)).exclude(event__in=lasting).update(
            quiet_sweeps=F("quiet_sweeps") + 1
        )
    return _resolve_quiet(now)


def _look(name: str, read: Watch, now: datetime) -> None:
    seen = []
    for condition in read(now):
        with transaction.atomic():
            raised = raise_alert(
                condition.event,
                severity=condition.severity,
                subject=condition.subject,
                tenant=condition.tenant,
                facts=condition.facts,
                watcher=name,
                now=now,
            )
        seen.append(raised.alert_id)
    _open_alerts().filter(watcher=name).exclude(id__in=seen).update(quiet_sweeps=F("quiet_sweeps") + 1)


def _resolve_quiet(now: datetime) -> int:
    resolved = 0
    for alert in _open_alerts().filter(quiet_sweeps__gt=0):
        needed = _sweeps_needed(alert)
        if needed is not None and alert.quiet_sweeps >= needed:
            resolved += quiet_resolve(alert_id=alert.id, quiet_sweeps=needed, now=now)
    return resolved


def _sweeps_needed(alert: Alert) -> int | None:
    """Return after how many sweeps without it an alert is over; None when only its owner or a person says so."""
    if alert.subject == TEST_SUBJECT and not _is_being_told(alert):
        return 1
    if alert.watcher in _watchers:
        seconds: int | None = settings.ALERT_QUIET_SECONDS
    else:
        seconds = CATALOGUE[AlertEvent(alert.event)].quiet_seconds
    return None if seconds is None else max(1, math.ceil(seconds / settings.ALERT_SWEEP_SECONDS))


def _is_being_told(alert: Alert) -> bool:
    return AlertTelling.objects.filter(alert=alert, state=TellingState.PENDING).exists()


def _open_alerts() -> models.QuerySet[Alert]:
    return Alert.objects.filter(state__in=OPEN_STATES)


class _Look:
    """The edge of one watcher: whatever it raises holds up no other, and is told by name."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if error is None:
            return False
        if isinstance(error, Exception):
            metrics.WATCHER_FAILURES.labels(watcher=self._name).inc()
            log.error("watcher_failed", watcher=self._name, error=type(error).__name__, exc_info=error)
        return isinstance(error, Exception)
