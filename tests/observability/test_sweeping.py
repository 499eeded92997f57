from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from uuid import UUID

import pytest
from django.conf import settings

from observability import sweeping
from observability.choices import JobState
from observability.models import Job
from tests.observability.work import NOON, known_kind, make_job, taken

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)
LATER = NOON + timedelta(seconds=settings.JOB_LEASE_SECONDS) + SECOND


@pytest.fixture(autouse=True)
def kind() -> Iterator[str]:
    with known_kind() as name:
        yield name


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> list[UUID]:
    """Stand in for the broker: what would have been published."""
    sent: list[UUID] = []

    def publish(job_id: UUID) -> bool:
        sent.append(job_id)
        return True

    monkeypatch.setattr(sweeping, "publish_job", publish)
    monkeypatch.setattr(sweeping, "room_for_messages", lambda: 500)
    return sent


def test_wake_workers_leaves_a_fresh_job_to_the_message_sent_at_its_commit(published: list[UUID]) -> None:
    make_job()
    assert sweeping.wake_workers(now=NOON + SECOND) == 0


def test_wake_workers_publishes_again_when_the_message_was_lost(published: list[UUID]) -> None:
    job = make_job()
    sweeping.wake_workers(now=NOON + 6 * SECOND)
    assert published == [job.id]


def test_wake_workers_waits_longer_each_time_and_at_most_two_minutes(published: list[UUID]) -> None:
    make_job()
    gaps: list[int] = []
    last = now = NOON
    while len(gaps) < 8:
        now += SECOND
        if sweeping.wake_workers(now=now):
            gaps.append((now - last).seconds)
            last = now
    assert gaps == [5, 10, 20, 40, 80, 120, 120, 120]


def test_wake_workers_hands_a_job_of_a_killed_worker_on_as_soon_as_its_lease_has_lapsed(published: list[UUID]) -> None:
    job = make_job(publish_count=9)  # it had waited long before a worker took it
    taken(job.id)
    sweeping.wake_workers(now=LATER - 2 * SECOND)
    assert published == []
    sweeping.wake_workers(now=LATER)
    assert published == [job.id]


def test_wake_workers_publishes_no_more_than_the_broker_has_room_for(
    published: list[UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = [make_job(now=NOON + number * SECOND) for number in range(5)]
    monkeypatch.setattr(sweeping, "room_for_messages", lambda: 2)
    sweeping.wake_workers(now=NOON + 60 * SECOND)
    assert published == [jobs[0].id, jobs[1].id], "the oldest first"
    monkeypatch.setattr(sweeping, "room_for_messages", lambda: 0)
    assert sweeping.wake_workers(now=NOON + 60 * SECOND) == 0
    monkeypatch.setattr(sweeping, "room_for_messages", lambda: 9)
    sweeping.wake_workers(now=NOON + 60 * SECOND)
    assert set(published) == {job.id for job in jobs}, "who found no room is not put off"


def test_wake_workers_stops_at_a_broker_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(5):
        make_job()
    tried: list[UUID] = []

    def refuse(job_id: UUID) -> bool:
        tried.append(job_id)
        return False

    monkeypatch.setattr(sweeping, "publish_job", refuse)
    monkeypatch.setattr(sweeping, "room_for_messages", lambda: 500)
    assert sweeping.wake_workers(now=NOON + 6 * SECOND) == 0
    assert len(tried) == 1


def test_wake_workers_leaves_kinds_alone_that_this_code_does_not_know(published: list[UUID]) -> None:
    make_job(kind="test.from_the_future")
    assert sweeping.wake_workers(now=LATER) == 0


def test_bury_spent_jobs_makes_a_dead_letter_and_gives_the_work_its_last_outcome() -> None:
    ends: list[tuple[Mapping[str, str], str]] = []
    with known_kind(bury=lambda arguments, code: ends.append((arguments, code))):
        failed = make_job(attempts=5, error_code="timeout")
        lost = make_job(attempts=4)
        taken(lost.id)
        assert set(sweeping.bury_spent_jobs(now=LATER)) == {failed.id, lost.id}
    assert sorted(code for _, code in ends) == ["timeout", "worker_lost"]
    assert set(Job.objects.values_list("state", flat=True)) == {JobState.DEAD}


def test_bury_spent_jobs_leaves_a_last_attempt_alone_that_is_still_at_work() -> None:
    job = make_job(attempts=4)
    taken(job.id)
    assert sweeping.bury_spent_jobs(now=LATER - 2 * SECOND) == []


def test_bury_spent_jobs_gets_past_a_burial_that_fails() -> None:
    ends: list[str] = []

    def bury(arguments: Mapping[str, str], code: str) -> None:
        if code == "bad":
            raise RuntimeError("this burial cannot be done")
        ends.append(code)

    with known_kind(bury=bury):
        bad = make_job(attempts=5, error_code="bad")
        make_job(now=NOON + SECOND, attempts=5, error_code="good")
        with pytest.raises(RuntimeError):
            sweeping.bury_spent_jobs(now=LATER)
        sweeping.bury_spent_jobs(now=LATER)
        assert ends == ["good"]
        bad.refresh_from_db()
        assert bad.state == JobState.PENDING
        with pytest.raises(RuntimeError):  # a minute later it is tried again
            sweeping.bury_spent_jobs(now=LATER + timedelta(seconds=61))
