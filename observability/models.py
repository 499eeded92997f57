"""Rows of the operations floor: durable jobs, dead letters, worker heartbeats, timers, breakers, request minutes."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from observability.choices import BreakerState, JobState, LetterResolution
from observability.ids import new_id
from observability.tracing import TRACE_CONTEXT_LENGTH


class Job(models.Model):
    """One piece of work that must happen. The row is the truth, the broker's message only a wake-up.

    The tenant is a plain string here: this floor knows no tenant table.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=64)
    tenant_ref = models.CharField(max_length=36, blank=True)
    arguments = models.JSONField(default=dict)
    state = models.CharField(max_length=16, choices=JobState, default=JobState.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    max_attempts = models.PositiveSmallIntegerField()
    token = models.UUIDField(null=True, blank=True, help_text="Fencing token of the worker that holds the lease.")
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    run_after = models.DateTimeField()
    next_publish_at = models.DateTimeField(help_text="When the sweeper looks at it again, while it is open.")
    publish_count = models.PositiveIntegerField(default=0)
    progress_percent = models.PositiveSmallIntegerField(default=0)
    result = models.JSONField(null=True, blank=True)
    error_code = models.CharField(max_length=64, blank=True)
    error_detail = models.TextField(blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    trace_context = models.CharField(
        max_length=TRACE_CONTEXT_LENGTH, blank=True, default="", help_text="The trace that its attempts continue."
    )
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    first_failed_at = models.DateTimeField(null=True, blank=True, help_text="Of the attempts that are counted now.")
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="job_running_has_lease",
                condition=~Q(state=JobState.RUNNING) | (Q(token__isnull=False) & Q(lease_expires_at__isnull=False)),
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_publish_at"],
                name="job_open",
                condition=Q(state__in=[JobState.PENDING, JobState.RUNNING]),
            ),
            models.Index(fields=["tenant_ref", "kind", "-created_at"], name="job_by_tenant"),
            models.Index(fields=["state", "-created_at"], name="job_by_state"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


class DeadLetter(models.Model):
    """A job whose attempts are spent, kept for a person. A job that is retried and dies again gets another letter.

    The tenant is a plain string, empty for the platform's own jobs. Written in the commit in which the job dies.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="letters")
    tenant_ref = models.CharField(max_length=36, blank=True)
    kind = models.CharField(max_length=64)
    arguments = models.JSONField(default=dict, help_text="Masked; the job runs again with its own.")
    reason_code = models.CharField(max_length=64)
    traceback = models.TextField(blank=True, help_text="Masked; empty when the process was killed.")
    attempts = models.PositiveSmallIntegerField()
    first_failed_at = models.DateTimeField()
    last_failed_at = models.DateTimeField()
    resolution = models.CharField(max_length=16, choices=LetterResolution, blank=True)
    resolved_by = models.CharField(max_length=64, blank=True, help_text="Id of who ended it.")
    resolved_at = models.DateTimeField(null=True, blank=True)
    note = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="letter_open_once", fields=["job"], condition=Q(resolution="")),
            models.CheckConstraint(
                name="letter_resolved_when",
                condition=Q(resolution="", resolved_at__isnull=True)
                | (~Q(resolution="") & Q(resolved_at__isnull=False)),
            ),
        ]
        indexes = [
            models.Index(fields=["-last_failed_at", "-id"], name="letter_newest"),
            models.Index(fields=["tenant_ref", "-last_failed_at", "-id"], name="letter_by_tenant"),
            models.Index(fields=["kind"], name="letter_open", condition=Q(resolution="")),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.job_id} {self.resolution or 'waits'}"


class WorkerHeartbeat(models.Model):
    """One living worker process; health reads it instead of asking workers over the broker."""

    name = models.CharField(primary_key=True, max_length=200)
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class TimerWindow(models.Model):
    """When a periodic function may run again: whoever moves the time by a conditional update runs it."""

    name = models.CharField(primary_key=True, max_length=64)
    next_run_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class CircuitBreaker(models.Model):
    """The state of one breaker, shared by all processes; written by `observability/breakers.py` alone."""

    name = models.CharField(primary_key=True, max_length=64)
    state = models.CharField(max_length=16, choices=BreakerState, default=BreakerState.CLOSED)
    forced_open = models.BooleanField(default=False)
    generation = models.PositiveIntegerField(
        default=0, help_text="Counts changes of state; how older calls end is not counted any more."
    )
    opened_at = models.DateTimeField(null=True, blank=True)
    probe_token = models.UUIDField(null=True, blank=True, help_text="Reservation of the one call while half open.")
    probe_until = models.DateTimeField(null=True, blank=True)
    changed_at = models.DateTimeField()
    changed_by = models.CharField(max_length=64, blank=True, help_text="Id of who reset or forced it; empty: itself.")

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="breaker_closed_or_opened_at",
                condition=Q(state=BreakerState.CLOSED, opened_at__isnull=True, forced_open=False)
                | (~Q(state=BreakerState.CLOSED) & Q(opened_at__isnull=False)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.state}"


class BreakerSecond(models.Model):
    """How the calls of one second ended: the sliding window's partial sums."""

    breaker = models.ForeignKey(CircuitBreaker, on_delete=models.CASCADE, related_name="seconds")
    second = models.BigIntegerField(help_text="Seconds since 1970.")
    calls = models.PositiveIntegerField(default=0)
    failures = models.PositiveIntegerField(default=0)
    slow = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["breaker", "second"], name="breaker_second_once")]

    def __str__(self) -> str:
        return f"{self.breaker_id} {self.second}"


class RequestMinute(models.Model):
    """How the requests of one minute went, in all processes; written by `observability/request_minutes.py` alone.

    The buckets count requests by their duration, each once.
    """

    minute = models.BigIntegerField(primary_key=True, help_text="Minutes since 1970.")
    requests = models.PositiveBigIntegerField(default=0)
    server_errors = models.PositiveBigIntegerField(default=0)
    unauthorised = models.PositiveBigIntegerField(default=0, help_text="Answers 401, and failed sign-ins.")
    up_to_50_ms = models.PositiveBigIntegerField(default=0)
    up_to_100_ms = models.PositiveBigIntegerField(default=0)
    up_to_250_ms = models.PositiveBigIntegerField(default=0)
    up_to_500_ms = models.PositiveBigIntegerField(default=0)
    up_to_1000_ms = models.PositiveBigIntegerField(default=0)
    up_to_2500_ms = models.PositiveBigIntegerField(default=0)
    up_to_5000_ms = models.PositiveBigIntegerField(default=0)
    up_to_10000_ms = models.PositiveBigIntegerField(default=0)
    longer = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return str(self.minute)


class RunningVersion(models.Model):
    """The version of the software that was started last."""

    name = models.CharField(primary_key=True, max_length=32)
    version = models.CharField(max_length=64)
    since = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


# Django looks for an app's models here.
from observability.alerts.models import Alert, AlertAllowance, AlertEntry, AlertTelling  # noqa: E402, F401
from observability.incidents.models import EscalationLevel, Incident, IncidentEvent, IncidentStep  # noqa: E402, F401
