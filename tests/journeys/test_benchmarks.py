"""The ground that the HTTP benchmarks stand on serves: one of them is run with a handful of requests."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.processes import ROOT


@pytest.mark.journey
def test_a_benchmark_brings_its_own_server_and_prints_its_line() -> None:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    command = [sys.executable, "-m", "benchmarks.health", "--requests", "3"]
    done = subprocess.run(command, cwd=ROOT, env=kept, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout.splitlines()[-1])["/health/ready"]["median"] > 0
