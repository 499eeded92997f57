"""The one Celery task: wake up and look at a job row."""

from __future__ import annotations

import time
from uuid import UUID

import structlog
from celery import shared_task

import observability.alerts.tasks  # noqa: F401  # registers its kinds of jobs and its timers
from observability.broker import broker_errors, folder_is_full
from observability.fallbacks import note_fallback
from observability.guarding import BROKER, permit_for, tell_outcome
from observability.incidents.escalation import escalate_overdue
from observability.managers import STAYS_PENDING
from observability.running import run_job
from observability.timers import register_timer

log = structlog.get_logger(__name__)


# The result is the job row; a second copy of a failure in the result table would hold its traceback unmasked.
@shared_task(name="observability.run_job", ignore_result=True)
def run_job_task(job_id: str) -> None:
    run_job(UUID(job_id))


def publish_job(job_id: UUID) -> bool:
    """Wake a worker; False when nothing was published.

    A broker that is away costs latency only, and a filesystem broker that is full has enough wake-ups in store: the
    sweeper publishes again.
    """
    if folder_is_full():
        return False
    permit = permit_for(BROKER)
    if permit is None:
        note_fallback(STAYS_PENDING)
        return False
    began, failed = time.monotonic(), True
    try:
        run_job_task.apply_async(args=(str(job_id),), retry=False)
        failed = False
    except broker_errors() as error:
        log.warning("broker_unreachable", published_job=str(job_id), error=type(error).__name__)
        note_fallback(STAYS_PENDING)
    tell_outcome(permit, failed=failed, seconds=time.monotonic() - began)
    return not failed


# Levels have minutes to answer; a few seconds more are not felt.
register_timer("escalate_incidents", 5.0, escalate_overdue)
