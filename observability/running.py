"""Runs one job: takes its lease, keeps it alive by a heartbeat, and turns the end of the work into a job state."""

from __future__ import annotations

import random
import threading
import time
import traceback
from types import TracebackType
from uuid import UUID

import structlog
from django.conf import settings
from django.db import Error as DatabaseProblem
from django.db import connection
from django.utils import timezone

from observability import jobs, metrics
from observability.context import work_context
from observability.errors import InvalidInput, NotFound, PlatformError, Unavailable, UnusableContent
from observability.tracing import OpenSpan, job_span

log = structlog.get_logger(__name__)

# Input that will not get better by trying again.
_FINAL_ERRORS = (InvalidInput, UnusableContent, NotFound)


def run_job(job_id: UUID) -> None:
    """Work on the job if it is free; a failed attempt is recorded and raised again for the worker's log."""
    lease = jobs.take_job(job_id=job_id, now=timezone.now())
    if lease is None:
        return
    with work_context(job_id=str(lease.job_id), tenant_id=lease.tenant_ref, request_id=lease.request_id):
        log.info("job_started", kind=lease.kind, attempt=lease.attempt)
        with job_span(kind=lease.kind, attempt=lease.attempt, carried=lease.trace_context) as span:
            _work(lease, span)


def _work(lease: jobs.Lease, span: OpenSpan) -> None:
    with _Attempt(lease, span), _Heartbeat(lease):
        jobs.kind_named(lease.kind).handle(lease)
        if jobs.holds_lease(lease):
            raise PlatformError("The work returned without ending its job.", code="job_not_ended")


class _Attempt:
    """Records how an attempt ended, whatever it raised, and lets the exception travel on."""

    def __init__(self, lease: jobs.Lease, span: OpenSpan) -> None:
        self._lease = lease
        self._span = span
        self._started = time.monotonic()

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        seconds = time.monotonic() - self._started
        outcome = self._record(error)
        self._span.note(claimwright__job__outcome=outcome)
        if error is not None:
            self._span.failed(_code_of(error))
            metrics.ERRORS.labels(place="job", code=_code_of(error)).inc()
        metrics.JOBS_ENDED.labels(kind=self._lease.kind, outcome=outcome).inc()
        metrics.JOB_SECONDS.labels(kind=self._lease.kind).observe(seconds)
        log.info(
            "job_ended", kind=self._lease.kind, attempt=self._lease.attempt, outcome=outcome, seconds=round(seconds, 3)
        )
        # Someone else holds the job now and nothing of ours was written: no failure of this worker.
        return isinstance(error, jobs.LeaseLost)

    def _record(self, error: BaseException | None) -> str:
        now = timezone.now()
        if error is None:
            return "succeeded"
        if isinstance(error, jobs.LeaseLost):
            return "lease_lost"
        if isinstance(error, _FINAL_ERRORS):
            return self._refuse(error)
        if isinstance(error, jobs.UnreadableArguments):
            return self._put_back(error, again=False)
        if isinstance(error, Unavailable) and error.jobs_wait and self._waits(error):
            return "waits"
        if not isinstance(error, Exception):  # the process is told to stop
            return "released" if jobs.release_job(lease=self._lease, now=now) else "lease_lost"
        return self._put_back(error)

    def _waits(self, error: Unavailable) -> bool:
        pause = error.retry_after_seconds * random.uniform(1.0, 1.5)  # noqa: S311  # jitter, not a secret
        return jobs.wait_for_dependency(
            lease=self._lease, code=error.code[:64], detail=_detail(error), pause_seconds=pause, now=timezone.now()
        )

    def _refuse(self, error: PlatformError) -> str:
        try:
            jobs.refuse_job(lease=self._lease, error=error, now=timezone.now())
        except jobs.LeaseLost:
            return "lease_lost"
        return "refused"

    def _put_back(self, error: Exception, *, again: bool = True) -> str:
        code = _code_of(error)[:64]
        back = jobs.put_back_job(lease=self._lease, code=code, detail=_detail(error), now=timezone.now(), again=again)
        return ("retried" if again else "given_up") if back else "lease_lost"


def _detail(error: BaseException) -> str:
    return "".join(traceback.format_exception(error, limit=-12))


def _code_of(error: BaseException) -> str:
    if isinstance(error, PlatformError):
        return error.code
    return "out_of_memory" if isinstance(error, MemoryError) else type(error).__name__.lower()


class _Heartbeat:
    """A thread that renews the lease while the work goes on.

    A stopped process stops it too, so its lease lapses. Work that hangs keeps it only for `JOB_LONGEST_SECONDS`.
    """

    def __init__(self, lease: jobs.Lease) -> None:
        self._lease = lease
        self._stop = threading.Event()
        self._gives_up_at = time.monotonic() + settings.JOB_LONGEST_SECONDS
        self._thread = threading.Thread(target=self._beat, name="job-heartbeat", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_exc: object) -> None:
        self._stop.set()
        self._thread.join()

    def _beat(self) -> None:
        try:
            with work_context(job_id=str(self._lease.job_id), tenant_id=self._lease.tenant_ref):
                while not self._stop.wait(settings.JOB_LEASE_SECONDS / 3):
                    if not self._renewed():
                        return
        finally:
            connection.close()  # this thread's own connection

    def _renewed(self) -> bool:
        too_long = time.monotonic() > self._gives_up_at
        try:
            if too_long:
                log.error("job_too_long", kind=self._lease.kind, seconds=settings.JOB_LONGEST_SECONDS)
                jobs.note_timeout(lease=self._lease)
                return False
            jobs.renew_lease(lease=self._lease, now=timezone.now())
        except jobs.LeaseLost:
            # Also the normal end: the work finished between two beats.
            return False
        except DatabaseProblem as error:
            # The database may be back before the lease lapses; the final write is fenced either way.
            log.warning("job_heartbeat_failed", error=type(error).__name__)
            connection.close()
        return True
