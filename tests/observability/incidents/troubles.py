"""Incidents made for a test, and who acts on them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from observability.incidents.actors import Actor
from observability.incidents.choices import IncidentKind, TimelineKind
from observability.incidents.models import Incident, IncidentEvent
from observability.incidents.services import acknowledge_incident, open_incident, resolve_incident
from observability.incidents.steps import run_step, skip_step, tick_step
from tests.observability.work import NOON

OLGA = Actor("0192-olga", "Olga Operator")
PAVEL = Actor("0192-pavel", "Pavel Operator")


def an_incident(
    kind: IncidentKind = IncidentKind.MODEL_FAILURE,
    *,
    subject: str = "openai",
    title: str = "It fails",
    now: datetime = NOON,
    **more: Any,
) -> Incident:
    return open_incident(kind=kind, subject=subject, title=title, actor=OLGA, now=now, **more).incident


def told(incident: Incident) -> list[TimelineKind]:
    """Return the kinds of the timeline's rows in order."""
    rows = IncidentEvent.objects.filter(incident=incident).order_by("id")
    return [TimelineKind(kind) for kind in rows.values_list("kind", flat=True)]


def busy_incident() -> Incident:
    """Return one with steps in every state."""
    now = timezone.now()
    incident = an_incident(subject="openai", now=now, began_at=now - timedelta(minutes=7), title="openai answers 500")
    number = incident.number
    acknowledge_incident(number=number, actor=OLGA, now=now)
    run_step(number=number, position=1, actor=OLGA, now=now)
    skip_step(number=number, position=2, actor=PAVEL, now=now, reason="Its breaker is open already.")
    run_step(number=number, position=5, actor=OLGA, now=now)
    return Incident.objects.get(number=number)


def finished_incident() -> Incident:
    """Return one that is resolved and waits for its words."""
    now = timezone.now()
    incident = an_incident(IncidentKind.SECURITY_BREACH, subject="sign-in", now=now - timedelta(minutes=40))
    tick_step(number=incident.number, position=5, actor=OLGA, now=now, note="kept on the archive's machine")
    return resolve_incident(number=incident.number, actor=OLGA, now=now, text="The account's owner had mistyped.")
