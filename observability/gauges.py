"""The gauges of this floor, read from the database and the machine when Prometheus asks."""

from __future__ import annotations

import shutil
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.db.models import Count, Min
from django.utils import timezone

from observability import metrics
from observability.alerts.choices import OPEN_STATES, AlertSeverity
from observability.alerts.models import Alert
from observability.breakers import breaker_states
from observability.broker import room_for_messages
from observability.choices import JobState
from observability.dead_letters import open_letters_reading
from observability.heartbeats import living_workers
from observability.incidents.selectors import open_incidents
from observability.jobs import known_kinds
from observability.metrics import Readings, SourceUnreadable, register_scrape_source
from observability.models import Job
from observability.processes import memory_limit_bytes, summed

# Finished jobs are not counted: their number only grows, and counting a million rows at every scrape would be felt.
_COUNTED_STATES = (JobState.PENDING, JobState.RUNNING, JobState.DEAD)
_CONNECTION_STATES = ("active", "idle", "idle_in_transaction", "other")


def begin_counting() -> None:
    """Show the counters of this floor from zero (begin_at_zero says why)."""
    metrics.begin_at_zero(metrics.DATABASE_ERRORS, metrics.DATABASE_ERROR_KINDS)
    metrics.begin_at_zero(metrics.CACHE_OPERATIONS, ["get"], ["hit", "miss", "failed"])
    metrics.begin_at_zero(metrics.CACHE_OPERATIONS, ["set", "add", "delete"], ["ok", "failed"])
    metrics.begin_at_zero(metrics.CACHE_SECONDS, ["get", "set", "add", "delete"])
    metrics.begin_at_zero(metrics.ERRORS, ["web"], ["internal_error", "unavailable"])
    metrics.begin_at_zero(metrics.REFUSED_ACCESS, ["permission_denied", "metrics_restricted"])


def register_gauges() -> None:
    register_scrape_source(metrics.JOBS, jobs_by_kind)
    register_scrape_source(metrics.DEAD_LETTERS, open_letters_reading)
    register_scrape_source(metrics.OLDEST_JOB_SECONDS, oldest_waiting_seconds)
    register_scrape_source(metrics.WORKERS_ALIVE, workers_alive)
    register_scrape_source(metrics.BREAKER_STATE, breaker_states)
    register_scrape_source(metrics.INCIDENTS_OPEN, open_incidents)
    register_scrape_source(metrics.ALERTS_OPEN, alerts_open)
    register_scrape_source(metrics.BROKER_MESSAGES_ROOM, lambda: {(): float(room_for_messages())})
    register_scrape_source(metrics.DATABASE_CONNECTIONS, database_connections)
    register_scrape_source(metrics.DATABASE_CONNECTIONS_LIMIT, database_connections_limit)
    register_scrape_source(metrics.DISK_FREE_BYTES, lambda: {(): float(_disk().free)})
    register_scrape_source(metrics.DISK_SIZE_BYTES, lambda: {(): float(_disk().total)})
    register_scrape_source(metrics.PROCESSES, lambda: summed(lambda _facts: 1.0))
    register_scrape_source(metrics.PROCESS_MEMORY_BYTES, lambda: summed(lambda facts: facts.memory_bytes))
    register_scrape_source(metrics.MEMORY_LIMIT_BYTES, lambda: {(): float(memory_limit_bytes())})
    register_scrape_source(metrics.PROCESS_CPU_SECONDS, lambda: summed(lambda facts: facts.cpu_seconds))
    register_scrape_source(metrics.PROCESS_OPEN_FILES, lambda: summed(lambda facts: facts.open_files))


def jobs_by_kind() -> Readings:
    """Count open and dead jobs. Kinds that this process knows are there with 0, others (of newer code) when found."""
    rows = Job.objects.filter(state__in=_COUNTED_STATES).values_list("kind", "state").annotate(Count("id"))
    counted = {(kind, state): count for kind, state, count in rows}
    kinds = sorted({*known_kinds(), *(kind for kind, _ in counted)})
    return {(kind, state): float(counted.get((kind, state), 0)) for kind in kinds for state in _COUNTED_STATES}


def job_counts() -> Readings:
    """Count open and dead jobs by state."""
    by_kind = jobs_by_kind()
    return {(state,): sum(n for (_, its), n in by_kind.items() if its == state) for state in _COUNTED_STATES}


def oldest_waiting_seconds() -> Readings:
    now = timezone.now()
    oldest = Job.objects.filter(state=JobState.PENDING, run_after__lte=now).aggregate(at=Min("run_after"))["at"]
    return {(): (now - oldest).total_seconds() if oldest else 0.0}


def workers_alive() -> Readings:
    return {(): float(living_workers(now=timezone.now()).count())}


def database_connections() -> Readings:
    """Count the server's connections by state; empty on SQLite, which has no server."""
    if connection.vendor != "postgresql":
        return {}
    counted = dict.fromkeys(_CONNECTION_STATES, 0)
    with connection.cursor() as cursor:
        cursor.execute("SELECT state, count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' GROUP BY 1")
        for state, count in cursor.fetchall():
            name = str(state).replace(" ", "_")
            # Without the right to read statistics the state of others' connections is hidden.
            counted[name if name in counted else "other"] += count
    return {(state,): float(count) for state, count in counted.items()}


def database_connections_limit() -> Readings:
    if connection.vendor != "postgresql":
        return {}
    with connection.cursor() as cursor:
        cursor.execute("SHOW max_connections")
        return {(): float(cursor.fetchone()[0])}


def _disk() -> shutil._ntuple_diskusage:
    folder = Path(settings.MEDIA_ROOT)
    try:
        return shutil.disk_usage(folder if folder.is_dir() else settings.DATA_DIR)
    except OSError as error:
        raise SourceUnreadable from error


def alerts_open() -> Readings:
    rows = Alert.objects.filter(state__in=OPEN_STATES).values_list("severity").annotate(Count("id"))
    counted: dict[str, int] = dict(rows)
    return {(severity.value,): float(counted.get(severity.value, 0)) for severity in AlertSeverity}
