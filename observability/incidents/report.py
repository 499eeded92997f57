"""The report after an incident: facts computed from its rows, beside a person's words; as Markdown, too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from observability.desk import in_words
from observability.incidents.choices import IncidentSeverity, IncidentStatus, StepState, TimelineKind
from observability.incidents.effects import JobsHit, jobs_hit, known_effects
from observability.incidents.models import Incident, IncidentEvent, IncidentStep
from observability.incidents.selectors import events_of, steps_of


@dataclass(frozen=True)
class Report:
    """Seconds from the beginning of the trouble, None for what has not happened; `effects` are counts by what they
    count, from the beginning until the trouble was gone (or until now)."""

    incident: Incident
    detected_seconds: float
    acknowledged_seconds: float | None
    mitigated_seconds: float | None
    resolved_seconds: float | None
    steps: Sequence[IncidentStep]
    events: Sequence[IncidentEvent]
    alerts: int
    calls: int
    jobs: Sequence[JobsHit]
    effects: Mapping[str, int]

    def steps_in(self, state: StepState) -> int:
        """Return how many steps are in the state."""
        return sum(step.state == state for step in self.steps)


def report_on(incident: Incident, *, now: datetime) -> Report:
    """Return the facts of an incident as they are now."""
    events, steps = events_of(incident), steps_of(incident)
    until = incident.mitigated_at or incident.resolved_at or now
    return Report(
        incident=incident,
        detected_seconds=(incident.opened_at - incident.began_at).total_seconds(),
        acknowledged_seconds=_after(incident, incident.acknowledged_at),
        mitigated_seconds=_after(incident, incident.mitigated_at),
        resolved_seconds=_after(incident, incident.resolved_at),
        steps=steps,
        events=events,
        alerts=sum(event.kind == TimelineKind.ALERT for event in events),
        calls=sum(event.kind == TimelineKind.ESCALATED for event in events),
        jobs=jobs_hit(incident.began_at, until),
        effects={effect.words: effect.count(incident.began_at, until) for effect in known_effects()},
    )


def as_markdown(report: Report) -> str:
    """Return the report as a document; people's words stand in quotes, so that they cannot look like facts."""
    incident = report.incident
    parts = [
        f"# {incident}: {_line(incident.title)}",
        f"{IncidentSeverity(incident.severity).label}, {incident.get_kind_display().lower()}, subject "
        f"`{_code(incident.subject)}`, {IncidentStatus(incident.status).label.lower()}.",
        "## How long it took",
        _table(("From the beginning of the trouble", "Time"), _durations(report)),
        "## What it did",
        _table(("What", "Count"), _counts(report)),
        "## Cause",
        _quote(incident.cause),
        "## What is to be done",
        _quote(incident.follow_ups),
        "## Runbook",
        _table(("Step", "State", "By", "Ended"), [_step_row(step) for step in report.steps]),
        "## Timeline",
        _table(("At (UTC)", "What", "By", "Words"), [_event_row(event) for event in report.events]),
    ]
    return "\n\n".join(parts) + "\n"


def what_happened(event: IncidentEvent) -> str:
    """Return what a row of the timeline tells, such as: Step 3 done."""
    words = TimelineKind(event.kind).label
    return words.replace("Step", f"Step {event.step}", 1) if event.step else words


def _after(incident: Incident, moment: datetime | None) -> float | None:
    return None if moment is None else (moment - incident.began_at).total_seconds()


def _durations(report: Report) -> list[tuple[str, ...]]:
    named = (
        ("until it was detected", report.detected_seconds),
        ("until somebody acknowledged it", report.acknowledged_seconds),
        ("until it was gone", report.mitigated_seconds),
        ("until it was resolved", report.resolved_seconds),
    )
    return [(words, "not yet" if seconds is None else in_words(seconds)) for words, seconds in named]


def _counts(report: Report) -> list[tuple[str, ...]]:
    rows = [("alerts", str(report.alerts)), ("calls to people", str(report.calls))]
    for hit in report.jobs:
        rows.append((f"jobs {hit.kind}, tried again", str(hit.tried_again)))
        rows.append((f"jobs {hit.kind}, dead letters", str(hit.dead)))
    return [*rows, *((words, str(count)) for words, count in report.effects.items())]


def _step_row(step: IncidentStep) -> tuple[str, ...]:
    ended = f"{step.ended_at:%H:%M:%S}" if step.ended_at else ""
    return (f"{step.position}. {step.title}", StepState(step.state).label, step.by, ended)


def _event_row(event: IncidentEvent) -> tuple[str, ...]:
    return (f"{event.at:%Y-%m-%d %H:%M:%S}", what_happened(event), event.by_name, event.text)


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(_line(cell) for cell in line)} |" for line in lines)


def _line(text: str) -> str:
    """Return the text as part of one line of a table."""
    return " ".join(text.split()).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")


def _code(text: str) -> str:
    return _line(text).replace("`", "'")


def _quote(words: str) -> str:
    if not words.strip():
        return "Nobody has written this yet."
    return "\n".join(f"> {line}".rstrip().replace("<", "&lt;") for line in words.strip().splitlines())
