"""`manage.py decide` from a shell: the same rules as elsewhere, told by exit codes."""

from __future__ import annotations

import io
import json
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from claims.models import Claim
from reviews.leases import take_lease
from reviews.models import Decision
from tenancy.scope import tenant_scope
from tests.files import make_assessed_claim, make_claim
from tests.people import Person


def decide(claim: str, *more: str, user: str = "ada", tenant: str = "acme", decision: str = "APPROVE") -> str:
    out = io.StringIO()
    words = ["--tenant", tenant, "--user", user, "--decision", decision, "--reasoning", "Clear view."]
    call_command("decide", claim, *words, *more, stdout=out)
    return out.getvalue()


def refused(*words: Any, **more: Any) -> tuple[int, str]:
    with pytest.raises(CommandError) as refusal:
        decide(*words, **more)
    return refusal.value.returncode, str(refusal.value)


@pytest.fixture
def claim(ada: Person, cleo: Person) -> Claim:
    return make_assessed_claim(cleo)


def test_decide_by_number_prints_what_became_of_the_claim(claim: Claim) -> None:
    assert decide("CLM-1").startswith("CLM-1 is approved: Ada, decision ")


def test_decide_by_id_as_json_with_overrides(ada: Person, claim: Claim) -> None:
    more = ["--severity", "LOW", "--fault", "20", "--fraud", "yes", "--override-reason", "Unharmed.", "--json"]
    data = json.loads(decide(str(claim.id), *more, decision="REJECT"))
    with tenant_scope(ada.tenant.id):
        assert data["id"] == str(Decision.objects.get().id)
    assert (data["claim_status"], data["decided_by"]["name"]) == ("REJECTED", "Ada")
    assert set(data["overrides"]) == {"severity", "fault_ratio", "fraud"}


def test_decide_tells_not_found_by_three(claim: Claim, zoe: Person) -> None:
    assert refused("CLM-2")[0] == 3
    assert refused(str(uuid4()))[0] == 3
    assert refused("CLM-1", user="nobody")[0] == 3
    assert refused("CLM-1", tenant="nowhere")[0] == 3
    assert refused("CLM-1", user="zoe")[0] == 3
    assert refused("CLM-1", user="zoe", tenant="borealis")[0] == 3


def test_decide_tells_bad_input_by_two(claim: Claim) -> None:
    code, words = refused("CLM-1", "--severity", "LOW")
    assert (code, words.startswith("override_reason_required:")) == (2, True)
    assert refused("CLM-1", "--fault", "101", "--override-reason", "r")[0] == 2


def test_decide_tells_refusals_by_one(claim: Claim, ada: Person, sam: Person, cleo: Person, audrey: Person) -> None:
    assert refused("CLM-1", user="cleo") == (1, "permission_denied: Your role does not allow this.")
    assert refused("CLM-1", user="audrey")[0] == 1
    assert refused("CLM-1", "--assessment", str(uuid4()))[1].startswith("stale_assessment:")
    make_claim(cleo, "RAW")
    assert refused("RAW")[1].startswith("not_reviewable:")
    make_assessed_claim(ada, "OWN")
    assert refused("OWN")[1].startswith("own_claim:")
    decide("CLM-1")
    assert refused("CLM-1", user="sam")[1].startswith("already_decided:")


def test_decide_tells_a_held_claim_by_try_later(claim: Claim, ada: Person, sam: Person) -> None:
    with tenant_scope(sam.tenant.id):
        take_lease(claim_id=claim.id, actor=sam.principal, now=timezone.now())
    assert refused("CLM-1") == (75, "lease_held: Another reviewer is working on this claim.")
