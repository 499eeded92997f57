"""What a circuit breaker costs a call: `python -m benchmarks.breakers [--calls 2000]`.

Permits and records against SQLite in a folder of its own, or the database that DATABASE_URL names (migrated there
first). Prints one JSON line, microseconds per call; compare with a call to a model, which takes seconds.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable

from benchmarks.web import ground


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=2000)
    options = parser.parse_args()
    with ground():
        print(json.dumps({"benchmark": "breakers", "calls": options.calls, **_figures(options.calls)}))


def _figures(calls: int) -> dict[str, float]:
    from django.utils import timezone  # noqa: PLC0415  # Django is set up by then

    from observability.breakers import BreakerOpen, ask_permit, force_breaker_open, record_call  # noqa: PLC0415

    def refused() -> None:
        try:
            ask_permit(name="openai", now=timezone.now())
        except BreakerOpen:
            return

    permit = ask_permit(name="openai", now=timezone.now())
    closed = _median(lambda: ask_permit(name="openai", now=timezone.now()), calls)
    recorded = _median(
        lambda: record_call(permit=permit, failed=False, seconds=0.1, now=timezone.now()), min(calls, 500)
    )
    force_breaker_open(name="openai", by="benchmark", now=timezone.now())
    return {
        "permit_closed_microseconds": closed,
        "refused_open_microseconds": _median(refused, calls),
        "record_microseconds": recorded,
    }


def _median(work: Callable[[], object], times: int) -> float:
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return round(statistics.median(taken) * 1e6, 1)


if __name__ == "__main__":
    main()
