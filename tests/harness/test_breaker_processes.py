"""Eight processes and a dead service on a real clock: one call per open interval, and a reset that reaches them all."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest

from tests.processes import ROOT, own_site, wait_until

PROCESSES, OPEN_SECONDS, HAMMER_SECONDS = 8, 1.0, 12.0

# Each call is written with the moment it was permitted and the moment its failure was recorded.
_HAMMER = """
import json, sys, time
from datetime import datetime, UTC
from observability.breakers import BreakerOpen, ask_permit, record_call
print("ready", flush=True)
sys.stdin.readline()
ends = time.time() + SECONDS
while time.time() < ends:
    asked = datetime.now(UTC)
    try:
        permit = ask_permit(name="openai", now=asked)
    except BreakerOpen:
        time.sleep(0.005)
        continue
    time.sleep(0.05)
    failed = datetime.now(UTC)
    record_call(permit=permit, failed=True, seconds=0.05, now=failed)
    print(json.dumps([asked.timestamp(), failed.timestamp(), permit.probe is not None]), flush=True)
"""
_RESET = """
import sys
from django.utils import timezone
from observability.breakers import reset_breaker
print("ready", flush=True)
sys.stdin.readline()
reset_breaker(name="openai", by="harness", now=timezone.now())
print(timezone.now().timestamp())
"""


@pytest.mark.harness
def test_eight_processes_call_a_dead_service_once_per_open_interval(tmp_path: Path) -> None:
    environment = {
        "BREAKER_MIN_CALLS": "8",
        "BREAKER_OPEN_SECONDS": str(OPEN_SECONDS),
        "BREAKER_PROBE_SECONDS": "60",
        "LOG_FORMAT": "json",
    }
    with own_site(tmp_path, environment) as site:
        program = _HAMMER.replace("SECONDS", str(HAMMER_SECONDS))
        logs = [tmp_path / f"hammer-{number}.log" for number in range(PROCESSES)]
        children = [_start(site.environment, program, log) for log in logs]
        operator_log = tmp_path / "operator.log"
        operator = _start(site.environment, _RESET, operator_log)
        try:
            wait_until(
                lambda: all("ready" in log.read_text() for log in (*logs, operator_log)), "all are ready", seconds=180
            )
            for child in children:
                _go(child)
            time.sleep(HAMMER_SECONDS / 2)
            _go(operator)
            for child in (*children, operator):
                assert child.wait(60) == 0
        finally:
            for child in (*children, operator):
                child.kill()
    reset_at = float(operator_log.read_text().strip().splitlines()[-1])
    calls = sorted(json.loads(line) for log in logs for line in log.read_text().splitlines() if line.startswith("["))
    # A probe that was on its way at the reset decided nothing any more.
    probes = [call for call in calls if call[2] and not call[0] < reset_at <= call[1]]
    after_reset = [call for call in calls if call[0] >= reset_at]
    told = {"calls": len(calls), "probes": len(probes), "seen_after": round(after_reset[0][0] - reset_at, 3)}
    print(json.dumps(told))
    assert probes
    assert all(later[0] - earlier[1] >= OPEN_SECONDS for earlier, later in pairwise(probes))
    # Closed twice, at the start and after the reset: eight calls open it, seven more may be on their way.
    assert sum(not call[2] for call in calls) <= 2 * (2 * PROCESSES - 1)
    assert told["seen_after"] < 1.0


def _go(child: subprocess.Popen[bytes]) -> None:
    assert child.stdin is not None
    child.stdin.write(b"go\n")
    child.stdin.flush()


def _start(environment: dict[str, str], program: str, log: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as out:
        return subprocess.Popen(
            [sys.executable, "manage.py", "shell", "--no-imports", "-c", program],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=subprocess.DEVNULL,
        )
