"""Claims as a reviewer meets them: a video that plays, curves with a burst at the impact, pictures, priorities."""

from __future__ import annotations

import functools
import struct
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from django.db import transaction
from django.utils import timezone

from claims.choices import QUEUE_RANK, ClaimStatus
from claims.intake import quarantine_stream
from claims.models import Claim, Evidence
from claims.notices import LossNotice
from claims.services import receive_claim
from claims.storage import Publication, new_key
from tenancy.choices import DeliveryState, DisabledReason
from tenancy.models import WebhookDelivery, WebhookEndpoint, WebhookEvent
from tenancy.scope import tenant_scope
from tests.aiassist.video.clips import street, write_clip
from tests.files import make_assessment
from tests.people import Person

FPS, PICTURES = 20, 160
CLIP_SECONDS = PICTURES / FPS
IMPACT_SECONDS = 4.4
_STEP = 0.05
_DELIVERIES: dict[DeliveryState, dict[str, Any]] = {
    DeliveryState.DELIVERED: {"attempts": 1, "status_code": 204, "latency_ms": 83},
    DeliveryState.FAILED: {"attempts": 12, "status_code": 503, "latency_ms": 10_004, "error_code": "server_error"},
    DeliveryState.PENDING: {"attempts": 3, "error_code": "timeout", "next_attempt_at": timezone.now()},
    DeliveryState.CANCELLED: {"round": 2},
}


@functools.cache
def _clip() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return write_clip(Path(folder) / "clip.mp4", street(PICTURES), fps=FPS).read_bytes()


def _marked_clip(mark: str) -> bytes:
    """The same pictures under other bytes: a `free` box at the end, which players skip."""
    note = mark.encode()
    return _clip() + struct.pack(">I4s", 8 + len(note), b"free") + note


def _curve(name: str, unit: str, burst: float, threshold: float | None) -> dict[str, Any]:
    """A curve that hums and jumps at the impact."""
    count = int(CLIP_SECONDS / _STEP)
    noise = np.random.default_rng(len(name)).normal(0, 0.15, count)
    times = np.arange(count) * _STEP
    jump = burst * np.exp(-(((times - IMPACT_SECONDS) / 0.15) ** 2))
    values = [float(value) for value in np.round(0.4 * np.sin(2 * times) + noise + jump, 4)]
    shape = {"start_seconds": 0.0, "step_seconds": _STEP, "values": values, "threshold": threshold}
    return {"name": name, "unit": unit, **shape}


def _hazards() -> list[dict[str, Any]]:
    rows = [("HARD_BRAKE", 3.1, 4.3, 3.6, "motion"), ("IMPACT", 4.3, 4.6, IMPACT_SECONDS, "motion")]
    return [
        {"kind": k, "start_seconds": s, "end_seconds": e, "peak_seconds": p, "score": 0.8, "source": source}
        for k, s, e, p, source in rows
    ]


def reviewable_claim(person: Person, number: str, *, priority: str = "STANDARD", **opinion: Any) -> Claim:
    """Return a claim that waits for a review, with a stored video, curves, two evidence items and a picture."""
    now = timezone.now()
    with tenant_scope(person.tenant.id):
        upload = quarantine_stream([_marked_clip(number)], name="drive.mp4")
        notice = LossNotice(
            claim_number=number,
            loss_location="Ringstraße 14, Linz",
            description="The car in front braked hard at the lights and I could not stop in time.",
            vehicle_plate="L-204 KM",
        )
        claim = receive_claim(actor=person.principal, notice=notice, upload=upload, now=now).claim
        curves = [_curve("speed_relative", "1", -0.5, None), _curve("jolt_z", "z", 9.0, 6.0)]
        values: dict[str, Any] = {"hazards": _hazards(), "signals": curves, **opinion}
        assessment = make_assessment(claim, priority=priority, now=now, **values)
        _add_evidence(claim, assessment.id)
        Claim.objects.filter(id=claim.id).update(
            status=ClaimStatus.AWAITING_REVIEW,
            assessment=assessment,
            review_priority=priority,
            queue_rank=QUEUE_RANK[priority],
            waiting_since=now - timedelta(minutes=14),
            review_due_at=now + timedelta(hours=3),
            progress_percent=100,
            stage="STORE",
        )
        claim.refresh_from_db()
    return claim


def webhook_with_a_log(person: Person) -> WebhookEndpoint:
    """Return a webhook with deliveries in every state; beside it stands one that was switched off."""
    now = timezone.now()
    with tenant_scope(person.tenant.id), transaction.atomic():
        shared: dict[str, Any] = {"events": ["claim.received"], "secret_sealed": "x", "created_at": now}
        off = {"enabled": False, "disabled_reason": DisabledReason.FAILING}
        WebhookEndpoint.objects.create(url="https://old.acme.example/in", **off, **shared)
        url = "https://hooks.acme-insurance.example:8443/claims/inbound/production?source=claimwright"
        endpoint: WebhookEndpoint = WebhookEndpoint.objects.create(url=url, **shared)
        for state, columns in _DELIVERIES.items():
            body = {"type": "claim.assessment_completed", "body": "{}", "occurred_at": now}
            finished = None if state == DeliveryState.PENDING else now
            WebhookDelivery.objects.create(
                endpoint=endpoint,
                event=WebhookEvent.objects.create(**body),
                state=state,
                created_at=now,
                finished_at=finished,
                **columns,
            )
    return endpoint


def _add_evidence(claim: Claim, assessment_id: object) -> None:
    _, picture = cv2.imencode(".jpg", street(1)[0])
    rows = [
        ("hard_brake", "speed_loss_per_second", 0.9, 0.5, 3.1, 4.3, 3.6),
        ("impact", "jolt_z", 9.2, 6.0, 4.3, 4.6, IMPACT_SECONDS),
    ]
    assert claim.tenant_id is not None
    for position, (kind, measure, value, threshold, start, end, at) in enumerate(rows):
        with Publication() as publication:
            key = new_key(tenant_id=claim.tenant_id, extension="jpg", now=timezone.now())
            publication.store_bytes(picture.tobytes(), key)
            publication.keep()
        Evidence.objects.create(
            assessment_id=assessment_id,
            position=position,
            kind=kind,
            stage="MOTION",
            measure=measure,
            value=value,
            threshold=threshold,
            start_seconds=start,
            end_seconds=end,
            at_seconds=at,
            image_key=key,
        )
