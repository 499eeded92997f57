"""Eight processes of eight threads hammer one key on a real clock: no window of a second holds more than its limit."""

from __future__ import annotations

import json
import os
import time
from bisect import bisect_right
from pathlib import Path

import pytest

from tests.harness.test_breaker_processes import _go, _start
from tests.processes import own_site, wait_until

PROCESSES, LIMIT, HAMMER_SECONDS = 8, 20, 8.0

# Each granted request is written with its time on the store's own clock.
_HAMMER = """
import json, random, sys, threading, time
from django.conf import settings
from django.db import connection
from tenancy.ratelimits.limiter import _take
from tenancy.ratelimits.window import Ask, Rate
asks = [Ask("default:harness", Rate(LIMIT, 1)), Ask("tenant:harness", Rate(400, 1))]
_take([Ask("default:warm", Rate(1, 1))])
print("ready", flush=True)
sys.stdin.readline()
ends, granted, asked = time.time() + SECONDS, [], []
def hammer():
    count = 0
    while time.time() < ends:
        answer = _take(asks)
        count += 1
        if answer.granted:
            granted.append(answer.at_microseconds)
        # Now all at once, now around the moment when the oldest leaves.
        time.sleep(random.choice((0, 0.001, answer.standings[0].wait_microseconds / 1e6)))
    asked.append(count)
    connection.close()
threads = [threading.Thread(target=hammer) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(json.dumps([sum(asked), granted]), flush=True)
"""


@pytest.mark.harness
@pytest.mark.parametrize("store", ["database", "redis"])
def test_no_window_of_many_processes_holds_more_than_its_limit(tmp_path: Path, store: str) -> None:
    cache_url = os.environ.get("CACHE_URL", "")
    if store == "redis" and not cache_url:
        pytest.skip("CACHE_URL names no Redis")
    with own_site(tmp_path, {"CACHE_URL": cache_url if store == "redis" else ""}) as site:
        program = _HAMMER.replace("SECONDS", str(HAMMER_SECONDS)).replace("LIMIT", str(LIMIT))
        logs = [tmp_path / f"hammer-{number}.log" for number in range(PROCESSES)]
        children = [_start(site.environment, program, log) for log in logs]
        try:
            wait_until(lambda: all("ready" in log.read_text() for log in logs), "all are ready", seconds=180)
            began = time.monotonic()
            for child in children:
                _go(child)
            assert [child.wait(120) for child in children] == [0] * PROCESSES
            took = time.monotonic() - began
        finally:
            for child in children:
                child.kill()
    told = [json.loads(log.read_text().strip().splitlines()[-1]) for log in logs]
    times = sorted(at for _, granted in told for at in granted)
    fullest = max(number + 1 - bisect_right(times, at - 1_000_000) for number, at in enumerate(times))
    asked = sum(count for count, _ in told)
    print(
        json.dumps({"store": store, "asked": asked, "granted": len(times), "fullest": fullest, "took": round(took, 1)})
    )
    assert fullest == LIMIT
    # And nearly all of what was promised was given: the limiter is no wall.
    assert len(times) >= LIMIT * HAMMER_SECONDS * 0.8
