"""Sealed audit events a second and their verification: `python -m benchmarks.audit [--writers 50] [--seconds 10]`.

Builds a scratch database beside the one that DATABASE_URL names (PostgreSQL; with SQLite, where events are sealed as
they are written, one writer is measured). Writers, each a connection of its own, record one event a commit on one
tenant; the sealer runs beside them as in the worker. The peer of the same run is the same writers inserting one plain
row a commit. Then `verify_audit` reads a trail of `--events`; its peer is reading the same rows without hashing any.
Prints one JSON line. The lag of an event is counted from its time, before its commit, to the end of the sealer's turn.
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
from typing import Any
from uuid import UUID

from benchmarks.environment import prepare_environment

_PROCESSES = 5
_BATCH = 2_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--writers", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--write", nargs=3, metavar=("WHAT", "TENANT", "THREADS"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.write:
        _set_up()
        print(_write(options.write[0], UUID(options.write[1]), int(options.write[2]), options.seconds))
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
    writers = options.writers if connection.vendor == "postgresql" else 1
    plain = _writers("plain", tenant.id, writers, options.seconds)
    sealed = _sealed(tenant, writers, options.seconds)
    return {
        "benchmark": "audit",
        "engine": connection.vendor,
        "load_average": round(os.getloadavg()[0], 1),
        "writers": writers,
        "plain_rows_per_second": round(plain / options.seconds),
        **sealed,
        "of_plain": round(float(sealed["sealed_per_second"]) / (plain / options.seconds), 2),
        **_verification(tenant, options.events, options.repeats),
    }


def _sealed(tenant: Any, writers: int, seconds: float) -> dict[str, float]:
    from tenancy.audit_verification import verify_audit  # noqa: PLC0415

    lags: list[float] = []
    stop = threading.Event()
    sealer = threading.Thread(target=_seal, args=(stop, lags))
    sealer.start()
    started = time.monotonic()
    written = _writers("events", tenant.id, writers, seconds)
    took = time.monotonic() - started
    stop.set()
    sealer.join()
    report = verify_audit(tenant)
    assert report.ok and (report.events, report.awaiting_seal) == (written, 0), report
    return {
        "sealed_per_second": round(written / seconds),
        "seal_lag_median_seconds": round(statistics.median(lags), 3) if lags else 0.0,
        "seal_lag_worst_seconds": round(max(lags), 3) if lags else 0.0,
        "with_start_of_processes_seconds": round(took, 1),
    }


def _seal(stop: threading.Event, lags: list[float]) -> None:
    """The worker's loop; the last turns run after the writers have ended."""
    from django.db import connection  # noqa: PLC0415
    from django.db.models import Min  # noqa: PLC0415
    from django.utils import timezone  # noqa: PLC0415

    from tenancy.models import AuditUnsealed  # noqa: PLC0415
    from tenancy.trail.sealing import SEAL_SECONDS, seal_events  # noqa: PLC0415

    while not stop.wait(SEAL_SECONDS) or AuditUnsealed.objects.exists():
        oldest = AuditUnsealed.objects.aggregate(at=Min("written_at"))["at"]
        if seal_events(now=timezone.now()):
            lags.append((timezone.now() - oldest).total_seconds())
    connection.close()


def _writers(what: str, tenant_id: UUID, writers: int, seconds: float) -> int:
    """Run the writers in a few processes, as web servers do; return how many rows they committed."""
    from django.db import connection  # noqa: PLC0415

    settings = connection.settings_dict
    url = f"sqlite:///{settings['NAME']}"
    if connection.vendor == "postgresql":
        login = f"{settings['USER']}:{settings['PASSWORD']}"
        url = f"postgres://{login}@{settings['HOST']}:{settings['PORT']}/{settings['NAME']}"
    count = min(_PROCESSES, writers)
    shares = [writers // count + (number < writers % count) for number in range(count)]
    running = [
        subprocess.Popen(  # this very module
            [
                *(sys.executable, "-m", "benchmarks.audit", "--seconds", str(seconds)),
                *("--write", what, str(tenant_id), str(share)),
            ],
            env={**os.environ, "DATABASE_URL": url},
            stdout=subprocess.PIPE,
            text=True,
        )
        for share in shares
    ]
    return sum(int(process.communicate()[0].split()[-1]) for process in running)


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
