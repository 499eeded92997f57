"""Real worker processes and a provider that goes down: one breaker, one ledger and one trace for all of them."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import pytest

from aiassist.rendering.encode import render_clip
from aiassist.rendering.scenario import ClipKind, ClipSpec
from tests.aiassist.gateway.loopback import loopback, refuses
from tests.aiassist.gateway.requests import GOOD_ANSWER
from tests.aiassist.gateway.wires import KEY, OPENAI
from tests.observability.collector import collector
from tests.processes import Site, own_site, wait_until

WELL, ILL = 4, 8

_TENANT = """
from tenancy.models import Membership, Tenant, User
tenant = Tenant.objects.create(slug="acme", name="Acme", tier="PROFESSIONAL")  # may use outside models
user = User.objects.create_user("ada")
Membership.objects.create(tenant=tenant, user=user, role="ANALYST")
"""
_COUNT = """
import json
from claims.models import Assessment, Claim
from observability.models import CircuitBreaker
from tenancy.models import CostRecord
from tenancy.scope import every_tenant
with every_tenant("harness"):
    print(json.dumps({
        "awaiting": Claim.objects.filter(status="AWAITING_REVIEW").count(),
        "providers": sorted(Assessment.objects.values_list("provider_name", flat=True)),
        "costs": CostRecord.objects.count(),
        "jobs_of_costs": CostRecord.objects.exclude(job_id=None).values("job_id").distinct().count(),
        "breaker": CircuitBreaker.objects.get(name="openai").state if CircuitBreaker.objects.exists() else "",
    }))
"""


def _ingest(site: Site, folder: Path, first: int, count: int) -> None:
    """Hand in films of the same two seconds and different bytes (a free box at the end)."""
    spec = ClipSpec(ClipKind.REAR_END, seed=5, width=320, height=180, fps=20, duration_seconds=2.0, delta_v_kmh=20.0)
    film = folder / "film.mp4"
    render_clip(spec, film)
    paths = []
    for number in range(first, first + count):
        path = folder / f"film-{number:02}.mp4"
        path.write_bytes(film.read_bytes() + struct.pack(">I4sQ", 16, b"free", number))
        paths.append(str(path))
    site.manage("ingest", *paths, "--tenant", "acme", "--user", "ada", "--json")


def _counts(site: Site) -> dict[str, Any]:
    counted: dict[str, Any] = json.loads(site.manage("shell", "--no-imports", "-c", _COUNT).strip().splitlines()[-1])
    return counted


@pytest.mark.harness
def test_two_workers_share_breaker_ledger_and_trace(tmp_path: Path) -> None:
    clips, site_folder = tmp_path / "clips", tmp_path / "site"
    clips.mkdir()
    site_folder.mkdir()
    unsure = GOOD_ANSWER | {"statements": [], "severity": "UNSURE", "scenario": "UNKNOWN"}
    with loopback(OPENAI.answers_json(unsure)) as provider, collector() as collected:
        environment = {
            "OPENAI_API_KEY": KEY,
            "OPENAI_BASE_URL": provider.url,
            "OTEL_EXPORTER_OTLP_ENDPOINT": collected.endpoint,
            "AI_BACKOFF_BASE_SECONDS": "0",
            "BREAKER_MIN_CALLS": "8",
            "BREAKER_WINDOW_SECONDS": "3600",
            "BREAKER_OPEN_SECONDS": "3600",
        }
        with own_site(site_folder, environment) as site:
            site.manage("shell", "--no-imports", "-c", _TENANT)
            worker = site.start_worker(concurrency=2)
            _ingest(site, clips, 0, WELL)
            wait_until(lambda: _counts(site)["awaiting"] == WELL, "the first claims await review", seconds=120)
            provider.turns[:] = [refuses(503)]
            _ingest(site, clips, WELL, ILL)
            wait_until(lambda: _counts(site)["awaiting"] == WELL + ILL, "all claims await review", seconds=120)
            counts = _counts(site)
            worker.stop()
        failed = len(provider.requests) - WELL
        calls = [span for span in collected.spans if span.name.startswith("chat ")]
        print(json.dumps({**counts, "failed_calls": failed, "spans": len(calls)}))
    assert counts["providers"] == ["openai"] * WELL + ["rules"] * ILL
    assert (counts["costs"], counts["jobs_of_costs"]) == (WELL, WELL)
    # Half of eight calls failed: it opens at the fourth failure; the other pool child may have one on its way.
    assert counts["breaker"] == "OPEN"
    assert 4 <= failed <= 5
    assert len(calls) == WELL + failed, "every call is one span, also of a child that has ended"
    assert KEY not in worker.output()
