"""The queue as people see it: order, filters, who holds what, why it is here, how much there is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone

from claims.choices import ReviewPriority
from claims.models import Claim
from observability.errors import PermissionRefused
from reviews.leases import LEASE_TIME, take_lease
from reviews.queue import QueueFilters, forget_counts, open_claims, queue_counts, queue_item, queue_rows
from tenancy.scope import tenant_scope
from tests.files import make_assessed_claim, make_claim
from tests.people import Person

NOW = timezone.now()
LOW, STANDARD, URGENT = ReviewPriority.LOW_PRIORITY, ReviewPriority.STANDARD, ReviewPriority.URGENT


@pytest.fixture(autouse=True)
def inside_acme(ada: Person) -> Iterator[None]:
    with tenant_scope(ada.tenant.id):
        yield


def numbers(person: Person, **filters: Any) -> list[str]:
    found = open_claims(principal=person.principal, filters=QueueFilters(**filters), now=NOW)
    return [claim.claim_number for claim in found]


def item(person: Person, now: Any = NOW) -> dict[str, Any]:
    claims = open_claims(principal=person.principal, filters=QueueFilters(), now=now)
    return queue_item(queue_rows(claims).get(), now)


def test_open_claims_puts_class_before_due_time(ada: Person, cleo: Person) -> None:
    make_assessed_claim(cleo, "LOW", priority=LOW, now=NOW - timedelta(days=9))
    make_assessed_claim(cleo, "LATER", priority=STANDARD, now=NOW)
    make_assessed_claim(cleo, "SOONER", priority=STANDARD, now=NOW - timedelta(hours=1))
    make_assessed_claim(cleo, "URGENT", priority=URGENT, now=NOW)
    make_claim(cleo, "RECEIVED")
    assert numbers(ada) == ["URGENT", "SOONER", "LATER", "LOW"]


def test_open_claims_filters_by_class_holder_and_due_time(ada: Person, sam: Person, cleo: Person) -> None:
    urgent = make_assessed_claim(cleo, "URGENT", priority=URGENT, now=NOW)
    late = make_assessed_claim(cleo, "LATE", priority=STANDARD, now=NOW - timedelta(hours=25))
    take_lease(claim_id=urgent.id, actor=ada.principal, now=NOW)
    take_lease(claim_id=late.id, actor=sam.principal, now=NOW)
    assert numbers(ada, priority=URGENT) == ["URGENT"]
    assert numbers(ada, mine=True) == ["URGENT"]
    assert numbers(ada, overdue=True) == ["LATE"]
    assert numbers(ada, mine=True, overdue=True) == []


def test_open_claims_does_not_call_a_lapsed_claim_mine(ada: Person, cleo: Person) -> None:
    claim = make_assessed_claim(cleo)
    take_lease(claim_id=claim.id, actor=ada.principal, now=NOW - LEASE_TIME)
    assert numbers(ada, mine=True) == []


def test_open_claims_shows_zoe_nothing_of_acme(zoe: Person, cleo: Person) -> None:
    make_assessed_claim(cleo)
    with tenant_scope(zoe.tenant.id):
        assert numbers(zoe) == []


@pytest.mark.parametrize("stranger", ["cleo", "audrey"])
def test_open_claims_refuses_who_may_not_review(stranger: str, request: pytest.FixtureRequest) -> None:
    with pytest.raises(PermissionRefused):
        numbers(request.getfixturevalue(stranger))


def test_queue_item_says_what_the_api_promises(ada: Person, cleo: Person) -> None:
    claim = make_assessed_claim(cleo, now=NOW - timedelta(seconds=90))
    assert item(ada) == {
        "claim_id": str(claim.id),
        "claim_number": "CLM-1",
        "review_priority": "STANDARD",
        "severity": "MEDIUM",
        "confidence": 0.64,
        "prediction_set": ["LOW", "MEDIUM"],
        "fault_ratio": 70.0,
        "fraud_risk_score": 0.1,
        "review_due_at": claim.review_due_at,
        "waiting_seconds": 90,
        "lease": None,
        "reasons": [{"code": "set_has_two_labels", "points": 20, "detail": "Two severities are possible."}],
        "own": False,
    }


def test_queue_item_tells_whose_it_is(ada: Person, sam: Person, cleo: Person) -> None:
    claim = make_assessed_claim(cleo)
    lease = take_lease(claim_id=claim.id, actor=ada.principal, now=NOW)
    holder = {"id": str(ada.user.id), "name": "Ada"}
    assert item(ada)["lease"] == {"holder": holder, "mine": True, "expires_at": lease.expires_at}
    assert item(sam)["lease"] == {"holder": holder, "mine": False, "expires_at": lease.expires_at}
    assert item(sam, NOW + LEASE_TIME)["lease"] is None


def test_queue_item_marks_what_the_viewer_submitted(ada: Person, sam: Person) -> None:
    make_assessed_claim(ada)
    assert item(ada)["own"] is True
    assert item(sam)["own"] is False


def test_queue_item_of_what_the_ai_could_not_assess_has_no_severity(ada: Person, cleo: Person) -> None:
    make_assessed_claim(cleo, outcome="NOT_ASSESSABLE", severity="", reason_code="static_black")
    assert item(ada)["severity"] is None


def test_queue_page_costs_one_query_however_long_it_is(
    ada: Person, sam: Person, cleo: Person, django_assert_num_queries: Any
) -> None:
    for number in range(12):
        claim = make_assessed_claim(cleo, f"CLM-{number}")
        if number % 2:
            take_lease(claim_id=claim.id, actor=sam.principal, now=NOW)
    principal = ada.principal
    with django_assert_num_queries(1):
        found = open_claims(principal=principal, filters=QueueFilters(), now=NOW)
        assert len([queue_item(row, NOW) for row in queue_rows(found)]) == 12
    with django_assert_num_queries(1):
        assert [str(c.lease.holder) for c in found.all() if hasattr(c, "lease")] == ["Sam"] * 6


def test_queue_counts_by_the_class_a_claim_stands_in(ada: Person, cleo: Person) -> None:
    make_assessed_claim(cleo, "A", priority=URGENT)
    make_assessed_claim(cleo, "B", priority=LOW)
    raised = make_assessed_claim(cleo, "C", priority=LOW)
    Claim.objects.filter(id=raised.id).update(queue_rank=1)
    assert queue_counts(tenant_id=ada.tenant.id, now=NOW) == {"URGENT": 1, "STANDARD": 1, "LOW_PRIORITY": 1}


def test_queue_counts_are_remembered_per_tenant_until_forgotten(
    ada: Person, zoe: Person, cleo: Person, django_assert_num_queries: Any
) -> None:
    make_assessed_claim(cleo)
    assert queue_counts(tenant_id=ada.tenant.id, now=NOW)["STANDARD"] == 1
    with django_assert_num_queries(0):
        queue_counts(tenant_id=ada.tenant.id, now=NOW)
    with tenant_scope(zoe.tenant.id):
        assert queue_counts(tenant_id=zoe.tenant.id, now=NOW)["STANDARD"] == 0
    make_assessed_claim(cleo, "CLM-2")
    forget_counts(tenant_id=ada.tenant.id)
    assert queue_counts(tenant_id=ada.tenant.id, now=NOW)["STANDARD"] == 2


def test_queue_counts_are_kept_no_longer_than_promised(ada: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[float] = []
    monkeypatch.setattr(cache, "set", lambda _key, _value, seconds: kept.append(seconds))
    queue_counts(tenant_id=ada.tenant.id, now=NOW)
    assert kept and max(kept) <= 5
