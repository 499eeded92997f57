"""An opinion becomes part of the claim file, in one commit that only the job's present holder can make."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Max

from aiassist.types import Finding, Opinion, Outcome, Stage
from claims.changes import changes_between
from claims.choices import QUEUE_RANK, ClaimAction, ClaimEvent, ClaimStatus, ReviewPriority
from claims.counting import count_opinion
from claims.errors import ClaimNotFound
from claims.models import Assessment, Claim, Evidence, VideoFile
from claims.observing import observe_assessment
from claims.records import opinion_columns
from claims.storage import Publication, new_key
from claims.triage import Triage, not_lowered, triage
from claims.unassessable import unassessable_opinion
from claims.workflow import move
from observability.alerts.choices import AlertEvent
from observability.alerts.raising import raise_alert
from observability.ids import new_id
from observability.jobs import Lease, finish_job
from tenancy.policy import tenant_policy
from tenancy.principals import ai_principal
from tenancy.quotas import give_back_assessments
from tenancy.scope import current_tenant_id, tenant_scope
from tenancy.webhooks.announcing import announce

log = structlog.get_logger(__name__)

_UNASSESSED = frozenset({ClaimStatus.RECEIVED, ClaimStatus.PROCESSING})


def record_assessment(*, lease: Lease, claim_id: UUID, opinion: Opinion, now: datetime) -> Assessment:
    """Record the opinion and end the job; the claim goes to the people.

    Pictures are stored first and removed again when the commit fails. Raises LeaseLost when another worker has the job.
    """
    with Publication() as pictures:
        keys = store_pictures(opinion.findings, pictures, now)
        assessment = _commit_assessment(lease=lease, claim_id=claim_id, opinion=opinion, keys=keys, now=now)
        pictures.keep()
    return assessment


def record_unassessable(*, claim_id: UUID, tenant_id: UUID, code: str, now: datetime) -> None:
    """Send a claim whose job ended without an opinion to a person, with the reason; its assessment costs nothing.

    Safe to run twice.
    """
    with tenant_scope(tenant_id):
        _commit_unassessable(claim_id=claim_id, code=code, now=now)


@transaction.atomic(durable=True)
def _commit_assessment(
    *, lease: Lease, claim_id: UUID, opinion: Opinion, keys: Sequence[str], now: datetime
) -> Assessment:
    claim = Claim.objects.filter(id=claim_id).first()
    if claim is None:
        raise ClaimNotFound
    made = insert_version(claim=claim, opinion=opinion, keys=keys, job_id=lease.job_id, now=now)
    if opinion.facts is not None:
        stored = VideoFile.objects.filter(id=claim.video_id, removed_at__isnull=True)
        stored.update(perceptual_hashes=list(opinion.facts.perceptual_hashes))
    finish_job(
        lease=lease,
        result={"claim_id": str(claim.id), "assessment_id": str(made.assessment.id), "outcome": opinion.outcome},
        now=now,
    )
    _warn_of_high_risk(claim, opinion, now)
    _send_to_review(claim, made, error_code="", now=now)
    return made.assessment


def _warn_of_high_risk(claim: Claim, opinion: Opinion, now: datetime) -> None:
    """Tell operations; one alert a tenant, however many such claims come in an hour, with the last one's id."""
    if opinion.fraud.score >= settings.ALERT_FRAUD_RISK:
        raise_alert(
            AlertEvent.HIGH_RISK_PREDICTION,
            subject="fraud",
            tenant=current_tenant_id(),
            facts={"claim_id": claim.id, "score": round(opinion.fraud.score, 3)},
            now=now,
        )


@transaction.atomic(durable=True)
def _commit_unassessable(*, claim_id: UUID, code: str, now: datetime) -> None:
    claim = Claim.objects.select_for_update(no_key=True).filter(id=claim_id).first()
    if claim is None or claim.status not in _UNASSESSED:
        log.info("unassessable_not_needed", found=claim is not None)
        return
    opinion = unassessable_opinion(code)
    # The dead job's id stays free for an operator's replay, which makes the next version.
    made = insert_version(claim=claim, opinion=opinion, keys=(), job_id=new_id(), now=now)
    # Once, because the claim leaves this status in the same commit.
    give_back_assessments(count=1, charged_at=claim.received_at)
    _send_to_review(claim, made, error_code=code, now=now)


def store_pictures(findings: Sequence[Finding], pictures: Publication, now: datetime) -> list[str]:
    """Store the findings' pictures and return a key for each finding, empty where it has none."""
    keys = []
    for finding in findings:
        key = new_key(tenant_id=current_tenant_id(), extension="jpg", now=now) if finding.keyframe_jpeg else ""
        if finding.keyframe_jpeg:
            pictures.store_bytes(finding.keyframe_jpeg, key)
        keys.append(key)
    return keys


@dataclass(frozen=True)
class NewVersion:
    """An inserted opinion, and the columns by which the claim stands where it puts the claim."""

    assessment: Assessment
    standing: dict[str, Any]


def insert_version(*, claim: Claim, opinion: Opinion, keys: Sequence[str], job_id: UUID, now: datetime) -> NewVersion:
    """Insert the opinion beside the older ones, with its evidence and what it says differently.

    A newer one neither lowers a waiting claim nor gives it more time. Writes Assessment, Evidence and Observation; the
    claim's own columns are the caller's to write, by the workflow.
    """
    policy, previous = tenant_policy(current_tenant_id()), claim.assessment
    order = triage(opinion=opinion, policy=policy, now=now)
    if previous is not None:
        order = not_lowered(order, standing=ReviewPriority(claim.review_priority), version=previous.version)
    versions = Assessment.objects.filter(claim_id=claim.id).aggregate(last=Max("version"))
    columns = opinion_columns(opinion, order)
    assessment = Assessment(claim=claim, version=(versions["last"] or 0) + 1, job_id=job_id, created_at=now, **columns)
    if previous is not None:
        assessment.changes = changes_between(previous, assessment)
    assessment.save(force_insert=True)
    _insert_evidence(assessment, opinion.findings, keys)
    observe_assessment(claim=claim, assessment=assessment, opinion=opinion, policy=policy)
    transaction.on_commit(partial(count_opinion, opinion, order))
    return NewVersion(assessment, _standing(claim, assessment, order, now))


def _standing(claim: Claim, assessment: Assessment, order: Triage, now: datetime) -> dict[str, Any]:
    rank = QUEUE_RANK[order.priority]
    return {
        "assessment": assessment,
        "review_priority": order.priority,
        "queue_rank": rank if claim.assessment_id is None else min(rank, claim.queue_rank),
        "waiting_since": claim.waiting_since or now,
        "review_due_at": min(claim.review_due_at or order.due_at, order.due_at),
    }


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


def version_details(assessment: Assessment) -> dict[str, object]:
    """Return what the history says of an opinion."""
    return {
        "assessment_id": assessment.id,
        "version": assessment.version,
        "outcome": assessment.outcome,
        "severity": assessment.severity or None,
        "review_priority": assessment.review_priority,
    }


def announce_opinion(event: ClaimEvent, *, assessment: Assessment, status: ClaimStatus, now: datetime) -> None:
    """Tell webhooks of a new opinion; what it says is read by those who may, over the API."""
    announce(
        event,
        data={
            "claim_id": assessment.claim_id,
            "status": status,
            "assessment_id": assessment.id,
            "version": assessment.version,
            "outcome": Outcome(assessment.outcome),
        },
        now=now,
    )


def _send_to_review(claim: Claim, made: NewVersion, *, error_code: str, now: datetime) -> None:
    assessment, status = made.assessment, ClaimStatus.AWAITING_REVIEW
    # A replayed dead letter finds a claim that was assessed before.
    event = ClaimEvent.REASSESSED if claim.status == status else ClaimEvent.ASSESSED
    announce_opinion(event, assessment=assessment, status=status, now=now)
    move(
        claim=claim,
        to=status,
        action=ClaimAction.ASSESSED,
        actor=ai_principal(tenant_id=current_tenant_id(), model=assessment.computed_by),
        now=now,
        changes=made.standing
        | {"stage": Stage.STORE, "progress_percent": 100, "error_code": error_code, "finished_at": now},
        details=version_details(assessment),
        reason=assessment.reason_code,
    )
