"""Jobs that ended long ago are forgotten; open ones, young ones and those with a dead letter stay."""

from __future__ import annotations

from datetime import timedelta

import pytest

from observability import job_retention
from observability.choices import JobState
from observability.job_retention import purge_done_jobs
from observability.models import Job
from tests.observability.work import NOON, make_job, make_letter

pytestmark = pytest.mark.django_db
LONG_AGO = NOON - timedelta(days=93)


def test_only_what_ended_long_ago_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_retention, "_BATCH", 2)
    for state in (JobState.SUCCEEDED, JobState.SUCCEEDED, JobState.FAILED):
        make_job(state=state, created_at=LONG_AGO, finished_at=LONG_AGO)
    kept = [
        make_job(state=JobState.PENDING, created_at=LONG_AGO),
        make_job(state=JobState.SUCCEEDED, created_at=LONG_AGO, finished_at=NOON),
        make_job(state=JobState.SUCCEEDED, created_at=NOON, finished_at=NOON),
        make_letter(now=LONG_AGO, created_at=LONG_AGO).job,
    ]
    assert purge_done_jobs(now=NOON) == 3
    assert set(Job.objects.values_list("id", flat=True)) == {job.id for job in kept}
    assert purge_done_jobs(now=NOON) == 0
