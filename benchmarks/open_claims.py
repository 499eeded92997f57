"""A scratch tenant with many open claims, as wide as real ones; imported after Django is set up."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from aiassist.types import Outcome, Scenario
from claims.choices import QUEUE_RANK, ClaimStatus, ReviewPriority
from claims.models import Assessment, Claim, VideoFile
from observability.ids import new_id
from reviews.models import ReviewLease
from tenancy.choices import Role
from tenancy.keys import PREFIX_LENGTH, make_secret, secret_hash
from tenancy.models import ApiKey, Membership, Tenant, User
from tenancy.permissions import role_scopes
from tenancy.scope import tenant_scope

_BATCH = 2_000
_HELD = 500
# Urgent claims are few; due times are tied by the minute, as after a bulk import.
_CLASSES = random.Random(4).choices(list(ReviewPriority), weights=(5, 70, 25), k=_BATCH)
_SIGNAL = {"name": "jerk", "unit": "m/s3", "start_seconds": 0.0, "step_seconds": 0.1, "threshold": 6.0}
_SIGNALS = [{**_SIGNAL, "values": [round(0.37 * n % 9, 2) for n in range(300)]} for _ in range(2)]


def fill(claims: int, *, signals: bool = True) -> str:
    """Write the tenant with so many open claims, 500 of them held; return a reviewer's API key.

    Without `signals` an opinion is narrow: a million of them fit a scratch disk.
    """
    tenant = Tenant.objects.create(slug="bench", name="Bench")
    reviewer, sender, colleague = (User.objects.create(username=name) for name in ("rita", "sid", "carl"))
    Membership.objects.create(tenant=tenant, user=reviewer, role=Role.ANALYST)
    now = timezone.now()
    with tenant_scope(tenant.id):
        for start in range(0, claims, _BATCH):
            _write(range(start, min(start + _BATCH, claims)), sender.id, now, signals=signals)
        heads = Claim.objects.order_by("queue_rank", "review_due_at", "id").values_list("id", flat=True)[:_HELD]
        ReviewLease.objects.bulk_create(
            ReviewLease(
                claim_id=claim_id,
                holder_id=colleague.id,
                token=new_id(),
                taken_at=now,
                expires_at=now + timedelta(hours=1),
            )
            for claim_id in heads
        )
    _analyze()
    secret = make_secret()
    ApiKey.objects.create(
        tenant=tenant,
        user=reviewer,
        name="bench",
        prefix=secret[:PREFIX_LENGTH],
        secret_sha256=secret_hash(secret),
        scopes=sorted(role_scopes(Role.ANALYST)),
        created_at=now,
    )
    return secret


def _write(numbers: range, sender_id: UUID, now: datetime, *, signals: bool) -> None:
    videos = [_video(n, now) for n in numbers]
    claims = [_claim(n, video, sender_id, now) for n, video in zip(numbers, videos, strict=True)]
    opinions = [_opinion(claim, now, signals=signals) for claim in claims]
    # A claim and its opinion point at each other; the database looks at both when the transaction ends.
    with transaction.atomic():
        VideoFile.objects.bulk_create(videos)
        Claim.objects.bulk_create(claims)
        Assessment.objects.bulk_create(opinions)


def _claim(number: int, video: VideoFile, sender_id: UUID, now: datetime) -> Claim:
    priority = _CLASSES[number % _BATCH]
    waiting_since = now - timedelta(minutes=number % 5_000)
    return Claim(
        claim_number=f"CLM-{number}",
        status=ClaimStatus.AWAITING_REVIEW,
        submitted_by_id=sender_id,
        video=video,
        received_at=now,
        assessment_id=new_id(),
        review_priority=priority,
        queue_rank=QUEUE_RANK[priority],
        waiting_since=waiting_since,
        review_due_at=waiting_since + timedelta(hours=96),
    )


def _video(number: int, now: datetime) -> VideoFile:
    return VideoFile(
        sha256=f"{number:064x}",
        size_bytes=1,
        storage_key=f"bench/{number}",
        media_type="video/mp4",
        codec="h264",
        width_px=1280,
        height_px=720,
        stored_at=now,
    )


def _opinion(claim: Claim, now: datetime, *, signals: bool) -> Assessment:
    return Assessment(
        id=claim.assessment_id,
        claim=claim,
        version=1,
        job_id=new_id(),
        outcome=Outcome.ASSESSED,
        severity="MEDIUM",
        confidence=0.64,
        prediction_set=["LOW", "MEDIUM"],
        coverage_target=0.9,
        calibrated=True,
        calibration_source="RENDERED",
        review_priority=claim.review_priority,
        priority_points=20,
        priority_reasons=[{"code": "set_has_two_labels", "points": 20, "detail": "Two severities are possible."}],
        suggested_fault_pct=70.0,
        fault_low_pct=50.0,
        fault_high_pct=90.0,
        scenario=Scenario.REAR_END,
        fraud_risk_score=0.1,
        signals=_SIGNALS if signals else [],
        summary="An impact was measured at 4.4 s.",
        provider_name="rules",
        provider_attempts=1,
        model_version="bench",
        degraded=False,
        service_level="FULL",
        processing_seconds=2.0,
        created_at=now,
    )


def _analyze() -> None:
    # What autovacuum and a long-lived SQLite file have done long before there are so many rows.
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")
