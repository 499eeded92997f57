"""Windows in the database, for an installation without Redis: one row a window, decided under its lock."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from django.db import connection, transaction

from observability.errors import Unavailable
from tenancy.models import RateWindow
from tenancy.ratelimits.window import MICROSECONDS, Answer, Ask, decide, packed, unpacked

# A new window is inserted and read again; the sweeper can take it away between the two, hardly twice.
_TRIES = 4


class DatabaseWindows:
    """Grants or refuses under row locks: `SELECT … FOR UPDATE` on PostgreSQL, the immediate transaction on SQLite."""

    def take(self, asks: Sequence[Ask]) -> Answer:
        """Grant one request of every window, or of none."""
        for _ in range(_TRIES):
            answer = self._decided(asks)
            if answer is not None:
                return answer
            new = [RateWindow(key=ask.key, marks=b"", idle_at=datetime.now(UTC)) for ask in asks]
            RateWindow.objects.bulk_create(sorted(new, key=lambda row: row.key), ignore_conflicts=True)
        raise Unavailable

    @transaction.atomic
    def _decided(self, asks: Sequence[Ask]) -> Answer | None:
        # Locked in one order by everybody, so that two requests never hold what the other one needs.
        rows = RateWindow.objects.select_for_update().filter(key__in=[ask.key for ask in asks]).order_by("key")
        held = {row.key: row for row in rows}
        if len(held) < len(asks):
            return None
        now = _clock()
        kept, standings = decide(asks, [unpacked(bytes(held[ask.key].marks)) for ask in asks], now=now)
        if kept is None:
            return Answer(granted=False, at_microseconds=now, standings=standings)
        for ask, marks in zip(asks, kept, strict=True):
            row = held[ask.key]
            row.marks = packed(marks)
            row.idle_at = datetime.fromtimestamp(now / MICROSECONDS, UTC) + timedelta(seconds=ask.rate.seconds)
        # One statement for all of them; the rows are there and ours.
        RateWindow.objects.bulk_create(
            held.values(), update_conflicts=True, unique_fields=["key"], update_fields=["marks", "idle_at"]
        )
        return Answer(granted=True, at_microseconds=now, standings=standings)


def purge_idle_windows(*, now: datetime) -> int:
    """Delete windows that hold nothing any more; return how many (a timer calls this)."""
    deleted, _ = RateWindow.objects.filter(idle_at__lt=now - timedelta(minutes=5)).delete()
    return int(deleted)


def _clock() -> int:
    """Return the time of the one clock that all processes share, read under the lock."""
    if connection.vendor != "postgresql":
        return time.time_ns() // 1000
    with connection.cursor() as cursor:
        # Not worth a flush to the disk: a server that crashes forgets the last half second of requests.
        cursor.execute(
            "SELECT set_config('synchronous_commit', 'off', true), "
            "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
        )
        row = cursor.fetchone()
    assert row is not None
    return int(row[1])
