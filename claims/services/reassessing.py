"""Claims are assessed again, one a turn: the newer opinion stands beside the older ones, never over them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from aiassist.types import Opinion, Stage
from claims.choices import ClaimAction, ClaimEvent, ClaimStatus, ReassessmentState
from claims.copies import near_video_copies
from claims.models import Assessment, Claim, Reassessment, VideoFile
from claims.services.assessing import Engine, JobProgress, configured_engine, dossier_for
from claims.services.recording import announce_opinion, insert_version, store_pictures, version_details
from claims.services.requesting import reassessment_refusal
from claims.storage import Publication, local_path
from claims.workflow import move
from observability.jobs import Lease, LeaseLost, continue_job, finish_job
from tenancy.audit import record_event
from tenancy.principals import ai_principal, system_principal
from tenancy.quotas import give_back_assessments, recharge_assessments
from tenancy.scope import current_tenant_id, tenant_scope

log = structlog.get_logger(__name__)

_OPEN = ReassessmentState.PENDING


def reassess_next(*, lease: Lease, engine: Engine = configured_engine) -> None:
    """Assess the next open claim of the task again and end the turn, or the task. The caller is in the tenant's scope.

    One claim a turn: a kill costs at most one claim's work, and claims that came meanwhile are not held up. A claim
    that used up its attempts is left behind when others of the task still wait. Raises LeaseLost when another worker
    took over.
    """
    row, ended, total = _begin(lease.job_id)
    if row is None:
        _end_task(lease=lease, now=timezone.now())
        return
    refusal = reassessment_refusal(row.claim.status)
    if refusal is not None:
        _leave_alone(lease=lease, row=row, state=ReassessmentState.SKIPPED, code=refusal.code, now=timezone.now())
        return
    if lease.is_last and ended + 1 < total:
        _leave_alone(lease=lease, row=row, state=ReassessmentState.FAILED, code="attempts_spent", now=timezone.now())
        return
    claim = row.claim
    progress = JobProgress(lease, claim.id, ended=ended, total=total)
    with local_path(claim.video.storage_key) as path:
        opinion = engine(dossier_for(claim, path), on_progress=progress, find_copies=partial(near_video_copies, claim))
    progress(Stage.STORE, 95)
    _record(lease=lease, row=row, opinion=opinion, now=timezone.now())


def bury_reassessment(*, task_id: UUID, tenant_id: UUID, code: str, now: datetime) -> None:
    """End what a dead task leaves open, so that the claims can be asked for again; their opinions stay as they are.

    Safe to run twice.
    """
    with tenant_scope(tenant_id):
        _commit_burial(task_id=task_id, code=code, now=now)


def _begin(task_id: UUID) -> tuple[Reassessment | None, int, int]:
    """Return the next open row with its claim and video, how many have ended, and how many there are."""
    rows = Reassessment.objects.filter(task_id=task_id)
    if not rows.filter(state=_OPEN).exists():
        _reopen_buried(task_id)
    states = list(rows.values_list("state", flat=True))
    row = rows.filter(state=_OPEN).select_related("claim__video").order_by("position").first()
    return row, len(states) - states.count(_OPEN), len(states)


def _reopen_buried(task_id: UUID) -> None:
    """An operator replays a dead letter: what it left undone is open again, unless another task has it now."""
    elsewhere = Reassessment.objects.filter(claim_id=OuterRef("claim_id"), state=_OPEN)
    buried = Reassessment.objects.filter(~Exists(elsewhere), task_id=task_id, state=ReassessmentState.FAILED)
    for row in buried:
        with transaction.atomic(durable=True):
            # Given back when it was buried, counted again now: an open row is one that is paid for.
            if buried.filter(id=row.id).update(state=_OPEN, code="", ended_at=None):
                recharge_assessments(count=1, charged_at=row.requested_at)


def _record(*, lease: Lease, row: Reassessment, opinion: Opinion, now: datetime) -> None:
    with Publication() as pictures:
        keys = store_pictures(opinion.findings, pictures, now)
        if _commit_version(lease=lease, row=row, opinion=opinion, keys=keys, now=now):
            pictures.keep()


@transaction.atomic(durable=True)
def _commit_version(*, lease: Lease, row: Reassessment, opinion: Opinion, keys: Sequence[str], now: datetime) -> bool:
    """Whether the opinion became a version; not when people decided the claim while it was being assessed."""
    # Locked: a decision that is being written now comes first, and then this opinion is one too late.
    claim = Claim.objects.select_for_update(no_key=True).get(id=row.claim_id)
    refusal = reassessment_refusal(claim.status)
    if refusal is not None:
        _end_row(lease=lease, row=row, state=ReassessmentState.SKIPPED, code=refusal.code, now=now)
        return False
    made = insert_version(claim=claim, opinion=opinion, keys=keys, job_id=lease.job_id, now=now)
    assessment = made.assessment
    if opinion.facts is not None:
        stored = VideoFile.objects.filter(id=claim.video_id, removed_at__isnull=True)
        stored.update(perceptual_hashes=list(opinion.facts.perceptual_hashes))
    _end_row(lease=lease, row=row, state=ReassessmentState.DONE, assessment=assessment, now=now)
    status = ClaimStatus(claim.status)
    announce_opinion(ClaimEvent.REASSESSED, assessment=assessment, status=status, now=now)
    move(
        claim=claim,
        to=status,
        action=ClaimAction.REASSESSED,
        actor=ai_principal(tenant_id=current_tenant_id(), model=assessment.computed_by),
        now=now,
        changes=made.standing | {"error_code": ""},
        details=version_details(assessment) | {"changed": [change["field"] for change in assessment.changes]},
        reason=assessment.reason_code,
    )
    return True


@transaction.atomic(durable=True)
def _leave_alone(*, lease: Lease, row: Reassessment, state: ReassessmentState, code: str, now: datetime) -> None:
    _end_row(lease=lease, row=row, state=state, code=code, now=now)
    if state == ReassessmentState.FAILED:
        _tell_failure(row, code, now)


@transaction.atomic(durable=True)
def _end_task(*, lease: Lease, now: datetime) -> None:
    finish_job(lease=lease, result=task_result(lease.job_id), now=now)


@transaction.atomic(durable=True)
def _commit_burial(*, task_id: UUID, code: str, now: datetime) -> None:
    rows = Reassessment.objects.select_for_update(no_key=True).filter(task_id=task_id, state=_OPEN)
    for row in rows.order_by("position"):
        _write_end(row, state=ReassessmentState.FAILED, code=code, assessment=None, now=now)
        _tell_failure(row, code, now)


def _end_row(
    *,
    lease: Lease,
    row: Reassessment,
    state: ReassessmentState,
    now: datetime,
    code: str = "",
    assessment: Assessment | None = None,
) -> None:
    """End the row and with it the turn, or the task after its last one, in the caller's transaction."""
    _write_end(row, state=state, code=code, assessment=assessment, now=now)
    states = Counter(Reassessment.objects.filter(task_id=row.task_id).values_list("state", flat=True))
    if states[_OPEN]:
        ended = states.total() - states[_OPEN]
        continue_job(lease=lease, percent=100 * ended // states.total(), now=now)
    else:
        finish_job(lease=lease, result=task_result(row.task_id), now=now)


def _write_end(
    row: Reassessment, *, state: ReassessmentState, code: str, assessment: Assessment | None, now: datetime
) -> None:
    ours = Reassessment.objects.filter(id=row.id, state=_OPEN)
    if not ours.update(state=state, code=code, assessment=assessment, ended_at=now):
        raise LeaseLost  # buried meanwhile: the task is no longer ours
    if state != ReassessmentState.DONE:  # left alone or failed: no opinion came of it, so it costs nothing
        give_back_assessments(count=1, charged_at=row.requested_at)


def _tell_failure(row: Reassessment, code: str, now: datetime) -> None:
    record_event(
        action=ClaimAction.REASSESSMENT_FAILED,
        actor=system_principal(tenant_id=current_tenant_id(), name="worker"),
        object_type="claim",
        object_id=row.claim_id,
        now=now,
        after={"task_id": row.task_id},
        reason=code,
    )


def task_result(task_id: UUID) -> dict[str, Any]:
    """Return what became of every claim of the task, with what changed."""
    rows = Reassessment.objects.filter(task_id=task_id).select_related("claim", "assessment").order_by("position")
    items = [_item(row) for row in rows]
    counts = Counter(item["state"] for item in items)
    return {"items": items, "counts": {str(state): counts[state] for state in ReassessmentState if counts[state]}}


def _item(row: Reassessment) -> dict[str, Any]:
    made = row.assessment
    return {
        "claim_id": str(row.claim_id),
        "claim_number": row.claim.claim_number,
        "state": str(row.state),
        "code": row.code or None,
        "assessment_id": str(made.id) if made else None,
        "version": made.version if made else None,
        "previous_version": made.previous_version if made else None,
        "changes": made.changes if made else [],
    }
