"""The one Celery task: wake up and look at a job row."""

from __future__ import annotations

from uuid import UUID

import structlog
from celery import shared_task

from observability.broker import broker_errors, folder_is_full
from observability.running import run_job

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
    try:
        run_job_task.apply_async(args=(str(job_id),), retry=False)
    except broker_errors() as error:
        log.warning("broker_unreachable", published_job=str(job_id), error=type(error).__name__)
        return False
    return True
