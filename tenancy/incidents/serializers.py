"""Bodies of the incidents API: what comes in, checked field by field, and what goes out, field by field."""

from __future__ import annotations

from typing import Any

from django.db.models import TextChoices
from rest_framework import serializers

from observability.incidents.choices import (
    IncidentKind,
    IncidentSeverity,
    IncidentStatus,
    StepState,
    TimelineKind,
)
from observability.incidents.models import Incident, IncidentEvent, IncidentStep
from observability.incidents.report import Report, as_markdown
from observability.incidents.runbooks import Runbook
from observability.incidents.selectors import events_of, steps_of
from tenancy.inputs import AwareDateTimeField, StrictSerializer, TextField

_LONGEST_WORDS = 10_000


class StepDoing(TextChoices):
    """What to do with a step: run its action, tick it off as done by hand, or leave it out."""

    RUN = "RUN", "Run"
    TICK = "TICK", "Tick off"
    SKIP = "SKIP", "Skip"


class IncidentRequest(StrictSerializer):
    kind = serializers.ChoiceField(choices=IncidentKind.choices)
    subject = TextField(max_length=120, help_text="What it is about: a breaker, a component, an account.")
    title = TextField(max_length=200)
    severity = serializers.ChoiceField(
        choices=IncidentSeverity.choices,
        required=False,
        allow_null=True,
        default=None,
        help_text="Null: the runbook's.",
    )
    began_at = AwareDateTimeField(required=False, allow_null=True, default=None, help_text="Null: now.")
    text = TextField(max_length=_LONGEST_WORDS, required=False, allow_blank=True, default="")


class NoteRequest(StrictSerializer):
    note = TextField(max_length=_LONGEST_WORDS, required=False, allow_blank=True, default="")


class StepRequest(StrictSerializer):
    do = serializers.ChoiceField(
        choices=StepDoing.choices,
        required=False,
        allow_null=True,
        default=None,
        help_text="Null: run a step that has an action, tick off one that is done by hand.",
    )
    target = TextField(
        max_length=120, required=False, allow_blank=True, default="", help_text="What the step `asks` for."
    )
    note = TextField(
        max_length=_LONGEST_WORDS,
        required=False,
        allow_blank=True,
        default="",
        help_text="What came of it; for a step that is skipped, why (required).",
    )


class ReportRequest(StrictSerializer):
    cause = TextField(max_length=_LONGEST_WORDS)
    follow_ups = TextField(max_length=_LONGEST_WORDS, required=False, allow_blank=True, default="")


class IncidentAnswer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField(help_text="Such as INC-7.")
    kind = serializers.ChoiceField(choices=IncidentKind.choices)
    severity = serializers.ChoiceField(choices=IncidentSeverity.choices)
    status = serializers.ChoiceField(choices=IncidentStatus.choices)
    subject = serializers.CharField()
    title = serializers.CharField()
    tenant_id = serializers.CharField(allow_null=True)
    began_at = serializers.DateTimeField(help_text="When the trouble began, as far as it was measured.")
    opened_at = serializers.DateTimeField()
    acknowledged_at = serializers.DateTimeField(allow_null=True)
    acknowledged_by = serializers.CharField(allow_null=True)
    mitigated_at = serializers.DateTimeField(allow_null=True)
    resolved_at = serializers.DateTimeField(allow_null=True)
    resolved_by = serializers.CharField(allow_null=True)
    closed_at = serializers.DateTimeField(allow_null=True)
    escalation_level = serializers.IntegerField(help_text="How many levels were called.")
    escalate_at = serializers.DateTimeField(allow_null=True, help_text="When the next one is called.")


class IncidentStepAnswer(serializers.Serializer[Any]):
    position = serializers.IntegerField()
    title = serializers.CharField()
    text = serializers.CharField()
    minutes = serializers.IntegerField()
    action = serializers.CharField(allow_null=True, help_text="Null: done by hand.")
    command = serializers.CharField(allow_null=True)
    asks = serializers.CharField(allow_null=True, help_text="What `target` has to name.")
    verifies = serializers.BooleanField(help_text="Done only when the action finds that all is well.")
    state = serializers.ChoiceField(choices=StepState.choices)
    by = serializers.CharField(allow_null=True)
    started_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    output = serializers.CharField()


class TimelineAnswer(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=TimelineKind.choices)
    at = serializers.DateTimeField()
    by = serializers.CharField()
    text = serializers.CharField()
    step = serializers.IntegerField(allow_null=True)


class IncidentDetailAnswer(IncidentAnswer):
    runbook_minutes = serializers.IntegerField()
    steps = IncidentStepAnswer(many=True)
    timeline = TimelineAnswer(many=True)


class RunbookStepAnswer(serializers.Serializer[Any]):
    title = serializers.CharField()
    text = serializers.CharField()
    minutes = serializers.IntegerField()
    action = serializers.CharField(allow_null=True)
    command = serializers.CharField(allow_null=True)
    asks = serializers.CharField(allow_null=True)
    verifies = serializers.BooleanField()


class RunbookAnswer(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=IncidentKind.choices)
    title = serializers.CharField()
    severity = serializers.ChoiceField(choices=IncidentSeverity.choices)
    summary = serializers.CharField()
    minutes = serializers.IntegerField()
    steps = RunbookStepAnswer(many=True)


class RunbooksAnswer(serializers.Serializer[Any]):
    items = RunbookAnswer(many=True)


class IncidentJobsAnswer(serializers.Serializer[Any]):
    kind = serializers.CharField()
    tried_again = serializers.IntegerField()
    dead = serializers.IntegerField()


class IncidentEffectAnswer(serializers.Serializer[Any]):
    what = serializers.CharField()
    count = serializers.IntegerField()


class IncidentReportAnswer(serializers.Serializer[Any]):
    incident = IncidentAnswer()
    detected_seconds = serializers.FloatField(help_text="Each from the beginning of the trouble.")
    acknowledged_seconds = serializers.FloatField(allow_null=True)
    mitigated_seconds = serializers.FloatField(allow_null=True)
    resolved_seconds = serializers.FloatField(allow_null=True)
    steps_done = serializers.IntegerField()
    steps_skipped = serializers.IntegerField()
    steps_total = serializers.IntegerField()
    alerts = serializers.IntegerField()
    calls = serializers.IntegerField()
    jobs = IncidentJobsAnswer(many=True)
    effects = IncidentEffectAnswer(many=True)
    cause = serializers.CharField()
    follow_ups = serializers.CharField()
    reported_by = serializers.CharField(allow_null=True)
    markdown = serializers.CharField(help_text="The whole report as a document.")


def incident_data(incident: Incident) -> dict[str, Any]:
    """Return an incident as operators see it in a list."""
    times = ("began_at", "opened_at", "acknowledged_at", "mitigated_at", "resolved_at", "closed_at", "escalate_at")
    return {
        "id": incident.number,
        "name": str(incident),
        "kind": incident.kind,
        "severity": incident.severity,
        "status": incident.status,
        "subject": incident.subject,
        "title": incident.title,
        "tenant_id": incident.tenant_ref,
        "acknowledged_by": incident.acknowledged_by or None,
        "resolved_by": incident.resolved_by or None,
        "escalation_level": incident.escalation_level,
        **{name: getattr(incident, name) for name in times},
    }


def incident_detail(incident: Incident) -> dict[str, Any]:
    """Return an incident with its runbook's steps and its timeline."""
    return {
        **incident_data(incident),
        "runbook_minutes": incident.runbook_minutes,
        "steps": [step_data(step) for step in steps_of(incident)],
        "timeline": [event_data(event) for event in events_of(incident)],
    }


def step_data(step: IncidentStep) -> dict[str, Any]:
    return {
        "position": step.position,
        "title": step.title,
        "text": step.text,
        "minutes": step.minutes,
        "action": step.action or None,
        "command": step.command or None,
        "asks": step.asks or None,
        "verifies": step.verifies,
        "state": step.state,
        "by": step.by or None,
        "started_at": step.started_at,
        "ended_at": step.ended_at,
        "output": step.output,
    }


def event_data(event: IncidentEvent) -> dict[str, Any]:
    return {"kind": event.kind, "at": event.at, "by": event.by_name, "text": event.text, "step": event.step}


def runbook_data(book: Runbook) -> dict[str, Any]:
    """Return a runbook as it is for the next incident."""
    steps = [
        {
            "title": step.title,
            "text": step.text,
            "minutes": step.minutes,
            "action": step.action or None,
            "command": step.command or None,
            "asks": step.asks or None,
            "verifies": step.verifies,
        }
        for step in book.steps
    ]
    return {
        "kind": book.kind,
        "title": book.title,
        "severity": book.severity,
        "summary": book.summary,
        "minutes": book.minutes,
        "steps": steps,
    }


def report_data(report: Report) -> dict[str, Any]:
    """Return the facts and words of a report, and the document made of them."""
    incident = report.incident
    return {
        "incident": incident_data(incident),
        "detected_seconds": report.detected_seconds,
        "acknowledged_seconds": report.acknowledged_seconds,
        "mitigated_seconds": report.mitigated_seconds,
        "resolved_seconds": report.resolved_seconds,
        "steps_done": report.steps_in(StepState.DONE),
        "steps_skipped": report.steps_in(StepState.SKIPPED),
        "steps_total": len(report.steps),
        "alerts": report.alerts,
        "calls": report.calls,
        "jobs": [{"kind": hit.kind, "tried_again": hit.tried_again, "dead": hit.dead} for hit in report.jobs],
        "effects": [{"what": words, "count": count} for words, count in report.effects.items()],
        "cause": incident.cause,
        "follow_ups": incident.follow_ups,
        "reported_by": incident.reported_by or None,
        "markdown": as_markdown(report),
    }
