"""How requests went, per minute, over all processes: what error rate and latency are judged by.

Prometheus' counters live in a folder of one machine; these few numbers are shared by all machines through the database.
Each process adds up in memory and writes every few seconds from a thread, so a request pays about a microsecond. A
process that is killed loses what it had not written.
"""

from __future__ import annotations

import os
import threading
import time
from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import Error as DatabaseProblem
from django.db import connection, transaction
from django.db.models import F, Sum

from observability.models import RequestMinute

log = structlog.get_logger(__name__)

# Upper bounds in milliseconds, and the columns that count up to them; the last column is for what took longer.
_BOUNDS = (50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000)
_BUCKETS = (*(f"up_to_{bound}_ms" for bound in _BOUNDS), "longer")
_COLUMNS = ("requests", "server_errors", "unauthorised", *_BUCKETS)
# While the database is away, an hour of minutes waits in memory.
_MOST_MINUTES = 60
_KEPT = timedelta(days=7)


@dataclass(frozen=True)
class RequestSums:
    """Requests of a span of time; `p95_seconds` is None where too few were timed to tell."""

    requests: int
    server_errors: int
    unauthorised: int
    timed: int
    p95_seconds: float | None


class _Minutes:
    """The sums of this process that are not written yet."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[int, Counter[str]] = {}
        self._writer_pid = 0

    def add(self, *columns: str) -> None:
        minute = int(time.time()) // 60
        with self._lock:
            sums = self._open.get(minute)
            if sums is None:
                sums = self._open[minute] = Counter()
            for column in columns:
                sums[column] += 1
        if self._writer_pid != os.getpid():
            self._start_writer()

    def take(self) -> dict[int, Counter[str]]:
        with self._lock:
            taken, self._open = self._open, {}
        return taken

    def put_back(self, sums: dict[int, Counter[str]]) -> None:
        with self._lock:
            for minute, counts in sums.items():
                self._open.setdefault(minute, Counter()).update(counts)
            for old in sorted(self._open)[:-_MOST_MINUTES]:
                del self._open[old]

    def _start_writer(self) -> None:
        """Begin writing in this process: a thread does not survive the fork of a web server's worker."""
        with self._lock:
            if self._writer_pid == os.getpid() or not settings.REQUEST_MINUTES_WRITE_SECONDS:
                return
            self._writer_pid = os.getpid()
        threading.Thread(target=_write_for_ever, name="request-minutes", daemon=True).start()


_minutes = _Minutes()


def note_request(*, status: int, seconds: float, timed: bool) -> None:
    """Count an answered request. `timed`: how long it took says something about this server, not about the client's
    line."""
    columns = ["requests"]
    if status >= 500:
        columns.append("server_errors")
    elif status == 401:
        columns.append("unauthorised")
    if timed:
        columns.append(_BUCKETS[bisect_left(_BOUNDS, seconds * 1000)])
    _minutes.add(*columns)


def note_failed_sign_in() -> None:
    """Count a failed sign-in on a page, whose answer is no 401."""
    _minutes.add("unauthorised")


def write_minutes() -> int:
    """Add this process's sums to the shared rows; return how many minutes that were.

    When the database is away the sums are kept for the next try, and the error is raised.
    """
    taken = _minutes.take()
    written = False
    try:
        with transaction.atomic():
            for minute in sorted(taken):  # in one order in all processes, or two could wait for each other
                _write(minute, taken[minute])
        written = True
    finally:
        if not written:
            _minutes.put_back(taken)
    return len(taken)


def request_sums(*, minutes: int, now: datetime) -> RequestSums:
    """Return what all processes counted in the minute of `now` and the ones before it."""
    last = int(now.timestamp()) // 60
    rows = RequestMinute.objects.filter(minute__gt=last - minutes, minute__lte=last)
    sums = rows.aggregate(**{column: Sum(column, default=0) for column in _COLUMNS})
    buckets = [sums[name] for name in _BUCKETS]
    return RequestSums(
        requests=sums["requests"],
        server_errors=sums["server_errors"],
        unauthorised=sums["unauthorised"],
        timed=sum(buckets),
        p95_seconds=quantile_seconds(buckets, 0.95),
    )


def quantile_seconds(buckets: list[int], share: float) -> float | None:
    """Return the quantile, spread evenly within its bucket as Prometheus does; the open bucket counts as its lower
    bound. None without requests."""
    rank, seen = share * sum(buckets), 0.0
    if not rank:
        return None
    for number, count in enumerate(buckets):
        if seen + count >= rank:
            low = _BOUNDS[number - 1] if number else 0
            high = _BOUNDS[number] if number < len(_BOUNDS) else low
            return (low + (high - low) * (rank - seen) / count) / 1000
        seen += count
    return _BOUNDS[-1] / 1000


def purge_old_minutes(*, now: datetime) -> int:
    """Delete minutes of more than a week ago; return how many (a timer calls this)."""
    deleted, _ = RequestMinute.objects.filter(minute__lt=int((now - _KEPT).timestamp()) // 60).delete()
    return int(deleted)


def _write(minute: int, sums: Counter[str]) -> None:
    RequestMinute.objects.bulk_create([RequestMinute(minute=minute)], ignore_conflicts=True)
    RequestMinute.objects.filter(minute=minute).update(**{name: F(name) + number for name, number in sums.items()})


def _write_for_ever() -> None:
    while True:
        time.sleep(settings.REQUEST_MINUTES_WRITE_SECONDS)
        try:
            write_minutes()
        except DatabaseProblem as problem:
            log.warning("request_minutes_not_written", error=type(problem).__name__)
        connection.close()  # it writes too seldom to hold one
