"""Writes of the review desk: a person decides, bound to the assessment they saw."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from claims.errors import ClaimNotFound
from claims.models import Assessment, Claim
from claims.visibility import visible_claims
from claims.workflow import move
from observability import metrics
from reviews.actions import STEPS, DecisionDraft, Override, ReviewCase, overrides_of
from reviews.audit_check import recorded_details
from reviews.choices import DecisionKind, ReviewAction, ReviewEvent
from reviews.errors import StaleAssessment
from reviews.labels import draw_for_label
from reviews.models import Decision, ReviewLease
from reviews.observing import observe_decision
from reviews.queue import forget_counts
from tenancy.audit import record_event
from tenancy.permissions import require_scope
from tenancy.policy import tenant_policy
from tenancy.principals import Principal
from tenancy.scope import current_tenant_id
from tenancy.webhooks.announcing import announce

__all__ = ["DecisionDraft", "Override", "decide_claim"]


def decide_claim(*, claim_id: UUID, actor: Principal, draft: DecisionDraft, now: datetime) -> Decision:
    """Decide the claim: decision, status, lease and history in one commit, or a named refusal and nothing written.

    Writes Decision, Claim (by the workflow), AuditEvent; deletes ReviewLease. Raises PermissionRefused, ClaimNotFound,
    and what `reviews.actions` lists; a refusal as stale is itself recorded in the history.
    """
    require_scope(actor, STEPS[draft.decision].scope)
    try:
        decision = _decide(claim_id=claim_id, actor=actor, draft=draft, now=now)
    except StaleAssessment as refusal:
        _record_refusal(claim_id=claim_id, actor=actor, draft=draft, refusal=refusal, now=now)
        raise
    forget_counts(tenant_id=current_tenant_id())
    metrics.DECISIONS.labels(kind=decision.decision).inc()
    return decision


@transaction.atomic(durable=True)
def _decide(*, claim_id: UUID, actor: Principal, draft: DecisionDraft, now: datetime) -> Decision:
    case = _case(claim_id=claim_id, actor=actor, draft=draft, now=now)
    for rule in case.step.rules:
        rule(case)
    decision = _write_decision(case)
    draw_for_label(decision=decision, now=now)
    observe_decision(decision)
    ReviewLease.objects.filter(claim_id=claim_id).delete()
    _announce(case, decision)
    claim = move(
        claim=case.claim,
        to=case.step.target,
        action=case.step.event,
        actor=actor,
        now=now,
        details=recorded_details(decision),
        reason=decision.reasoning,
    )
    decision.claim = claim
    return decision


def _announce(case: ReviewCase, decision: Decision) -> None:
    kind = DecisionKind(decision.decision)
    asks = kind == DecisionKind.REQUEST_MORE_INFO
    announce(
        ReviewEvent.INFORMATION_REQUESTED if asks else ReviewEvent.DECIDED,
        data={
            "claim_id": case.claim.id,
            "status": case.step.target,
            "decision_id": decision.id,
            "decision": kind,
        },
        now=case.now,
    )


def _case(*, claim_id: UUID, actor: Principal, draft: DecisionDraft, now: datetime) -> ReviewCase:
    # The row lock puts deciders in order: the second one waits, then sees what the first did. NO KEY lets evidence
    # and documents of the claim be added meanwhile.
    rows = Claim.objects.select_for_update(of=("self",), no_key=True).select_related("assessment")
    claim = rows.filter(visible_claims(actor), id=claim_id).first()
    if claim is None:
        raise ClaimNotFound
    leases = ReviewLease.objects.select_for_update(of=("self",)).select_related("holder")
    step, assessment = STEPS[draft.decision], claim.assessment
    newest = Decision.objects.filter(claim_id=claim_id).order_by("-claim_version").values_list("id", flat=True)
    return ReviewCase(
        step=step,
        claim=claim,
        assessment=assessment,
        lease=leases.filter(claim_id=claim_id).first(),
        actor=actor,
        draft=draft,
        overrides=_overrides(draft, assessment),
        winner_id=None if claim.status in step.origins else newest.first(),
        now=now,
    )


def _overrides(draft: DecisionDraft, assessment: Assessment | None) -> dict[str, Override]:
    if assessment is None:
        return {}
    threshold = tenant_policy(current_tenant_id()).fraud_urgent_threshold
    return overrides_of(draft, assessment, fraud_threshold=threshold)


def _write_decision(case: ReviewCase) -> Decision:
    draft, lease, changed = case.draft, case.lease, case.overrides
    assert case.actor.user_id is not None  # the scope `review` belongs to people alone
    own_lease = lease if lease is not None and lease.holder_id == case.actor.user_id else None
    decision: Decision = Decision.objects.create(
        claim=case.claim,
        claim_version=case.claim.version,
        assessment=case.assessment,
        decision=draft.decision,
        reasoning=draft.reasoning.strip(),
        severity_override=draft.severity_override if "severity" in changed and draft.severity_override else "",
        fault_override_pct=draft.fault_override_pct if "fault_ratio" in changed else None,
        fraud_override=draft.fraud_override if "fraud" in changed else None,
        fraud_suspected=draft.fraud_override,
        override_reason=draft.override_reason.strip() if changed else "",
        decided_by_id=case.actor.user_id,
        decided_at=case.now,
        review_seconds=(case.now - own_lease.taken_at).total_seconds() if own_lease else None,
    )
    return decision


@transaction.atomic(durable=True)
def _record_refusal(
    *, claim_id: UUID, actor: Principal, draft: DecisionDraft, refusal: StaleAssessment, now: datetime
) -> None:
    record_event(
        action=ReviewAction.STALE_DECISION_REFUSED,
        actor=actor,
        object_type="claim",
        object_id=claim_id,
        now=now,
        after={"decision": draft.decision, "seen_assessment_id": draft.assessment_id, **refusal.extra},
    )
