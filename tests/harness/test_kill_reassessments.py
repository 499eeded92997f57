"""Workers are killed while a run assesses claims again: each claim gets its second version once."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from tests.harness.test_kill_claims import TENANT, films
from tests.processes import Site, own_site, wait_until

CLAIMS, KILLS = 12, 4

_COUNT = """
import json
from claims.models import Assessment, Claim, Reassessment
from observability.models import Job
from tenancy.scope import every_tenant
with every_tenant("harness"):
    print(json.dumps({
        "versions": sorted(claim.assessments.count() for claim in Claim.objects.all()),
        "ended": Reassessment.objects.filter(state="DONE").count(),
        "succeeded": Job.objects.filter(kind="claims.reassess", state="SUCCEEDED").count(),
        "in_flight": Job.objects.filter(kind="claims.reassess", state="RUNNING").count(),
        "awaiting": Claim.objects.filter(status="AWAITING_REVIEW").count(),
    }))
"""


def _counts(site: Site) -> dict[str, object]:
    counted: dict[str, object] = json.loads(site.manage("shell", "--no-imports", "-c", _COUNT).strip().splitlines()[-1])
    return counted


@pytest.mark.harness
def test_a_run_survives_four_killed_workers(tmp_path: Path) -> None:
    (tmp_path / "clips").mkdir()
    clips = films(tmp_path / "clips", CLAIMS)
    site_folder = tmp_path / "site"
    site_folder.mkdir()
    with own_site(site_folder, {"JOB_LEASE_SECONDS": "4"}) as site:
        site.manage("shell", "--no-imports", "-c", TENANT)
        site.manage("ingest", *map(str, clips), "--tenant", "acme", "--user", "ada", "--json")
        worker = site.start_worker()
        wait_until(lambda: _counts(site)["awaiting"] == CLAIMS, "every claim awaits review", seconds=300)
        worker.kill()
        numbers = [clip.stem for clip in clips]
        site.manage("reassess", *numbers, "--tenant", "acme", "--user", "ada", "--json")
        in_flight = 0
        for kill in range(KILLS):
            worker = site.start_worker()
            time.sleep(1.5 + kill * 0.37)
            in_flight += int(str(_counts(site)["in_flight"]))
            worker.kill()
        site.start_worker()
        wait_until(lambda: _counts(site)["succeeded"] == 1, "the run is over", seconds=300)
        counts = _counts(site)
        site.manage("verify_audit", "--tenant", "acme")
    print(json.dumps({**counts, "kills": KILLS, "in_flight_at_kills": in_flight}))
    assert in_flight > 0, "the kills hit an idle worker and prove nothing"
    assert (counts["versions"], counts["ended"]) == ([2] * CLAIMS, CLAIMS)
