"""What happens to an incident, one function for each: opened, acknowledged, mitigated, resolved, reported, closed.

Each change of state is one conditional update and one row of the timeline in the same transaction. What is asked for
twice happens once: an incident that is there already is answered as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import structlog
from django.db import IntegrityError, transaction

from observability import metrics
from observability.incidents.actors import SYSTEM, Actor
from observability.incidents.calling import end_calls
from observability.incidents.choices import (
    OPEN_STATUSES,
    IncidentKind,
    IncidentSeverity,
    IncidentStatus,
    TimelineKind,
)
from observability.incidents.errors import IncidentMoved, ReportMissing
from observability.incidents.escalation import call_first
from observability.incidents.models import Incident, IncidentStep
from observability.incidents.runbooks import RunbookStep, runbook_for
from observability.incidents.selectors import incident_of
from observability.incidents.timeline import tell
from observability.masking import mask_text

log = structlog.get_logger(__name__)

_NEEDS_REPORT = (IncidentSeverity.P1, IncidentSeverity.P2)


@dataclass(frozen=True)
class Opened:
    """The incident, and whether this call opened it."""

    incident: Incident
    is_new: bool


@transaction.atomic
def open_incident(
    *,
    kind: IncidentKind,
    subject: str,
    title: str,
    actor: Actor,
    now: datetime,
    severity: IncidentSeverity | None = None,
    began_at: datetime | None = None,
    tenant_ref: str | None = None,
    text: str = "",
    told_already: bool = False,
) -> Opened:
    """Open an incident with its runbook's steps and call the first level, or return the open one about the same.

    A trouble that comes back while its incident is mitigated sets it open again. Without `severity` it is the
    runbook's. `told_already`: an alert reaches the first level without a call. Runs in the caller's transaction if
    there is one.
    """
    book = runbook_for(kind)
    wanted = IncidentSeverity(severity or book.severity)
    columns = {
        "severity": wanted,
        "title": mask_text(title)[:200],
        "tenant_ref": tenant_ref,
        "runbook_minutes": book.minutes,
        "began_at": min(began_at or now, now),
        "opened_at": now,
    }
    try:
        with transaction.atomic():
            incident = Incident.objects.create(kind=kind, subject=_short(subject), **columns)
    except IntegrityError:
        known = Incident.objects.select_for_update().get(kind=kind, subject=_short(subject), status__in=OPEN_STATUSES)
        _see_again(known, wanted, actor, text, now, told_already=told_already)
        return Opened(incident_of(known.number), is_new=False)
    _copy_steps(incident, book.steps)
    tell(number=incident.number, kind=TimelineKind.OPENED, actor=actor, now=now, text=text or title)
    call_first(incident, now=now, told_already=told_already)
    metrics.INCIDENTS.labels(kind=kind.value, severity=wanted.value).inc()
    log.error("incident_opened", incident=incident.number, kind=kind.value, severity=wanted.value)
    incident.refresh_from_db()
    return Opened(incident, is_new=True)


def acknowledge_incident(*, number: int, actor: Actor, now: datetime) -> Incident:
    """Say that somebody takes care, which ends the calling; raises NotFound, or IncidentMoved once it is over."""
    columns = {"acknowledged_at": now, "acknowledged_by": actor.name[:150], "escalate_at": None}
    return _move(number, (IncidentStatus.OPEN,), IncidentStatus.ACKNOWLEDGED, actor=actor, now=now, columns=columns)


def mitigate_incident(*, number: int, actor: Actor, now: datetime, text: str = "") -> Incident:
    """Say that the trouble is gone, while a person has still to say that it is over; raises NotFound, IncidentMoved.

    Called when detection sees no trouble any more, or by a person. Nobody is called any longer.
    """
    allowed = (IncidentStatus.OPEN, IncidentStatus.ACKNOWLEDGED)
    columns = {"mitigated_at": now, "escalate_at": None}
    return _move(number, allowed, IncidentStatus.MITIGATED, actor=actor, now=now, columns=columns, text=text)


@transaction.atomic(durable=True)
def resolve_incident(*, number: int, actor: Actor, now: datetime, text: str = "") -> Incident:
    """Say that it is over; raises NotFound or IncidentMoved. Who resolves has seen it, and the trouble is gone: both
    times are kept if nobody said so before."""
    incident = incident_of(number)
    columns = {
        "resolved_at": now,
        "resolved_by": actor.name[:150],
        "escalate_at": None,
        "acknowledged_at": incident.acknowledged_at or now,
        "acknowledged_by": incident.acknowledged_by or actor.name[:150],
        "mitigated_at": incident.mitigated_at or now,
    }
    return _moved(number, OPEN_STATUSES, IncidentStatus.RESOLVED, actor=actor, now=now, columns=columns, text=text)


@transaction.atomic(durable=True)
def write_report(*, number: int, cause: str, follow_ups: str, actor: Actor, now: datetime) -> Incident:
    """Keep what a person says it came from and what is to be done, masked; raises NotFound or IncidentMoved while it
    is not over, and once it is closed."""
    words = {"cause": mask_text(cause), "follow_ups": mask_text(follow_ups), "reported_by": actor.name[:150]}
    if not Incident.objects.filter(number=number, status=IncidentStatus.RESOLVED).update(**words):
        raise _refusal(number)
    tell(number=number, kind=TimelineKind.REPORTED, actor=actor, now=now)
    return incident_of(number)


@transaction.atomic(durable=True)
def close_incident(*, number: int, actor: Actor, now: datetime) -> Incident:
    """End it for good; raises NotFound, IncidentMoved, or ReportMissing."""
    incident = incident_of(number)
    if incident.severity in _NEEDS_REPORT and not incident.cause.strip():
        raise ReportMissing
    columns = {"closed_at": now}
    allowed = (IncidentStatus.RESOLVED,)
    return _moved(number, allowed, IncidentStatus.CLOSED, actor=actor, now=now, columns=columns)


def note_alert(*, number: int, text: str, now: datetime) -> None:
    """Add to the timeline what detection saw, in the caller's transaction."""
    tell(number=number, kind=TimelineKind.ALERT, actor=SYSTEM, now=now, text=text)


@transaction.atomic
def _move(
    number: int,
    allowed: Iterable[IncidentStatus],
    status: IncidentStatus,
    *,
    actor: Actor,
    now: datetime,
    columns: Mapping[str, object],
    text: str = "",
) -> Incident:
    return _moved(number, allowed, status, actor=actor, now=now, columns=columns, text=text)


def _moved(
    number: int,
    allowed: Iterable[IncidentStatus],
    status: IncidentStatus,
    *,
    actor: Actor,
    now: datetime,
    columns: Mapping[str, object],
    text: str = "",
) -> Incident:
    """Enter the status from one of the allowed ones and tell it; who comes second gets the incident as it is."""
    rows = Incident.objects.filter(number=number, status__in=tuple(allowed))
    if not rows.update(status=status, **columns):
        incident = incident_of(number)
        if incident.status == status:
            return incident
        raise _refusal(number)
    tell(number=number, kind=TimelineKind(status.value), actor=actor, now=now, text=text)
    end_calls(incident_of(number), now=now)
    log.info("incident_moved", incident=number, status=status.value, by=actor.id)
    return incident_of(number)


def _refusal(number: int) -> IncidentMoved:
    incident = incident_of(number)
    message = f"{incident} is {IncidentStatus(incident.status).label.lower()}."
    return IncidentMoved(message, extra={"incident_status": incident.status})


def _see_again(
    incident: Incident, severity: IncidentSeverity, actor: Actor, text: str, now: datetime, *, told_already: bool
) -> None:
    """Raise the open incident's severity when it got worse, and set it open again when it was thought to be gone."""
    rows = Incident.objects.filter(number=incident.number)
    if severity < incident.severity:  # P1 is the gravest
        words = f"{incident.severity} became {severity}. {text}".strip()
        rows.update(severity=severity)
        tell(number=incident.number, kind=TimelineKind.SEVERITY_RAISED, actor=actor, now=now, text=words)
        incident.severity = severity
    if incident.status == IncidentStatus.MITIGATED:
        rows.update(status=IncidentStatus.OPEN, mitigated_at=None)
        tell(number=incident.number, kind=TimelineKind.REOPENED, actor=actor, now=now, text=text)
        call_first(incident, now=now, told_already=told_already)


def _copy_steps(incident: Incident, steps: Iterable[RunbookStep]) -> None:
    IncidentStep.objects.bulk_create(
        IncidentStep(
            incident=incident,
            position=position,
            title=step.title,
            text=step.text,
            minutes=step.minutes,
            action=step.action,
            command=step.command,
            arguments=dict(step.arguments),
            asks=step.asks,
            verifies=step.verifies,
        )
        for position, step in enumerate(steps, 1)
    )


def _short(subject: str) -> str:
    return mask_text(subject)[:120]
