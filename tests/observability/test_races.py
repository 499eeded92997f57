"""Many workers and sweepers at once, each with a database connection of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from itertools import cycle
from threading import Barrier
from typing import TypeVar

import pytest
from django.conf import settings
from django.db import connection

from observability import jobs, sweeping
from observability.timers import Timer, take_window
from tests.observability.work import NOON, finish, known_kind, make_job

pytestmark = pytest.mark.django_db(transaction=True)

THREADS = 8
LAPSED = NOON + timedelta(seconds=settings.JOB_LEASE_SECONDS + 1)
T = TypeVar("T")


@pytest.fixture(autouse=True)
def kind() -> Iterator[str]:
    with known_kind() as name:
        yield name


def all_at_once(work: Callable[[], T]) -> list[T]:
    barrier = Barrier(THREADS)

    def one(_number: int) -> T:
        try:
            barrier.wait(30)
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(one, range(THREADS)))


def test_take_job_lets_one_of_many_workers_have_it() -> None:
    for _ in range(10):
        job = make_job()
        leases = [lease for lease in all_at_once(partial(jobs.take_job, job_id=job.id, now=NOON)) if lease]
        assert len(leases) == 1
        assert leases[0].attempt == 1


def test_take_job_lets_one_of_many_take_over_a_lapsed_lease() -> None:
    for _ in range(10):
        job = make_job()
        assert jobs.take_job(job_id=job.id, now=NOON) is not None
        leases = [lease for lease in all_at_once(partial(jobs.take_job, job_id=job.id, now=LAPSED)) if lease]
        assert [lease.attempt for lease in leases] == [2]


def test_finish_job_succeeds_once_when_old_and_new_holder_write_together() -> None:
    for _ in range(10):
        job = make_job()
        old = jobs.take_job(job_id=job.id, now=NOON)
        new = jobs.take_job(job_id=job.id, now=LAPSED)
        assert old is not None
        assert new is not None
        assert sum(all_at_once(partial(wrote, cycle([old, new])))) == 1


def wrote(turns: Iterator[jobs.Lease]) -> bool:
    try:
        finish(next(turns), LAPSED)
    except jobs.LeaseLost:
        return False
    return True


def test_due_jobs_are_claimed_by_one_sweeper_each() -> None:
    waiting = {make_job().id for _ in range(30)}
    claimed = [job_id for found in all_at_once(lambda: sweeping.due_jobs(now=LAPSED)) for job_id in found]
    assert len(claimed) == len(set(claimed))
    assert set(claimed) == waiting


def test_bury_spent_jobs_buries_each_once() -> None:
    ends: list[str] = []
    with known_kind(bury=lambda _arguments, code: ends.append(code)):
        for _ in range(20):
            make_job(attempts=5)
        buried = [job_id for found in all_at_once(lambda: sweeping.bury_spent_jobs(now=LAPSED)) for job_id in found]
    assert len(buried) == len(set(buried)) == len(ends) == 20


def test_take_window_is_won_by_one_process() -> None:
    timer = Timer("test.timer", 60.0, lambda *, now: None)
    assert sum(all_at_once(lambda: take_window(timer=timer, now=NOON))) == 1
    assert sum(all_at_once(lambda: take_window(timer=timer, now=NOON + timedelta(seconds=61)))) == 1
