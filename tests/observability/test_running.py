from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from structlog.testing import capture_logs

from observability import jobs
from observability.choices import JobState
from observability.context import current_context
from observability.errors import InvalidInput, PlatformError, Unavailable
from observability.jobs import Lease
from observability.models import Job
from observability.running import run_job
from tests.observability.work import finish, known_kind, make_job

# The heartbeat is a thread with a connection of its own: it sees committed rows only.
pytestmark = pytest.mark.django_db(transaction=True)


def job_after(handle: object, **columns: Any) -> Job:
    """Run one attempt and return the job as it stands then."""
    with known_kind(handle):  # type: ignore[arg-type]
        job = make_job(now=timezone.now(), **columns)
        run_job(job.id)
    job.refresh_from_db()
    return job


def end(lease: Lease) -> None:
    finish(lease, timezone.now())


def test_run_job_works_inside_the_context_of_the_request_that_asked_for_it() -> None:
    seen: list[tuple[str, str, str]] = []

    def look(lease: Lease) -> None:
        context = current_context()
        seen.append((context.request_id, context.tenant_id, context.job_id))
        end(lease)

    job = job_after(look, request_id="req-12345678", tenant_ref="0192")
    assert seen == [("req-12345678", "0192", str(job.id))]
    assert job.state == JobState.SUCCEEDED


def test_run_job_leaves_alone_what_another_worker_holds() -> None:
    calls: list[Lease] = []
    with known_kind(calls.append):
        job = make_job(now=timezone.now())
        assert jobs.take_job(job_id=job.id, now=timezone.now()) is not None
        run_job(job.id)
    assert calls == []


def test_run_job_tries_again_later_what_failed_for_a_reason_that_may_pass() -> None:
    def handle(_lease: Lease) -> None:
        raise Unavailable("the model is away", code="provider_away")

    with pytest.raises(Unavailable):
        job_after(handle)
    job = Job.objects.get()
    assert (job.state, job.error_code, job.attempts) == (JobState.PENDING, "provider_away", 1)


def test_run_job_keeps_the_traceback_of_a_fault_of_ours_without_personal_data() -> None:
    def handle(_lease: Lease) -> None:
        raise ZeroDivisionError("by ada@example.org")

    with pytest.raises(ZeroDivisionError):
        job_after(handle)
    job = Job.objects.get()
    assert job.error_code == "zerodivisionerror"
    assert "in handle" in job.error_detail
    assert "ada@example.org" not in job.error_detail


def test_run_job_does_not_try_again_what_its_input_forbids() -> None:
    def handle(_lease: Lease) -> None:
        raise InvalidInput(code="no_frames")

    with pytest.raises(InvalidInput):
        job_after(handle)
    assert (Job.objects.get().state, Job.objects.get().error_code) == (JobState.FAILED, "no_frames")


def test_run_job_notices_work_that_returns_without_ending_its_job() -> None:
    with pytest.raises(PlatformError):
        job_after(lambda _lease: None)
    assert (Job.objects.get().state, Job.objects.get().error_code) == (JobState.PENDING, "job_not_ended")


def test_run_job_hands_the_job_back_when_its_process_is_told_to_stop() -> None:
    def handle(_lease: Lease) -> None:
        raise SystemExit(-241)  # what the pool's handler of SIGTERM raises

    with pytest.raises(SystemExit):
        job_after(handle)
    assert (Job.objects.get().state, Job.objects.get().attempts) == (JobState.PENDING, 0)


def test_run_job_does_not_call_it_a_success_when_the_lease_was_lost() -> None:
    def handle(lease: Lease) -> None:
        later = timezone.now() + timedelta(hours=1)
        assert jobs.take_job(job_id=lease.job_id, now=later) is not None
        end(lease)

    with capture_logs() as lines:
        job = job_after(handle)
    assert [line["outcome"] for line in lines if line["event"] == "job_ended"] == ["lease_lost"]
    assert (job.state, job.attempts) == (JobState.RUNNING, 2)


def test_run_job_keeps_its_lease_by_a_heartbeat_while_it_works(settings: object) -> None:
    settings.JOB_LEASE_SECONDS = 0.3  # type: ignore[attr-defined]
    ends: list[object] = []

    def handle(lease: Lease) -> None:
        first = Job.objects.get().lease_expires_at
        assert first is not None
        while not ends:
            renewed = Job.objects.get().lease_expires_at
            assert renewed is not None
            if renewed > first + timedelta(seconds=0.6):  # two lease times on, and nobody could take it
                ends.append(renewed)
        end(lease)

    assert job_after(handle).state == JobState.SUCCEEDED


def test_run_job_lets_the_lease_lapse_of_work_that_hangs(settings: object) -> None:
    settings.JOB_LEASE_SECONDS, settings.JOB_LONGEST_SECONDS = 0.3, 0  # type: ignore[attr-defined]
    taken_over: list[Lease] = []

    def handle(lease: Lease) -> None:
        while not taken_over:
            other = jobs.take_job(job_id=lease.job_id, now=timezone.now())
            if other is not None:
                taken_over.append(other)

    job = job_after(handle, max_attempts=3)
    assert (job.state, job.attempts) == (JobState.RUNNING, 2)


def test_finish_job_inside_work_is_one_commit_with_the_result() -> None:
    def handle(lease: Lease) -> None:
        with transaction.atomic():
            Job.objects.filter(id=lease.job_id).update(request_id="result")
            jobs.finish_job(lease=lease, result={}, now=timezone.now())

    assert job_after(handle).request_id == "result"


class _Away(Unavailable):
    code = "storage_unavailable"
    jobs_wait = True


def away(_lease: Lease) -> None:
    raise _Away(retry_after_seconds=30)


def test_an_attempt_does_not_count_while_what_the_job_needs_is_away() -> None:
    before = timezone.now()
    with known_kind(away):
        job = make_job(now=before, max_attempts=1)
        with pytest.raises(Unavailable):
            run_job(job.id)
    job.refresh_from_db()
    assert (job.state, job.attempts, job.error_code) == (JobState.PENDING, 0, "storage_unavailable")
    assert timedelta(seconds=30) <= job.run_after - before <= timedelta(seconds=60)
    assert job.first_failed_at is not None and job.token is None


def test_after_a_day_of_waiting_attempts_count_again() -> None:
    now = timezone.now()
    with known_kind(away):
        job = make_job(now=now, first_failed_at=now - timedelta(days=1, minutes=1))
        with pytest.raises(Unavailable):
            run_job(job.id)
    job.refresh_from_db()
    assert (job.state, job.attempts) == (JobState.PENDING, 1)
