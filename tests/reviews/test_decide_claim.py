"""A person decides, bound to the assessment they saw; every refusal writes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from aiassist.types import Severity
from claims.choices import ClaimStatus
from claims.errors import ClaimNotFound
from claims.models import Claim
from observability.errors import PermissionRefused, PlatformError, PreconditionFailed
from observability.ids import new_id
from reviews.actions import DecisionDraft
from reviews.choices import DecisionKind
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
from reviews.leases import LEASE_TIME, take_lease
from reviews.models import Decision, ReviewLease
from reviews.services import decide_claim
from tenancy.models import AuditEvent
from tenancy.scope import tenant_scope
from tests.files import make_assessed_claim, make_assessment, make_claim
from tests.people import Person

NOW = timezone.now()


@pytest.fixture(autouse=True)
def inside_acme(ada: Person) -> Iterator[None]:
    with tenant_scope(ada.tenant.id):
        yield


@pytest.fixture
def claim(cleo: Person) -> Claim:
    return make_assessed_claim(cleo)


def draft_for(claim: Claim, **words: Any) -> DecisionDraft:
    words = {"decision": DecisionKind.APPROVE, "reasoning": "Clear view of the impact.", **words}
    return DecisionDraft(assessment_id=words.pop("assessment_id", claim.assessment_id), **words)


@pytest.mark.parametrize(
    ("decision", "status"),
    [
        (DecisionKind.APPROVE, ClaimStatus.APPROVED),
        (DecisionKind.REJECT, ClaimStatus.REJECTED),
        (DecisionKind.REQUEST_MORE_INFO, ClaimStatus.INFO_REQUESTED),
    ],
)
def test_decide_claim_moves_the_claim_and_frees_it(
    ada: Person, claim: Claim, decision: DecisionKind, status: ClaimStatus
) -> None:
    lease = take_lease(claim_id=claim.id, actor=ada.principal, now=NOW)
    made = decide_claim(
        claim_id=claim.id,
        actor=ada.principal,
        draft=draft_for(claim, decision=decision, lease_token=lease.token),
        now=NOW + timedelta(seconds=90),
    )
    claim.refresh_from_db()
    assert claim.status == status == made.claim.status
    assert (made.decided_by_id, made.review_seconds) == (ada.user.id, 90.0)
    assert not ReviewLease.objects.exists()


def test_decide_claim_tells_the_history_what_the_ai_said_and_what_ada_says(ada: Person, claim: Claim) -> None:
    draft = draft_for(
        claim,
        severity_override=Severity.LOW,
        fault_override_pct=20.0,
        fraud_override=True,
        override_reason="The bumper is unharmed.",
    )
    made = decide_claim(claim_id=claim.id, actor=ada.principal, draft=draft, now=NOW)
    event = AuditEvent.objects.get(event="review.decided")
    assert json.loads(event.before) == {"status": "AWAITING_REVIEW"}
    assert json.loads(event.after) == {
        "status": "APPROVED",
        "decision": "APPROVE",
        "decision_id": str(made.id),
        "decided_by": str(ada.user.id),
        "assessment_id": str(claim.assessment_id),
        "overrides": {
            "severity": {"ai": "MEDIUM", "human": "LOW"},
            "fault_ratio": {"ai": 70.0, "human": 20.0},
            "fraud": {"ai": False, "human": True},
        },
        "override_reason": "The bumper is unharmed.",
    }
    assert event.reason == "Clear view of the impact."


def test_decide_claim_takes_agreement_with_the_ai_for_no_override(ada: Person, claim: Claim) -> None:
    draft = draft_for(claim, severity_override=Severity.MEDIUM, fault_override_pct=70.0, fraud_override=False)
    made = decide_claim(claim_id=claim.id, actor=ada.principal, draft=draft, now=NOW)
    assert (made.severity_override, made.fault_override_pct, made.fraud_override) == ("", None, None)


@pytest.mark.parametrize(
    "override", [{"severity_override": Severity.HIGH}, {"fault_override_pct": 0.0}, {"fraud_override": True}]
)
def test_decide_claim_wants_a_reason_for_each_override(ada: Person, claim: Claim, override: dict[str, Any]) -> None:
    assert refused(ada, claim, OverrideWithoutReason, **override, override_reason="  ").problems


@pytest.mark.parametrize("share", [-0.1, 100.1, float("nan"), float("inf")])
def test_decide_claim_refuses_a_share_of_fault_that_cannot_be(ada: Person, claim: Claim, share: float) -> None:
    refused(ada, claim, ImpossibleOverride, fault_override_pct=share, override_reason="Why not.")


def test_decide_claim_wants_reasoning(ada: Person, claim: Claim) -> None:
    refused(ada, claim, IncompleteDecision, reasoning=" \n")


def test_decide_claim_names_the_winner_to_who_comes_second(ada: Person, sam: Person, claim: Claim) -> None:
    first = decide_claim(claim_id=claim.id, actor=ada.principal, draft=draft_for(claim), now=NOW)
    with pytest.raises(AlreadyDecided) as refusal:
        decide_claim(claim_id=claim.id, actor=sam.principal, draft=draft_for(claim), now=NOW)
    assert refusal.value.extra == {"decision_id": str(first.id)}
    assert Decision.objects.count() == 1


def test_decide_claim_refuses_what_was_never_assessed(ada: Person, cleo: Person) -> None:
    refused(ada, make_claim(cleo), NotReviewable, assessment_id=uuid4())


def test_decide_claim_refuses_ones_own_claim(ada: Person) -> None:
    refused(ada, make_assessed_claim(ada), OwnClaim)


@pytest.mark.parametrize("stranger", ["cleo", "audrey"])
def test_decide_claim_refuses_who_may_not_review(stranger: str, claim: Claim, request: pytest.FixtureRequest) -> None:
    refused(request.getfixturevalue(stranger), claim, PermissionRefused)


def test_decide_claim_does_not_know_another_tenants_claim(zoe: Person, claim: Claim) -> None:
    with tenant_scope(zoe.tenant.id), pytest.raises(ClaimNotFound):
        decide_claim(claim_id=claim.id, actor=zoe.principal, draft=draft_for(claim), now=NOW)
    assert not Decision.objects.exists()


def test_decide_claim_refuses_a_stale_assessment_and_tells_the_history(ada: Person, claim: Claim) -> None:
    seen = claim.assessment_id
    newer = make_assessment(claim, version=2)
    Claim.objects.filter(id=claim.id).update(assessment=newer)
    refusal = refused(ada, claim, StaleAssessment, assessment_id=seen)
    assert refusal.extra == {"assessment_id": str(newer.id)}
    event = AuditEvent.objects.get()
    assert event.event == "review.stale_decision_refused"
    assert json.loads(event.after) == {
        "assessment_id": str(newer.id),
        "decision": "APPROVE",
        "seen_assessment_id": str(seen),
    }


def test_decide_claim_refuses_another_version_than_if_match_named(ada: Person, claim: Claim) -> None:
    refused(ada, claim, PreconditionFailed, claim_version=claim.version + 1)
    decide_claim(claim_id=claim.id, actor=ada.principal, draft=draft_for(claim, claim_version=claim.version), now=NOW)


def test_decide_claim_refuses_without_token_while_a_colleague_holds_it(ada: Person, sam: Person, claim: Claim) -> None:
    take_lease(claim_id=claim.id, actor=sam.principal, now=NOW)
    refused(ada, claim, LeaseHeld)
    # Sam's hold lapses: a free claim needs no token.
    made = decide_claim(claim_id=claim.id, actor=ada.principal, draft=draft_for(claim), now=NOW + LEASE_TIME)
    assert made.review_seconds is None


def test_decide_claim_fences_out_a_token_that_was_taken_over(ada: Person, sam: Person, claim: Claim) -> None:
    old = take_lease(claim_id=claim.id, actor=ada.principal, now=NOW)
    take_lease(claim_id=claim.id, actor=sam.principal, now=NOW + LEASE_TIME)
    refused(ada, claim, LeaseLost, lease_token=old.token)


def test_decide_claim_refuses_a_token_that_was_never_given(ada: Person, claim: Claim) -> None:
    refused(ada, claim, LeaseLost, lease_token=new_id())


def test_decide_claim_refuses_a_colleagues_token(ada: Person, sam: Person, claim: Claim) -> None:
    lease = take_lease(claim_id=claim.id, actor=sam.principal, now=NOW)
    refused(ada, claim, LeaseLost, lease_token=lease.token)


def test_decide_claim_accepts_a_lapsed_token_that_nobody_took_over(ada: Person, claim: Claim) -> None:
    lease = take_lease(claim_id=claim.id, actor=ada.principal, now=NOW)
    later = NOW + timedelta(hours=2)
    draft = draft_for(claim, lease_token=lease.token)
    assert decide_claim(claim_id=claim.id, actor=ada.principal, draft=draft, now=later).review_seconds == 7200.0


def refused(person: Person, claim: Claim, error: type[PlatformError], **words: Any) -> PlatformError:
    """Decide as the person, expect the refusal, and see that nothing was written."""
    before = (claim.status, claim.version, ReviewLease.objects.count())
    with pytest.raises(error) as refusal:
        decide_claim(claim_id=claim.id, actor=person.principal, draft=draft_for(claim, **words), now=NOW)
    claim.refresh_from_db()
    assert (claim.status, claim.version, ReviewLease.objects.count()) == before
    assert not Decision.objects.exists()
    return refusal.value
