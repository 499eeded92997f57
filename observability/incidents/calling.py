"""Calls people about an incident through the channels of alerting: each call is an alert of its own, so that a service
that tells identical alerts once rings again for the next level."""

from __future__ import annotations

import re
from datetime import datetime

from observability.alerts.choices import OPEN_STATES, AlertEvent, AlertSeverity
from observability.alerts.models import Alert
from observability.alerts.raising import raise_alert, resolve_alert
from observability.incidents.choices import IncidentKind, IncidentSeverity
from observability.incidents.escalation import Call, register_caller
from observability.incidents.models import Incident

# The subject of an alert that is a call: such an alert opens no incident.
_CALL = re.compile(r"INC-(\d+)\.level-\d+", re.ASCII)
EVENTS = {
    IncidentKind.SERVICE_DOWN: AlertEvent.SYSTEM_DOWN,
    IncidentKind.HIGH_ERROR_RATE: AlertEvent.HIGH_ERROR_RATE,
    IncidentKind.MODEL_FAILURE: AlertEvent.MODEL_FAILURE,
    IncidentKind.DATABASE_FAILURE: AlertEvent.DATABASE_FAILURE,
    IncidentKind.SECURITY_BREACH: AlertEvent.SECURITY_BREACH,
}
SEVERITIES = {
    IncidentSeverity.P1: AlertSeverity.CRITICAL,
    IncidentSeverity.P2: AlertSeverity.ERROR,
    IncidentSeverity.P3: AlertSeverity.WARNING,
    IncidentSeverity.P4: AlertSeverity.INFO,
}
_NOT_A_CODE = re.compile(r"[^\w.:/@+#-]+", re.ASCII)


def register_calling() -> None:
    """Have the channels of alerting told of calls; called once when the app starts."""
    register_caller("alerts", call_by_alert)


def call_by_alert(call: Call) -> None:
    """Raise the alert of one call, in the transaction of its row in the timeline."""
    incident = call.incident
    if call.told_already:
        return
    end_calls(incident, now=call.now)  # the last level is called again: as a new alert, which rings again
    raise_alert(
        EVENTS[IncidentKind(incident.kind)],
        severity=SEVERITIES[IncidentSeverity(incident.severity)],
        subject=_subject(incident, call.level),
        facts={"level": call.level, "call": _code(call.name), "contact": _code(call.contact)},
        now=call.now,
    )


def end_calls(incident: Incident, *, now: datetime) -> None:
    """Resolve the alerts that are calls about the incident: somebody answered, or the next level is called."""
    event = EVENTS[IncidentKind(incident.kind)]
    calls = Alert.objects.filter(event=event, subject__startswith=f"{incident}.level-", state__in=OPEN_STATES)
    for subject in list(calls.values_list("subject", flat=True)):
        resolve_alert(event, subject, now=now)


def incident_called_for(alert: Alert) -> int | None:
    """Return the number of the incident whose call the alert is; None for any other alert."""
    match = _CALL.fullmatch(alert.subject)
    return int(match[1]) if match else None


def _subject(incident: Incident, level: int) -> str:
    return f"{incident}.level-{level}"


def _code(words: str) -> str:
    """Return words as the code that an alert's facts may hold."""
    return _NOT_A_CODE.sub("-", words)[:128].strip("-")
