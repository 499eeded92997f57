"""The answers of the claim file: plain dicts in the API's shape."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.urls import reverse

from claims.models import Assessment, Claim, Evidence, Party, Resubmission
from claims.redaction import HIDDEN_CHANGES, HIDDEN_FIELDS, HIDDEN_STAGES, client_summary
from claims.selectors import evidence_of


def claim_links(claim: Claim) -> dict[str, str]:
    """Return the addresses of the claim and what belongs to it."""
    arguments = {"claim_id": claim.id}
    return {
        "self": reverse("api_claims:claim", kwargs=arguments),
        "status": reverse("api_claims:claim-status", kwargs=arguments),
        "assessment": reverse("api_claims:claim-assessment", kwargs=arguments),
        "video": reverse("api_claims:claim-video", kwargs=arguments),
    }


def receipt_data(claim: Claim, *, duplicate: bool) -> dict[str, Any]:
    """Return the answer to an upload; `claim.video` is loaded."""
    links = claim_links(claim)
    del links["video"]
    return {
        "id": str(claim.id),
        "claim_number": claim.claim_number,
        "status": claim.status,
        "sha256": claim.video.sha256,
        "size_bytes": claim.video.size_bytes,
        "duplicate": duplicate,
        "links": links,
    }


def claim_status_data(claim: Claim) -> dict[str, Any]:
    """Return how far a claim is."""
    return {
        "id": str(claim.id),
        "status": claim.status,
        "stage": claim.stage or None,
        "progress_percent": claim.progress_percent,
        "attempts": claim.attempts,
        "error": claim.error_code or None,
        "received_at": claim.received_at,
        "started_at": claim.started_at,
        "finished_at": claim.finished_at,
    }


def claim_item(claim: Claim) -> dict[str, Any]:
    """Return one row of a list; `claim.assessment` is loaded."""
    opinion = claim.assessment
    return {
        "id": str(claim.id),
        "claim_number": claim.claim_number,
        "status": claim.status,
        "review_priority": claim.review_priority or None,
        "severity": (opinion.severity or None) if opinion else None,
        "outcome": opinion.outcome if opinion else None,
        "policy_number": claim.policy_number,
        "vehicle_plate": claim.told.vehicle_plate,
        "loss_at": claim.loss_at,
        "stage": claim.stage or None,
        "progress_percent": claim.progress_percent,
        "received_at": claim.received_at,
        "review_due_at": claim.review_due_at,
        "finished_at": claim.finished_at,
        "links": claim_links(claim),
    }


def claim_data(claim: Claim, *, claimant: Party | None, resubmissions: list[Resubmission] | None) -> dict[str, Any]:
    """Return the whole claim; `resubmissions` None leaves out what is for staff alone."""
    video = claim.video
    data = claim_item(claim) | {
        "version": claim.version,
        "submitted_by": str(claim.submitted_by_id),
        "loss_location": claim.told.loss_location,
        "description": claim.told.description,
        "metadata": claim.told.metadata,
        "file_name": claim.told.file_name,
        "personal_data": claim.told.state,
        "legal_hold_since": claim.held_since,
        "media_removed_at": claim.media_removed_at,
        "erased_at": claim.erased_at,
        "claimant": _claimant(claimant),
        "video": {
            "sha256": video.sha256,
            "size_bytes": video.size_bytes,
            "media_type": video.media_type,
            "codec": video.codec,
            "width_px": video.width_px,
            "height_px": video.height_px,
            "duration_seconds": video.duration_seconds,
        },
    }
    if resubmissions is not None:
        data["restricted"] = claim.restricted
        data["resubmissions"] = [
            {"claim_number": r.claim_number, "received_at": r.received_at, "submitted_by": str(r.submitted_by_id)}
            for r in resubmissions
        ]
    return data


def _claimant(party: Party | None) -> dict[str, str] | None:
    if party is None:
        return None
    contact = party.contact
    return {"name": contact.name, "email": contact.email, "phone": contact.phone, "account": contact.account}


def assessment_data(assessment: Assessment, *, redacted: bool) -> dict[str, Any]:
    """Return an opinion with its evidence; `redacted` is what the claimant's side may see of it."""
    evidence = evidence_of(assessment)
    data: dict[str, Any] = {
        "id": str(assessment.id),
        "claim_id": str(assessment.claim_id),
        "version": assessment.version,
        "previous_version": assessment.previous_version,
        "changes": [c for c in assessment.changes if not (redacted and c["field"] in HIDDEN_CHANGES)],
        "outcome": assessment.outcome,
        "reason_code": assessment.reason_code or None,
        "severity": assessment.severity or None,
        "confidence": assessment.confidence,
        "prediction_set": assessment.prediction_set,
        "coverage_target": assessment.coverage_target,
        "calibrated": assessment.calibrated,
        "calibration_source": assessment.calibration_source,
        "review_priority": assessment.review_priority,
        "priority_reasons": assessment.priority_reasons,
        "fault_assessment": {
            "fault_ratio": assessment.suggested_fault_pct,
            "interval": [assessment.fault_low_pct, assessment.fault_high_pct],
            "scenario": assessment.scenario,
            "rules": assessment.fault_rules,
        },
        "fraud_risk_score": assessment.fraud_risk_score,
        "fraud_indicators": assessment.fraud_indicators,
        "fraud_source": assessment.fraud_source,
        "fraud_model": assessment.fraud_model,
        "hazards": assessment.hazards,
        "evidence": [_evidence(item) for item in evidence if not (redacted and item.stage in HIDDEN_STAGES)],
        "summary": client_summary(assessment) if redacted else assessment.summary,
        "provider": {
            "name": assessment.provider_name,
            "model": assessment.provider_model,
            "attempts": assessment.provider_attempts,
            "prompt_version": assessment.prompt_version,
        },
        "degraded": assessment.degraded,
        "service_level": assessment.service_level,
        "processing_seconds": assessment.processing_seconds,
        "created_at": assessment.created_at,
    }
    return {name: value for name, value in data.items() if name not in HIDDEN_FIELDS} if redacted else data


def task_accepted(task_id: UUID) -> dict[str, Any]:
    """Return the answer to a request that becomes a task."""
    return {"task_id": str(task_id), "links": {"task": reverse("api_tenancy:task", kwargs={"task_id": task_id})}}


def _evidence(item: Evidence) -> dict[str, Any]:
    url = reverse("api_claims:evidence-image", kwargs={"evidence_id": item.id}) if item.image_key else None
    return {
        "id": str(item.id),
        "kind": item.kind,
        "start_seconds": item.start_seconds,
        "end_seconds": item.end_seconds,
        "at_seconds": item.at_seconds,
        "stage": item.stage,
        "measure": item.measure,
        "value": item.value,
        "threshold": item.threshold,
        "url": url,
    }
