"""Who holds a claim: taking, taking over, renewing, releasing, and the fence behind it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from claims.choices import ClaimStatus, ReviewPriority
from claims.errors import ClaimNotFound
from claims.models import Claim
from observability.errors import PermissionRefused
from reviews import leases
from reviews.errors import LeaseHeld, LeaseLost, NotReviewable, OwnClaim, TooManyLeases
from reviews.leases import LEASE_TIME, release_lease, renew_lease, take_lease, take_next
from reviews.models import ReviewLease
from tenancy.models import AuditEvent
from tenancy.scope import tenant_scope
from tests.files import make_assessed_claim, make_claim
from tests.people import Person

NOW = timezone.now()


@pytest.fixture(autouse=True)
def inside_acme(ada: Person) -> Iterator[None]:
    with tenant_scope(ada.tenant.id):
        yield


def test_take_lease_gives_ada_fifteen_minutes_and_tells_the_history(ada: Person, cleo: Person) -> None:
    claim = make_assessed_claim(cleo)
    lease = take_lease(claim_id=claim.id, actor=ada.principal, now=NOW)
    assert lease.holder_id == ada.user.id
    assert lease.expires_at == NOW + timedelta(minutes=15)
    event = AuditEvent.objects.get(object_id=str(claim.id))
    assert (event.event, event.actor_name) == ("review.lease_taken", "Ada")


def test_take_lease_refuses_sam_while_ada_holds_the_claim(ada: Person, sam: Person, cleo: Person) -> None:
    claim = make_assessed_claim(cleo)
    take_lease(claim_id=claim.id, actor=ada.principal, now=NOW)
    with pytest.raises(LeaseHeld):
        take_lease(claim_id=claim.id, actor=sam.principal, now=NOW + LEASE_TIME - timedelta(seconds=1))
    assert ReviewLease.objects.get().holder_id == ada.user.id


def test_take_lease_lets_sam_take_over_what_lapsed_and_fences_ada_out(ada: Person, sam: Person, cleo: Person) -> None:
    claim = make_assessed_claim(cleo)
    old = take_lease(claim_id=claim.id, actor=ada.principal, now=NOW)
    later = NOW + LEASE_TIME
    new = take_lease(claim_id=claim.id, actor=sam.principal, now=later)
    assert new.token != old.token
    with pytest.raises(LeaseLost):
        renew_lease(claim_id=claim.id, token=old.token, actor=ada.principal, now=later)
    with pytest.raises(LeaseLost):
        release_lease(claim_id=claim.id, token=old.token, actor=ada.principal, now=later)
    assert ReviewLease.objects.get().holder_id == sam.user.id


def test_take_lease_again_extends_ones_own_and_keeps_token_and_start(ada: Person, cleo: Person) -> None:
    claim = make_assessed_claim(cleo)
    first = take_lease(claim_id=claim.id, actor=ada.principal, now=NOW)
    again = take_lease(claim_id=claim.id, actor=ada.principal, now=NOW + timedelta(minutes=10))
    assert (again.token, again.taken_at) == (first.token, NOW)
    assert again.expires_at == NOW + timedelta(minutes=25)
    assert AuditEvent.objects.filter(event="review.lease_taken").count() == 1


def test_take_lease_refuses_ones_own_claim(ada: Person) -> None:
    claim = make_assessed_claim(ada)
    with pytest.raises(OwnClaim):
        take_lease(claim_id=claim.id, actor=ada.principal, now=NOW)


def test_take_lease_refuses_a_claim_that_is_not_waiting(ada: Person, cleo: Person) -> None:
    claim = make_claim(cleo)
    with pytest.raises(NotReviewable):
        take_lease(claim_id=claim.id, actor=ada.principal, now=NOW)


def test_take_lease_does_not_know_another_tenants_claim(ada: Person, zoe: Person, cleo: Person) -> None:
    claim = make_assessed_claim(cleo)
    with tenant_scope(zoe.tenant.id), pytest.raises(ClaimNotFound):
        take_lease(claim_id=claim.id, actor=zoe.principal, now=NOW)


@pytest.mark.parametrize("stranger", ["cleo", "audrey"])
def test_take_lease_refuses_who_may_not_review(stranger: str, cleo: Person, request: pytest.FixtureRequest) -> None:
    person: Person = request.getfixturevalue(stranger)
    claim = make_assessed_claim(cleo)
    with pytest.raises(PermissionRefused):
        take_lease(claim_id=claim.id, actor=person.principal, now=NOW)
    with pytest.raises(PermissionRefused):
        take_next(actor=person.principal, now=NOW)


def test_take_next_follows_class_then_due_time(ada: Person, cleo: Person) -> None:
    make_assessed_claim(cleo, "LOW", priority=ReviewPriority.LOW_PRIORITY, now=NOW - timedelta(hours=9))
    make_assessed_claim(cleo, "LATER", priority=ReviewPriority.STANDARD, now=NOW)
    make_assessed_claim(cleo, "SOONER", priority=ReviewPriority.STANDARD, now=NOW - timedelta(hours=1))
    make_assessed_claim(cleo, "URGENT", priority=ReviewPriority.URGENT, now=NOW)
    assert _numbers_taken(ada) == ["URGENT", "SOONER", "LATER", "LOW"]


def test_take_next_skips_held_and_own_claims(ada: Person, sam: Person, cleo: Person) -> None:
    held = make_assessed_claim(cleo, "HELD", now=NOW - timedelta(hours=3))
    make_assessed_claim(ada, "OWN", now=NOW - timedelta(hours=2))
    make_assessed_claim(cleo, "FREE", now=NOW - timedelta(hours=1))
    take_lease(claim_id=held.id, actor=sam.principal, now=NOW)
    assert _numbers_taken(ada) == ["FREE"]


def test_take_next_gives_again_what_lapsed(ada: Person, sam: Person, cleo: Person) -> None:
    claim = make_assessed_claim(cleo)
    first = take_next(actor=ada.principal, now=NOW)
    second = take_next(actor=sam.principal, now=NOW + LEASE_TIME)
    assert first is not None and second is not None
    assert (second.claim_id, second.holder_id) == (claim.id, sam.user.id)
    assert second.token != first.token


def test_take_next_sees_nothing_of_another_tenant(zoe: Person, cleo: Person) -> None:
    make_assessed_claim(cleo)
    with tenant_scope(zoe.tenant.id):
        assert take_next(actor=zoe.principal, now=NOW) is None


def test_take_next_stops_a_runaway_script(ada: Person, cleo: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "MOST_LEASES", 2)
    for number in range(3):
        make_assessed_claim(cleo, f"CLM-{number}")
    take_next(actor=ada.principal, now=NOW)
    take_next(actor=ada.principal, now=NOW)
    with pytest.raises(TooManyLeases):
        take_next(actor=ada.principal, now=NOW)
    # What lapsed does not count.
    assert take_next(actor=ada.principal, now=NOW + LEASE_TIME) is not None


def test_renew_lease_extends_what_lapsed_as_long_as_nobody_took_it(ada: Person, cleo: Person) -> None:
    claim = make_assessed_claim(cleo)
    lease = take_lease(claim_id=claim.id, actor=ada.principal, now=NOW)
    later = NOW + timedelta(hours=1)
    renewed = renew_lease(claim_id=claim.id, token=lease.token, actor=ada.principal, now=later)
    assert renewed.expires_at == later + LEASE_TIME


def test_renew_lease_refuses_another_token_and_another_person(ada: Person, sam: Person, cleo: Person) -> None:
    claim = make_assessed_claim(cleo)
    lease = take_lease(claim_id=claim.id, actor=ada.principal, now=NOW)
    with pytest.raises(LeaseLost):
        renew_lease(claim_id=claim.id, token=uuid4(), actor=ada.principal, now=NOW)
    with pytest.raises(LeaseLost):
        renew_lease(claim_id=claim.id, token=lease.token, actor=sam.principal, now=NOW)


def test_release_lease_puts_the_claim_back(ada: Person, sam: Person, cleo: Person) -> None:
    claim = make_assessed_claim(cleo)
    lease = take_lease(claim_id=claim.id, actor=ada.principal, now=NOW)
    release_lease(claim_id=claim.id, token=lease.token, actor=ada.principal, now=NOW)
    taken = take_next(actor=sam.principal, now=NOW)
    assert taken is not None and taken.claim_id == claim.id
    events = AuditEvent.objects.filter(object_id=str(claim.id)).order_by("id").values_list("event", flat=True)
    assert list(events) == ["review.lease_taken", "review.lease_released", "review.lease_taken"]


def test_take_next_leaves_decided_claims_alone(ada: Person, cleo: Person) -> None:
    claim = make_assessed_claim(cleo)
    Claim.objects.filter(id=claim.id).update(status=ClaimStatus.APPROVED)
    assert take_next(actor=ada.principal, now=NOW) is None


def _numbers_taken(person: Person) -> list[str]:
    numbers: list[str] = []
    while lease := take_next(actor=person.principal, now=NOW):
        numbers.append(lease.claim.claim_number)
    return numbers
