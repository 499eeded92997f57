"""The real clips go in over the API and come out as claims that people can look at."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

import claims.tasks  # noqa: F401  # registers the job kind, as the worker does
from observability.models import Job
from observability.running import run_job
from tests.people import Person

NO_DASHCAM = {"intel_car-detection.mp4", "mapillary_sample-5s.mp4", "shreyansh_crash.mp4"}
# When others collide, as a person sees it; the fifth, dad_000528, is a few pixels high: nothing near it.
CRASHES = {"dad_000478.mp4": 4.4, "dad_000512.mp4": 4.5, "dad_000550.mp4": 4.5, "dad_000597.mp4": 4.5}
CALM = {"udacity_solidWhiteRight.mp4", "kartikey_dashcam2.mp4"}

pytestmark = pytest.mark.journey


def _manifest(folder: Path) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = json.loads((folder / "videos" / "MANIFEST.json").read_text())
    return listed


def _assessed(ada: Person, path: Path, number: str) -> dict[str, Any]:
    """Upload the clip, run its job, and return the assessment as the API tells it."""
    api = ada.api()
    form = {"video": SimpleUploadedFile(path.name, path.read_bytes()), "claim_number": number}
    receipt = api.post("/api/v1/claims/upload", form, format="multipart")
    assert receipt.status_code == 202, receipt.content
    run_job(Job.objects.latest("created_at").id)
    claim_id = receipt.json()["id"]
    assert api.get(f"/api/v1/claims/{claim_id}/status").json()["status"] == "AWAITING_REVIEW"
    assessment: dict[str, Any] = api.get(f"/api/v1/claims/{claim_id}/assessment").json()
    return assessment


@pytest.mark.django_db(transaction=True)
def test_every_real_clip_reaches_a_person_with_evidence_of_its_own(ada: Person, shared_data: Path) -> None:
    clips = [entry["file"] for entry in _manifest(shared_data)]
    found = {name: _assessed(ada, shared_data / "videos" / name, f"REAL-{n}") for n, name in enumerate(clips)}

    evidence = {name: json.dumps([(e["kind"], e["value"]) for e in a["evidence"]]) for name, a in found.items()}
    assert all(len(a["evidence"]) for a in found.values()), evidence
    assert len(set(evidence.values())) == len(clips), "two clips have the same evidence"

    refused = {name for name, a in found.items() if a["outcome"] == "NOT_ASSESSABLE"}
    assert refused == NO_DASHCAM
    assert {found[name]["reason_code"] for name in NO_DASHCAM} == {"not_dashcam"}

    cuts = [i for i in found["kartikey_dashcam2.mp4"]["fraud_indicators"] if i["code"] == "edit_cut"]
    assert cuts, "the edited clip shows its cut"
    shown = [e for e in found["kartikey_dashcam2.mp4"]["evidence"] if e["kind"] == "edit_cut"]
    assert any(abs(e["at_seconds"] - 12.17) < 0.2 for e in shown)
    for name in CALM:
        assert "IMPACT" not in {h["kind"] for h in found[name]["hazards"]}, name

    for name, crash in CRASHES.items():
        times = [e["at_seconds"] for e in found[name]["evidence"] if e["stage"] in ("MOTION", "PROXIMITY")]
        assert min(abs(at - crash) for at in times) <= 0.5, name
        assert "IMPACT" not in {h["kind"] for h in found[name]["hazards"]}, name
    (between_others,) = [h for h in found["dad_000512.mp4"]["hazards"] if h["kind"] == "IMPACT_THIRD_PARTY"]
    assert abs(between_others["start_seconds"] - CRASHES["dad_000512.mp4"]) <= 0.5
