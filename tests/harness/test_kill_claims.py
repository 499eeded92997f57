"""Workers are killed while fifty real claims flow: none is lost and none is assessed twice."""

from __future__ import annotations

import json
import struct
import time
from pathlib import Path

import pytest

from aiassist.rendering.encode import render_clip
from aiassist.rendering.scenario import ClipKind, ClipSpec
from tests.processes import Site, own_site, wait_until

CLAIMS, KILLS = 50, 5

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
    print(json.dumps({
        "claims": len(per_claim),
        "assessed_once": per_claim.count(1),
        "awaiting": Claim.objects.filter(status="AWAITING_REVIEW").count(),
        "assessed": Assessment.objects.filter(outcome="ASSESSED").count(),
        "succeeded": Job.objects.filter(state="SUCCEEDED").count(),
        "most_attempts": max(Job.objects.values_list("attempts", flat=True), default=0),
        "in_flight": Job.objects.filter(state="RUNNING").count(),
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
def test_claims_survive_five_killed_workers(tmp_path: Path) -> None:
    (tmp_path / "clips").mkdir()
    clips = films(tmp_path / "clips", CLAIMS)
    site_folder = tmp_path / "site"
    site_folder.mkdir()
    with own_site(site_folder, {"JOB_LEASE_SECONDS": "4"}) as site:
        site.manage("shell", "--no-imports", "-c", TENANT)
        site.manage("ingest", *map(str, clips), "--tenant", "acme", "--user", "ada", "--json")
        in_flight = 0
        for kill in range(KILLS):
            worker = site.start_worker()
            time.sleep(1.0 + kill * 0.37)
            in_flight += _counts(site)["in_flight"]
            worker.kill()
        site.start_worker()
        wait_until(lambda: _counts(site)["awaiting"] == CLAIMS, "every claim awaits review", seconds=300)
        counts = _counts(site)
        site.manage("verify_audit", "--tenant", "acme")
    print(json.dumps({**counts, "kills": KILLS, "in_flight_at_kills": in_flight}))
    assert in_flight > 0, "the kills hit an idle worker and prove nothing"
    assert (counts["claims"], counts["assessed_once"], counts["assessed"], counts["succeeded"]) == (CLAIMS,) * 4
