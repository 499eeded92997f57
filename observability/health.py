"""The component checks behind readiness and the detailed report."""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path

from django.conf import settings
from django.db import Error as DatabaseProblem
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from observability.broker import broker_problem
from observability.probes import Check, Finding, Prober, look_at

_STARTED = time.monotonic()
# Below this the next upload of the largest allowed size may not fit.
_LEAST_FREE_BYTES = 256 * 1024 * 1024


def uptime_seconds() -> int:
    return int(time.monotonic() - _STARTED)


def readiness() -> list[Finding]:
    """Return what the checks found that decide whether this process can serve."""
    return look_at(_READINESS)


def database_problem() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseProblem as error:
        return type(error).__name__
    return ""


_migrated: set[str] = set()


def migrations_problem() -> str:
    """Return how many migrations wait; once none does, this code's schema cannot become older while it runs."""
    name = str(connection.settings_dict["NAME"])
    if name in _migrated:
        return ""
    try:
        executor = MigrationExecutor(connection)
        waiting = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    except DatabaseProblem as error:
        return type(error).__name__
    if waiting:
        return f"{waiting} migrations wait (manage.py migrate)"
    _migrated.add(name)
    return ""


def storage_problem() -> str:
    """Return why no upload can be stored: a full disk and a read-only one are seen only by writing."""
    folder = Path(settings.MEDIA_ROOT)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".probe-") as file:
            file.write(b"x")
            file.flush()
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return error.strerror or type(error).__name__
    return "" if free >= _LEAST_FREE_BYTES else "disk_nearly_full"


_READINESS = (
    Prober(Check("database", database_problem)),
    Prober(Check("migrations", migrations_problem, timeout_seconds=2.0)),
    Prober(Check("storage", storage_problem)),
    # Uploads and reviews work without the broker: the job rows wait and the sweeper catches up. Taking the web
    # processes out of service for it would turn a delay into an outage.
    Prober(Check("broker", broker_problem, timeout_seconds=2.5, required=False)),
)
