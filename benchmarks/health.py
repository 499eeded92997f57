"""Probes, the scrape and the masker: `python -m benchmarks.health [--requests 500]`.

Probes go to a real gunicorn on SQLite over one kept connection; the masker works on a usual log line and on hostile
texts of the full length. Prints one JSON line, milliseconds (of processor
time for the masker).
"""

from __future__ import annotations

import argparse
import http.client
import json
import statistics
import time
from collections.abc import Callable
from functools import partial

from benchmarks.web import ground, serving

_LINE = "claims.assess of 01929d2e-1111-7234-8456-123456789012 took 12.34 s at 2026-11-21T04:00:00.123456Z"
_HOSTILE = ("1", "12 ", "a@", "a.", "f:", "+1(1", "(12)", "001", "://a:", "eyJ", "password=", "4111 1111 ", "::1 +1(1")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=500)
    options = parser.parse_args()
    with ground():
        with serving("config.wsgi:application") as server:
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
            headers = {"X-API-Key": _operators_key()}
            probes = {
                path: _figures(partial(_get, connection, path, headers), options.requests)
                for path in ("/health", "/health/live", "/health/ready", "/health/detailed", "/metrics")
            }
            connection.close()
        print(json.dumps({"benchmark": "health", "requests": options.requests, **probes, **_masker()}))


def _masker() -> dict[str, float]:
    from observability.masking import mask_text  # noqa: PLC0415  # Django is set up by then

    hostile = [(text * 8192)[:8192] for text in _HOSTILE]
    return {
        "mask_line_median": _figures(lambda: mask_text(_LINE), 2000, time.process_time)["median"],
        "mask_hostile_8192_worst": max(
            _figures(partial(mask_text, text), 3, time.process_time)["worst"] for text in hostile
        ),
    }


def _operators_key() -> str:
    """Make an operator with a key for operations and return its secret."""
    from django.utils import timezone  # noqa: PLC0415  # Django is set up by then

    from tenancy.choices import Scope  # noqa: PLC0415
    from tenancy.keys import PREFIX_LENGTH, make_secret, secret_hash  # noqa: PLC0415
    from tenancy.models import ApiKey, User  # noqa: PLC0415

    secret = make_secret()
    ApiKey.objects.create(
        user=User.objects.create_user("olga", is_operator=True),
        name="benchmark",
        prefix=secret[:PREFIX_LENGTH],
        secret_sha256=secret_hash(secret),
        scopes=[Scope.OPS],
        created_at=timezone.now(),
    )
    return secret


def _get(connection: http.client.HTTPConnection, path: str, headers: dict[str, str]) -> None:
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    answer.read()
    if answer.status != 200:
        raise RuntimeError(f"{path}: {answer.status}")


def _figures(
    work: Callable[[], object], times: int, clock: Callable[[], float] = time.perf_counter
) -> dict[str, float]:
    took = []
    for _ in range(times):
        began = clock()
        work()
        took.append((clock() - began) * 1000)
    took.sort()
    figures = {"median": statistics.median(took), "p95": took[int(len(took) * 0.95)], "worst": took[-1]}
    return {name: round(value, 3) for name, value in figures.items()}


if __name__ == "__main__":
    main()
