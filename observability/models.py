"""Rows of the operations floor: durable jobs, worker heartbeats, timers and circuit breakers."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from observability.choices import BreakerState, JobState
from observability.ids import new_id


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
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
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
