"""Durable jobs: outbox row, lease, fencing token, back-off, dead letter.

No broker alone gives "nothing lost, nothing twice" (a SIGKILL loses what the filesystem broker has in flight and
RabbitMQ runs it twice), so the row decides: one conditional update takes a job, one conditional update ends it in the
same commit as its result, and the sweeper wakes workers for whatever waits or whose lease lapsed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import models, transaction
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Coalesce

from observability import metrics
from observability.choices import JobState
from observability.context import current_context
from observability.errors import Conflict, PlatformError
from observability.ids import new_id
from observability.masking import mask_text
from observability.models import DeadLetter, Job
from observability.retries import policy_for
from observability.tracing import carried_trace

# A message lost by the broker costs this long; every further wake-up of the same job waits longer (sweeping.py).
FIRST_REPUBLISH_SECONDS = 5
TIMED_OUT = "timed_out"
# So long a job waits for what is away before its attempts count; a person has been called hours before.
_LONGEST_WAIT = timedelta(days=1)
# Of a job that nobody holds any more.
_FREE = {"state": JobState.PENDING, "token": None, "lease_expires_at": None}


class LeaseLost(Conflict):
    """Another worker holds the job now; whatever this one did must be rolled back."""

    code = "lease_lost"
    message = "Another worker has taken over this job."


class UnreadableArguments(PlatformError):
    """What the job was told cannot be read: no further try would help, and only code or a person can mend it."""

    code = "unreadable_arguments"
    message = "The job's arguments cannot be read."


def argument_id(arguments: object, name: str) -> UUID:
    """Return the id that a job was given under this name; raises UnreadableArguments."""
    value = arguments.get(name) if isinstance(arguments, Mapping) else None
    try:
        return UUID(value)
    except (AttributeError, TypeError, ValueError) as error:
        raise UnreadableArguments(f"The job's argument {name!r} is no id.") from error


@dataclass(frozen=True)
class Lease:
    """The right to work on a job until the lease lapses; `token` fences late writes."""

    job_id: UUID
    kind: str
    tenant_ref: str
    arguments: Mapping[str, str]
    token: UUID
    attempt: int
    max_attempts: int
    request_id: str
    trace_context: str = ""

    @property
    def is_last(self) -> bool:
        """Whether no further attempt follows this one."""
        return self.attempt >= self.max_attempts


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
    metrics.begin_at_zero(metrics.JOBS_ENDED, [kind.name], metrics.JOB_OUTCOMES)
    metrics.begin_at_zero(metrics.JOB_SECONDS, [kind.name])


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
        max_attempts=policy_for(kind).attempts,
        run_after=now,
        next_publish_at=now + timedelta(seconds=FIRST_REPUBLISH_SECONDS),
        publish_count=1,
        request_id=current_context().request_id,
        trace_context=carried_trace(),
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
        # Taken from a worker that is lost: that was a failure, though nobody lived to tell.
        first_failed_at=Case(
            When(state=JobState.RUNNING, then=Coalesce("first_failed_at", Value(now))), default=F("first_failed_at")
        ),
        error_code="",
        error_detail="",
    )
    job = Job.objects.filter(id=job_id, token=token).first() if taken else None
    if job is None:
        return None
    return Lease(
        job.id,
        job.kind,
        job.tenant_ref,
        job.arguments,
        token,
        job.attempts,
        job.max_attempts,
        job.request_id,
        job.trace_context,
    )


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
        error_code="",
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
        first_failed_at=None,
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


def put_back_job(*, lease: Lease, code: str, detail: str, now: datetime, again: bool = True) -> bool:
    """Give the job back after a failed attempt, to run again after a jittered back-off; to be buried if it was the
    last, or if `again` is False because no other attempt could end better. False when it was no longer ours."""
    run_after = now + timedelta(seconds=policy_for(lease.kind).pause_seconds(lease.attempt))
    spent = lease.is_last or not again
    return bool(
        _ours(lease).update(
            max_attempts=F("max_attempts") if again else F("attempts"),
            run_after=run_after,
            next_publish_at=now if spent else run_after,
            **_after_failure(code, detail, now),
        )
    )


def wait_for_dependency(*, lease: Lease, code: str, detail: str, pause_seconds: float, now: datetime) -> bool:
    """Give the job back because something that it needs is away: the attempt does not count, for up to a day.

    False when that day is over, or the job was no longer ours; it is then a failed attempt like others.
    """
    lately = Q(first_failed_at=None) | Q(first_failed_at__gt=now - _LONGEST_WAIT)
    run_after = now + timedelta(seconds=pause_seconds)
    return bool(
        _ours(lease)
        .filter(lately)
        .update(
            attempts=F("attempts") - 1,
            run_after=run_after,
            next_publish_at=run_after,
            **_after_failure(code, detail, now),
        )
    )


def _after_failure(code: str, detail: str, now: datetime) -> dict[str, Any]:
    """Return the columns of a job that is free again and remembers what it met."""
    told = {"error_code": code, "error_detail": mask_text(detail)}
    return {**_FREE, **told, "first_failed_at": Coalesce("first_failed_at", Value(now))}


def note_timeout(*, lease: Lease) -> None:
    """Write down why the lease is left to lapse: the process will be killed and cannot tell any more."""
    _ours(lease).update(error_code=TIMED_OUT)


def release_job(*, lease: Lease, now: datetime) -> bool:
    """Give the job back untried, because this process is told to stop: the attempt does not count."""
    return bool(_ours(lease).update(attempts=F("attempts") - 1, run_after=now, next_publish_at=now, **_FREE))


def replay_job(*, job_id: UUID, now: datetime) -> bool:
    """Give a dead job fresh attempts; False when it is not dead. Its letter is `dead_letters.retry_letter`'s to end."""
    kind = Job.objects.filter(id=job_id).values_list("kind", flat=True).first()
    return kind is not None and bool(
        Job.objects.filter(id=job_id, state=JobState.DEAD).update(
            state=JobState.PENDING,
            attempts=0,
            max_attempts=policy_for(kind).attempts,
            first_failed_at=None,
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
    letters = DeadLetter.objects.filter(tenant_ref=tenant_ref, job_id__in=jobs.values("id"))
    letters.exclude(traceback="", note="").update(traceback="", note="")
    return jobs.exclude(error_detail="").update(error_detail="")


def _lease_end(now: datetime) -> datetime:
    return now + timedelta(seconds=settings.JOB_LEASE_SECONDS)


def _ours(lease: Lease) -> models.QuerySet[Job]:
    return Job.objects.filter(id=lease.job_id, token=lease.token, state=JobState.RUNNING)
