"""Raises, acknowledges and resolves alerts, in the caller's transaction.

Event, subject and tenant make the fingerprint, of which the database lets one alert be open: the first raise opens it,
each further one is a conditional update that counts. So 10,000 identical failures are one row, and one page.
The alert's row stays locked until the caller commits; raise late in the transaction.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from observability import metrics
from observability.alerts import hooks
from observability.alerts.catalogue import CATALOGUE
from observability.alerts.choices import OPEN_STATES, AlertEvent, AlertSeverity, AlertState, EntryKind, milder_than
from observability.alerts.errors import AlertIsOver
from observability.alerts.models import Alert, AlertEntry
from observability.errors import NotFound, PlatformError
from observability.masking import mask_value

log = structlog.get_logger(__name__)

Fact = str | int | float | Decimal | UUID | Enum | bool | None

# Codes, ids, names of parts and versions: no blanks, so no sentence and no name of a person.
_CODE = re.compile(r"[\w.:/@+#-]{0,128}", re.ASCII)
_MOST_FACTS = 20
# Each round lost means that somebody resolved or opened the alert in between.
_MOST_ROUNDS = 10


@dataclass(frozen=True)
class Raised:
    """What became of a raise. `opened`: it was the first; `escalated`: the alert is graver than it was."""

    alert_id: UUID
    opened: bool = False
    escalated: bool = False


def raise_alert(
    event: AlertEvent | str,
    *,
    severity: AlertSeverity | str | None = None,
    subject: str = "",
    tenant: UUID | str = "",
    facts: Mapping[str, Fact] | None = None,
    watcher: str = "",
    by: str = "",
    now: datetime | None = None,
) -> Raised:
    """Open the alert of this event, subject and tenant, or count one more raise of the open one.

    `severity` defaults to the event's; a graver one than the open alert has makes it graver. `facts` are ids, codes and
    numbers, never words; those of the last raise are kept. Writes Alert, and AlertEntry when it opens or escalates.
    Raises PlatformError `alert_outside` without a transaction, `alert_with_free_text` for words.
    """
    _require_transaction()
    kind = AlertEvent(event)
    wanted = _Wanted(
        event=kind,
        severity=AlertSeverity(severity or CATALOGUE[kind].severity),
        subject=_code("subject", subject),
        tenant_ref=str(tenant),
        facts=_plain_facts(facts or {}),
        watcher=watcher,
        by=by,
        now=now or timezone.now(),
    )
    for _round in range(_MOST_ROUNDS):
        raised = _count(wanted) or _open(wanted)
        if raised is not None:
            return raised
    raise PlatformError("The alert is opened and resolved faster than it can be counted.", code="alert_contended")


def resolve_alert(
    event: AlertEvent | str, subject: str = "", tenant: UUID | str = "", *, by: str = "", now: datetime | None = None
) -> bool:
    """End the open alert of this event, subject and tenant; False when none is open.

    `by` is the id of the person who does it. Raises PlatformError `alert_outside` without a transaction.
    """
    _require_transaction()
    open_rows = Alert.objects.filter(
        fingerprint=fingerprint_of(AlertEvent(event), subject, str(tenant)), state__in=OPEN_STATES
    )
    alert_id = open_rows.values_list("id", flat=True).first()
    return alert_id is not None and _end(alert_id, by=by, now=now or timezone.now())


def resolve_open_alert(*, alert_id: UUID, by: str, now: datetime) -> Alert:
    """End one alert for a person; raises NotFound, AlertIsOver."""
    with transaction.atomic():
        if not _end(alert_id, by=by, now=now):
            _require_known(alert_id)
            raise AlertIsOver
        return Alert.objects.get(id=alert_id)


def acknowledge_alert(*, alert_id: UUID, by: str, now: datetime) -> Alert:
    """Note that a person has taken the alert on; a second time changes nothing. Raises NotFound, AlertIsOver."""
    with transaction.atomic():
        taken = Alert.objects.filter(id=alert_id, state=AlertState.OPEN).update(
            state=AlertState.ACKNOWLEDGED, acknowledged_at=now, acknowledged_by=by
        )
        alert = _require_known(alert_id)
        if taken:
            write_entry(alert, EntryKind.ACKNOWLEDGED, now=now, by=by)
            hooks.tell_acknowledged(alert, now)
        elif alert.state == AlertState.RESOLVED:
            raise AlertIsOver
    return alert


def quiet_resolve(*, alert_id: UUID, quiet_sweeps: int, now: datetime) -> bool:
    """End an alert that nobody raised for so many sweeps; False when it was raised or resolved meanwhile."""
    with transaction.atomic():
        return _end(alert_id, by="", now=now, quiet_sweeps__gte=quiet_sweeps)


def fingerprint_of(event: AlertEvent, subject: str, tenant_ref: str) -> str:
    """Return what identical alerts have in common."""
    return hashlib.sha256("\x1f".join((event.value, subject, tenant_ref)).encode()).hexdigest()


def write_entry(
    alert: Alert, kind: EntryKind, *, now: datetime, by: str = "", channel: str = "", code: str = ""
) -> None:
    """Add a line to the alert's history."""
    AlertEntry.objects.create(
        alert=alert, kind=kind, severity=alert.severity, at=now, by=by, channel=channel, code=code[:64]
    )


@dataclass(frozen=True)
class _Wanted:
    event: AlertEvent
    severity: AlertSeverity
    subject: str
    tenant_ref: str
    facts: dict[str, object]
    watcher: str
    by: str
    now: datetime

    @property
    def fingerprint(self) -> str:
        return fingerprint_of(self.event, self.subject, self.tenant_ref)


def _count(wanted: _Wanted) -> Raised | None:
    """Count a raise of the open alert; None when none is open (any more)."""
    open_rows = Alert.objects.filter(fingerprint=wanted.fingerprint, state__in=OPEN_STATES)
    found = open_rows.values_list("id", "severity").first()
    if found is None:
        return None
    alert_id, severity = found
    counted = open_rows.filter(id=alert_id).update(
        count=F("count") + 1,
        facts=wanted.facts,
        watcher=wanted.watcher,
        quiet_sweeps=0,
        last_raised_at=wanted.now,
    )
    if not counted:
        return None
    graver = severity in milder_than(wanted.severity) and _escalate(alert_id, wanted)
    return Raised(alert_id, escalated=graver)


def _escalate(alert_id: UUID, wanted: _Wanted) -> bool:
    """Make the alert graver; what was acknowledged was something milder, so it is open again."""
    milder = Alert.objects.filter(id=alert_id, severity__in=milder_than(wanted.severity))
    if not milder.update(severity=wanted.severity, state=AlertState.OPEN, acknowledged_at=None, acknowledged_by=""):
        return False
    alert = Alert.objects.get(id=alert_id)
    write_entry(alert, EntryKind.ESCALATED, now=wanted.now, by=wanted.by)
    log.warning("alert_escalated", alert=str(alert_id), event_type=alert.event, severity=alert.severity)
    hooks.tell_escalated(alert, wanted.now)
    return True


def _open(wanted: _Wanted) -> Raised | None:
    """Open the alert; None when somebody else did at the same moment, whom the database let in first."""
    alert = Alert(
        event=wanted.event,
        severity=wanted.severity,
        subject=wanted.subject,
        tenant_ref=wanted.tenant_ref,
        fingerprint=wanted.fingerprint,
        facts=wanted.facts,
        watcher=wanted.watcher,
        opened_at=wanted.now,
        last_raised_at=wanted.now,
    )
    Alert.objects.bulk_create([alert], ignore_conflicts=True)
    if not Alert.objects.filter(id=alert.id).exists():
        return None
    write_entry(alert, EntryKind.RAISED, now=wanted.now, by=wanted.by)
    metrics.ALERTS_OPENED.labels(event=alert.event, severity=alert.severity).inc()
    log.warning("alert_opened", alert=str(alert.id), event_type=alert.event, severity=alert.severity)
    hooks.tell_opened(alert, wanted.now)
    return Raised(alert.id, opened=True)


def _end(alert_id: UUID, *, by: str, now: datetime, **still: object) -> bool:
    """Resolve the alert if it is open (and `still` as the caller saw it)."""
    open_row = Alert.objects.filter(id=alert_id, state__in=OPEN_STATES, **still)
    if not open_row.update(state=AlertState.RESOLVED, resolved_at=now, resolved_by=by):
        return False
    alert = Alert.objects.get(id=alert_id)
    write_entry(alert, EntryKind.RESOLVED, now=now, by=by)
    log.info("alert_resolved", alert=str(alert_id), event_type=alert.event, raised=alert.count)
    hooks.tell_resolved(alert, now)
    return True


def _require_known(alert_id: UUID) -> Alert:
    alert = Alert.objects.filter(id=alert_id).first()
    if alert is None:
        raise NotFound
    return alert


def _require_transaction() -> None:
    if not transaction.get_connection().in_atomic_block:
        raise PlatformError("An alert is written with what it tells of, in one transaction.", code="alert_outside")


def _plain_facts(facts: Mapping[str, Fact]) -> dict[str, object]:
    if len(facts) > _MOST_FACTS:
        raise PlatformError(f"An alert has at most {_MOST_FACTS} facts.", code="alert_with_too_many_facts")
    masked = mask_value({_code("fact", name): _plain(name, value) for name, value in facts.items()})
    assert isinstance(masked, dict)
    return masked


def _plain(name: str, value: Fact) -> object:
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, UUID | Decimal):
        return str(value)
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)  # JSON has no such number
    return _code(name, value) if isinstance(value, str) else value


def _code(name: str, text: str) -> str:
    if not _CODE.fullmatch(text):
        raise PlatformError(f"{name}: an alert tells ids, codes and numbers only.", code="alert_with_free_text")
    return text
