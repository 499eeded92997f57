"""Rows of claims for tests that are not about how they came to be."""

from __future__ import annotations

import hashlib
from dataclasses import fields
from datetime import timedelta
from typing import Any

from django.utils import timezone

from aiassist.types import Outcome, Scenario
from claims.choices import QUEUE_RANK, ClaimStatus, ReviewPriority
from claims.models import Assessment, Claim, Party, VideoFile
from claims.models.told import Contact, Told
from claims.sealing import seal_told, sealed_party
from observability.ids import new_id
from tenancy.scope import tenant_scope
from tenancy.vault import make_subject_key
from tests.people import Person

_TOLD = {field.name for field in fields(Told)}


def make_claim(person: Person, number: str = "CLM-1", **columns: Any) -> Claim:
    """Return a received claim of the person with a video row (no file behind it); what was told is sealed."""
    now = columns.pop("now", timezone.now())
    told = {name: columns.pop(name) for name in _TOLD & set(columns)}
    with tenant_scope(person.tenant.id):
        video = VideoFile.objects.create(
            sha256=hashlib.sha256(f"{person.tenant.id}{number}".encode()).hexdigest(),
            size_bytes=1024,
            storage_key=f"{person.tenant.id}/{new_id()}.mp4",
            media_type="video/mp4",
            codec="h264",
            width_px=1280,
            height_px=720,
            duration_seconds=10.0,
            stored_at=now,
        )
        claim = Claim(claim_number=number, submitted_by=person.user, video=video, received_at=now, **columns)
        seal_told(claim, Told(**told), key=make_subject_key(now=now))
        claim.save(force_insert=True)
        return claim


def make_party(claim: Claim, **contact: Any) -> Party:
    """Return a claimant of the claim; the caller is inside the tenant's scope."""
    party = sealed_party(claim, Contact(**contact))
    party.save(force_insert=True)
    return party


def make_assessed_claim(
    person: Person, number: str = "CLM-1", *, priority: str = ReviewPriority.STANDARD, **opinion: Any
) -> Claim:
    """Return a claim that awaits review with one assessment; `opinion` replaces columns of the assessment."""
    now = opinion.pop("now", timezone.now())
    claim = make_claim(person, number, now=now)
    with tenant_scope(person.tenant.id):
        assessment = make_assessment(claim, priority=priority, now=now, **opinion)
        Claim.objects.filter(id=claim.id).update(
            status=ClaimStatus.AWAITING_REVIEW,
            assessment=assessment,
            review_priority=priority,
            queue_rank=QUEUE_RANK[priority],
            waiting_since=now,
            review_due_at=now + timedelta(hours=24),
        )
        claim.refresh_from_db()
    return claim


def make_assessment(claim: Claim, *, version: int = 1, priority: str = "STANDARD", **columns: Any) -> Assessment:
    """Return an assessment row of the claim; the caller is inside the tenant's scope."""
    values: dict[str, Any] = {
        "outcome": Outcome.ASSESSED,
        "severity": "MEDIUM",
        "confidence": 0.64,
        "probabilities": {"NONE": 0.05, "LOW": 0.2, "MEDIUM": 0.64, "HIGH": 0.11},
        "model_probabilities": {"NONE": 0.05, "LOW": 0.2, "MEDIUM": 0.64, "HIGH": 0.11},
        "prediction_set": ["LOW", "MEDIUM"],
        "coverage_target": 0.9,
        "calibrated": True,
        "calibration_source": "RENDERED",
        "priority_points": 20,
        "priority_reasons": [{"code": "set_has_two_labels", "points": 20, "detail": "Two severities are possible."}],
        "suggested_fault_pct": 70.0,
        "fault_low_pct": 50.0,
        "fault_high_pct": 90.0,
        "scenario": Scenario.REAR_END,
        "fault_rules": [{"code": "following_distance", "effect": 60, "source": "Vienna Convention 1968 Art. 13(3)"}],
        "fraud_risk_score": 0.1,
        "fraud_indicators": [],
        "hazards": [
            {
                "kind": "IMPACT",
                "start_seconds": 4.4,
                "end_seconds": 4.9,
                "peak_seconds": 4.5,
                "score": 0.8,
                "source": "motion",
            }
        ],
        "signals": [],
        "summary": "An impact was measured at 4.4 s.",
        "provider_name": "rules",
        "provider_attempts": 1,
        "model_version": "test",
        "degraded": True,
        "degraded_reasons": ["vision_model"],
        "service_level": "DEGRADED",
        "processing_seconds": 2.0,
    }
    now = columns.pop("now", timezone.now())
    values |= columns
    assessment: Assessment = Assessment.objects.create(
        claim=claim, version=version, job_id=new_id(), review_priority=priority, created_at=now, **values
    )
    return assessment
