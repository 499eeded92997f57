"""What counting a request costs: `python -m benchmarks.limits [--calls 2000]`.

One request counted in the two windows that bind a key (its own and its tenant's), in the database that DATABASE_URL
names (SQLite in a folder of its own without it) and, with CACHE_URL, in Redis. Beside it in the same run: the bare
round trip to the same store, the least that any limiter there can cost, and django-ratelimit's count, which keeps a
fixed window. Also a client at its limit, who is refused, and 8 threads at once on keys of one tenant. Prints one JSON
line.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from benchmarks.web import ground

_THREADS = 8


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=2000)
    options = parser.parse_args()
    cache_url = os.environ.pop("CACHE_URL", "")
    with ground():
        found = {"database": _database(options.calls)}
        if cache_url:
            found["redis"] = _redis(cache_url, options.calls)
        print(json.dumps({"benchmark": "limits", "calls": options.calls, **found}))


def _database(calls: int) -> dict[str, Any]:
    from django.db import connection  # noqa: PLC0415  # Django is set up by then

    from tenancy.form_limits import count_attempt  # noqa: PLC0415
    from tenancy.ratelimits.database_store import DatabaseWindows  # noqa: PLC0415
    from tenancy.ratelimits.window import Rate  # noqa: PLC0415

    def bare() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            cursor.fetchone()

    def peer() -> object:
        return count_attempt(group="benchmark", value="one", rate=Rate(10**6, 60))

    return {"engine": connection.vendor, **_figures(DatabaseWindows(), bare, peer, calls, lambda: connection.close())}


def _redis(url: str, calls: int) -> dict[str, Any]:
    import redis  # noqa: PLC0415
    from django.conf import settings  # noqa: PLC0415
    from django.core.cache import caches  # noqa: PLC0415

    from tenancy.form_limits import count_attempt  # noqa: PLC0415
    from tenancy.ratelimits.redis_store import RedisWindows  # noqa: PLC0415
    from tenancy.ratelimits.window import Rate  # noqa: PLC0415

    settings.CACHES["limits"] = {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": url}
    caches.settings = caches.configure_settings(None)
    del caches["limits"]
    client = redis.Redis.from_url(url)

    def peer() -> object:
        return count_attempt(group="benchmark", value="one", rate=Rate(10**6, 60))

    return _figures(RedisWindows(url), client.ping, peer, calls, lambda: None)


def _figures(
    store: Any, bare: Callable[[], object], peer: Callable[[], object], calls: int, end_thread: Callable[[], None]
) -> dict[str, Any]:
    from tenancy.ratelimits.window import Ask, Rate  # noqa: PLC0415

    tenant, mark = Ask(f"tenant:{time.time_ns()}", Rate(10**6, 60)), time.time_ns()

    def granted() -> None:
        store.take([Ask(f"default:{mark}", Rate(10**6, 60)), tenant])

    def refused() -> None:
        store.take([Ask(f"full:{mark}", Rate(60, 3600)), tenant])

    def crowd(number: int) -> list[float]:
        try:
            mine = [Ask(f"default:{mark}:{number}", Rate(10**6, 60)), tenant]
            return [_milliseconds(lambda: store.take(mine)) for _ in range(calls // _THREADS)]
        finally:
            end_thread()

    for work in (granted, bare, peer):
        work()
    taken = {name: _all(work, calls) for name, work in (("bare", bare), ("peer", peer), ("granted", granted))}
    _all(refused, 60)
    taken["refused"] = _all(refused, calls)
    began = time.perf_counter()
    with ThreadPoolExecutor(_THREADS) as pool:
        together = [one for found in pool.map(crowd, range(_THREADS)) for one in found]
    seconds = time.perf_counter() - began
    medians = {name: round(statistics.median(found), 3) for name, found in taken.items()}
    return {
        "granted_ms": medians["granted"],
        "granted_p99_ms": round(statistics.quantiles(taken["granted"], n=100)[98], 3),
        "refused_ms": medians["refused"],
        "round_trip_ms": medians["bare"],
        "django_ratelimit_ms": medians["peer"],
        "of_round_trip": round(medians["granted"] / medians["bare"], 1),
        "of_django_ratelimit": round(medians["granted"] / medians["peer"], 2),
        "eight_threads_one_tenant": {
            "per_second": round(len(together) / seconds),
            "p50_ms": round(statistics.median(together), 2),
            "p99_ms": round(statistics.quantiles(together, n=100)[98], 2),
        },
    }


def _all(work: Callable[[], object], times: int) -> list[float]:
    return [_milliseconds(work) for _ in range(times)]


def _milliseconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    main()
