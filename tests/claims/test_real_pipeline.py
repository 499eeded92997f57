"""The whole way of one claim through the real engine, on a film that is made here."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from django.conf import settings
from django.utils import timezone

from claims import tasks
from claims.models import Assessment, Claim, VideoFile
from observability.choices import JobState
from observability.jobs import take_job
from observability.models import Job
from tenancy.choices import Role
from tenancy.scope import tenant_scope
from tests.aiassist.video.clips import street, write_clip
from tests.claims.handing_in import hand_in
from tests.people import Person, make_person


def work() -> None:
    """Do what a worker does with every job that waits."""
    for job in Job.objects.filter(state=JobState.PENDING):
        lease = take_job(job_id=job.id, now=timezone.now())
        assert lease is not None
        tasks.assess(lease)


@pytest.fixture(scope="module")
def drive(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return write_clip(tmp_path_factory.mktemp("films") / "drive.mp4", street(40)).read_bytes()


def test_a_drive_is_assessed_and_waits_for_people_with_evidence_of_its_own(cleo: Person, drive: bytes) -> None:
    claim_id = hand_in(cleo.api(), content=drive).json()["id"]
    work()
    status = cleo.api().get(f"/api/v1/claims/{claim_id}/status").json()
    assert (status["status"], status["stage"], status["progress_percent"]) == ("AWAITING_REVIEW", "STORE", 100)
    with tenant_scope(cleo.tenant.id):
        assessment, video = Assessment.objects.get(), VideoFile.objects.get()
        assert len(video.perceptual_hashes) == 16
    assert assessment.processing_seconds > 0
    assert assessment.provider_name == "rules"
    assert assessment.degraded
    assert assessment.signals
    json.dumps(assessment.signals, allow_nan=False)
    assert Job.objects.get().state == JobState.SUCCEEDED


def test_a_black_film_cannot_be_assessed_and_goes_to_a_person(cleo: Person, tmp_path: Path) -> None:
    black = write_clip(tmp_path / "black.mp4", [np.zeros((180, 320, 3), np.uint8)] * 40).read_bytes()
    claim_id = hand_in(cleo.api(), content=black).json()["id"]
    work()
    body = cleo.api().get(f"/api/v1/claims/{claim_id}/assessment").json()
    assert (body["outcome"], body["reason_code"], body["severity"]) == ("NOT_ASSESSABLE", "static_black", None)
    assert body["prediction_set"] == ["NONE", "LOW", "MEDIUM", "HIGH"]
    assert body["review_priority"] in {"URGENT", "STANDARD"}


def test_the_same_film_of_another_client_carries_the_sign_of_a_duplicate(
    cleo: Person, ada: Person, drive: bytes
) -> None:
    dan = make_person(cleo.tenant, "dan", Role.CLIENT)
    hand_in(cleo.api(), "CLM-1", drive)
    second = hand_in(dan.api(), "CLM-2", drive).json()["id"]
    work()
    seen_by_ada = ada.api().get(f"/api/v1/claims/{second}/assessment").json()
    assert "duplicate_video" in {indicator["code"] for indicator in seen_by_ada["fraud_indicators"]}
    seen_by_dan = dan.api().get(f"/api/v1/claims/{second}/assessment")
    assert b"CLM-1" not in seen_by_dan.content
    assert b"duplicate" not in seen_by_dan.content


def test_a_reencoded_film_carries_the_sign_of_a_near_duplicate(
    cleo: Person, ada: Person, drive: bytes, tmp_path: Path
) -> None:
    hand_in(cleo.api(), "CLM-1", drive)
    work()
    softer = write_clip(tmp_path / "softer.mp4", street(40), fps=20, codec="mpeg4").read_bytes()
    second = hand_in(cleo.api(), "CLM-2", softer).json()["id"]
    work()
    indicators = ada.api().get(f"/api/v1/claims/{second}/assessment").json()["fraud_indicators"]
    near = [indicator for indicator in indicators if indicator["code"] == "near_duplicate_video"]
    assert len(near) == 1
    assert "CLM-1" in near[0]["detail"]


def test_a_film_that_left_the_store_sends_its_claim_to_a_person_in_the_end(cleo: Person, drive: bytes) -> None:
    claim_id = hand_in(cleo.api(), content=drive).json()["id"]
    with tenant_scope(cleo.tenant.id):
        (Path(settings.MEDIA_ROOT) / VideoFile.objects.get().storage_key).unlink()
    lease = take_job(job_id=Job.objects.get().id, now=timezone.now())
    assert lease is not None
    with pytest.raises(Exception, match="cannot be read right now") as failure:
        tasks.assess(lease)
    tasks.bury(lease.arguments, failure.value.code)  # type: ignore[attr-defined]
    with tenant_scope(cleo.tenant.id):
        claim = Claim.objects.get(id=claim_id)
    assert (claim.status, claim.error_code) == ("AWAITING_REVIEW", "video_missing")
