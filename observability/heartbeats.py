"""Worker heartbeats: rows that tell health and metrics who is alive, without asking workers over the broker."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import QuerySet

from observability.models import WorkerHeartbeat

BEAT_SECONDS = 5.0
# Three missed beats.
WORKER_LOST_SECONDS = 15
# Long enough to see in the morning who died in the night.
_FORGET_AFTER = timedelta(days=1)


def record_heartbeat(*, name: str, started_at: datetime, now: datetime) -> None:
    """Note that the worker lives."""
    if not WorkerHeartbeat.objects.filter(name=name).update(seen_at=now):
        WorkerHeartbeat.objects.update_or_create(name=name, defaults={"started_at": started_at, "seen_at": now})


def remove_heartbeat(*, name: str, now: datetime) -> None:
    """Sign the worker off: it ended in order. The last one signs off for those that were killed before it, too: that
    none is left is then somebody's will."""
    WorkerHeartbeat.objects.filter(name=name).delete()
    if not living_workers(now=now).exists():
        WorkerHeartbeat.objects.all().delete()


def lost_since(now: datetime) -> datetime:
    """Return the moment before which nobody who lives was seen last."""
    return now - timedelta(seconds=WORKER_LOST_SECONDS)


def living_workers(*, now: datetime) -> QuerySet[WorkerHeartbeat]:
    """Return who beat lately."""
    return WorkerHeartbeat.objects.filter(seen_at__gte=lost_since(now))


def forget_lost_workers(*, now: datetime) -> None:
    WorkerHeartbeat.objects.filter(seen_at__lt=now - _FORGET_AFTER).delete()
