"""While no worker lives, the web server does what must not wait for one: it looks for trouble and tells people.

Readiness probes set the pace, because a web process has no clock of its own. A round looks at the alerts, escalates
incidents and tells the channels; it leaves every other job to the worker that comes back.
"""

from __future__ import annotations

import threading
import time
from datetime import datetime

import structlog
from django.conf import settings
from django.db import Error as DatabaseProblem
from django.db import connection
from django.utils import timezone

import observability.tasks  # noqa: F401  # registers the timers that are run here
from observability.alerts.telling import TELL_JOB
from observability.choices import JobState
from observability.heartbeats import living_workers
from observability.models import Job
from observability.running import run_job
from observability.timers import registered_timers, run_timer

log = structlog.get_logger(__name__)

STOOD_IN_FOR = ("alerts.sweep", "escalate_incidents")
# Components as readiness names them.
NEEDED_TO_STAND_IN = frozenset({"database", "migrations"})
# A channel that hangs takes ten seconds; the next round goes on with the rest.
_MOST_TOLD = 20


class _Pace:
    """Lets one round at a time begin in this process, and looks for workers once per sweep's time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._next_look = 0.0

    def may_begin(self) -> bool:
        wanted = settings.STAND_IN_FOR_WORKERS and time.monotonic() >= self._next_look
        if not wanted or not self._lock.acquire(blocking=False):
            return False
        self._next_look = time.monotonic() + settings.ALERT_SWEEP_SECONDS
        return True

    def ended(self) -> None:
        self._lock.release()


_pace = _Pace()


def stand_in_for_workers(*, now: datetime) -> threading.Thread | None:
    """Begin a round in a thread and return it, if no worker lives and none began lately; the caller does not wait.

    Costs a query per sweep's time and process while workers live. A database that is away begins nothing.
    """
    if not _pace.may_begin():
        return None
    began = None
    try:
        if not living_workers(now=now).exists():
            began = threading.Thread(target=_round_and_end, name="standing-in", daemon=True)
            began.start()
    except DatabaseProblem as problem:
        log.warning("standing_in_impossible", error=type(problem).__name__)
    finally:
        if began is None:
            _pace.ended()
    return began


def _round_and_end() -> None:
    try:
        stand_in_round(now=timezone.now())
    except DatabaseProblem as problem:
        log.warning("standing_in_failed", error=type(problem).__name__)
    finally:
        connection.close()
        _pace.ended()


def stand_in_round(*, now: datetime) -> int:
    """Sweep, escalate, and tell what waits to be told; return how many jobs were run.

    The timers' windows keep several web processes, and a worker that comes back meanwhile, from doing it twice; jobs
    are taken by their leases.
    """
    for timer in registered_timers():
        if timer.name in STOOD_IN_FOR:
            run_timer(timer, now=now)
    due = Job.objects.filter(kind=TELL_JOB, state=JobState.PENDING, run_after__lte=timezone.now())
    waiting = list(due.order_by("run_after").values_list("id", flat=True)[:_MOST_TOLD])
    for job_id in waiting:
        run_job(job_id)
    return len(waiting)
