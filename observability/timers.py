"""Periodic work in the worker's main process, each function in one process at a time by a window in the database."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import TracebackType
from typing import Protocol

import structlog
from django.db import Error as DatabaseProblem
from django.db import close_old_connections, connection
from django.db.models import Q
from django.utils import timezone

from observability import metrics
from observability.models import TimerWindow

log = structlog.get_logger(__name__)

# The lanes look for due work this often; only a timer with a thread of its own may be finer.
_TICK_SECONDS = 0.25
_TOLD_AGAIN_SECONDS = 30.0


class TimedFunction(Protocol):
    """Periodic work; it is safe to run twice."""

    def __call__(self, *, now: datetime) -> object: ...


@dataclass(frozen=True)
class Timer:
    """A function that runs every so often.

    `urgent` ones (waking workers) run in a lane that slow ones cannot block. `each_process` ones take no window.
    `alone` ones have a thread of their own in every process, and take no window either.
    """

    name: str
    every_seconds: float
    function: TimedFunction
    urgent: bool = False
    each_process: bool = False
    alone: bool = False

    @property
    def lane(self) -> str:
        return self.name if self.alone else "urgent" if self.urgent else "house"


_timers: dict[str, Timer] = {}


def register_timer(
    name: str, every_seconds: float, function: TimedFunction, *, urgent: bool = False, alone: bool = False
) -> None:
    """Have the worker call `function(now=…)` every so many seconds; called once at import of the owner's `tasks`.

    What the function raises is logged, counted and tried again at the next window.
    """
    _timers[name] = Timer(name, every_seconds, function, urgent, each_process=alone, alone=alone)
    metrics.begin_at_zero(metrics.TIMER_RUNS, [name], metrics.TIMER_OUTCOMES)


def registered_timers() -> tuple[Timer, ...]:
    return tuple(_timers.values())


def take_window(*, timer: Timer, now: datetime) -> bool:
    """Whether this process runs the timer now: one conditional update moves the next run into the future.

    A next run further away than one interval comes from a clock that was set back, and counts as due.
    """
    after = now + timedelta(seconds=timer.every_seconds)
    due = Q(next_run_at__lte=now) | Q(next_run_at__gt=after)
    window = TimerWindow.objects.filter(name=timer.name)
    found = window.values_list("next_run_at", flat=True).first()
    if found is None:
        made = TimerWindow(name=timer.name, next_run_at=now)
        TimerWindow.objects.bulk_create([made], ignore_conflicts=True)
    elif now < found <= after:
        return False  # the usual case costs a read, no write lock
    return bool(window.filter(due).update(next_run_at=after))


class TimerThreads:
    """Lanes of timers, a thread each; started by the worker's main process, which forks nothing afterwards."""

    def __init__(self, timers: Iterable[Timer]) -> None:
        lanes: dict[str, list[Timer]] = {}
        for timer in timers:
            lanes.setdefault(timer.lane, []).append(timer)
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._run_lane, args=(lane,), name=f"timers-{name}", daemon=True)
            for name, lane in lanes.items()
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self, *, patience_seconds: float = 5.0) -> None:
        """Ask the lanes to end and wait for the function that may be running."""
        self._stop.set()
        for thread in self._threads:
            thread.join(patience_seconds)

    def _run_lane(self, lane: list[Timer]) -> None:
        next_looks = {timer.name: 0.0 for timer in lane}
        tick = pause = min(_TICK_SECONDS, *(timer.every_seconds for timer in lane))
        try:
            while not self._stop.wait(pause):
                began = time.monotonic()
                for timer in lane:
                    if began + tick / 10 >= next_looks[timer.name] and not self._stop.is_set():
                        next_looks[timer.name] = began + _look_seconds(timer)
                        run_timer(timer, now=timezone.now())
                # Ticks from start to start: what takes long is behind, and is not given a rest on top.
                pause = max(tick - (time.monotonic() - began), tick / 10)
        finally:
            connection.close()


def run_timer(timer: Timer, *, now: datetime) -> None:
    """Run the timer if its window is free; whatever it raises ends in the log, not the thread."""
    close_old_connections()
    with _Run(timer) as run:
        if timer.each_process or take_window(timer=timer, now=now):
            run.taken = True
            timer.function(now=now)
    close_old_connections()


def _look_seconds(timer: Timer) -> float:
    if timer.each_process:
        return timer.every_seconds
    # Whoever ran it last may be gone by the next window: look a few times an interval, at most every 15 s.
    return min(15.0, max(_TICK_SECONDS, timer.every_seconds / 4))


# Of each timer: when it was last written that the database is away (monotonic).
_told: dict[str, float] = {}


def _is_news(timer: str) -> bool:
    """Whether to write once more that a timer met a database that is away: all of them see it every second."""
    now = time.monotonic()
    if now - _told.get(timer, -_TOLD_AGAIN_SECONDS) < _TOLD_AGAIN_SECONDS:
        return False
    _told[timer] = now
    return True


class _Run:
    """The edge of the timer thread: nothing may end it, nothing may pass in silence."""

    def __init__(self, timer: Timer) -> None:
        self._timer = timer
        self.taken = False

    def __enter__(self) -> _Run:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if error is not None and not isinstance(error, Exception):
            return False
        if error is not None:
            if not isinstance(error, DatabaseProblem):
                log.error("timer_failed", timer=self._timer.name, error=type(error).__name__, exc_info=error)
            elif _is_news(self._timer.name):
                log.error("timer_failed", timer=self._timer.name, error=type(error).__name__)
            connection.close()
        if self.taken or error is not None:
            outcome = "failed" if error is not None else "ok"
            metrics.TIMER_RUNS.labels(timer=self._timer.name, outcome=outcome).inc()
        return True
