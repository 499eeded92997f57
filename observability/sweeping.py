"""The sweeper: wakes a worker for whatever waits or whose lease lapsed, and buries what spent its attempts.

Several processes may sweep at once: each row is claimed by one conditional update on `next_publish_at`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db.models import F, Q, QuerySet

from observability import metrics
from observability.broker import room_for_messages
from observability.choices import JobState
from observability.context import work_context
from observability.dead_letters import WORKER_LOST, kill_job
from observability.jobs import FIRST_REPUBLISH_SECONDS, UnreadableArguments, kind_named, known_kinds
from observability.models import Job
from observability.tasks import publish_job

log = structlog.get_logger(__name__)

# Waiting longer between wake-ups keeps a long queue from filling the broker with repeats.
_LONGEST_REPUBLISH_SECONDS = 120
_MOST_PER_SWEEP = 200
# A burial that fails (its code raises) must not hold up the others, and is tried again after this time.
_BURY_AGAIN_SECONDS = 60


def wake_workers(*, now: datetime) -> int:
    """Publish the jobs that are due, as many as the broker has room for; return how many."""
    room = room_for_messages()
    woken = 0
    if room <= 0:
        return woken
    for job_id in due_jobs(now=now, limit=min(room, _MOST_PER_SWEEP)):
        if not publish_job(job_id):
            return woken
        woken += 1
    return woken


def due_jobs(*, now: datetime, limit: int = _MOST_PER_SWEEP) -> list[UUID]:
    """Claim the jobs that wait or whose lease lapsed, and return their ids: the caller wakes a worker for each."""
    due = _due(now).filter(attempts__lt=F("max_attempts")).order_by("next_publish_at")[:limit]
    claimed: list[UUID] = []
    for job in due.only("id", "publish_count", "next_publish_at"):
        pause = min(_LONGEST_REPUBLISH_SECONDS, FIRST_REPUBLISH_SECONDS * 2 ** min(job.publish_count, 5))
        if _claim(job, now + timedelta(seconds=pause), publish_count=F("publish_count") + 1):
            claimed.append(job.id)
    return claimed


def bury_spent_jobs(*, now: datetime) -> list[UUID]:
    """Give the work of jobs without attempts left its last outcome and make them dead letters; return their ids."""
    spent = _due(now).filter(attempts__gte=F("max_attempts")).order_by("next_publish_at")[:50]
    buried: list[UUID] = []
    for job in spent:
        if _claim(job, now + timedelta(seconds=_BURY_AGAIN_SECONDS)) and _bury(job, now):
            buried.append(job.id)
    return buried


def _bury(job: Job, now: datetime) -> bool:
    code = job.error_code or WORKER_LOST
    kind = kind_named(job.kind)
    with work_context(job_id=str(job.id), tenant_id=job.tenant_ref, request_id=job.request_id):
        if kind.bury is not None:
            try:
                kind.bury(job.arguments, code)
            except UnreadableArguments as problem:
                # Nobody can tell from the job what it was about; whose work it was finds that out (stranded claims).
                code = problem.code
        dead = kill_job(job, code=code, now=now)
        if dead:
            metrics.JOBS_ENDED.labels(kind=job.kind, outcome="dead").inc()
            log.error("job_dead", kind=job.kind, code=code, attempts=job.attempts)
    return dead


def _due(now: datetime) -> QuerySet[Job]:
    waiting = Q(state=JobState.PENDING)
    lapsed = Q(state=JobState.RUNNING, lease_expires_at__lt=now)
    return Job.objects.filter(waiting | lapsed, kind__in=known_kinds(), next_publish_at__lte=now)


def _claim(job: Job, next_at: datetime, **columns: object) -> bool:
    unchanged = Job.objects.filter(id=job.id, next_publish_at=job.next_publish_at)
    return bool(unchanged.update(next_publish_at=next_at, **columns))
