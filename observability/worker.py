"""The worker: a supervisor that runs Celery as its child, and the timers beside it.

The timers need threads and database connections; a process that holds those must not fork, and Celery's main process
forks a pool child whenever one is recycled or killed. So they live in two processes. The supervisor restarts a Celery
that dies, both end together, and a SIGKILL of the whole group loses nothing: the leases lapse and the sweeper of the
next worker takes over.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from django.conf import settings
from django.db import Error as DatabaseProblem
from django.utils import timezone

from observability import heartbeats, sweeping
from observability.celery_hooks import LIFELINE_VARIABLE, STATUS_VARIABLE
from observability.guarding import watch_dependencies
from observability.job_retention import purge_done_jobs
from observability.managers import WATCH_SECONDS
from observability.timers import Timer, TimerThreads, registered_timers

log = structlog.get_logger(__name__)

_TICK_SECONDS = 0.25
# A job in hand gets this long to end by itself; then it is handed back without counting the attempt. Container
# platforms send SIGKILL ten seconds after SIGTERM (Docker's default; Kubernetes waits thirty).
_GRACE_SECONDS = 5.0
_COLD_SECONDS = 2.0
_FIRST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 30.0
# A Celery that ran this long was well: the next failure starts from the first pause again.
_WELL_SECONDS = 60.0


@dataclass(frozen=True)
class WorkerOptions:
    """How to run Celery. `celery_app` is the module path of the application, `pool` is ``prefork`` or ``solo``."""

    celery_app: str
    concurrency: int
    pool: str = "prefork"
    ends_with_parent: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)


class Supervisor:
    """Runs until told to stop; `run` returns the exit code."""

    def __init__(self, options: WorkerOptions, *, tell_ready: Callable[[], None]) -> None:
        self._options = options
        self._tell_ready = tell_ready
        self._stopping = False
        self._parent = os.getppid()
        self._started_at = timezone.now()
        self._consuming = False
        self.name = f"{socket.gethostname()}-{os.getpid()}"

    def run(self) -> int:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask_to_stop)
        timers = TimerThreads([*registered_timers(), *self._own_timers()])
        pause = _FIRST_PAUSE_SECONDS
        timers.start()
        try:
            while not self._stopping:
                started = time.monotonic()
                child = _CeleryChild(self._options)
                if not self._outlived(child):
                    child.stop()
                    break
                log.error("celery_ended", exit_code=child.exit_code, restarts_in_seconds=pause)
                self._wait(pause)
                well = time.monotonic() - started > _WELL_SECONDS
                pause = _FIRST_PAUSE_SECONDS if well else min(_LONGEST_PAUSE_SECONDS, pause * 2)
        finally:
            timers.stop()
            self._sign_off()
        return 0

    def _sign_off(self) -> None:
        try:
            heartbeats.remove_heartbeat(name=self.name, now=timezone.now())
        except DatabaseProblem as error:
            # The row then tells the truth by itself: not seen any more.
            log.warning("sign_off_failed", error=type(error).__name__)

    def _show_up(self) -> None:
        """Beat at once: a fresh worker must not be missing from health until the next beat is due."""
        try:
            self._beat(now=timezone.now())
        except DatabaseProblem as error:
            log.warning("first_beat_failed", error=type(error).__name__)

    def _own_timers(self) -> list[Timer]:
        sweep = float(settings.JOB_SWEEP_SECONDS)
        return [
            Timer("worker_heartbeat", heartbeats.BEAT_SECONDS, self._beat, urgent=True, each_process=True),
            Timer("wake_workers", sweep, sweeping.wake_workers, urgent=True),
            Timer("bury_spent_jobs", 2 * sweep, sweeping.bury_spent_jobs),
            Timer("watch_dependencies", WATCH_SECONDS, watch_dependencies),
            Timer("forget_lost_workers", 3600.0, heartbeats.forget_lost_workers),
            Timer("purge_done_jobs", 3600.0, purge_done_jobs),
        ]

    def _beat(self, *, now: datetime) -> None:
        if self._consuming:
            heartbeats.record_heartbeat(name=self.name, started_at=self._started_at, now=now)

    def _outlived(self, child: _CeleryChild) -> bool:
        """Wait; True when Celery ended by itself, False when this process was told to stop."""
        while not self._stopping and child.exit_code is None:
            if child.became_ready(_TICK_SECONDS):
                self._consuming = True
                self._show_up()
                self._tell_ready()
            if self._options.ends_with_parent and os.getppid() != self._parent:
                log.warning("parent_gone")
                self._stopping = True
        self._consuming = False
        return not self._stopping

    def _wait(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while not self._stopping and time.monotonic() < end:
            time.sleep(_TICK_SECONDS)

    def _ask_to_stop(self, _number: int, _frame: object) -> None:
        self._stopping = True


class _CeleryChild:
    """One run of Celery as a child process, tied to this one by a pipe whose end of file tells it that we are gone."""

    def __init__(self, options: WorkerOptions) -> None:
        lifeline, self._lifeline = os.pipe()
        self._status, status = os.pipe()
        environment = {
            **os.environ,
            **options.environment,
            LIFELINE_VARIABLE: str(lifeline),
            STATUS_VARIABLE: str(status),
            "CELERY_SKIP_CHECKS": "1",  # they load every page and view, which no job needs
        }
        self._process = subprocess.Popen(  # noqa: S603  # this project's own process, no outside words
            _celery_command(options), env=environment, pass_fds=(lifeline, status), stdin=subprocess.DEVNULL
        )
        os.close(lifeline)
        os.close(status)
        self._ready = False

    @property
    def exit_code(self) -> int | None:
        return self._process.poll()

    def became_ready(self, patience_seconds: float) -> bool:
        """Wait a little; True once, when Celery says that it consumes messages."""
        if self._ready:
            time.sleep(patience_seconds)
            return False
        readable, _, _ = select.select([self._status], [], [], patience_seconds)
        if readable and os.read(self._status, 1):
            self._ready = True
            return True
        if readable:  # end of file: it died, `exit_code` tells soon
            time.sleep(patience_seconds)
        return False

    def stop(self) -> None:
        """End Celery: let jobs end by themselves for a while, then hand them back, then kill."""
        steps = ((signal.SIGTERM, _GRACE_SECONDS), (signal.SIGQUIT, _COLD_SECONDS), (signal.SIGKILL, _COLD_SECONDS))
        for number, patience in steps:
            if self._process.poll() is None:
                self._process.send_signal(number)
                self._wait(patience)
        os.close(self._lifeline)
        os.close(self._status)

    def _wait(self, seconds: float) -> None:
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            log.warning("celery_does_not_end", seconds=seconds)


def _celery_command(options: WorkerOptions) -> list[str]:
    return [
        sys.executable, "-m", "celery", "--app", options.celery_app, "--quiet", "worker",
        "--pool", options.pool, "--concurrency", str(options.concurrency), "--loglevel", "INFO",
        # Their chatter goes over the broker, as files where it is the filesystem; heartbeat rows replace it.
        "--without-gossip", "--without-mingle", "--without-heartbeat",
    ]  # fmt: skip


def default_concurrency() -> int:
    """Return how many jobs run at once by default: decoding video is work for the processor, more would only queue."""
    return max(1, min(4, os.cpu_count() or 1))
