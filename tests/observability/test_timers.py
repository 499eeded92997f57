from __future__ import annotations

import threading
from datetime import datetime, timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone
from structlog.testing import capture_logs

from observability import timers
from observability.heartbeats import forget_lost_workers, record_heartbeat, remove_heartbeat
from observability.models import TimerWindow, WorkerHeartbeat
from observability.timers import Timer, TimerThreads, run_timer, take_window
from tests.observability.work import NOON

pytestmark = pytest.mark.django_db(transaction=True)

MINUTE = timedelta(minutes=1)


class Counter:
    """Periodic work that counts its runs."""

    def __init__(self, *errors: Exception) -> None:
        self.runs: list[datetime] = []
        self.errors = list(errors)
        self.ran = threading.Event()

    def __call__(self, *, now: datetime) -> None:
        self.runs.append(now)
        self.ran.set()
        if self.errors:
            raise self.errors.pop(0)


def test_run_timer_runs_once_in_each_window_whoever_looks() -> None:
    counter = Counter()
    timer = Timer("test.count", 60.0, counter)
    for seconds in (0, 1, 59, 60, 61, 121):
        run_timer(timer, now=NOON + timedelta(seconds=seconds))
    assert [(run - NOON).seconds for run in counter.runs] == [0, 60, 121]


def test_take_window_is_not_held_up_for_hours_by_a_clock_that_was_set_back() -> None:
    timer = Timer("test.count", 60.0, Counter())
    assert take_window(timer=timer, now=NOON + timedelta(hours=5))
    assert take_window(timer=timer, now=NOON)
    assert not take_window(timer=timer, now=NOON + timedelta(seconds=30))


def test_run_timer_bears_work_that_fails_and_tries_again_in_the_next_window() -> None:
    counter = Counter(RuntimeError("ada@example.org is broken"))
    timer = Timer("test.count", 60.0, counter)
    with capture_logs() as lines:
        run_timer(timer, now=NOON)
    run_timer(timer, now=NOON + MINUTE)
    assert len(counter.runs) == 2
    assert [(line["event"], line["error"]) for line in lines] == [("timer_failed", "RuntimeError")]


def test_run_timer_bears_a_database_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(**_arguments: object) -> bool:
        raise OperationalError("gone")

    monkeypatch.setattr("observability.timers.take_window", away)
    counter = Counter()
    run_timer(Timer("test.count", 60.0, counter), now=NOON)
    assert counter.runs == []


def test_run_timer_lets_a_stop_of_the_process_through() -> None:
    def stop(*, now: datetime) -> None:
        raise SystemExit(0)

    with pytest.raises(SystemExit):
        run_timer(Timer("test.stop", 60.0, stop), now=NOON)


def test_run_timer_of_each_process_takes_no_window() -> None:
    counter = Counter()
    run_timer(Timer("test.beat", 60.0, counter, each_process=True), now=NOON)
    run_timer(Timer("test.beat", 60.0, counter, each_process=True), now=NOON)
    assert len(counter.runs) == 2
    assert not TimerWindow.objects.exists()


def test_timer_threads_run_urgent_work_though_a_slow_one_blocks_its_lane() -> None:
    release, urgent = threading.Event(), Counter()

    def slow(*, now: datetime) -> None:
        release.wait(30)

    threads = TimerThreads([Timer("test.slow", 0.1, slow), Timer("test.urgent", 0.1, urgent, urgent=True)])
    threads.start()
    try:
        assert urgent.ran.wait(30)
        urgent.ran.clear()
        assert urgent.ran.wait(30), "and again"
    finally:
        release.set()
        threads.stop()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("timers-")]


def test_heartbeat_is_one_row_that_a_worker_keeps_and_takes_away() -> None:
    now = timezone.now()
    record_heartbeat(name="here", started_at=now, now=now)
    record_heartbeat(name="here", started_at=now, now=now + MINUTE)
    row = WorkerHeartbeat.objects.get()
    assert (row.started_at, row.seen_at) == (now, now + MINUTE)
    remove_heartbeat(name="here", now=now + MINUTE)
    assert not WorkerHeartbeat.objects.exists()


def test_the_last_worker_that_ends_in_order_signs_off_for_the_killed_ones_too() -> None:
    record_heartbeat(name="killed", started_at=NOON, now=NOON - timedelta(hours=2))
    for name in ("first", "last"):
        record_heartbeat(name=name, started_at=NOON, now=NOON)
    remove_heartbeat(name="first", now=NOON)
    assert {row.name for row in WorkerHeartbeat.objects.all()} == {"killed", "last"}
    remove_heartbeat(name="last", now=NOON)
    assert not WorkerHeartbeat.objects.exists()


def test_a_database_that_is_away_is_written_once_in_half_a_minute_for_each_timer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def away(*, now: datetime) -> None:
        raise OperationalError

    monkeypatch.setattr(timers, "_told", {})
    clock = [100.0]
    monkeypatch.setattr("observability.timers.time.monotonic", lambda: clock[0])
    timer = Timer("test.away", 60.0, away, each_process=True)
    with capture_logs() as written:
        for clock[0] in (100.0, 101.0, 129.0, 131.0):
            run_timer(timer, now=NOON)
    assert [line["timer"] for line in written if line["event"] == "timer_failed"] == ["test.away"] * 2


def test_forget_lost_workers_keeps_a_day_of_them() -> None:
    for name, age in (("night", timedelta(hours=20)), ("last week", timedelta(days=7))):
        record_heartbeat(name=name, started_at=NOON - age, now=NOON - age)
    forget_lost_workers(now=NOON)
    assert [row.name for row in WorkerHeartbeat.objects.all()] == ["night"]
