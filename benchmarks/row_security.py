"""What row-level security costs on the queue page: `DATABASE_URL=postgres://… python -m benchmarks.row_security`.

The same page of the same 100,000 open claims in one run, turn by turn: without policies and without the setting that
each query carries, with both as a serving role meets them, and as a role meets them that inherits from the operations
role and is asked both policies. In this process (Django's test client: every middleware, no socket). One JSON line.
"""

from __future__ import annotations

import argparse
import json
import logging
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from benchmarks.environment import prepare_environment

FLOOR_RATIO = 1.15
_QUEUE = "/api/v1/reviews/queue"
_WARM = 3

if TYPE_CHECKING:
    from django.test import Client


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--claims", type=int, default=100_000)
    parser.add_argument("--turns", type=int, default=12)
    parser.add_argument("--pages", type=int, default=25, help="a turn")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        prepare_environment(folder)
        import django  # noqa: PLC0415  # the environment above is read by the settings

        django.setup()
        logging.disable(logging.WARNING)
        from django.db import connection  # noqa: PLC0415

        if connection.vendor != "postgresql":
            sys.exit("DATABASE_URL must lead to PostgreSQL: SQLite has no row-level security")
        connection.creation.create_test_db(verbosity=0, serialize=False)
        try:
            print(json.dumps(_measured(options.claims, options.turns, options.pages)))
        finally:
            connection.creation.destroy_test_db(connection.settings_dict["NAME"], verbosity=0)


def _measured(claims: int, turns: int, pages: int) -> dict[str, object]:
    from django.test import Client  # noqa: PLC0415

    from benchmarks.open_claims import fill  # noqa: PLC0415

    client = Client(headers={"X-API-Key": fill(claims)}, SERVER_NAME="localhost")
    inherited = _compared(client, turns, pages)
    for table in _tables():
        _execute(f"DROP POLICY IF EXISTS operations ON {table}")  # as for a role that it does not apply to
    serving = _compared(client, turns, pages)
    return {
        "open_claims": claims,
        "without_p50_ms": round(statistics.median(serving["without"]), 2),
        "serving_p50_ms": round(statistics.median(serving["with"]), 2),
        "serving_ratio": _ratio(serving),
        "inheriting_ratio": _ratio(inherited),
        "floor_ratio": FLOOR_RATIO,
        "holds": _ratio(serving) < FLOOR_RATIO,
    }


def _ratio(times: dict[str, list[float]]) -> float:
    return round(statistics.median(times["with"]) / statistics.median(times["without"]), 3)


def _compared(client: Client, turns: int, pages: int) -> dict[str, list[float]]:
    """Return milliseconds per page, measured by turns so that what else the machine does falls on both."""
    times: dict[str, list[float]] = {"with": [], "without": []}
    for _ in range(turns):
        times["with"] += _turn(client, pages)
        with _unprotected():
            times["without"] += _turn(client, pages)
    return times


def _turn(client: Client, pages: int) -> list[float]:
    def page() -> None:
        answer = client.get(_QUEUE, {"limit": "100"})
        assert answer.status_code == 200, answer.content
        assert len(answer.json()["items"]) == 100

    return [_timed(page) for _ in range(_WARM + pages)][_WARM:]


def _timed(deed: Callable[[], None]) -> float:
    started = time.perf_counter()
    deed()
    return (time.perf_counter() - started) * 1000


@contextmanager
def _unprotected() -> Iterator[None]:
    for table in _tables():
        _execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
    with patch("tenancy.postgresql.base._settings_for", lambda cursor: ""):
        yield
    for table in _tables():
        _execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")


def _tables() -> list[str]:
    from tenancy.isolation_check import SHARED, owned_models  # noqa: PLC0415

    models: list[Any] = [*owned_models(), *SHARED]
    return [model._meta.db_table for model in models]


def _execute(statement: str) -> None:
    from django.db import connection  # noqa: PLC0415

    with connection.cursor() as cursor:
        cursor.execute(statement)


if __name__ == "__main__":
    main()
