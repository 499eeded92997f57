"""No claim starves: what waits past the bound of its class moves up, one class at a time, and says so."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from claims.choices import ClaimStatus, ReviewPriority
from claims.models import Claim
from reviews import waiting
from reviews.queue import QueueFilters, open_claims, queue_counts, queue_item, queue_rows, reasons_of
from reviews.waiting import raise_waiting_claims
from tenancy.models import AuditEvent, Tenant
from tenancy.policy import TenantPolicy
from tenancy.scope import tenant_scope
from tests.files import make_assessed_claim
from tests.people import Person

NOW = timezone.now()
LOW, STANDARD, URGENT = ReviewPriority.LOW_PRIORITY, ReviewPriority.STANDARD, ReviewPriority.URGENT


@pytest.fixture(autouse=True)
def bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Acme lets STANDARD wait 10 hours and LOW_PRIORITY 20."""
    policy = TenantPolicy(waiting_bound_hours_standard=10, waiting_bound_hours_low=20)
    monkeypatch.setattr(waiting, "tenant_policy", lambda _tenant_id: policy)


def waited(person: Person, number: str, priority: ReviewPriority, hours: float) -> Claim:
    return make_assessed_claim(person, number, priority=priority, now=NOW - timedelta(hours=hours))


def classes(person: Person) -> dict[str, Any]:
    with tenant_scope(person.tenant.id):
        found = open_claims(principal=person.principal, filters=QueueFilters(), now=NOW)
        return {row.claim_number: str(queue_item(row, NOW)["review_priority"]) for row in queue_rows(found)}


def test_raise_waiting_claims_moves_only_what_waited_too_long(ada: Person, cleo: Person) -> None:
    waited(cleo, "LOW-19", LOW, 19.9)
    waited(cleo, "LOW-20", LOW, 20)
    waited(cleo, "STD-9", STANDARD, 9.9)
    waited(cleo, "STD-10", STANDARD, 10)
    waited(cleo, "URG-99", URGENT, 99)
    assert raise_waiting_claims(now=NOW) == 2
    assert classes(ada) == {
        "URG-99": "URGENT",
        "STD-10": "URGENT",
        "LOW-20": "STANDARD",
        "STD-9": "STANDARD",
        "LOW-19": "LOW_PRIORITY",
    }


def test_raise_waiting_claims_does_nothing_the_second_time(ada: Person, cleo: Person) -> None:
    waited(cleo, "LOW-25", LOW, 25)
    assert raise_waiting_claims(now=NOW) == 1
    assert raise_waiting_claims(now=NOW) == 0
    assert raise_waiting_claims(now=NOW + timedelta(hours=5)) == 1
    assert classes(ada) == {"LOW-25": "URGENT"}
    assert raise_waiting_claims(now=NOW + timedelta(days=9)) == 0


def test_raise_waiting_claims_shows_its_reason_in_queue_and_history(ada: Person, cleo: Person) -> None:
    claim = waited(cleo, "LOW-20", LOW, 20)
    raise_waiting_claims(now=NOW)
    with tenant_scope(ada.tenant.id):
        found = open_claims(principal=ada.principal, filters=QueueFilters(), now=NOW)
        for reasons in (queue_item(queue_rows(found).get(), NOW)["reasons"], reasons_of(found.get())):
            assert [reason["code"] for reason in reasons] == ["set_has_two_labels", "waiting_bound"]
        event = AuditEvent.objects.get(object_id=str(claim.id))
    assert (event.event, event.actor_type, event.reason) == ("claim.priority_raised", "SYSTEM", "waiting_bound")
    assert json.loads(event.before) == {"review_priority": "LOW_PRIORITY"}
    assert json.loads(event.after)["review_priority"] == "STANDARD"


def test_raise_waiting_claims_keeps_the_due_time_and_what_the_ai_said(ada: Person, cleo: Person) -> None:
    claim = waited(cleo, "LOW-20", LOW, 20)
    raise_waiting_claims(now=NOW)
    with tenant_scope(ada.tenant.id):
        raised = Claim.objects.get(id=claim.id)
    assert (raised.review_due_at, raised.waiting_since) == (claim.review_due_at, claim.waiting_since)
    assert (raised.review_priority, raised.version) == (LOW, claim.version)


def test_raise_waiting_claims_works_through_batches_and_every_tenant(
    ada: Person, zoe: Person, cleo: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "_BATCH", 2)
    for number in range(5):
        waited(cleo, f"CLM-{number}", STANDARD, 11)
    waited(zoe, "BOR-1", STANDARD, 11)
    assert raise_waiting_claims(now=NOW) == 6
    assert set(classes(zoe).values()) == set(classes(ada).values()) == {"URGENT"}


def test_raise_waiting_claims_lets_a_closed_tenant_rest(cleo: Person) -> None:
    waited(cleo, "CLM-1", STANDARD, 11)
    Tenant.objects.filter(id=cleo.tenant.id).update(status="SUSPENDED")
    assert raise_waiting_claims(now=NOW) == 0


def test_raise_waiting_claims_leaves_decided_claims_alone(cleo: Person) -> None:
    claim = waited(cleo, "CLM-1", STANDARD, 11)
    with tenant_scope(cleo.tenant.id):
        Claim.objects.filter(id=claim.id).update(status=ClaimStatus.APPROVED)
    assert raise_waiting_claims(now=NOW) == 0


def test_raise_waiting_claims_renews_the_counts(ada: Person, cleo: Person) -> None:
    waited(cleo, "CLM-1", STANDARD, 11)
    with tenant_scope(ada.tenant.id):
        assert queue_counts(tenant_id=ada.tenant.id, now=NOW)["STANDARD"] == 1
        raise_waiting_claims(now=NOW)
        assert queue_counts(tenant_id=ada.tenant.id, now=NOW) == {"URGENT": 1, "STANDARD": 0, "LOW_PRIORITY": 0}
