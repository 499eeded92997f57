"""The first command of the README as a user has it: server and worker run, one claim walks from upload to decision."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from aiassist.rendering.encode import render_clip
from aiassist.rendering.scenario import ClipKind, ClipSpec
from tests.house.source import ROOT
from tests.journeys.program import Program

pytestmark = pytest.mark.journey

START_SECONDS = 240


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _environment(folder: Path) -> dict[str, str]:
    """A user's environment: nothing set but the data folder, and no line to the outside for npm."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "COVERAGE_PROCESS_START") if name in os.environ}
    return {**kept, "DATA_DIR": str(folder), "npm_config_offline": "true"}


@contextmanager
def _quickstart(folder: Path) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """Run `quickstart --json`; at the end press Ctrl-C and see that it ends."""
    command = [sys.executable, "manage.py", "quickstart", "--json", "--port", str(_free_port())]
    process = subprocess.Popen(
        command, cwd=ROOT, env=_environment(folder), stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    watchdog = _kill_after(process, START_SECONDS)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, "quickstart ended without its line"
        yield process, json.loads(line)
    finally:
        watchdog.cancel()
        process.send_signal(signal.SIGINT)
        try:
            process.wait(30)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def _kill_after(process: subprocess.Popen[str], seconds: float) -> Any:
    import threading

    timer = threading.Timer(seconds, process.kill)
    timer.start()
    return timer


def _manage(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments], cwd=ROOT, env=_environment(folder), capture_output=True, text=True
    )


@pytest.fixture(scope="module")
def crash_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clip") / "crash.mp4"
    spec = ClipSpec(ClipKind.REAR_END, seed=4711, width=320, height=180, fps=20, duration_seconds=6.0, delta_v_kmh=30.0)
    render_clip(spec, path)
    return path


def test_a_claim_walks_from_upload_to_decision(tmp_path: Path, crash_clip: Path) -> None:
    folder = tmp_path / "data"
    with _quickstart(folder) as (process, ready):
        acme, borealis = ready["tenants"]["acme"], ready["tenants"]["borealis"]
        client = Program(ready["url"], acme["api_keys"]["client"])
        ada = Program(ready["url"], acme["api_keys"]["analyst"])
        zoe = Program(ready["url"], borealis["api_keys"]["analyst"])

        shown = ada.get("/api/v1/reviews/queue").json["items"]
        assert len({item["severity"] for item in shown}) > 1, "the first screen shows claims with real assessments"

        receipt = client.upload(crash_clip, claim_number="CLM-JOURNEY-1", description="They braked very suddenly.")
        assert receipt.status == 202, receipt.body
        claim_id = receipt.json["id"]
        again = client.upload(crash_clip, claim_number="CLM-JOURNEY-2")
        assert (again.status, again.json["id"], again.json["duplicate"]) == (200, claim_id, True)

        assert client.wait_until_assessed(claim_id)["status"] == "AWAITING_REVIEW"
        assessment = ada.get(f"/api/v1/claims/{claim_id}/assessment").json
        assert assessment["outcome"] == "ASSESSED" and assessment["evidence"]
        assert "fraud_risk_score" not in client.get(f"/api/v1/claims/{claim_id}/assessment").json
        part = ada.get(f"/api/v1/claims/{claim_id}/video", Range="bytes=0-99")
        assert (part.status, len(part.body)) == (206, 100)
        assert zoe.get(f"/api/v1/claims/{claim_id}").status == 404

        lease = ada.post(f"/api/v1/reviews/{claim_id}/lease", {}).json
        draft = {
            "decision": "APPROVE",
            "reasoning": "The impact is plain to see and to hear.",
            "assessment_id": assessment["id"],
            "lease_token": lease["lease_token"],
            "fault_ratio_override": 100.0,
            "override_reason": "The film shows no reason for the short gap.",
        }
        decision = ada.post(f"/api/v1/reviews/{claim_id}/decision", draft)
        assert (decision.status, decision.json["claim_status"]) == (201, "APPROVED")
        assert ada.post(f"/api/v1/reviews/{claim_id}/decision", draft).json["code"] == "already_decided"
        events = [item["event"] for item in ada.get(f"/api/v1/reviews/{claim_id}/history").json["items"]]
        assert events[0] == "claim.received" and events[-1] == "review.decided"

        children = _children(process.pid)
        assert len(children) >= 2
    assert process.returncode == 0
    assert not [pid for pid in children if Path(f"/proc/{pid}").exists()], "Ctrl-C stops everything"

    verified = _manage(folder, "verify_audit", "--json")
    assert verified.returncode == 0, verified.stdout + verified.stderr

    with _quickstart(folder) as (_process, second):
        assert second["tenants"] == ready["tenants"], (
            "running it again keeps the people and prints credentials that work"
        )
        ada = Program(second["url"], second["tenants"]["acme"]["api_keys"]["analyst"])
        assert ada.get(f"/api/v1/claims/{claim_id}").json["status"] == "APPROVED"


def _children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in found]
