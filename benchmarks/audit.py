"""Sealed audit events a second and their verification: `python -m benchmarks.audit [--writers 50] [--seconds 10]`.

Builds a scratch database beside the one that DATABASE_URL names (PostgreSQL; with SQLite, where events are sealed as
they are written, one writer is measured). Writers, each a connection of its own, commit one event at a time on one
tenant; the sealer runs beside them as in the worker. Twice: `recorded`, by this program, whose peer is the same writers
inserting one plain row a commit, both as fast as Python can on the very cores that the database needs; and `replayed`,
where as many `psql` send what this program has prepared for other events, as if the web servers were other machines,
each pausing for `--pause` milliseconds between two. Then `verify_audit` reads a trail of `--events`, analysed as
autovacuum leaves it; its peer is reading the same rows without hashing any. Prints one JSON line. The lag of an event
is counted from before its commit to the end of the sealer's turn.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from benchmarks.environment import prepare_environment

_PROCESSES = 5
_BATCH = 2_000
# When all writers have started, as web servers have: fifty connections made at once are another measurement.
_READY_AFTER = 8.0
_CONNECTED_AFTER = 3.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--writers", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--replay", type=int, default=60_000, help="events that are replayed")
    parser.add_argument("--pause", type=float, default=18.0, help="milliseconds between two of a replaying writer")
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--write", nargs=4, metavar=("WHAT", "TENANT", "THREADS", "START"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.write:
        _set_up()
        what, tenant, threads, start = options.write
        time.sleep(float(start) - time.time())  # all at once; raises ValueError in a process that was not ready
        print(_write(what, UUID(tenant), int(threads), options.seconds))
        return
    with tempfile.TemporaryDirectory() as folder:
        prepare_environment(folder)
        _set_up()
        from django.db import connection  # noqa: PLC0415

        connection.creation.create_test_db(verbosity=0, serialize=False)
        try:
            print(json.dumps(_measured(options)))
        finally:
            connection.creation.destroy_test_db(connection.settings_dict["NAME"], verbosity=0)


def _set_up() -> None:
    import django  # noqa: PLC0415  # the settings read the prepared environment

    django.setup()
    logging.disable(logging.WARNING)  # a line per round would bury the one line that this prints


def _measured(options: argparse.Namespace) -> dict[str, object]:
    from django.db import connection  # noqa: PLC0415

    from tenancy.models import Tenant  # noqa: PLC0415

    tenant = Tenant.objects.create(slug="bench", name="Bench")
    postgresql = connection.vendor == "postgresql"
    writers, seconds = options.writers if postgresql else 1, options.seconds
    pause = options.pause / 1000
    plain = _writers("plain", tenant.id, writers, seconds)
    recorded = _sealed(tenant, lambda: (_writers("events", tenant.id, writers, seconds), seconds))
    return {
        "benchmark": "audit",
        "engine": connection.vendor,
        "load_average": round(os.getloadavg()[0], 1),
        "writers": writers,
        "plain_rows_per_second": round(plain / seconds),
        "recorded": recorded,
        "recorded_of_plain": round(recorded["sealed_per_second"] / (plain / seconds), 2),
        "replayed": _sealed(tenant, lambda: _replayed(tenant.id, writers, options.replay, pause))
        if postgresql
        else None,
        **_verification(tenant, options.events, options.repeats),
    }


def _sealed(tenant: Any, write: Callable[[], tuple[int, float]]) -> dict[str, float]:
    """Seal beside the writing until nothing waits; `write` returns how many events it committed in how many seconds."""
    from observability.timers import Timer, TimerThreads  # noqa: PLC0415
    from tenancy.audit_verification import verify_audit  # noqa: PLC0415
    from tenancy.trail.sealing import SEAL_SECONDS  # noqa: PLC0415

    before = verify_audit(tenant).events
    lags: list[float] = []
    worker = TimerThreads([Timer("seal_audit", SEAL_SECONDS, partial(_seal, lags), each_process=True, alone=True)])
    worker.start()
    written, seconds = write()
    waiting = time.monotonic()
    while _waiting():
        time.sleep(0.05)
    seconds += time.monotonic() - waiting
    worker.stop()
    report = verify_audit(tenant)
    assert report.ok and (report.events, report.awaiting_seal) == (before + written, 0), report
    return {
        "sealed_per_second": round(written / seconds),
        "seal_lag_median_seconds": round(statistics.median(lags), 3) if lags else 0.0,
        "seal_lag_worst_seconds": round(max(lags), 3) if lags else 0.0,
    }


def _replayed(tenant_id: UUID, writers: int, events: int, pause: float) -> tuple[int, float]:
    """Prepare the messages, then send them from as many `psql` as there are writers, an event a commit."""
    from django.db import connection  # noqa: PLC0415

    messages = _messages(tenant_id, events)
    command = ["psql", "-qX", "-v", "ON_ERROR_STOP=1", "-o", os.devnull, _url(connection.settings_dict), "-f"]
    with tempfile.TemporaryDirectory() as folder:
        scripts = [Path(folder, str(number)) for number in range(writers)]
        for number, script in enumerate(scripts):
            lines = (
                f"BEGIN;\n{message}\nCOMMIT;\nSELECT pg_sleep({pause});\n" for message in messages[number::writers]
            )
            start = f"SELECT pg_sleep({time.time() + _CONNECTED_AFTER} - extract(epoch FROM clock_timestamp()));\n"
            script.write_text(start + "".join(lines))
        started = time.monotonic() + _CONNECTED_AFTER
        running = [subprocess.Popen([*command, script]) for script in scripts]
        codes = {process.wait() for process in running}
        took = time.monotonic() - started
    assert codes == {0}, codes
    return events, took


def _messages(tenant_id: UUID, events: int) -> list[str]:
    """Return what this program would send for so many events, sending none; each is marked with the time it arrives."""
    from django.db import connection, transaction  # noqa: PLC0415

    from tenancy.scope import tenant_scope  # noqa: PLC0415

    messages: list[str] = []
    scope = f"SET LOCAL ROLE NONE\\;SET LOCAL app.tenant_id = '{tenant_id}'\\;"
    with tenant_scope(tenant_id), transaction.atomic(), connection.cursor() as cursor:

        def keep(_execute: object, sql: str, values: list[object], *_others: object) -> None:
            head = sql.rpartition("%s")[0]
            messages.append(scope + cursor.cursor.mogrify(head, values[:-1]) + "clock_timestamp());")

        with connection.execute_wrapper(keep):
            for number in range(events):
                _record(tenant_id, number)
    return messages


def _seal(lags: list[float], *, now: datetime) -> None:
    """A turn of the worker's sealer, timed."""
    from django.db.models import Min  # noqa: PLC0415
    from django.utils import timezone  # noqa: PLC0415

    from tenancy.models import AuditUnsealed  # noqa: PLC0415
    from tenancy.trail.sealing import seal_events  # noqa: PLC0415

    oldest = AuditUnsealed.objects.aggregate(at=Min("written_at"))["at"]
    if seal_events(now=now):
        lags.append((timezone.now() - oldest).total_seconds())


def _waiting() -> bool:
    from tenancy.models import AuditUnsealed  # noqa: PLC0415

    return AuditUnsealed.objects.exists()


def _writers(what: str, tenant_id: UUID, writers: int, seconds: float) -> int:
    """Run the writers in a few processes, as web servers do; return how many rows they committed."""
    from django.db import connection  # noqa: PLC0415

    settings = connection.settings_dict
    url = _url(settings) if connection.vendor == "postgresql" else f"sqlite:///{settings['NAME']}"
    count = min(_PROCESSES, writers)
    shares = [writers // count + (number < writers % count) for number in range(count)]
    running = [
        subprocess.Popen(  # this very module
            [
                *(sys.executable, "-m", "benchmarks.audit", "--seconds", str(seconds)),
                *("--write", what, str(tenant_id), str(share), str(time.time() + _READY_AFTER)),
            ],
            env={**os.environ, "DATABASE_URL": url},
            stdout=subprocess.PIPE,
            text=True,
        )
        for share in shares
    ]
    return sum(int(process.communicate()[0].split()[-1]) for process in running)


def _url(settings: dict[str, Any]) -> str:
    login = f"{settings['USER']}:{settings['PASSWORD']}"
    return f"postgres://{login}@{settings['HOST']}:{settings['PORT']}/{settings['NAME']}"


def _write(what: str, tenant_id: UUID, threads: int, seconds: float) -> int:
    counts = [0] * threads
    work = [threading.Thread(target=_write_on, args=(what, tenant_id, counts, at, seconds)) for at in range(threads)]
    for thread in work:
        thread.start()
    for thread in work:
        thread.join()
    return sum(counts)


def _write_on(what: str, tenant_id: UUID, counts: list[int], at: int, seconds: float) -> None:
    from django.db import connection, transaction  # noqa: PLC0415
    from django.utils import timezone  # noqa: PLC0415

    from observability.models import TimerWindow  # noqa: PLC0415
    from tenancy.scope import tenant_scope  # noqa: PLC0415

    end = time.monotonic() + seconds
    with tenant_scope(tenant_id):
        while time.monotonic() < end:
            with transaction.atomic():
                if what == "events":
                    _record(tenant_id, counts[at])
                else:
                    TimerWindow.objects.create(name=f"{os.getpid()}-{at}-{counts[at]}", next_run_at=timezone.now())
            counts[at] += 1
    connection.close()


def _record(tenant_id: UUID, number: int) -> None:
    from django.utils import timezone  # noqa: PLC0415

    from tenancy.audit import TenancyAction, record_event  # noqa: PLC0415
    from tenancy.choices import ActorType  # noqa: PLC0415
    from tenancy.principals import Principal  # noqa: PLC0415

    record_event(
        action=TenancyAction.TENANT_CHANGED,
        actor=Principal(ActorType.SYSTEM, "bench", "Benchmark", tenant_id, None, frozenset()),
        object_type="claim",
        object_id=str(tenant_id),
        now=timezone.now(),
        before={"status": "AWAITING_REVIEW"},
        after={"status": "APPROVED", "number": number, "overrides": {"severity": {"ai": "MEDIUM", "human": "LOW"}}},
        reason="Rear-end impact at walking speed, the other car rolled back.",
    )


def _verification(tenant: Any, events: int, repeats: int) -> dict[str, float]:
    from tenancy.audit_verification import verify_audit  # noqa: PLC0415
    from tenancy.scope import tenant_scope  # noqa: PLC0415
    from tenancy.trail.walk import rows_up_to  # noqa: PLC0415

    with tenant_scope(tenant.id):
        total = _filled(tenant.id, events)
    _analyse()
    seconds, reading, processor = [], [], []
    for _ in range(repeats):
        started = time.perf_counter()
        with tenant_scope(tenant.id):
            assert sum(1 for _ in rows_up_to(total)) == total
        reading.append(time.perf_counter() - started)
        started, spent = time.perf_counter(), time.process_time()
        report = verify_audit(tenant)
        seconds.append(time.perf_counter() - started)
        processor.append(time.process_time() - spent)
        assert report.ok and report.events == total, report
    return {
        "verified_events": total,
        "verified_per_second": round(total / statistics.median(seconds)),
        "verified_per_processor_second": round(total / statistics.median(processor)),
        "of_reading_alone": round(statistics.median(reading) / statistics.median(seconds), 2),
    }


def _analyse() -> None:
    from django.db import connection  # noqa: PLC0415

    tables = ("tenancy_auditevent", "tenancy_auditplace", "tenancy_auditunsealed")
    with connection.cursor() as cursor:
        for table in tables if connection.vendor == "postgresql" else ():
            cursor.execute(f"VACUUM ANALYZE {table}")


def _filled(tenant_id: UUID, events: int) -> int:
    """Record events, many a commit, until there are so many; return how many there are."""
    from django.db import transaction  # noqa: PLC0415
    from django.utils import timezone  # noqa: PLC0415

    from tenancy.models import AuditEvent  # noqa: PLC0415
    from tenancy.trail.sealing import seal_events  # noqa: PLC0415

    there = AuditEvent.objects.count()
    for start in range(there, events, _BATCH):
        with transaction.atomic():
            for number in range(start, min(start + _BATCH, events)):
                _record(tenant_id, number)
        seal_events(now=timezone.now())
    return max(there, events)


if __name__ == "__main__":
    main()
