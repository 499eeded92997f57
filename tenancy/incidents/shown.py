"""How incidents look: tones, icons and words, made ready for the templates."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from observability.desk import in_words
from observability.incidents.choices import OPEN_STATUSES, IncidentSeverity, IncidentStatus, StepState, TimelineKind
from observability.incidents.models import Incident, IncidentEvent, IncidentStep
from observability.incidents.report import Report, what_happened
from observability.incidents.selectors import events_of, steps_of

_SEVERITY_TONES = {
    IncidentSeverity.P1: "danger",
    IncidentSeverity.P2: "danger",
    IncidentSeverity.P3: "warn",
    IncidentSeverity.P4: "quiet",
}
_STATUS_LOOKS = {
    IncidentStatus.OPEN: ("danger", "urgent"),
    IncidentStatus.ACKNOWLEDGED: ("warn", "user"),
    IncidentStatus.MITIGATED: ("info", "shield"),
    IncidentStatus.RESOLVED: ("ok", "check-circle"),
    IncidentStatus.CLOSED: ("quiet", "lock"),
}
_STEP_LOOKS = {
    StepState.PENDING: ("quiet", "standard"),
    StepState.RUNNING: ("info", "clock"),
    StepState.DONE: ("ok", "check-circle"),
    StepState.FAILED: ("danger", "cross-circle"),
    StepState.SKIPPED: ("quiet", "step"),
}
_ASKS = {"breaker": "Name of the breaker", "username": "Username of the account", "tenant": "Short name of the tenant"}
_BAD_NEWS = (TimelineKind.OPENED, TimelineKind.REOPENED, TimelineKind.STEP_FAILED, TimelineKind.SEVERITY_RAISED)
_GOOD_NEWS = (TimelineKind.STEP_DONE, TimelineKind.MITIGATED, TimelineKind.RESOLVED, TimelineKind.CLOSED)


@dataclass(frozen=True)
class ShownIncident:
    """An incident in a list or as a page's head."""

    row: Incident
    severity_tone: str
    status_tone: str
    status_icon: str
    age: str

    @property
    def is_open(self) -> bool:
        return self.row.status in OPEN_STATUSES


@dataclass(frozen=True)
class ShownStep:
    """One step of the checklist; `can_do`: it may be run or ticked off now; `first`: it is the
    first such one."""

    row: IncidentStep
    tone: str
    icon: str
    word: str
    ask: str
    can_do: bool
    first: bool = False


@dataclass(frozen=True)
class ShownEvent:
    row: IncidentEvent
    tone: str
    word: str


def shown_incident(incident: Incident, *, now: datetime) -> ShownIncident:
    tone, icon = _STATUS_LOOKS[IncidentStatus(incident.status)]
    until = incident.resolved_at or now
    age = in_words((until - incident.began_at).total_seconds())
    return ShownIncident(incident, _SEVERITY_TONES[IncidentSeverity(incident.severity)], tone, icon, age)


def shown_steps(incident: Incident) -> list[ShownStep]:
    """Return the checklist in the runbook's order."""
    is_open = incident.status in OPEN_STATUSES
    steps = [_shown_step(step, is_open=is_open) for step in steps_of(incident)]
    first = next((step for step in steps if step.can_do), None)
    return [replace(step, first=step is first) for step in steps]


def _shown_step(step: IncidentStep, *, is_open: bool) -> ShownStep:
    state = StepState(step.state)
    tone, icon = _STEP_LOOKS[state]
    can_do = is_open and state in (StepState.PENDING, StepState.FAILED)
    return ShownStep(step, tone, icon, state.label, _ASKS.get(step.asks, ""), can_do)


def shown_events(incident: Incident) -> list[ShownEvent]:
    """Return the timeline, the newest first."""
    return [_shown_event(event) for event in reversed(events_of(incident))]


def _shown_event(event: IncidentEvent) -> ShownEvent:
    kind = TimelineKind(event.kind)
    tone = "danger" if kind in _BAD_NEWS else "ok" if kind in _GOOD_NEWS else "quiet"
    return ShownEvent(event, tone, what_happened(event))


def timeline_tag(incident: Incident) -> str:
    """Return an entity tag that changes with each row of the timeline: every change of an incident writes one."""
    newest = incident.events.order_by("-id").values_list("id", flat=True).first()
    text = f"{incident.number}|{newest}"
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


def report_context(report: Report) -> dict[str, Any]:
    """Return what the page of the report shows."""
    times = (
        ("Detected", report.detected_seconds),
        ("Acknowledged", report.acknowledged_seconds),
        ("Gone", report.mitigated_seconds),
        ("Resolved", report.resolved_seconds),
    )
    return {
        "times": [(words, None if seconds is None else in_words(seconds)) for words, seconds in times],
        "jobs": report.jobs,
        "effects": list(report.effects.items()),
        "alerts": report.alerts,
        "calls": report.calls,
        "done": report.steps_in(StepState.DONE),
        "skipped": report.steps_in(StepState.SKIPPED),
        "total": len(report.steps),
    }
