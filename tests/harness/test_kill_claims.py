"""Workers are killed while real claims flow, over each broker: none is lost and none is assessed twice.

`HARNESS_CLAIMS=500 HARNESS_KILLS=100` for the long one.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import struct
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from aiassist.rendering.encode import render_clip
from aiassist.rendering.scenario import ClipKind, ClipSpec
from tests.harness.brokers import NAMES, broker_environment
from tests.processes import Site, own_site, wait_until

CLAIMS, KILLS = (
    int(os.environ.get(name, number)) for name, number in (("HARNESS_CLAIMS", "50"), ("HARNESS_KILLS", "5"))
)
LEASE_SECONDS = 4

TENANT = """
from tenancy.models import Membership, Tenant, User
tenant = Tenant.objects.create(slug="acme", name="Acme")
user = User.objects.create_user("ada")
Membership.objects.create(tenant=tenant, user=user, role="ANALYST")
"""
_COUNT = """
import json
from claims.models import Assessment, Claim
from observability.models import Job
from tenancy.scope import every_tenant
with every_tenant("harness"):
    per_claim = [claim.assessments.count() for claim in Claim.objects.all()]
    jobs = Job.objects.filter(kind="claims.assess")
    print(json.dumps({
        "claims": len(per_claim),
        "assessed_once": per_claim.count(1),
        "awaiting": Claim.objects.filter(status="AWAITING_REVIEW").count(),
        "assessed": Assessment.objects.filter(outcome="ASSESSED").count(),
        "succeeded": jobs.filter(state="SUCCEEDED").count(),
        "most_attempts": max(jobs.values_list("attempts", flat=True), default=0),
        "in_flight": jobs.filter(state="RUNNING").count(),
    }))
"""


def films(folder: Path, count: int) -> list[Path]:
    """Return files with the same two seconds of film and different bytes (a free box at the end)."""
    spec = ClipSpec(ClipKind.REAR_END, seed=5, width=320, height=180, fps=20, duration_seconds=2.0, delta_v_kmh=20.0)
    first = folder / "film.mp4"
    render_clip(spec, first)
    film = first.read_bytes()
    paths = []
    for number in range(count):
        path = folder / f"film-{number:02}.mp4"
        path.write_bytes(film + struct.pack(">I4sQ", 16, b"free", number))
        paths.append(path)
    return paths


def _counts(site: Site) -> dict[str, int]:
    counted: dict[str, int] = json.loads(site.manage("shell", "--no-imports", "-c", _COUNT).strip().splitlines()[-1])
    return counted


@pytest.mark.harness
@pytest.mark.parametrize("broker", NAMES)
def test_claims_survive_killed_workers(tmp_path: Path, broker: str) -> None:
    (tmp_path / "clips").mkdir()
    clips = films(tmp_path / "clips", CLAIMS)
    with claims_site(tmp_path / "site", broker) as site:
        for first in range(0, CLAIMS, 100):
            some = clips[first : first + 100]
            site.manage("ingest", *map(str, some), "--tenant", "acme", "--user", "ada", "--json")
        in_flight, began = 0, time.monotonic()
        for kill in range(KILLS):
            worker = site.start_worker()
            time.sleep(1.0 + kill % 5 * 0.37)
            in_flight += worker.output().count('"job_started"') - worker.output().count('"job_ended"')
            worker.kill()
        site.start_worker()
        counts = settled(site, CLAIMS)
        site.manage("verify_audit", "--tenant", "acme")
    told = {"broker": broker, **counts, "kills": KILLS, "in_flight_at_kills": in_flight}
    print(json.dumps({**told, "seconds": round(time.monotonic() - began)}))
    assert in_flight > 0, "the kills hit an idle worker and prove nothing"
    assert (counts["claims"], counts["assessed_once"], counts["assessed"], counts["succeeded"]) == (CLAIMS,) * 4


@pytest.mark.harness
@pytest.mark.parametrize("broker", NAMES)
def test_a_worker_that_sleeps_past_its_leases_writes_nothing_when_it_wakes(tmp_path: Path, broker: str) -> None:
    (tmp_path / "clips").mkdir()
    clips = films(tmp_path / "clips", 6)
    with claims_site(tmp_path / "site", broker) as site:
        site.manage("ingest", *map(str, clips), "--tenant", "acme", "--user", "ada", "--json")
        sleeper = site.start_worker()
        sleeper.wait_until(lambda: '"job_started"' in sleeper.output(), "a claim is in hand")
        for pid in sleeper.members():
            os.kill(pid, signal.SIGSTOP)
        in_hand = sleeper.output().count('"job_started"') - sleeper.output().count('"job_ended"')
        time.sleep(LEASE_SECONDS + 1.0)
        site.start_worker()
        settled(site, len(clips))
        for pid in sleeper.members():
            os.kill(pid, signal.SIGCONT)
        wait_until(lambda: sleeper.output().count('"lease_lost"') >= in_hand, "late writes are refused", seconds=60)
        counts = settled(site, len(clips))
    print(json.dumps({"broker": broker, "in_hand": in_hand, **counts}))
    assert in_hand > 0
    assert (counts["assessed_once"], counts["succeeded"]) == (len(clips),) * 2


@pytest.mark.harness
@pytest.mark.skipif(shutil.which("rabbitmqctl") is None, reason="RabbitMQ's own tool is not installed here")
def test_claims_survive_a_broker_that_restarts(tmp_path: Path) -> None:
    """Stops the RabbitMQ of this machine for some seconds: for nobody else's sake run it alone."""
    (tmp_path / "clips").mkdir()
    clips = films(tmp_path / "clips", 20)
    with claims_site(tmp_path / "site", "rabbitmq") as site:
        site.manage("ingest", *map(str, clips[:10]), "--tenant", "acme", "--user", "ada", "--json")
        worker = site.start_worker()
        worker.wait_until(lambda: '"job_started"' in worker.output(), "claims flow")
        rabbitmqctl("stop_app")
        try:
            site.manage("ingest", *map(str, clips[10:]), "--tenant", "acme", "--user", "ada", "--json")
            time.sleep(5.0)
        finally:
            rabbitmqctl("start_app")
        counts = settled(site, len(clips))
    print(json.dumps(counts))
    assert (counts["assessed_once"], counts["succeeded"]) == (len(clips),) * 2


@contextmanager
def claims_site(folder: Path, broker: str) -> Iterator[Site]:
    """Give a site over the broker, with Acme and Ada."""
    folder.mkdir()
    own = {"DJANGO_SETTINGS_MODULE": "tests.flow.settings", "JOB_LEASE_SECONDS": str(LEASE_SECONDS)}
    # Where a kill hits the same claim again and again, that is chance and no poison.
    attempts = {"FLOW_MAX_ATTEMPTS": str(5 + KILLS)}
    with own_site(folder, {**own, **attempts, **broker_environment(broker)}) as site:
        site.manage("shell", "--no-imports", "-c", TENANT)
        yield site


def settled(site: Site, claims: int) -> dict[str, int]:
    """Wait until every claim awaits review, and count."""
    wait_until(lambda: _counts(site)["awaiting"] == claims, "every claim awaits review", seconds=60 + 12 * claims)
    return _counts(site)


def rabbitmqctl(verb: str) -> None:
    subprocess.run(["rabbitmqctl", verb], check=True, capture_output=True, timeout=120)
