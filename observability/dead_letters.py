"""Dead letters: jobs whose attempts are spent, kept with what is known, until a person has said what becomes of them.

A letter is written in the commit in which its job dies and ended by one conditional update, so two people who retry it
at once make it run once.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Count, Q, QuerySet

from observability.choices import JobState, LetterResolution
from observability.errors import Conflict, InvalidInput, NotFound
from observability.jobs import replay_job
from observability.masking import mask_text, mask_value
from observability.metrics import Readings
from observability.models import DeadLetter, Job

log = structlog.get_logger(__name__)

# No attempt told how it ended: a crash, a kill, the system's out-of-memory killer.
WORKER_LOST = "worker_lost"
KEEP_DAYS = 30


class LetterEnded(Conflict):
    """Somebody else has ended this letter already."""

    code = "already_resolved"
    message = "This dead letter was ended already."


class JobNotDead(Conflict):
    """The letter's job runs again by another way, so there is nothing to retry."""

    code = "job_not_dead"
    message = "The job of this dead letter is not dead any more."


@transaction.atomic
def kill_job(job: Job, *, code: str, now: datetime) -> bool:
    """Make the job dead and write its letter; False when it changed since it was read."""
    dead = Job.objects.filter(id=job.id, state=job.state, token=job.token, attempts=job.attempts).update(
        state=JobState.DEAD, error_code=code, finished_at=now, token=None, lease_expires_at=None
    )
    if dead:
        DeadLetter.objects.create(
            job=job,
            tenant_ref=job.tenant_ref,
            kind=job.kind,
            arguments=mask_value(job.arguments),
            reason_code=code,
            traceback=job.error_detail,
            attempts=job.attempts,
            first_failed_at=job.first_failed_at or now,
            last_failed_at=now,
        )
    return bool(dead)


def letters(*, tenant_ref: str | None = None) -> QuerySet[DeadLetter]:
    """Return the letters of one tenant, or all of them."""
    return DeadLetter.objects.all() if tenant_ref is None else DeadLetter.objects.filter(tenant_ref=tenant_ref)


def letter_named(reference: UUID) -> DeadLetter:
    """Return a letter by its own id or its job's (then the newest of the job); raises NotFound."""
    rows = DeadLetter.objects.filter(Q(id=reference) | Q(job_id=reference))
    letter = rows.order_by("-last_failed_at", "-id").first()
    if letter is None:
        raise NotFound
    return letter


@transaction.atomic(durable=True)
def retry_letter(*, letter_id: UUID, by: str, now: datetime, note: str = "") -> DeadLetter:
    """Let the job run again from its first attempt, and end the letter. `by` is the id of who wants it.

    The work keeps its job id, by which it is idempotent. Raises NotFound, LetterEnded, JobNotDead.
    """
    letter = _end(letter_id, LetterResolution.RETRIED, by=by, now=now, note=note)
    if not replay_job(job_id=letter.job_id, now=now):
        raise JobNotDead
    return letter


@transaction.atomic(durable=True)
def resolve_letter(
    *, letter_id: UUID, by: str, now: datetime, note: str = "", resolution: LetterResolution = LetterResolution.RESOLVED
) -> DeadLetter:
    """End the letter without running its job again: `RESOLVED` or `DROPPED`. Raises NotFound, LetterEnded."""
    if resolution == LetterResolution.RETRIED:
        raise InvalidInput("A job is retried by a retry.", code="not_a_resolution")
    return _end(letter_id, resolution, by=by, now=now, note=note)


def remove_ended_letters(*, older_than_days: int, now: datetime) -> int:
    """Delete the letters that were ended at least so many days ago; return how many. Waiting ones stay."""
    until = now - timedelta(days=older_than_days)
    _, removed = DeadLetter.objects.exclude(resolution="").filter(resolved_at__lte=until).delete()
    log.info("dead_letters_removed", older_than_days=older_than_days, letters=removed.get(DeadLetter._meta.label, 0))
    return removed.get(DeadLetter._meta.label, 0)


def open_letters_by_kind() -> dict[str, int]:
    """Return how many letters wait for a person, by kind of job, the most frequent first."""
    rows = DeadLetter.objects.filter(resolution="").values_list("kind").annotate(n=Count("id")).order_by("-n", "kind")
    return dict(rows)


def open_letters_reading() -> Readings:
    """Return the same as a gauge reads it."""
    return {(kind,): float(count) for kind, count in open_letters_by_kind().items()}


def _end(letter_id: UUID, resolution: LetterResolution, *, by: str, now: datetime, note: str) -> DeadLetter:
    waiting = DeadLetter.objects.filter(id=letter_id, resolution="")
    ended = waiting.update(resolution=resolution, resolved_by=by, resolved_at=now, note=mask_text(note)[:500])
    letter = DeadLetter.objects.filter(id=letter_id).first()
    if letter is None:
        raise NotFound
    if not ended:
        raise LetterEnded(extra={"resolution": letter.resolution})
    log.info("dead_letter_ended", kind=letter.kind, resolution=resolution, by=by)
    return letter
