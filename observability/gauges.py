"""The gauges of this floor, read from the database when Prometheus asks."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Count, Min
from django.utils import timezone

from observability import metrics
from observability.breakers import breaker_states
from observability.broker import room_for_messages
from observability.choices import JobState
from observability.metrics import Readings, register_scrape_source
from observability.models import Job, WorkerHeartbeat

# Three missed beats (timers.py beats every 5 s).
WORKER_LOST_SECONDS = 15
# Finished jobs are not counted: their number only grows, and counting a million rows at every scrape would be felt.
_COUNTED_STATES = (JobState.PENDING, JobState.RUNNING, JobState.DEAD)


def register_gauges() -> None:
    register_scrape_source(metrics.JOBS, job_counts)
    register_scrape_source(metrics.OLDEST_JOB_SECONDS, oldest_waiting_seconds)
    register_scrape_source(metrics.WORKERS_ALIVE, workers_alive)
    register_scrape_source(metrics.BREAKER_STATE, breaker_states)
    register_scrape_source(metrics.BROKER_MESSAGES_ROOM, lambda: {(): float(room_for_messages())})


def job_counts() -> Readings:
    rows = Job.objects.filter(state__in=_COUNTED_STATES).values_list("state").annotate(Count("id"))
    counted: dict[str, int] = dict(rows)
    return {(state,): float(counted.get(state, 0)) for state in _COUNTED_STATES}


def oldest_waiting_seconds() -> Readings:
    now = timezone.now()
    oldest = Job.objects.filter(state=JobState.PENDING, run_after__lte=now).aggregate(at=Min("run_after"))["at"]
    return {(): (now - oldest).total_seconds() if oldest else 0.0}


def workers_alive() -> Readings:
    fresh = timezone.now() - timedelta(seconds=WORKER_LOST_SECONDS)
    return {(): float(WorkerHeartbeat.objects.filter(seen_at__gte=fresh).count())}
