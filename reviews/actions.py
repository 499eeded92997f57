"""What people may do with a claim, as one table: who, from which state, to which, under which rules.

Page, API and command all pass through this table; a further action is a further row. Rules are pure: they look at a
`ReviewCase` and raise the named error when they are broken, in the order in which they stand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from aiassist.types import Severity
from claims.choices import ClaimStatus
from claims.identifiers import refuse_identifiers
from claims.models import Assessment, Claim
from observability.errors import FieldProblem, PreconditionFailed
from reviews.choices import DecisionKind, ReviewAction
from reviews.errors import (
    AlreadyDecided,
    ImpossibleOverride,
    IncompleteDecision,
    LeaseHeld,
    LeaseLost,
    NotReviewable,
    OverrideWithoutReason,
    OwnClaim,
    StaleAssessment,
)
from reviews.models import Decision, ReviewLease
from tenancy.choices import Scope
from tenancy.principals import Principal

MOST_WORDS = 10_000  # characters of a reasoning: some five pages, well under the body limit of 1 MB


@dataclass(frozen=True)
class DecisionDraft:
    """What a person wants to decide, and what they saw when they did.

    `fault_override_pct` is 0–100. `claim_version` is the version named by If-Match, None when none was named.
    """

    decision: DecisionKind
    reasoning: str
    assessment_id: UUID
    lease_token: UUID | None = None
    severity_override: Severity | None = None
    fault_override_pct: float | None = None
    fraud_override: bool | None = None
    override_reason: str = ""
    claim_version: int | None = None


@dataclass(frozen=True)
class Override:
    """A value that a person put in the place of the AI's."""

    ai: str | float | bool | None
    human: str | float | bool


@dataclass(frozen=True)
class ReviewCase:
    """Everything the rules look at: the locked claim, its newest assessment, who holds it, who acts.

    `winner_id` is the newest decision of a claim that is not waiting for one (any more).
    """

    step: ReviewStep
    claim: Claim
    assessment: Assessment | None
    lease: ReviewLease | None
    actor: Principal
    draft: DecisionDraft
    overrides: Mapping[str, Override]
    winner_id: UUID | None
    now: datetime


Rule = Callable[[ReviewCase], None]


@dataclass(frozen=True)
class ReviewStep:
    """One row of the table: the rules are asked in this order and raise the error that is named first."""

    scope: Scope
    origins: frozenset[ClaimStatus]
    target: ClaimStatus
    event: ReviewAction
    rules: tuple[Rule, ...]


def refuse_own_claim(case: ReviewCase) -> None:
    if case.claim.submitted_by_id == case.actor.user_id:
        raise OwnClaim


def refuse_wrong_state(case: ReviewCase) -> None:
    if case.claim.status in case.step.origins:
        return
    if case.winner_id is not None:
        raise AlreadyDecided(extra={"decision_id": str(case.winner_id)})
    raise NotReviewable


def refuse_other_version(case: ReviewCase) -> None:
    if case.draft.claim_version not in (None, case.claim.version):
        raise PreconditionFailed


def refuse_stale_assessment(case: ReviewCase) -> None:
    current = case.claim.assessment_id
    if case.draft.assessment_id != current:
        raise StaleAssessment(extra={"assessment_id": str(current)})


def refuse_foreign_lease(case: ReviewCase) -> None:
    """A token must be the one on the row; without a token nobody else may hold the claim.

    A lapsed lease that nobody took over still counts: nothing happened in between that the person has not seen.
    """
    lease, token = case.lease, case.draft.lease_token
    if token is not None:
        if lease is None or lease.token != token or lease.holder_id != case.actor.user_id:
            raise LeaseLost
    elif lease is not None and lease.expires_at > case.now and lease.holder_id != case.actor.user_id:
        raise LeaseHeld(extra={"holder": str(lease.holder), "expires_at": lease.expires_at})


def refuse_empty_reasoning(case: ReviewCase) -> None:
    if not case.draft.reasoning.strip():
        raise IncompleteDecision(problems=[FieldProblem("/reasoning", "required", "Say why.")])


def refuse_impossible_override(case: ReviewCase) -> None:
    fault = case.draft.fault_override_pct
    # Written so that NaN is refused too.
    if fault is not None and not 0.0 <= fault <= 100.0:
        problem = FieldProblem("/fault_ratio_override", "out_of_range", "Between 0 and 100.")
        raise ImpossibleOverride(problems=[problem])


def refuse_silent_override(case: ReviewCase) -> None:
    if case.overrides and not case.draft.override_reason.strip():
        problem = FieldProblem("/override_reason", "required", "Say why it differs from the AI's value.")
        raise OverrideWithoutReason(problems=[problem])


def refuse_named_person(case: ReviewCase) -> None:
    """What is written here goes into the history, which outlives an erasure."""
    refuse_identifiers(case.claim, reasoning=case.draft.reasoning, override_reason=case.draft.override_reason)


_DECISION_RULES: tuple[Rule, ...] = (
    refuse_own_claim,
    refuse_wrong_state,
    refuse_other_version,
    refuse_stale_assessment,
    refuse_foreign_lease,
    refuse_empty_reasoning,
    refuse_impossible_override,
    refuse_silent_override,
    refuse_named_person,
)


def _decision(target: ClaimStatus) -> ReviewStep:
    origins = frozenset({ClaimStatus.AWAITING_REVIEW})
    return ReviewStep(Scope.REVIEW, origins, target, ReviewAction.DECIDED, _DECISION_RULES)


def overrides_of(draft: DecisionDraft, assessment: Assessment, *, fraud_threshold: float) -> dict[str, Override]:
    """Return the values that differ from the AI's, by their name in the API; agreeing with the AI is no override.

    The AI gives a fraud risk, people a flag: it counts as flagged from the tenant's threshold on.
    """
    ai: dict[str, str | float | bool | None] = {
        "severity": assessment.severity or None,
        "fault_ratio": assessment.suggested_fault_pct,
        "fraud": assessment.fraud_risk_score >= fraud_threshold,
    }
    human: dict[str, str | float | bool | None] = {
        "severity": str(draft.severity_override) if draft.severity_override is not None else None,
        "fault_ratio": draft.fault_override_pct,
        "fraud": draft.fraud_override,
    }
    return {n: Override(ai[n], value) for n, value in human.items() if value is not None and value != ai[n]}


def recorded_overrides(decision: Decision) -> dict[str, Override]:
    """Return a stored decision's overrides; its assessment is loaded. An overridden flag was the other one before."""
    found: dict[str, Override] = {}
    if decision.severity_override:
        found["severity"] = Override(decision.assessment.severity or None, decision.severity_override)
    if decision.fault_override_pct is not None:
        found["fault_ratio"] = Override(decision.assessment.suggested_fault_pct, decision.fault_override_pct)
    if decision.fraud_override is not None:
        found["fraud"] = Override(not decision.fraud_override, decision.fraud_override)
    return found


def overrides_data(overrides: Mapping[str, Override]) -> dict[str, dict[str, object]]:
    """Return overrides as API and history show them."""
    return {name: {"ai": change.ai, "human": change.human} for name, change in overrides.items()}


STEPS: Mapping[DecisionKind, ReviewStep] = {
    DecisionKind.APPROVE: _decision(ClaimStatus.APPROVED),
    DecisionKind.REJECT: _decision(ClaimStatus.REJECTED),
    DecisionKind.REQUEST_MORE_INFO: _decision(ClaimStatus.INFO_REQUESTED),
}
