from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.db import IntegrityError, transaction

from observability import jobs
from observability.choices import JobState
from observability.errors import InvalidInput, PlatformError
from observability.jobs import LeaseLost
from observability.models import Job
from tests.observability.work import NOON, finish, known_kind, make_job, taken

pytestmark = pytest.mark.django_db

LEASE = timedelta(seconds=settings.JOB_LEASE_SECONDS)
SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def kind() -> Iterator[str]:
    with known_kind() as name:
        yield name


@pytest.mark.django_db(transaction=True)
def test_enqueue_job_is_refused_outside_the_transaction_of_the_change_that_needs_it() -> None:
    with pytest.raises(PlatformError) as refusal:
        jobs.enqueue_job(kind="test.count", tenant_ref="", arguments={}, now=NOON)
    assert refusal.value.code == "job_outside"


@pytest.mark.django_db(transaction=True)
def test_enqueue_job_leaves_no_job_behind_when_the_change_is_rolled_back() -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        jobs.enqueue_job(kind="test.count", tenant_ref="", arguments={}, now=NOON)
        raise RuntimeError
    assert not Job.objects.exists()


def test_take_job_gives_the_job_to_one_worker_only() -> None:
    job = make_job()
    assert taken(job.id).attempt == 1
    assert jobs.take_job(job_id=job.id, now=NOON) is None


def test_take_job_waits_until_the_job_is_due() -> None:
    job = make_job(run_after=NOON + SECOND)
    assert jobs.take_job(job_id=job.id, now=NOON) is None
    assert jobs.take_job(job_id=job.id, now=NOON + SECOND) is not None


def test_take_job_takes_over_only_after_the_lease_has_lapsed() -> None:
    job = make_job()
    taken(job.id)
    assert jobs.take_job(job_id=job.id, now=NOON + LEASE) is None
    second = jobs.take_job(job_id=job.id, now=NOON + LEASE + SECOND)
    assert second is not None
    assert second.attempt == 2


def test_take_job_leaves_a_kind_alone_that_only_newer_code_knows() -> None:
    job = make_job(kind="test.from_the_future")
    assert jobs.take_job(job_id=job.id, now=NOON) is None
    job.refresh_from_db()
    assert (job.state, job.attempts) == (JobState.PENDING, 0)


def test_take_job_refuses_a_job_without_attempts_left() -> None:
    job = make_job(attempts=settings.JOB_RETRY_DEFAULT[0])
    assert jobs.take_job(job_id=job.id, now=NOON) is None


def test_finish_job_keeps_the_result_and_frees_the_lease() -> None:
    job = make_job()
    finish(taken(job.id), NOON + SECOND)
    job.refresh_from_db()
    assert (job.state, job.result, job.token, job.progress_percent) == (JobState.SUCCEEDED, {"answer": 42}, None, 100)


def test_late_write_is_refused_when_another_worker_has_taken_over() -> None:
    job = make_job()
    slow = taken(job.id)
    taken(job.id, NOON + LEASE + SECOND)
    writes: tuple[Callable[[], None], ...] = (
        lambda: finish(slow, NOON + LEASE + SECOND),
        lambda: jobs.renew_lease(lease=slow, now=NOON + LEASE + SECOND),
        lambda: jobs.record_progress(lease=slow, percent=50),
        lambda: jobs.refuse_job(lease=slow, error=InvalidInput(), now=NOON + LEASE + SECOND),
    )
    for write in writes:
        with pytest.raises(LeaseLost):
            write()
    assert not jobs.put_back_job(lease=slow, code="x", detail="", now=NOON)
    assert not jobs.release_job(lease=slow, now=NOON)
    job.refresh_from_db()
    assert (job.state, job.attempts, job.progress_percent) == (JobState.RUNNING, 2, 0)


def test_late_write_takes_its_result_back_with_it() -> None:
    job, other = make_job(), make_job()
    slow = taken(job.id)
    taken(job.id, NOON + LEASE + SECOND)
    with pytest.raises(LeaseLost), transaction.atomic():
        Job.objects.filter(id=other.id).update(error_code="written_late")
        jobs.finish_job(lease=slow, result={}, now=NOON)
    other.refresh_from_db()
    assert other.error_code == ""


@pytest.mark.django_db(transaction=True)
def test_finish_job_is_refused_outside_the_transaction_of_its_result() -> None:
    lease = taken(make_job().id)
    with pytest.raises(PlatformError) as refusal:
        jobs.finish_job(lease=lease, result={}, now=NOON)
    assert refusal.value.code == "job_outside"


def test_renew_lease_holds_the_job_longer() -> None:
    job = make_job()
    lease = taken(job.id)
    jobs.renew_lease(lease=lease, now=NOON + LEASE)
    assert jobs.take_job(job_id=job.id, now=NOON + LEASE + SECOND) is None


def test_put_back_job_waits_longer_after_each_attempt_and_at_most_a_minute() -> None:
    waits: dict[int, list[float]] = {1: [], 5: []}
    for attempt, seen in waits.items():
        for _ in range(60):
            job = make_job(attempts=attempt - 1, max_attempts=9)
            jobs.put_back_job(lease=taken(job.id), code="timeout", detail="", now=NOON)
            job.refresh_from_db()
            seen.append((job.run_after - NOON).total_seconds())
    assert max(waits[1]) <= 2.0
    assert max(waits[5]) <= 32.0
    assert max(waits[5]) > max(waits[1])
    assert len(set(waits[1])) > 50, "the waits are spread, so that jobs that failed together do not come back together"


def test_put_back_job_keeps_the_reason_masked() -> None:
    job = make_job()
    jobs.put_back_job(lease=taken(job.id), code="valueerror", detail="ada@example.org has 460-89-9847", now=NOON)
    job.refresh_from_db()
    assert (job.error_code, job.error_detail) == ("valueerror", "[email] has [ssn]")


def test_put_back_job_calls_the_sweeper_at_once_after_the_last_attempt() -> None:
    job = make_job(attempts=settings.JOB_RETRY_DEFAULT[0] - 1)
    jobs.put_back_job(lease=taken(job.id), code="timeout", detail="", now=NOON)
    job.refresh_from_db()
    assert job.next_publish_at == NOON


def test_release_job_does_not_count_the_attempt() -> None:
    job = make_job()
    assert jobs.release_job(lease=taken(job.id), now=NOON)
    job.refresh_from_db()
    assert (job.state, job.attempts) == (JobState.PENDING, 0)
    assert taken(job.id).attempt == 1


def test_refuse_job_gives_the_work_its_last_outcome_and_is_final() -> None:
    buried: list[tuple[object, str]] = []
    with known_kind(bury=lambda arguments, code: buried.append((arguments, code))):
        job = make_job()
        jobs.refuse_job(lease=taken(job.id), error=InvalidInput(code="no_frames"), now=NOON)
    job.refresh_from_db()
    assert (job.state, job.error_code) == (JobState.FAILED, "no_frames")
    assert buried == [({"name": "one"}, "no_frames")]
    assert jobs.take_job(job_id=job.id, now=NOON + LEASE + SECOND) is None


def test_replay_job_gives_a_dead_letter_fresh_attempts_and_touches_nothing_else() -> None:
    dead = make_job(state=JobState.DEAD, attempts=5, progress_percent=40)
    waiting = make_job()
    assert jobs.replay_job(job_id=dead.id, now=NOON)
    assert not jobs.replay_job(job_id=waiting.id, now=NOON)
    assert taken(dead.id).attempt == 1


def test_running_job_without_a_lease_cannot_be_stored() -> None:
    job = make_job()
    with pytest.raises(IntegrityError), transaction.atomic():
        Job.objects.filter(id=job.id).update(state=JobState.RUNNING)


def test_continue_job_gives_the_rest_a_turn_of_its_own_with_fresh_attempts() -> None:
    job = make_job(attempts=3)
    lease = taken(job.id)
    assert lease.attempt == 4
    with transaction.atomic():
        jobs.continue_job(lease=lease, percent=40, now=NOON)
    job.refresh_from_db()
    assert (job.state, job.attempts, job.progress_percent, job.token) == (JobState.PENDING, 0, 40, None)
    assert taken(job.id).attempt == 1


def test_continue_job_is_fenced() -> None:
    job = make_job()
    lease = taken(job.id)
    assert jobs.take_job(job_id=job.id, now=NOON + LEASE + SECOND) is not None
    with pytest.raises(LeaseLost), transaction.atomic():
        jobs.continue_job(lease=lease, percent=40, now=NOON + LEASE + SECOND)


@pytest.mark.django_db(transaction=True)
def test_continue_job_is_refused_outside_the_transaction_of_its_part() -> None:
    lease = taken(make_job().id)
    with pytest.raises(PlatformError) as refusal:
        jobs.continue_job(lease=lease, percent=40, now=NOON)
    assert refusal.value.code == "job_outside"


def test_continue_job_wakes_a_worker_for_the_next_turn(
    django_capture_on_commit_callbacks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    lease = taken(make_job().id)
    woken: list[UUID] = []
    monkeypatch.setattr(jobs, "_wake_worker", woken.append)
    with django_capture_on_commit_callbacks(execute=True):
        jobs.continue_job(lease=lease, percent=40, now=NOON)
    assert woken == [lease.job_id]
