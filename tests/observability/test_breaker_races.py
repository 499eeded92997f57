"""Many callers of one breaker at once, each with a database connection of its own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise
from threading import Barrier, Lock

import pytest
from django.db import connection
from pytest_django import Settings

from observability import breakers
from observability.breakers import BreakerOpen, Permit, ask_permit, facts_of, record_call, register_breaker
from tests.observability.test_races import THREADS, all_at_once
from tests.observability.work import NOON

pytestmark = pytest.mark.django_db(transaction=True)

NAME = "test_service"
OPEN_SECONDS = 30


@pytest.fixture(autouse=True)
def policy(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(breakers, "_names", {})
    register_breaker(NAME)
    settings.BREAKER_MIN_CALLS = THREADS
    settings.BREAKER_OPEN_SECONDS = float(OPEN_SECONDS)
    settings.BREAKER_PROBE_SECONDS = 45.0


def try_to_call(now: datetime, *, failed: bool) -> bool:
    """Ask, call and record; True when the service was called."""
    try:
        permit = ask_permit(name=NAME, now=now)
    except BreakerOpen:
        return False
    record_call(permit=permit, failed=failed, seconds=0.1, now=now)
    return True


def test_no_count_is_lost_when_all_record_at_once() -> None:
    permit = ask_permit(name=NAME, now=NOON)
    all_at_once(partial(record_call, permit=permit, failed=False, seconds=0.1, now=NOON))
    assert facts_of(name=NAME, now=NOON).window.calls == THREADS


def test_one_of_many_gets_the_probe() -> None:
    all_at_once(lambda: try_to_call(NOON, failed=True))
    assert facts_of(name=NAME, now=NOON).state == "OPEN"
    for interval in range(1, 6):
        now = NOON + timedelta(seconds=OPEN_SECONDS * interval)
        permits = [permit for permit in all_at_once(partial(permit_or_none, now)) if permit]
        assert len(permits) == 1
        record_call(permit=permits[0], failed=True, seconds=0.1, now=now)


def permit_or_none(now: datetime) -> Permit | None:
    try:
        return ask_permit(name=NAME, now=now)
    except BreakerOpen:
        return None


def test_a_dead_service_is_called_once_per_open_interval() -> None:
    """Eight callers hammer a dead service for five minutes of a shared clock that each of them pushes on."""
    clock, lock, barrier = [0.0], Lock(), Barrier(THREADS)
    called_at: list[float] = []

    def hammer(_number: int) -> None:
        barrier.wait(30)
        try:
            while True:
                with lock:
                    clock[0] += 1.0
                    second = clock[0]
                if second > 300:
                    return
                if try_to_call(NOON + timedelta(seconds=second), failed=True):
                    with lock:
                        called_at.append(second)
        finally:
            connection.close()

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(hammer, range(THREADS)))
    # While it is closed every second is a call: seven that were counted, the eighth that opens it, and at most one more
    # on its way in each other thread. No probe is due before second 31.
    before_it_opened = [second for second in called_at if second <= 2 * THREADS]
    probes = sorted(second for second in called_at if second > 2 * THREADS)
    assert len(before_it_opened) < 2 * THREADS
    assert probes
    assert all(later - earlier >= OPEN_SECONDS for earlier, later in pairwise(probes))
