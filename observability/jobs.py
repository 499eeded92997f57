"""Durable jobs: outbox row, lease, fencing token, back-off, dead letter.

No broker alone gives "nothing lost, nothing twice" (a SIGKILL loses what the filesystem broker has in flight and
RabbitMQ runs it twice), so the row decides: one conditional update takes a job, one conditional update ends it in the
same commit as its result, and the sweeper wakes workers for whatever waits or whose lease lapsed.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.conf import settings
from django.db import models, transaction
from django.db.models import Case, F, Q, Value, When

from observability.choices import JobState
from observability.context import current_context
from observability.errors import Conflict, PlatformError
from observability.ids import new_id
from observability.masking import mask_text
from observability.models import Job

# A message lost by the broker costs this long; every further wake-up of the same job waits longer (sweeping.py).
FIRST_REPUBLISH_SECONDS = 5
# Full jitter over 2, 4, 8 … s (AWS architecture blog, "Exponential backoff and jitter").
_BACKOFF_BASE_SECONDS = 2.0
_BACKOFF_CAP_SECONDS = 60.0


class LeaseLost(Conflict):
    """Another worker holds the job now; whatever this one did must be rolled back."""

    code = "lease_lost"
    message = "Another worker has taken over this job."


@dataclass(frozen=True)
class Lease:
    """The right to work on a job until the lease lapses; `token` fences late writes."""

    job_id: UUID
    kind: str
    tenant_ref: str
    arguments: Mapping[str, str]
    token: UUID
    attempt: int
    request_id: str


@dataclass(frozen=True)
class JobKind:
    """What to do with a kind of job.

    `handle` ends the job itself by `finish_job` in the commit of its result. `bury` gives the work its last outcome
    when the job ends without one: its input was refused or its attempts are spent. It gets the arguments and the error
    code, may run twice, and must bear that its object is gone.
    """

    name: str
    handle: Callable[[Lease], None]
    bury: Callable[[Mapping[str, str], str], None] | None = None


_kinds: dict[str, JobKind] = {}


def register_kind(kind: JobKind) -> None:
    """Make a kind of job known; called once at import of the owner's `tasks` module."""
    _kinds[kind.name] = kind


def known_kinds() -> list[str]:
    """Return the names of the registered kinds. Jobs of other kinds are left alone: newer code owns them."""
    return sorted(_kinds)


def kind_named(name: str) -> JobKind:
    """Return the registered kind; an unknown one raises PlatformError `unknown_job_kind`."""
    if name not in _kinds:
        raise PlatformError(f"No code is registered for jobs of kind {name!r}.", code="unknown_job_kind")
    return _kinds[name]


def enqueue_job(
    *, kind: str, tenant_ref: str, arguments: Mapping[str, str], now: datetime, job_id: UUID | None = None
) -> Job:
    """Write the job row in the caller's transaction and wake a worker after the commit (a hint that may be lost).

    `job_id` is for work whose own rows name the job before it is written.
    """
    if not transaction.get_connection().in_atomic_block:
        raise PlatformError("A job is written with the change that needs it, in one transaction.", code="job_outside")
    job = Job.objects.create(
        id=job_id or new_id(),
        kind=kind,
        tenant_ref=tenant_ref,
        arguments=dict(arguments),
        max_attempts=settings.JOB_MAX_ATTEMPTS,
        run_after=now,
        next_publish_at=now + timedelta(seconds=FIRST_REPUBLISH_SECONDS),
        publish_count=1,
        request_id=current_context().request_id,
        created_at=now,
    )
    transaction.on_commit(lambda: _wake_worker(job.id))
    return job


def _wake_worker(job_id: UUID) -> None:
    from observability.tasks import publish_job  # noqa: PLC0415  # tasks import this module

    publish_job(job_id)


def take_job(*, job_id: UUID, now: datetime) -> Lease | None:
    """Take the job by one conditional update.

    None when someone else has it, it is done, not due yet, out of attempts, or of a kind this process does not know.
    """
    free = Q(state=JobState.PENDING, run_after__lte=now) | Q(state=JobState.RUNNING, lease_expires_at__lt=now)
    token = uuid4()
    expires_at = _lease_end(now)
    taken = Job.objects.filter(free, id=job_id, kind__in=_kinds, attempts__lt=F("max_attempts")).update(
        state=JobState.RUNNING,
        token=token,
        lease_expires_at=expires_at,
        next_publish_at=expires_at,  # if this worker dies, the sweeper wakes the next one at once
        publish_count=0,
        attempts=F("attempts") + 1,
        started_at=now,
        error_code="",
        error_detail="",
    )
    job = Job.objects.filter(id=job_id, token=token).first() if taken else None
    if job is None:
        return None
    return Lease(job.id, job.kind, job.tenant_ref, job.arguments, token, job.attempts, job.request_id)


def holds_lease(lease: Lease) -> bool:
    """Whether the job is still running under this lease."""
    return _ours(lease).exists()


def renew_lease(*, lease: Lease, now: datetime) -> None:
    """Extend the lease; raises LeaseLost when it is no longer ours."""
    expires_at = _lease_end(now)
    if not _ours(lease).update(lease_expires_at=expires_at, next_publish_at=expires_at):
        raise LeaseLost


def record_progress(*, lease: Lease, percent: int) -> None:
    """Note how far the job is (0–100); raises LeaseLost when it is no longer ours."""
    if not _ours(lease).update(progress_percent=percent):
        raise LeaseLost


def finish_job(*, lease: Lease, result: Mapping[str, object], now: datetime) -> None:
    """End the job in the caller's transaction; LeaseLost makes that transaction roll back (fencing)."""
    if not transaction.get_connection().in_atomic_block:
        raise PlatformError("A job ends in the transaction of its result.", code="job_outside")
    done = _ours(lease).update(
        state=JobState.SUCCEEDED,
        result=dict(result),
        progress_percent=100,
        finished_at=now,
        token=None,
        lease_expires_at=None,
    )
    if not done:
        raise LeaseLost


def continue_job(*, lease: Lease, percent: int, now: datetime, run_after: datetime | None = None) -> None:
    """End one turn of a job that works in parts, in the commit of the part; LeaseLost makes it roll back (fencing).

    What is done stays done, so the attempts begin anew, and work that came meanwhile gets the worker first. With
    `run_after` the next turn waits until then.
    """
    if not transaction.get_connection().in_atomic_block:
        raise PlatformError("A turn ends in the transaction of its result.", code="job_outside")
    given_back = _ours(lease).update(
        state=JobState.PENDING,
        attempts=0,
        progress_percent=percent,
        run_after=run_after or now,
        next_publish_at=run_after or now + timedelta(seconds=FIRST_REPUBLISH_SECONDS),
        publish_count=0 if run_after else 1,
        token=None,
        lease_expires_at=None,
    )
    if not given_back:
        raise LeaseLost
    if run_after is None:
        transaction.on_commit(lambda: _wake_worker(lease.job_id))


def refuse_job(*, lease: Lease, error: PlatformError, now: datetime) -> None:
    """Give the work its last outcome and end the job for good, because its input cannot be used.

    Raises LeaseLost when the job is no longer ours.
    """
    kind = kind_named(lease.kind)
    if kind.bury is not None:
        kind.bury(lease.arguments, error.code)
    refused = _ours(lease).update(
        state=JobState.FAILED,
        error_code=error.code,
        error_detail=mask_text(error.message),
        finished_at=now,
        token=None,
        lease_expires_at=None,
    )
    if not refused:
        raise LeaseLost


def put_back_job(*, lease: Lease, code: str, detail: str, now: datetime) -> bool:
    """Give the job back after a failed attempt, to run again after a jittered back-off (to be buried if it was the
    last). False when it was no longer ours."""
    ceiling = min(_BACKOFF_CAP_SECONDS, _BACKOFF_BASE_SECONDS * 2 ** (lease.attempt - 1))
    run_after = now + timedelta(seconds=random.uniform(0.0, ceiling))  # noqa: S311  # jitter, not a secret
    spent = When(attempts__gte=F("max_attempts"), then=Value(now))
    return bool(
        _ours(lease).update(
            state=JobState.PENDING,
            run_after=run_after,
            next_publish_at=Case(spent, default=Value(run_after)),
            error_code=code,
            error_detail=mask_text(detail),
            token=None,
            lease_expires_at=None,
        )
    )


def release_job(*, lease: Lease, now: datetime) -> bool:
    """Give the job back untried, because this process is told to stop: the attempt does not count."""
    return bool(
        _ours(lease).update(
            state=JobState.PENDING,
            attempts=F("attempts") - 1,
            run_after=now,
            next_publish_at=now,
            token=None,
            lease_expires_at=None,
        )
    )


def replay_job(*, job_id: UUID, now: datetime) -> bool:
    """Give a dead letter fresh attempts; False when it is not dead."""
    return bool(
        Job.objects.filter(id=job_id, state=JobState.DEAD).update(
            state=JobState.PENDING,
            attempts=0,
            run_after=now,
            next_publish_at=now,
            publish_count=0,
            progress_percent=0,
            finished_at=None,
        )
    )


def forget_details(*, tenant_ref: str, argument: str, value: str) -> int:
    """Blank what failed attempts left in words on the jobs with this argument; return how many jobs that were."""
    jobs = Job.objects.filter(tenant_ref=tenant_ref, **{f"arguments__{argument}": value})
    return jobs.exclude(error_detail="").update(error_detail="")


def _lease_end(now: datetime) -> datetime:
    return now + timedelta(seconds=settings.JOB_LEASE_SECONDS)


def _ours(lease: Lease) -> models.QuerySet[Job]:
    return Job.objects.filter(id=lease.job_id, token=lease.token, state=JobState.RUNNING)
