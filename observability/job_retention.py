"""Forgets jobs that ended long ago; what they did stands in the rows that they wrote."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from observability.choices import JobState
from observability.models import Job

# As long as alerts, so that a quarter's review has both.
KEPT = timedelta(days=92)
_BATCH, _MOST_BATCHES = 1_000, 50


def purge_done_jobs(*, now: datetime) -> int:
    """Delete jobs that succeeded or were refused longer ago than they are kept; return how many (a timer calls this).

    A job with a dead letter stays as long as its letter, which people clean up.
    """
    deleted = 0
    for _ in range(_MOST_BATCHES):
        ids = _old_ids(now)
        Job.objects.filter(id__in=ids).delete()
        deleted += len(ids)
        if len(ids) < _BATCH:
            break
    return deleted


def _old_ids(now: datetime) -> list[UUID]:
    ended = Job.objects.filter(state__in=(JobState.SUCCEEDED, JobState.FAILED), created_at__lt=now - KEPT)
    old = ended.filter(finished_at__lt=now - KEPT, letters=None).order_by("state", "created_at")
    return list(old.values_list("id", flat=True)[:_BATCH])
