"""Rows of alerting, written by this package alone."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from observability.alerts.choices import (
    OPEN_STATES,
    AlertEvent,
    AlertSeverity,
    AlertState,
    ChannelName,
    EntryKind,
    Step,
    TellingState,
)
from observability.ids import new_id


class Alert(models.Model):
    """Something that a person has to know, from its first raise to its end; what is identical is counted, not repeated.

    The tenant is a plain string here: this floor knows no tenant table.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    event = models.CharField(max_length=32, choices=AlertEvent)
    severity = models.CharField(max_length=16, choices=AlertSeverity)
    subject = models.CharField(max_length=128, blank=True, help_text="What it is about, as an id or a code.")
    tenant_ref = models.CharField(max_length=36, blank=True)
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of event, subject and tenant.")
    state = models.CharField(max_length=16, choices=AlertState, default=AlertState.OPEN)
    count = models.PositiveBigIntegerField(default=1, help_text="How often it was raised.")
    facts = models.JSONField(default=dict, help_text="Ids, codes and numbers of the last raise.")
    watcher = models.CharField(max_length=64, blank=True, help_text="Who looks whether it still holds.")
    quiet_sweeps = models.PositiveIntegerField(default=0, help_text="Looks of the sweeper since the last raise.")
    opened_at = models.DateTimeField()
    last_raised_at = models.DateTimeField()
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    acknowledged_by = models.CharField(max_length=64, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.CharField(max_length=64, blank=True, help_text="Id of the person; empty: it was over.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["fingerprint"], name="alert_one_open", condition=Q(state__in=list(OPEN_STATES))
            ),
            models.CheckConstraint(
                name="alert_resolved_has_time",
                condition=Q(state=AlertState.RESOLVED, resolved_at__isnull=False)
                | (~Q(state=AlertState.RESOLVED) & Q(resolved_at__isnull=True)),
            ),
        ]
        indexes = [
            models.Index(fields=["state", "-opened_at"], name="alert_by_state"),
            models.Index(fields=["-opened_at"], name="alert_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.subject}".strip()

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_STATES


class AlertEntry(models.Model):
    """One line of an alert's history. `by` is the id of a person, empty for the machine."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="entries")
    kind = models.CharField(max_length=16, choices=EntryKind)
    severity = models.CharField(max_length=16, choices=AlertSeverity)
    at = models.DateTimeField()
    by = models.CharField(max_length=64, blank=True)
    channel = models.CharField(max_length=16, blank=True)
    code = models.CharField(max_length=64, blank=True, help_text="What was told, or why it could not be.")

    class Meta:
        indexes = [models.Index(fields=["kind", "at"], name="alert_entry_by_kind")]

    def __str__(self) -> str:
        return f"{self.kind} {self.at:%Y-%m-%d %H:%M:%S}"


class AlertTelling(models.Model):
    """What one channel is to be told of an alert, and what it was told.

    `version` counts changes of what is wanted: a job that sent something older goes on, instead of ending. `has_job`:
    a job looks after the row, so a change needs no other one; two would overtake each other.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="tellings")
    channel = models.CharField(max_length=16, choices=ChannelName)
    wanted = models.CharField(max_length=16, choices=Step)
    wanted_severity = models.CharField(max_length=16, choices=AlertSeverity)
    version = models.PositiveIntegerField(default=1)
    has_job = models.BooleanField(default=False)
    begun = models.BooleanField(default=False, help_text="Something was sent, whether or not it arrived.")
    state = models.CharField(max_length=16, choices=TellingState, default=TellingState.PENDING)
    told = models.CharField(max_length=16, choices=Step, blank=True)
    told_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0, help_text="At what is wanted now.")
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    status_code = models.PositiveSmallIntegerField(null=True, blank=True)
    error_code = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["alert", "channel"], name="alert_telling_once")]
        indexes = [models.Index(fields=["channel", "state"], name="alert_telling_by_state")]

    def __str__(self) -> str:
        return f"{self.channel} {self.wanted} {self.state}"


class AlertAllowance(models.Model):
    """How many alerts of a severity a channel may still be told of in this window, and how many it was not told of."""

    channel = models.CharField(max_length=16, choices=ChannelName)
    severity = models.CharField(max_length=16, choices=AlertSeverity)
    window_started_at = models.DateTimeField()
    used = models.PositiveIntegerField(default=0)
    suppressed = models.PositiveIntegerField(default=0, help_text="Since this was last said on the channel.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["channel", "severity"], name="alert_allowance_once")]

    def __str__(self) -> str:
        return f"{self.channel} {self.severity} {self.used}"
