"""People ask for claims to be assessed again: rows, job and history in one commit; at most one open run a claim."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from claims.choices import REASSESSABLE, ClaimAction, ClaimStatus, ReassessmentState
from claims.errors import (
    ClaimDecided,
    ClaimNotFound,
    FirstAssessmentRunning,
    NothingToReassess,
    NotReassessable,
    ReassessmentRunning,
)
from claims.identifiers import refuse_identifiers
from claims.models import Claim, Reassessment
from claims.selectors import claims_visible_to
from observability.errors import FieldProblem, InvalidInput, PermissionRefused
from observability.ids import new_id
from observability.jobs import enqueue_job
from tenancy.audit import record_event
from tenancy.choices import Scope
from tenancy.permissions import require_scope
from tenancy.principals import Principal
from tenancy.quotas import charge_assessments
from tenancy.scope import current_tenant_id

REASSESS_JOB = "claims.reassess"
# Some ten minutes of one worker at six seconds a claim; whoever wants more asks again.
MOST_CLAIMS = 100
_DECIDED = frozenset({ClaimStatus.APPROVED, ClaimStatus.REJECTED})
_FIRST = frozenset({ClaimStatus.RECEIVED, ClaimStatus.PROCESSING})


@transaction.atomic(durable=True)
def request_reassessment(*, actor: Principal, claim_ids: Sequence[UUID], reason: str = "", now: datetime) -> UUID:
    """Have the claims assessed again by one task and return its id; a claim that is being done already stays there.

    Claims that take no new opinion are named in the task's result; when none is left, that is the refusal:
    ClaimDecided, FirstAssessmentRunning, NotReassessable. When all run in one task already, that task is the answer;
    in several, ReassessmentRunning names them. Raises PermissionRefused for the claimant's side, ClaimNotFound,
    InvalidInput, NothingToReassess, QuotaExceeded when the month has no room for all of them. Writes Reassessment, Job,
    AuditEvent.
    """
    require_scope(actor, Scope.WRITE)
    if actor.is_client:
        raise PermissionRefused
    claims = _claims_named(actor, claim_ids)
    for claim in claims:
        refuse_identifiers(claim, reason=reason)
    refusals = {claim.id: refusal for claim in claims if (refusal := reassessment_refusal(claim.status)) is not None}
    task_id = new_id()
    started = _open_rows(task_id, [claim for claim in claims if claim.id not in refusals], now)
    if not started:
        return _answer_without_task(claims, refusals)
    _skip_rows(task_id, claims, started, refusals, now)
    _enqueue(task_id, actor, now)
    charge_assessments(count=len(started), now=now)
    for claim_id in started:
        record_event(
            action=ClaimAction.REASSESSMENT_REQUESTED,
            actor=actor,
            object_type="claim",
            object_id=claim_id,
            now=now,
            after={"task_id": task_id},
            reason=reason,
        )
    return task_id


def reassessment_refusal(status: str) -> NotReassessable | None:
    """Return why a claim in this status takes no new opinion, None where it does."""
    if status in REASSESSABLE:
        return None
    if status in _DECIDED:
        return ClaimDecided()
    return FirstAssessmentRunning() if status in _FIRST else NotReassessable()


def _claims_named(actor: Principal, claim_ids: Iterable[UUID]) -> list[Claim]:
    wanted = list(dict.fromkeys(claim_ids))
    if not wanted:
        raise NothingToReassess
    if len(wanted) > MOST_CLAIMS:
        problem = FieldProblem("/claim_ids", "too_many", f"At most {MOST_CLAIMS} claims at a time.")
        raise InvalidInput(problems=[problem])
    found = {claim.id: claim for claim in claims_visible_to(actor).filter(id__in=wanted)}
    missing = [index for index, claim_id in enumerate(wanted) if claim_id not in found]
    if missing:
        raise ClaimNotFound(problems=[FieldProblem(f"/claim_ids/{i}", "not_found", "No such claim.") for i in missing])
    return [found[claim_id] for claim_id in wanted]


def _open_rows(task_id: UUID, claims: Sequence[Claim], now: datetime) -> set[UUID]:
    """Insert the open rows and return the claims that are ours: the constraint leaves out what runs already."""
    Reassessment.objects.bulk_create(
        [
            Reassessment(task_id=task_id, position=position, claim=claim, requested_at=now)
            for position, claim in enumerate(claims)
        ],
        ignore_conflicts=True,
    )
    return set(Reassessment.objects.filter(task_id=task_id).values_list("claim_id", flat=True))


def _skip_rows(
    task_id: UUID, claims: Sequence[Claim], started: set[UUID], refusals: dict[UUID, NotReassessable], now: datetime
) -> None:
    """Note what this task leaves alone, and why, behind the rows that it works on."""
    left = [claim for claim in claims if claim.id not in started]
    Reassessment.objects.bulk_create(
        Reassessment(
            task_id=task_id,
            position=len(claims) + place,
            claim=claim,
            state=ReassessmentState.SKIPPED,
            code=refusals[claim.id].code if claim.id in refusals else ReassessmentRunning.code,
            requested_at=now,
            ended_at=now,
        )
        for place, claim in enumerate(left)
    )


def _answer_without_task(claims: Sequence[Claim], refusals: dict[UUID, NotReassessable]) -> UUID:
    """Return the one task that does all of it already; nothing of ours was written."""
    running = [claim.id for claim in claims if claim.id not in refusals]
    if not running:
        raise refusals[claims[0].id]
    # The newest row of a claim is the open one that stood in the way, even if it has just ended.
    rows = Reassessment.objects.filter(claim_id__in=running).exclude(state=ReassessmentState.SKIPPED).order_by("id")
    tasks: set[UUID] = set(dict(rows.values_list("claim_id", "task_id")).values())
    if len(tasks) == 1:
        return tasks.pop()
    raise ReassessmentRunning(extra={"task_ids": sorted(map(str, tasks))})


def _enqueue(task_id: UUID, actor: Principal, now: datetime) -> None:
    tenant_ref = str(current_tenant_id())
    arguments = {"task_id": str(task_id), "tenant_id": tenant_ref, "requested_by": str(actor.user_id or "")}
    enqueue_job(kind=REASSESS_JOB, tenant_ref=tenant_ref, arguments=arguments, now=now, job_id=task_id)
