"""A page of the review queue among 100,000 open claims: `python -m benchmarks.queue [--claims N] [--explain]`.

Builds a scratch database (SQLite, or beside the PostgreSQL database that DATABASE_URL names), asks for pages over the
API in this process (Django's test client: every middleware, authentication, serialisation; no socket), walks the whole
queue, drops the database. Prints one JSON line; plans go to standard error.
"""

from __future__ import annotations

import argparse
import json
import logging
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from benchmarks.environment import prepare_environment

FLOOR_MS = 30.0
PAGE = 100
QUEUE = "/api/v1/reviews/queue"

if TYPE_CHECKING:
    from django.test import Client


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--claims", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=60)
    parser.add_argument("--explain", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        prepare_environment(folder)
        import django  # noqa: PLC0415  # the environment above is read by the settings

        django.setup()
        logging.disable(logging.WARNING)  # a line per request would bury the one line that this prints
        from django.db import connection  # noqa: PLC0415

        connection.creation.create_test_db(verbosity=0, serialize=False)
        try:
            print(json.dumps(_measured(options.claims, options.repeats, explain=options.explain)))
        finally:
            connection.creation.destroy_test_db(connection.settings_dict["NAME"], verbosity=0)


def _measured(claims: int, repeats: int, *, explain: bool) -> dict[str, object]:
    from django.core.cache import cache  # noqa: PLC0415
    from django.db import connection  # noqa: PLC0415
    from django.test import Client  # noqa: PLC0415
    from django.test.utils import CaptureQueriesContext  # noqa: PLC0415

    from benchmarks.open_claims import fill  # noqa: PLC0415

    client = Client(headers={"X-API-Key": fill(claims)}, SERVER_NAME="localhost")
    _page(client)
    with CaptureQueriesContext(connection) as counted:
        _page(client)
    queries = list(counted.captured_queries)  # later requests empty the log
    cache.clear()
    started = time.perf_counter()
    _page(client)
    cold = (time.perf_counter() - started) * 1000
    pages, rows, tail = _walk(client)
    told: dict[str, object] = {
        "engine": connection.vendor,
        "open_claims": claims,
        "page": PAGE,
        "through": "in-process test client, full middleware",
        "first_page_p50_ms": _p50(lambda: _page(client), repeats),
        "first_page_cpu_p50_ms": _p50(lambda: _page(client), repeats, clock=time.process_time),
        "deep_page_p50_ms": round(statistics.median(pages[-max(1, len(pages) // 10) :]), 2),
        "walk_p50_ms": round(statistics.median(pages), 2),
        "walked_rows": rows,
        "walked_once": rows == len(tail),
        "urgent_page_p50_ms": _p50(lambda: _page(client, priority="URGENT"), repeats),
        "mine_page_p50_ms": _p50(lambda: _page(client, mine="true"), repeats),
        "overdue_page_p50_ms": _p50(lambda: _page(client, overdue="true"), repeats),
        "first_page_counting_ms": round(cold, 2),
        "take_next_p50_ms": _p50(lambda: _take_next(client), repeats),
        "queries_per_page": len(queries),
        "floor_ms": FLOOR_MS,
    }
    if explain:
        _explain(queries)
    told["holds"] = max(float(str(told["first_page_p50_ms"])), float(str(told["deep_page_p50_ms"]))) < FLOOR_MS
    return told


def _page(client: Client, **query: str) -> dict[str, Any]:
    answer = client.get(QUEUE, {"limit": str(PAGE), **query})
    assert answer.status_code == 200, answer.content
    body: dict[str, Any] = answer.json()
    return body


def _take_next(client: Client) -> None:
    answer = client.post("/api/v1/reviews/next", content_type="application/json")
    assert answer.status_code in {200, 409}, answer.content


def _walk(client: Client) -> tuple[list[float], int, set[str]]:
    """Ask for every page of the queue; return milliseconds per page, rows seen, and the distinct claims."""
    times: list[float] = []
    rows, seen, cursor = 0, set[str](), ""
    while True:
        started = time.perf_counter()
        body = _page(client, **({"cursor": cursor} if cursor else {}))
        times.append((time.perf_counter() - started) * 1000)
        rows += len(body["items"])
        seen.update(item["claim_id"] for item in body["items"])
        cursor = body["next_cursor"]
        if not cursor:
            return times, rows, seen


def _p50(deed: Callable[[], object], repeats: int, clock: Callable[[], float] = time.perf_counter) -> float:
    times = []
    for _ in range(repeats):
        started = clock()
        deed()
        times.append((clock() - started) * 1000)
    return round(statistics.median(times), 2)


def _explain(queries: list[dict[str, str]]) -> None:
    from django.db import connection  # noqa: PLC0415

    word = "EXPLAIN ANALYZE" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
    with connection.cursor() as cursor:
        for query in queries:
            if query["sql"].lstrip().upper().startswith("SELECT"):
                cursor.execute(f"{word} {query['sql']}")
                sys.stderr.write(f"{query['sql'][:200]}\n")
                sys.stderr.writelines(f"    {row[-1]}\n" for row in cursor.fetchall())


if __name__ == "__main__":
    main()
