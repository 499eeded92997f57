"""Rows of incidents: what is wrong, its runbook's steps, its timeline, and whom to call when nobody answers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NoReturn

from django.db import models
from django.db.models import Q

from observability.errors import PlatformError
from observability.incidents.choices import (
    OPEN_STATUSES,
    IncidentKind,
    IncidentSeverity,
    IncidentStatus,
    StepState,
    TimelineKind,
)


class TimelineIsHistory(PlatformError):
    """Something tried to change what is already history: a fault of ours, never of the caller."""

    code = "append_only"
    message = "An incident's timeline is only ever added to."


class Incident(models.Model):
    """One trouble with one thing, from the moment it was found until its report is written.

    Written by `observability/incidents/services.py` alone. The tenant is a plain string here: this floor knows no
    tenant table.
    """

    number = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=20, choices=IncidentKind)
    severity = models.CharField(max_length=2, choices=IncidentSeverity)
    status = models.CharField(max_length=12, choices=IncidentStatus, default=IncidentStatus.OPEN)
    subject = models.CharField(max_length=120, help_text="What it is about: a breaker, a component, an account.")
    title = models.CharField(max_length=200)
    tenant_ref = models.CharField(max_length=36, null=True, blank=True)
    runbook_minutes = models.PositiveSmallIntegerField(help_text="How long the runbook expects to take.")
    began_at = models.DateTimeField(help_text="When the trouble began, as far as it was measured.")
    opened_at = models.DateTimeField()
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    acknowledged_by = models.CharField(max_length=150, blank=True)
    mitigated_at = models.DateTimeField(null=True, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.CharField(max_length=150, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    escalation_level = models.PositiveSmallIntegerField(default=0, help_text="How many levels were called.")
    escalate_at = models.DateTimeField(null=True, blank=True, help_text="When the next level is called.")
    cause = models.TextField(blank=True, help_text="What a person says it came from.")
    follow_ups = models.TextField(blank=True, help_text="What a person says is to be done.")
    reported_by = models.CharField(max_length=150, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "subject"], name="incident_one_open", condition=Q(status__in=OPEN_STATUSES)
            ),
            models.CheckConstraint(
                name="incident_times_fit_status",
                condition=(Q(status__in=OPEN_STATUSES) & Q(resolved_at__isnull=True) & Q(closed_at__isnull=True))
                | (Q(status=IncidentStatus.RESOLVED) & Q(resolved_at__isnull=False) & Q(closed_at__isnull=True))
                | (Q(status=IncidentStatus.CLOSED) & Q(resolved_at__isnull=False) & Q(closed_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="incident_escalates_while_open",
                condition=Q(status=IncidentStatus.OPEN) | Q(escalate_at__isnull=True),
            ),
        ]
        indexes = [
            models.Index(fields=["status", "-opened_at"], name="incident_by_status"),
            models.Index(fields=["escalate_at"], name="incident_escalation", condition=Q(escalate_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"INC-{self.number}"


class IncidentStep(models.Model):
    """One step of the runbook as it was when the incident opened; a later edit of the runbook changes no open one."""

    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="steps")
    position = models.PositiveSmallIntegerField()
    title = models.CharField(max_length=200)
    text = models.TextField()
    minutes = models.PositiveSmallIntegerField()
    action = models.CharField(max_length=64, blank=True, help_text="Name of a registered action; empty: done by hand.")
    command = models.TextField(blank=True, help_text="What a person types, for a step done by hand.")
    arguments = models.JSONField(default=dict)
    asks = models.CharField(max_length=20, blank=True, help_text="What the person has to name: username, tenant.")
    verifies = models.BooleanField(default=False, help_text="Done only when the action finds that all is well.")
    state = models.CharField(max_length=8, choices=StepState, default=StepState.PENDING)
    token = models.UUIDField(null=True, blank=True, help_text="Who runs it now; a late end of another run is refused.")
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    by = models.CharField(max_length=150, blank=True)
    output = models.TextField(blank=True, help_text="What came of it, masked.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["incident", "position"], name="incident_step_once"),
            models.CheckConstraint(
                name="incident_step_running_has_token",
                condition=Q(state=StepState.RUNNING, token__isnull=False, started_at__isnull=False)
                | (~Q(state=StepState.RUNNING) & Q(token__isnull=True)),
            ),
        ]

    def __str__(self) -> str:
        return f"INC-{self.incident_id} step {self.position}"


class TimelineQuerySet(models.QuerySet["IncidentEvent"]):
    """Refuses the paths past `Model.save`; the triggers would, with a less telling message."""

    def update(self, **columns: Any) -> NoReturn:
        raise TimelineIsHistory

    def delete(self) -> NoReturn:
        raise TimelineIsHistory

    def bulk_create(self, objs: Iterable[IncidentEvent], *args: Any, **kwargs: Any) -> NoReturn:
        raise TimelineIsHistory  # it can be told to replace rows; one at a time is plain INSERT

    def bulk_update(self, objs: Iterable[IncidentEvent], *args: Any, **kwargs: Any) -> NoReturn:
        raise TimelineIsHistory


class IncidentEvent(models.Model):
    """One row of the timeline, written in the transaction of what it tells."""

    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="events")
    kind = models.CharField(max_length=16, choices=TimelineKind)
    at = models.DateTimeField()
    by = models.CharField(max_length=64, help_text="Id of who did it; `system` for the machinery.")
    by_name = models.CharField(max_length=150)
    text = models.TextField(blank=True, help_text="In words, masked.")
    step = models.PositiveSmallIntegerField(null=True, blank=True)

    objects = TimelineQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["incident", "id"], name="incident_event_order")]

    def __str__(self) -> str:
        return f"INC-{self.incident_id} {self.kind}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TimelineIsHistory
        super().save(*args, **{**kwargs, "force_insert": True})

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TimelineIsHistory


class EscalationLevel(models.Model):
    """Whom to call, and after how long without an answer; while there is any row, the environment's are not read."""

    level = models.PositiveSmallIntegerField(unique=True, help_text="1 is called when the incident opens.")
    name = models.CharField(max_length=80, help_text="A role, such as: on-call engineer.")
    contact = models.CharField(max_length=200, help_text="How to reach them: a Slack handle, a rota, a number.")
    minutes_p1 = models.PositiveSmallIntegerField(help_text="Minutes until the next level is called, for P1.")
    minutes_p2 = models.PositiveSmallIntegerField()
    minutes_p3 = models.PositiveSmallIntegerField()
    minutes_p4 = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ("level",)

    def __str__(self) -> str:
        return f"{self.level}. {self.name}"
