"""The status graph as a table: what may follow what, and that nothing else ever moves a claim."""

from __future__ import annotations

import pytest
from django.db import transaction
from django.utils import timezone

from claims.choices import ClaimAction, ClaimStatus
from claims.errors import MoveNotAllowed, StaleClaim
from claims.models import Claim
from claims.workflow import MOVES, move
from observability.errors import PlatformError
from tenancy.audit import AuditAction
from tenancy.models import AuditEvent
from tenancy.scope import tenant_scope
from tests.files import make_assessed_claim
from tests.people import Person

ALLOWED = {
    ("RECEIVED", "PROCESSING"),
    ("RECEIVED", "AWAITING_REVIEW"),
    ("RECEIVED", "FAILED"),
    ("PROCESSING", "PROCESSING"),
    ("PROCESSING", "AWAITING_REVIEW"),
    ("PROCESSING", "FAILED"),
    ("AWAITING_REVIEW", "AWAITING_REVIEW"),
    ("AWAITING_REVIEW", "APPROVED"),
    ("AWAITING_REVIEW", "REJECTED"),
    ("AWAITING_REVIEW", "INFO_REQUESTED"),
    ("INFO_REQUESTED", "INFO_REQUESTED"),
    ("INFO_REQUESTED", "AWAITING_REVIEW"),
    ("INFO_REQUESTED", "REJECTED"),
    ("APPROVED", "AWAITING_REVIEW"),
    ("REJECTED", "AWAITING_REVIEW"),
}
PAIRS = [(origin, target) for origin in ClaimStatus for target in ClaimStatus]


def moved(claim: Claim, person: Person, to: ClaimStatus, action: AuditAction = ClaimAction.ASSESSED) -> Claim:
    with transaction.atomic():
        return move(claim=claim, to=to, action=action, actor=person.principal, now=timezone.now())


def test_every_status_has_its_row_in_the_graph() -> None:
    assert set(MOVES) == set(ClaimStatus)


@pytest.mark.parametrize(("origin", "target"), PAIRS, ids=[f"{o}-{t}" for o, t in PAIRS])
def test_move_follows_the_graph_and_nothing_else(ada: Person, origin: ClaimStatus, target: ClaimStatus) -> None:
    claim = make_assessed_claim(ada)
    with tenant_scope(ada.tenant.id):
        Claim.objects.filter(id=claim.id).update(status=origin)
        claim.refresh_from_db()
        if (origin, target) in ALLOWED:
            assert moved(claim, ada, target).status == target
            assert AuditEvent.objects.count() == 1
            return
        with pytest.raises(MoveNotAllowed):
            moved(claim, ada, target)
        claim.refresh_from_db()
        assert (claim.status, claim.version) == (origin, 1)
        assert AuditEvent.objects.count() == 0


def test_move_counts_a_version_and_tells_before_and_after(ada: Person) -> None:
    claim = make_assessed_claim(ada)
    with tenant_scope(ada.tenant.id):
        assert moved(claim, ada, ClaimStatus.APPROVED).version == 2
        event = AuditEvent.objects.get()
    assert (event.before, event.after) == ('{"status":"AWAITING_REVIEW"}', '{"status":"APPROVED"}')


def test_move_refuses_a_claim_that_changed_since_it_was_read(ada: Person) -> None:
    claim = make_assessed_claim(ada)
    with tenant_scope(ada.tenant.id):
        moved(Claim.objects.get(), ada, ClaimStatus.INFO_REQUESTED)
        with pytest.raises(StaleClaim):
            moved(claim, ada, ClaimStatus.APPROVED)
        assert Claim.objects.get().status == ClaimStatus.INFO_REQUESTED


@pytest.mark.django_db(transaction=True)
def test_move_refuses_to_stand_outside_a_transaction(ada: Person) -> None:
    claim = make_assessed_claim(ada)
    with tenant_scope(ada.tenant.id), pytest.raises(PlatformError, match="one transaction"):
        move(
            claim=claim,
            to=ClaimStatus.APPROVED,
            action=ClaimAction.ASSESSED,
            actor=ada.principal,
            now=timezone.now(),
        )
