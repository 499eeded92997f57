"""Reads of incidents."""

from __future__ import annotations

from django.db.models import Count, QuerySet

from observability.errors import NotFound
from observability.incidents.choices import OPEN_STATUSES, IncidentSeverity
from observability.incidents.models import Incident, IncidentEvent, IncidentStep
from observability.metrics import Readings


def incidents() -> QuerySet[Incident]:
    return Incident.objects.all()


def incident_of(number: int) -> Incident:
    """Return the incident; raises NotFound."""
    incident = Incident.objects.filter(number=number).first()
    if incident is None:
        raise NotFound
    return incident


def step_of(number: int, position: int) -> IncidentStep:
    """Return a step with its incident; raises NotFound."""
    incident = incident_of(number)
    step = incident.steps.select_related("incident").filter(position=position).first()
    if step is None:
        raise NotFound
    return step


def steps_of(incident: Incident) -> list[IncidentStep]:
    """Return the steps in the runbook's order."""
    return list(incident.steps.order_by("position"))


def events_of(incident: Incident) -> list[IncidentEvent]:
    """Return the timeline, the oldest first."""
    return list(incident.events.order_by("id"))


def open_incidents() -> Readings:
    """Return how many incidents of each severity are not over (a gauge reads this)."""
    rows = Incident.objects.filter(status__in=OPEN_STATUSES).order_by().values_list("severity")
    counted: dict[str, int] = dict(rows.annotate(Count("number")))
    return {(severity.value,): float(counted.get(severity, 0)) for severity in IncidentSeverity}
