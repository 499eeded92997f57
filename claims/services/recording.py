"""An opinion becomes part of the claim file, in one commit that only the job's present holder can make."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Max

from aiassist.types import Finding, Opinion, Stage
from claims.choices import QUEUE_RANK, ClaimAction, ClaimStatus
from claims.errors import ClaimNotFound
from claims.models import Assessment, Claim, Evidence, VideoFile
from claims.records import opinion_columns
from claims.storage import Publication, new_key
from claims.triage import Triage, triage
from claims.unassessable import unassessable_opinion
from claims.workflow import move
from observability.ids import new_id
from observability.jobs import Lease, finish_job
from tenancy.policy import tenant_policy
from tenancy.principals import ai_principal
from tenancy.scope import current_tenant_id, tenant_scope

log = structlog.get_logger(__name__)

_UNASSESSED = frozenset({ClaimStatus.RECEIVED, ClaimStatus.PROCESSING})
_LONGEST_ACTOR_ID = 64


def record_assessment(*, lease: Lease, claim_id: UUID, opinion: Opinion, now: datetime) -> Assessment:
    """Record the opinion and end the job; the claim goes to the people.

    Pictures are stored first and removed again when the commit fails. Raises LeaseLost when another worker has the job.
    """
    with Publication() as pictures:
        keys = _store_pictures(opinion.findings, pictures, now)
        assessment = _commit_assessment(lease=lease, claim_id=claim_id, opinion=opinion, keys=keys, now=now)
        pictures.keep()
    return assessment


def record_unassessable(*, claim_id: UUID, tenant_id: UUID, code: str, now: datetime) -> None:
    """Send a claim whose job ended without an opinion to a person, with the reason. Safe to run twice."""
    with tenant_scope(tenant_id):
        _commit_unassessable(claim_id=claim_id, code=code, now=now)


@transaction.atomic(durable=True)
def _commit_assessment(
    *, lease: Lease, claim_id: UUID, opinion: Opinion, keys: Sequence[str], now: datetime
) -> Assessment:
    claim = Claim.objects.filter(id=claim_id).first()
    if claim is None:
        raise ClaimNotFound
    order = triage(opinion=opinion, policy=tenant_policy(current_tenant_id()), now=now)
    assessment = _insert_assessment(claim, opinion, order, job_id=lease.job_id, now=now)
    _insert_evidence(assessment, opinion.findings, keys)
    if opinion.facts is not None:
        VideoFile.objects.filter(id=claim.video_id).update(perceptual_hashes=list(opinion.facts.perceptual_hashes))
    finish_job(
        lease=lease,
        result={"claim_id": str(claim.id), "assessment_id": str(assessment.id), "outcome": opinion.outcome},
        now=now,
    )
    _send_to_review(claim, assessment, order, error_code="", now=now)
    return assessment


@transaction.atomic(durable=True)
def _commit_unassessable(*, claim_id: UUID, code: str, now: datetime) -> None:
    claim = Claim.objects.select_for_update(no_key=True).filter(id=claim_id).first()
    if claim is None or claim.status not in _UNASSESSED:
        log.info("unassessable_not_needed", found=claim is not None)
        return
    opinion = unassessable_opinion(code)
    order = triage(opinion=opinion, policy=tenant_policy(current_tenant_id()), now=now)
    # The dead job's id stays free for an operator's replay, which makes the next version.
    assessment = _insert_assessment(claim, opinion, order, job_id=new_id(), now=now)
    _send_to_review(claim, assessment, order, error_code=code, now=now)


def _store_pictures(findings: Sequence[Finding], pictures: Publication, now: datetime) -> list[str]:
    """Return one key per finding, empty where it has no picture."""
    keys = []
    for finding in findings:
        key = new_key(tenant_id=current_tenant_id(), extension="jpg", now=now) if finding.keyframe_jpeg else ""
        if finding.keyframe_jpeg:
            pictures.store_bytes(finding.keyframe_jpeg, key)
        keys.append(key)
    return keys


def _insert_assessment(claim: Claim, opinion: Opinion, order: Triage, *, job_id: UUID, now: datetime) -> Assessment:
    versions = Assessment.objects.filter(claim_id=claim.id).aggregate(last=Max("version"))
    columns = opinion_columns(opinion, order)
    assessment: Assessment = Assessment.objects.create(
        claim=claim, version=(versions["last"] or 0) + 1, job_id=job_id, created_at=now, **columns
    )
    return assessment


def _insert_evidence(assessment: Assessment, findings: Sequence[Finding], keys: Sequence[str]) -> None:
    Evidence.objects.bulk_create(
        Evidence(
            assessment=assessment,
            position=position,
            kind=finding.kind,
            stage=finding.stage,
            measure=finding.measure,
            value=finding.value,
            threshold=finding.threshold,
            start_seconds=finding.start_seconds,
            end_seconds=finding.end_seconds,
            at_seconds=finding.at_seconds,
            image_key=key,
        )
        for position, (finding, key) in enumerate(zip(findings, keys, strict=True))
    )


def _send_to_review(claim: Claim, assessment: Assessment, order: Triage, *, error_code: str, now: datetime) -> None:
    model = f"{assessment.provider_name}/{assessment.provider_model or assessment.model_version}"
    changes: dict[str, Any] = {
        "assessment": assessment,
        "review_priority": order.priority,
        "queue_rank": QUEUE_RANK[order.priority],
        # A newer opinion must not send a claim back to the end of the queue.
        "waiting_since": claim.waiting_since or now,
        "review_due_at": min(claim.review_due_at or order.due_at, order.due_at),
        "stage": Stage.STORE,
        "progress_percent": 100,
        "error_code": error_code,
        "finished_at": now,
    }
    move(
        claim=claim,
        to=ClaimStatus.AWAITING_REVIEW,
        action=ClaimAction.ASSESSED,
        actor=ai_principal(tenant_id=current_tenant_id(), model=model[:_LONGEST_ACTOR_ID]),
        now=now,
        changes=changes,
        details={
            "assessment_id": assessment.id,
            "version": assessment.version,
            "outcome": assessment.outcome,
            "severity": assessment.severity or None,
            "review_priority": order.priority,
        },
        reason=assessment.reason_code,
    )
