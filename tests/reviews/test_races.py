"""What happens when people act in the same moment: one decision, one holder, nothing lost."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from functools import partial
from uuid import UUID

import pytest
from django.utils import timezone

from claims.choices import ClaimStatus
from claims.models import Claim
from reviews.actions import DecisionDraft
from reviews.choices import DecisionKind
from reviews.errors import AlreadyDecided, LeaseHeld, LeaseLost
from reviews.leases import LEASE_TIME, renew_lease, take_lease, take_next
from reviews.models import Decision, ReviewLease
from reviews.services import decide_claim
from tenancy.choices import Role
from tenancy.models import AuditEvent, Tenant
from tenancy.principals import Principal
from tenancy.scope import tenant_scope
from tests.files import make_assessed_claim
from tests.people import Person, make_person
from tests.reviews.crowd import at_once

pytestmark = pytest.mark.django_db(transaction=True)
NOW = timezone.now()


def _decide(claim: Claim, actor: Principal, kind: DecisionKind) -> str:
    draft = DecisionDraft(decision=kind, reasoning="Seen it.", assessment_id=claim.assessment_id)  # type: ignore[arg-type]
    try:
        return str(decide_claim(claim_id=claim.id, actor=actor, draft=draft, now=NOW).id)
    except AlreadyDecided as refusal:
        return f"after {refusal.extra['decision_id']}"


def test_two_people_who_decide_sixteen_claims_at_once_decide_each_once(ada: Person, sam: Person, cleo: Person) -> None:
    claims = [make_assessed_claim(cleo, f"CLM-{number}") for number in range(16)]
    sides = ((ada.principal, DecisionKind.APPROVE), (sam.principal, DecisionKind.REJECT))
    deeds = [partial(_decide, claim, actor, kind) for claim in claims for actor, kind in sides]
    outcomes = at_once(ada.tenant.id, deeds)
    with tenant_scope(ada.tenant.id):
        made = {str(d.id): d for d in Decision.objects.all()}
        assert Counter(d.claim_id for d in made.values()) == Counter(c.id for c in claims)
        for first, second in zip(outcomes[::2], outcomes[1::2], strict=True):
            winner = first if first in made else second
            assert {first, second} == {winner, f"after {winner}"}
        wanted = {"APPROVE": ClaimStatus.APPROVED, "REJECT": ClaimStatus.REJECTED}
        for claim in Claim.objects.all():
            assert claim.status == wanted[claim.decisions.get().decision]
            assert claim.version == 2
        assert AuditEvent.objects.filter(event="review.decided").count() == 16


def test_sixteen_people_who_decide_one_claim_make_one_decision(acme: Tenant, cleo: Person) -> None:
    claim = make_assessed_claim(cleo)
    people = [make_person(acme, f"reviewer-{n}", Role.ANALYST).principal for n in range(16)]
    outcomes = at_once(acme.id, [partial(_decide, claim, person, DecisionKind.APPROVE) for person in people])
    with tenant_scope(acme.id):
        winner = str(Decision.objects.get().id)
    assert Counter(outcomes) == {winner: 1, f"after {winner}": 15}


def _next(actor: Principal) -> UUID | None:
    lease = take_next(actor=actor, now=NOW)
    return lease.claim_id if lease else None


def test_fifty_people_who_take_next_of_thirty_claims_get_thirty_claims(acme: Tenant, cleo: Person) -> None:
    claims = [make_assessed_claim(cleo, f"CLM-{number}") for number in range(30)]
    people = [make_person(acme, f"reviewer-{n}", Role.ANALYST).principal for n in range(50)]
    taken = at_once(acme.id, [partial(_next, person) for person in people])
    assert sorted(c for c in taken if c) == sorted(c.id for c in claims)
    with tenant_scope(acme.id):
        assert ReviewLease.objects.values("holder").distinct().count() == 30


def test_one_person_with_two_windows_gets_two_claims(ada: Person, cleo: Person) -> None:
    for number in range(8):
        make_assessed_claim(cleo, f"CLM-{number}")
    taken = at_once(ada.tenant.id, [partial(_next, ada.principal)] * 8)
    assert len({c for c in taken if c}) == 8


def _take(claim: Claim, actor: Principal) -> UUID | None:
    try:
        return take_lease(claim_id=claim.id, actor=actor, now=NOW).token
    except LeaseHeld:
        return None


def test_sixteen_people_who_take_one_claim_leave_it_with_one(acme: Tenant, cleo: Person) -> None:
    claim = make_assessed_claim(cleo)
    people = [make_person(acme, f"reviewer-{n}", Role.ANALYST).principal for n in range(16)]
    tokens = [t for t in at_once(acme.id, [partial(_take, claim, person) for person in people]) if t]
    with tenant_scope(acme.id):
        assert tokens == [ReviewLease.objects.get().token]


def test_a_lapsed_lease_is_either_renewed_or_taken_over_never_both(ada: Person, sam: Person, cleo: Person) -> None:
    later = NOW + LEASE_TIME + timedelta(seconds=1)

    def renew(claim_id: UUID, token: UUID) -> str:
        try:
            renew_lease(claim_id=claim_id, token=token, actor=ada.principal, now=later)
        except LeaseLost:
            return "lost"
        return "ada"

    def take_over(claim_id: UUID) -> str:
        try:
            take_lease(claim_id=claim_id, actor=sam.principal, now=later)
        except LeaseHeld:
            return "held"
        return "sam"

    with tenant_scope(ada.tenant.id):
        claims = [make_assessed_claim(cleo, f"CLM-{number}") for number in range(8)]
        leases = [take_lease(claim_id=c.id, actor=ada.principal, now=NOW) for c in claims]
    deeds = [d for x in leases for d in (partial(renew, x.claim_id, x.token), partial(take_over, x.claim_id))]
    outcomes = at_once(ada.tenant.id, deeds)
    pairs = set(zip(outcomes[::2], outcomes[1::2], strict=True))
    assert pairs <= {("ada", "held"), ("lost", "sam")}, pairs
