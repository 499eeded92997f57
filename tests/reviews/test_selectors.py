"""The figures of the summary: windows, shares, and silence where there is nothing to measure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from aiassist.types import Severity
from observability.ids import first_id_at, new_id
from reviews.actions import DecisionDraft
from reviews.choices import DecisionKind
from reviews.leases import take_lease
from reviews.models import Decision
from reviews.selectors import decisions_of, history_of, review_summary
from reviews.services import decide_claim
from tenancy.scope import tenant_scope
from tests.files import make_assessed_claim, make_assessment
from tests.people import Person

NOW = timezone.now()


@pytest.fixture(autouse=True)
def inside_acme(ada: Person) -> Iterator[None]:
    with tenant_scope(ada.tenant.id):
        yield


def _decided(
    ada: Person,
    cleo: Person,
    number: str,
    kind: DecisionKind,
    *,
    seconds: float | None = None,
    at: datetime = NOW,
    severity: Severity | None = None,
) -> Decision:
    claim = make_assessed_claim(cleo, number)
    if seconds is not None:
        take_lease(claim_id=claim.id, actor=ada.principal, now=at - timedelta(seconds=seconds))
    assert claim.assessment_id
    draft = DecisionDraft(
        decision=kind, reasoning="r", assessment_id=claim.assessment_id, severity_override=severity, override_reason="r"
    )
    return decide_claim(claim_id=claim.id, actor=ada.principal, draft=draft, now=at)


def test_review_summary_of_an_empty_desk_invents_nothing() -> None:
    assert review_summary(now=NOW) == {
        "claims_processed_24h": 0,
        "queue_depth": {"URGENT": 0, "STANDARD": 0, "LOW_PRIORITY": 0},
        "approval_rate": None,
        "rejection_rate": None,
        "override_rate": None,
        "mean_review_seconds": None,
        "mean_ai_confidence": None,
        "fraud_flag_rate": None,
        "service_level": "FULL",
    }


def test_review_summary_shares_are_of_all_decisions_of_thirty_days(ada: Person, cleo: Person) -> None:
    _decided(ada, cleo, "A", DecisionKind.APPROVE, seconds=60)
    _decided(ada, cleo, "B", DecisionKind.APPROVE, seconds=120, severity=Severity.HIGH)
    _decided(ada, cleo, "C", DecisionKind.REJECT)
    _decided(ada, cleo, "D", DecisionKind.REQUEST_MORE_INFO)
    _decided(ada, cleo, "OLD", DecisionKind.REJECT, at=NOW - timedelta(days=31))
    told = review_summary(now=NOW)
    assert (told["approval_rate"], told["rejection_rate"], told["override_rate"]) == (0.5, 0.25, 0.25)
    assert told["mean_review_seconds"] == pytest.approx(90.0)


def test_review_summary_counts_a_claim_once_however_often_it_was_assessed(ada: Person, cleo: Person) -> None:
    claim = make_assessed_claim(cleo, "A", now=NOW)
    make_assessment(claim, version=2, now=NOW)
    make_assessed_claim(cleo, "YESTERDAY", now=NOW - timedelta(hours=25))
    assert review_summary(now=NOW)["claims_processed_24h"] == 1


def test_review_summary_leaves_what_could_not_be_assessed_out_of_confidence(ada: Person, cleo: Person) -> None:
    make_assessed_claim(cleo, "A", confidence=0.8, now=NOW)
    make_assessed_claim(
        cleo, "B", confidence=0.0, outcome="NOT_ASSESSABLE", severity="", reason_code="static_black", now=NOW
    )
    assert review_summary(now=NOW)["mean_ai_confidence"] == pytest.approx(0.8)


def test_decisions_of_a_claim_name_the_person(ada: Person, cleo: Person) -> None:
    made = _decided(ada, cleo, "A", DecisionKind.APPROVE)
    [decision] = decisions_of(made.claim)
    assert (decision.id, str(decision.decided_by)) == (made.id, "Ada")


def test_history_of_stays_within_the_tenant(ada: Person, zoe: Person, cleo: Person) -> None:
    made = _decided(ada, cleo, "A", DecisionKind.APPROVE)
    assert [item.event for item in history_of(claim_id=made.claim_id)] == ["review.decided"]
    with tenant_scope(zoe.tenant.id):
        assert history_of(claim_id=made.claim_id) == []


def test_first_id_at_stands_before_every_id_of_its_moment() -> None:
    before = first_id_at(datetime.now(UTC))
    made = new_id()
    after = first_id_at(datetime.now(UTC) + timedelta(seconds=1))
    assert before < made < after
    assert (before.version, str(before.variant)) == (7, "specified in RFC 4122")
