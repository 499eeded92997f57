"""What watching costs: `python -m benchmarks.telemetry [--rounds 40] [--requests 25] [--processes 8]`.

A request for a list of claims, with a key, on SQLite, in this process. Rounds with metrics, with metrics and a span for
the request and each statement, and with neither take turns; times are of the processor, the shares those of the
medians. Beside it how long a scrape takes when several processes have counted many views and statuses. Prints one JSON
line.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

from benchmarks.web import ground, make_key

_COUNT = """
import django; django.setup()
from django.urls import get_resolver
from django_prometheus.middleware import Metrics
metrics = Metrics.get_instance()
names = [str(name) for name in get_resolver().reverse_dict if isinstance(name, str)] + [f"view-{n}" for n in range(120)]
for name in names:
    metrics.requests_latency_by_view_method.labels(view=name, method="GET").observe(0.01)
    for status in ("200", "302", "400", "401", "403", "404", "429", "500"):
        metrics.responses_by_status_view_method.labels(view=name, method="GET", status=status).inc()
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--requests", type=int, default=25)
    parser.add_argument("--processes", type=int, default=8)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="claimwright-metrics-") as folder:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder  # as in production: figures go through shared files
        with ground(), contextlib.redirect_stderr(Path(os.devnull).open("w", encoding="utf-8")):
            figures = {**_overhead(options.rounds, options.requests), **_scrape(options.processes)}
    print(json.dumps({"benchmark": "telemetry", "rounds": options.rounds, "requests": options.requests, **figures}))


def _overhead(rounds: int, requests: int) -> dict[str, Any]:
    ask = _request()
    kinds: dict[str, Callable[[], contextlib.AbstractContextManager[None]]] = {
        "metrics": contextlib.nullcontext,
        "traced": _traced,
        "unwatched": _unwatched,
    }
    took: dict[str, list[float]] = {name: [] for name in kinds}
    for _ in range(50):
        ask()
    for number in range(rounds):
        for name in list(kinds) if number % 2 else reversed(list(kinds)):
            with kinds[name]():
                ask()
                began = time.process_time()
                for _ in range(requests):
                    ask()
                took[name].append((time.process_time() - began) / requests * 1000)
    medians = {name: statistics.median(times) for name, times in took.items()}
    bare = medians["unwatched"]
    return {
        **{f"{name}_cpu_ms": round(value, 3) for name, value in medians.items()},
        "metrics_share_pct": round((medians["metrics"] / bare - 1) * 100, 2),
        "traced_share_pct": round((medians["traced"] / bare - 1) * 100, 2),
    }


def _request() -> Callable[[], None]:
    from django.test import Client  # noqa: PLC0415  # Django is set up by then

    _tenant, secret = make_key()
    client = Client(headers={"X-API-Key": secret}, SERVER_NAME="localhost")

    def ask() -> None:
        answer = client.get("/api/v1/claims")
        if answer.status_code != 200:
            raise RuntimeError(f"{answer.status_code} {answer.content[:300]!r}")

    return ask


@contextlib.contextmanager
def _traced() -> Iterator[None]:
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter  # noqa: PLC0415

    from observability.tracing import start_tracing, stop_tracing  # noqa: PLC0415

    start_tracing(exporter=InMemorySpanExporter())
    try:
        yield
    finally:
        stop_tracing()


@contextlib.contextmanager
def _unwatched() -> Iterator[None]:
    from django.db import connection  # noqa: PLC0415

    from observability import database_calls  # noqa: PLC0415

    connection.execute_wrappers.remove(database_calls._timed)
    with (
        mock.patch("prometheus_client.Counter.inc", _nothing),
        mock.patch("prometheus_client.Histogram.observe", _nothing),
    ):
        yield
    connection.execute_wrappers.append(database_calls._timed)


def _nothing(*_arguments: Any, **_words: Any) -> None:
    """What a counter does in an unwatched round; a mock would cost more than counting."""


def _scrape(processes: int) -> dict[str, Any]:
    from observability.exposition import exposition  # noqa: PLC0415

    for _ in range(processes):
        subprocess.run([sys.executable, "-c", _COUNT], check=True)
    took = []
    for _ in range(15):
        began = time.perf_counter()
        shown = exposition()
        took.append((time.perf_counter() - began) * 1000)
    return {
        "scrape_processes": processes,
        "scrape_lines": shown.count(b"\n"),
        "scrape_median_ms": round(statistics.median(took), 1),
        "scrape_worst_ms": round(max(took), 1),
    }


if __name__ == "__main__":
    main()
