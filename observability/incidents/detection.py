"""Alerts open incidents, make them graver, and say when the trouble is gone; a person says when it is over."""

from __future__ import annotations

from datetime import datetime, timedelta

from observability.alerts import hooks
from observability.alerts.choices import OPEN_STATES, AlertEvent, AlertSeverity
from observability.alerts.models import Alert
from observability.breakers import part_of
from observability.degradation import Part
from observability.incidents.actors import SYSTEM, Actor
from observability.incidents.calling import incident_called_for
from observability.incidents.choices import IncidentKind, IncidentSeverity, IncidentStatus
from observability.incidents.models import Incident
from observability.incidents.services import acknowledge_incident, mitigate_incident, note_alert, open_incident

# What else is alerted (budgets, drift, risk, deployments) has no runbook of ours: it wants a decision, not a repair.
KINDS = {
    AlertEvent.SYSTEM_DOWN: IncidentKind.SERVICE_DOWN,
    AlertEvent.QUEUE_BACKLOG: IncidentKind.SERVICE_DOWN,
    AlertEvent.HIGH_ERROR_RATE: IncidentKind.HIGH_ERROR_RATE,
    AlertEvent.HIGH_LATENCY: IncidentKind.HIGH_ERROR_RATE,
    AlertEvent.MODEL_FAILURE: IncidentKind.MODEL_FAILURE,
    AlertEvent.CIRCUIT_BREAKER_OPEN: IncidentKind.MODEL_FAILURE,
    AlertEvent.DATABASE_FAILURE: IncidentKind.DATABASE_FAILURE,
    AlertEvent.SECURITY_BREACH: IncidentKind.SECURITY_BREACH,
}
SEVERITIES = {
    AlertSeverity.CRITICAL: IncidentSeverity.P1,
    AlertSeverity.ERROR: IncidentSeverity.P2,
    AlertSeverity.WARNING: IncidentSeverity.P3,
    AlertSeverity.INFO: IncidentSeverity.P4,
}
_UNANSWERED = (IncidentStatus.OPEN, IncidentStatus.ACKNOWLEDGED)


def connect_alerts() -> None:
    """Have alerts open, worsen, acknowledge and mitigate incidents; called once when the app starts."""
    hooks.on_alert_opened(open_for_alert)
    hooks.on_alert_escalated(open_for_alert)
    hooks.on_alert_acknowledged(acknowledge_for_alert)
    hooks.on_alert_resolved(mitigate_for_alert)


def open_for_alert(alert: Alert, now: datetime) -> None:
    """Open the incident that the alert belongs to, or make the open one graver, and tell its timeline."""
    kind = KINDS.get(AlertEvent(alert.event))
    if kind is None or not _opens_one(alert):
        return
    words = _words(alert)
    opened = open_incident(
        kind=kind,
        subject=subject_of(alert),
        title=f"{alert.get_event_display()}: {alert.subject or 'the platform'}",
        severity=SEVERITIES[AlertSeverity(alert.severity)],
        began_at=_began_at(alert),
        tenant_ref=alert.tenant_ref or None,
        text=words,
        told_already=True,
        actor=SYSTEM,
        now=now,
    )
    note_alert(number=opened.incident.number, text=words, now=now)


def acknowledge_for_alert(alert: Alert, now: datetime) -> None:
    """Who took the alert on, or answered the call, has taken the incident on."""
    called_for = incident_called_for(alert)
    incident = _incident_of(alert) if called_for is None else Incident.objects.filter(number=called_for).first()
    if incident is not None and incident.status == IncidentStatus.OPEN:
        by = alert.acknowledged_by or SYSTEM.id
        acknowledge_incident(number=incident.number, actor=Actor(by, by), now=now)


def mitigate_for_alert(alert: Alert, now: datetime) -> None:
    """Say that the trouble is gone when this was the last open alert about it."""
    incident = _incident_of(alert) if _opens_one(alert) else None
    if incident is None:
        return
    kind = KINDS[AlertEvent(alert.event)]
    events = [event for event, its_kind in KINDS.items() if its_kind == kind]
    others = Alert.objects.filter(
        event__in=events, subject=alert.subject, tenant_ref=alert.tenant_ref, state__in=OPEN_STATES
    )
    note_alert(number=incident.number, text=f"resolved: {_words(alert)}", now=now)
    if not others.exists():
        mitigate_incident(number=incident.number, actor=SYSTEM, now=now, text="No alert about it is open any more.")


def subject_of(alert: Alert) -> str:
    """Return the subject of the alert's incident; the same trouble of two tenants is two incidents."""
    return f"{alert.subject or 'platform'} {alert.tenant_ref}".strip()


def _opens_one(alert: Alert) -> bool:
    """A call about an incident is no trouble of its own; dead letters wait on the desk, where they are replayed. A
    breaker before something else than a model is told beside the component's own alert, or hurts little (the cache)."""
    if alert.event == AlertEvent.CIRCUIT_BREAKER_OPEN and part_of(alert.subject) != Part.MODEL:
        return False
    return incident_called_for(alert) is None and alert.watcher != "dead-letters"


def _began_at(alert: Alert) -> datetime:
    """Return when the trouble began: an outage of the database is told when it is over, a breaker by the next sweep."""
    away, opened = alert.facts.get("seconds_away"), alert.facts.get("opened_at")
    if isinstance(opened, str):
        return datetime.fromisoformat(opened)
    return alert.opened_at - timedelta(seconds=float(away)) if isinstance(away, int | float) else alert.opened_at


def _incident_of(alert: Alert) -> Incident | None:
    kind = KINDS.get(AlertEvent(alert.event))
    found = Incident.objects.filter(kind=kind, subject=subject_of(alert), status__in=_UNANSWERED)
    return found.first() if kind is not None else None


def _words(alert: Alert) -> str:
    facts = ", ".join(f"{name} {value}" for name, value in sorted(alert.facts.items()))
    return f"{alert.event} {alert.severity.lower()} about {alert.subject or 'the platform'}" + (
        f" ({facts})" if facts else ""
    )
