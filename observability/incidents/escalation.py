"""Who is called about an incident, and who next when nobody answers: levels from the administration's rows, else from
the environment (`INCIDENT_ESCALATION`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction

from observability.incidents.actors import SYSTEM
from observability.incidents.choices import IncidentSeverity, IncidentStatus, TimelineKind
from observability.incidents.models import EscalationLevel, Incident
from observability.incidents.timeline import tell

log = structlog.get_logger(__name__)

_MOST_PER_RUN = 50


@dataclass(frozen=True)
class Level:
    """One level; `minutes` is how long it has to acknowledge before the next one is called."""

    name: str
    contact: str
    minutes: Mapping[IncidentSeverity, int]


@dataclass(frozen=True)
class Call:
    """That somebody is called about an incident, in the transaction of the timeline's row about it. `told_already`: the
    alert that opened the incident reaches the same people."""

    incident: Incident
    level: int
    name: str
    contact: str
    now: datetime
    told_already: bool = False


Caller = Callable[[Call], None]
_callers: dict[str, Caller] = {}


def register_caller(name: str, caller: Caller) -> None:
    """Have the function told of each call; it writes what it needs (a job) in the caller's transaction and returns."""
    _callers[name] = caller


def levels() -> list[Level]:
    """Return the levels in the order in which they are called; never none."""
    rows = list(EscalationLevel.objects.order_by("level"))
    return [_from_row(row) for row in rows] or [_from_environment(entry) for entry in settings.INCIDENT_ESCALATION]


def call_first(incident: Incident, *, now: datetime, told_already: bool) -> None:
    """Call the first level about an incident that just opened or came back, in the caller's transaction."""
    first = levels()[0]
    Incident.objects.filter(number=incident.number, status=IncidentStatus.OPEN).update(
        escalation_level=1, escalate_at=_next_at(incident, first, now)
    )
    _tell_callers(Call(incident, 1, first.name, first.contact, now, told_already), _minutes(incident, first))


def escalate_overdue(*, now: datetime) -> list[int]:
    """Call the next level for each incident that nobody acknowledged in time; return their numbers (a timer).

    The last level is called again and again until somebody answers.
    """
    waiting = Incident.objects.filter(status=IncidentStatus.OPEN, escalate_at__lte=now).order_by("escalate_at")
    return [incident.number for incident in waiting[:_MOST_PER_RUN] if _escalate(incident, now)]


@transaction.atomic(durable=True)
def _escalate(incident: Incident, now: datetime) -> bool:
    """Claim the escalation by a conditional update: of two workers one calls, none where it was acknowledged."""
    ladder = levels()
    number = min(incident.escalation_level + 1, len(ladder))
    level = ladder[number - 1]
    ours = Incident.objects.filter(
        number=incident.number, status=IncidentStatus.OPEN, escalate_at=incident.escalate_at
    ).update(escalation_level=number, escalate_at=_next_at(incident, level, now))
    if ours:
        _tell_callers(Call(incident, number, level.name, level.contact, now), _minutes(incident, level))
    return bool(ours)


def _tell_callers(call: Call, minutes: int) -> None:
    text = f"Level {call.level} is called: {call.name}. They have {minutes} min to acknowledge."
    tell(number=call.incident.number, kind=TimelineKind.ESCALATED, actor=SYSTEM, now=call.now, text=text)
    if not _callers:
        log.warning("incident_call_without_channel", incident=call.incident.number, level=call.level)
    for caller in _callers.values():
        caller(call)


def _minutes(incident: Incident, level: Level) -> int:
    return level.minutes[IncidentSeverity(incident.severity)]


def _next_at(incident: Incident, level: Level, now: datetime) -> datetime:
    return now + timedelta(minutes=_minutes(incident, level))


def _from_row(row: EscalationLevel) -> Level:
    minutes = (row.minutes_p1, row.minutes_p2, row.minutes_p3, row.minutes_p4)
    return Level(row.name, row.contact, dict(zip(IncidentSeverity, minutes, strict=True)))


def _from_environment(entry: Mapping[str, object]) -> Level:
    minutes = entry["minutes"]
    assert isinstance(minutes, list)  # config/environment.py has checked it
    return Level(str(entry["name"]), str(entry["contact"]), dict(zip(IncidentSeverity, minutes, strict=True)))
