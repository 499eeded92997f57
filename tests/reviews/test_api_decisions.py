"""Lease and decision as an integrator meets them."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from claims.models import Claim
from reviews.leases import take_lease
from reviews.models import Decision, ReviewLease
from tenancy.scope import tenant_scope
from tests.files import make_assessed_claim, make_claim
from tests.people import Person


@pytest.fixture
def claim(cleo: Person) -> Claim:
    return make_assessed_claim(cleo)


def lease_of(claim: Claim) -> str:
    return f"/api/v1/reviews/{claim.id}/lease"


def decide(person: Person | None, claim: Claim, **words: Any) -> Any:
    body = {
        "decision": "APPROVE",
        "reasoning": "Clear view of the impact.",
        "assessment_id": str(claim.assessment_id),
        **words,
    }
    api = person.api() if person else APIClient()
    return api.post(f"/api/v1/reviews/{claim.id}/decision", {k: v for k, v in body.items() if v != ...}, format="json")


def decisions(person: Person) -> int:
    with tenant_scope(person.tenant.id):
        return int(Decision.objects.count())


def test_ada_takes_renews_and_releases(ada: Person, claim: Claim) -> None:
    api = ada.api()
    taken = api.post(lease_of(claim))
    assert taken.status_code == 200
    token = {"lease_token": taken.json()["lease_token"]}
    renewed = api.put(lease_of(claim), token, format="json")
    assert renewed.status_code == 200
    assert renewed.json()["lease_expires_at"] >= taken.json()["lease_expires_at"]
    assert renewed.json()["assessment_id"] == str(claim.assessment_id)
    assert api.delete(lease_of(claim), token, format="json").status_code == 204
    again = api.delete(lease_of(claim), token, format="json")
    assert (again.status_code, again.json()["code"]) == (409, "lease_lost")


def test_sam_learns_who_holds_the_claim(ada: Person, sam: Person, claim: Claim) -> None:
    ada.api().post(lease_of(claim))
    answer = sam.api().post(lease_of(claim))
    assert (answer.status_code, answer.json()["code"]) == (409, "lease_held")
    assert answer.json()["holder"] == "Ada"


@pytest.mark.parametrize("body", [{}, {"lease_token": "x"}, {"lease_token": None}, {"token": "x"}])
def test_a_lease_is_renewed_and_released_by_its_token_alone(ada: Person, claim: Claim, body: dict[str, Any]) -> None:
    api = ada.api()
    api.post(lease_of(claim))
    for answer in (api.put(lease_of(claim), body, format="json"), api.delete(lease_of(claim), body, format="json")):
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_input")


def test_a_lease_needs_a_claim_that_waits(ada: Person, cleo: Person) -> None:
    answer = ada.api().post(lease_of(make_claim(cleo)))
    assert (answer.status_code, answer.json()["code"]) == (409, "not_reviewable")


def test_a_lease_on_ones_own_claim_is_refused(ada: Person) -> None:
    answer = ada.api().post(lease_of(make_assessed_claim(ada)))
    assert (answer.status_code, answer.json()["code"]) == (403, "own_claim")


def test_zoe_finds_acmes_claim_as_little_as_one_that_never_was(zoe: Person, cleo: Person, claim: Claim) -> None:
    token = {"lease_token": str(uuid4())}
    never = Claim(id=uuid4(), assessment_id=uuid4())
    api = zoe.api()

    def answers(claim: Claim) -> list[Any]:
        history = f"/api/v1/reviews/{claim.id}/history"
        return [
            api.post(lease_of(claim)),
            api.put(lease_of(claim), token, format="json"),
            api.delete(lease_of(claim), token, format="json"),
            api.get(history),
            decide(zoe, claim),
        ]

    def shown(answer: Any) -> dict[str, Any]:
        return {name: value for name, value in answer.json().items() if name != "request_id"}

    assert [a.status_code for a in answers(claim)] == [404] * 5
    assert [shown(a) for a in answers(claim)] == [shown(a) for a in answers(never)]
    assert decisions(cleo) == 0


@pytest.mark.parametrize("who", ["cleo", "audrey", None])
def test_leases_and_decisions_refuse_who_may_not_review(
    who: str | None, cleo: Person, claim: Claim, request: pytest.FixtureRequest
) -> None:
    person: Person | None = request.getfixturevalue(who) if who else None
    api = person.api() if person else APIClient()
    token = {"lease_token": str(uuid4())}
    answers = [
        api.post(lease_of(claim)),
        api.put(lease_of(claim), token, format="json"),
        api.delete(lease_of(claim), token, format="json"),
        decide(person, claim),
    ]
    assert {a.status_code for a in answers} == ({403} if person else {401})
    assert decisions(cleo) == 0
    with tenant_scope(cleo.tenant.id):
        assert not ReviewLease.objects.exists()


def test_ada_decides_with_overrides(ada: Person, claim: Claim) -> None:
    token = ada.api().post(lease_of(claim)).json()["lease_token"]
    answer = decide(
        ada,
        claim,
        lease_token=token,
        severity_override="LOW",
        fault_ratio_override=20.0,
        fraud_override=False,
        override_reason="The bumper is unharmed.",
    )
    assert answer.status_code == 201
    with tenant_scope(ada.tenant.id):
        made = Decision.objects.get()
    body = answer.json()
    assert body.pop("decided_at").endswith("Z")
    assert body == {
        "id": str(made.id),
        "claim_id": str(claim.id),
        "decision": "APPROVE",
        "claim_status": "APPROVED",
        "decided_by": {"id": str(ada.user.id), "name": "Ada"},
        "overrides": {"severity": {"ai": "MEDIUM", "human": "LOW"}, "fault_ratio": {"ai": 70.0, "human": 20.0}},
        "needs_second_review": False,
    }
    assert ada.api().get("/api/v1/reviews/queue").json()["items"] == []


def test_sam_who_comes_second_learns_the_winners_decision(ada: Person, sam: Person, claim: Claim) -> None:
    first = decide(ada, claim).json()
    second = decide(sam, claim, decision="REJECT")
    assert (second.status_code, second.json()["code"]) == (409, "already_decided")
    assert second.json()["decision_id"] == first["id"]


def test_a_stale_page_is_refused(ada: Person, claim: Claim) -> None:
    answer = decide(ada, claim, assessment_id=str(uuid4()))
    assert (answer.status_code, answer.json()["code"]) == (409, "stale_assessment")
    assert answer.json()["assessment_id"] == str(claim.assessment_id)


def test_a_held_claim_is_decided_by_its_holder_alone(ada: Person, sam: Person, claim: Claim) -> None:
    with tenant_scope(sam.tenant.id):
        lease = take_lease(claim_id=claim.id, actor=sam.principal, now=timezone.now())
    assert decide(ada, claim).json()["code"] == "lease_held"
    assert decide(ada, claim, lease_token=str(lease.token)).json()["code"] == "lease_lost"
    assert decide(sam, claim, lease_token=str(lease.token)).status_code == 201


def test_ones_own_claim_is_for_someone_else(ada: Person) -> None:
    answer = decide(ada, make_assessed_claim(ada))
    assert (answer.status_code, answer.json()["code"]) == (403, "own_claim")


@pytest.mark.parametrize(
    ("words", "pointer"),
    [
        ({"decision": "MAYBE"}, "/decision"),
        ({"decision": ...}, "/decision"),
        ({"reasoning": ""}, "/reasoning"),
        ({"reasoning": " \n "}, "/reasoning"),
        ({"reasoning": ...}, "/reasoning"),
        ({"reasoning": 7}, "/reasoning"),
        ({"reasoning": "x" * 10_001}, "/reasoning"),
        ({"assessment_id": ...}, "/assessment_id"),
        ({"assessment_id": "newest"}, "/assessment_id"),
        ({"lease_token": "mine"}, "/lease_token"),
        ({"severity_override": "low", "override_reason": "r"}, "/severity_override"),
        ({"severity_override": "", "override_reason": "r"}, "/severity_override"),
        ({"fault_ratio_override": 100.5, "override_reason": "r"}, "/fault_ratio_override"),
        ({"fault_ratio_override": -1, "override_reason": "r"}, "/fault_ratio_override"),
        ({"fault_ratio_override": "20", "override_reason": "r"}, "/fault_ratio_override"),
        ({"fault_ratio_override": True, "override_reason": "r"}, "/fault_ratio_override"),
        ({"fraud_override": "no", "override_reason": "r"}, "/fraud_override"),
        ({"fraud_override": 1, "override_reason": "r"}, "/fraud_override"),
        ({"severity": "LOW"}, "/severity"),
    ],
)
def test_a_decision_that_cannot_be_read_is_refused_at_its_field(
    ada: Person, claim: Claim, words: dict[str, Any], pointer: str
) -> None:
    answer = decide(ada, claim, **words)
    assert answer.status_code == 400
    assert [problem["pointer"] for problem in answer.json()["errors"]] == [pointer]
    assert decisions(ada) == 0


def test_an_override_needs_its_reason(ada: Person, claim: Claim) -> None:
    answer = decide(ada, claim, severity_override="LOW")
    assert (answer.status_code, answer.json()["code"]) == (400, "override_reason_required")
    assert answer.json()["errors"][0]["pointer"] == "/override_reason"


def test_null_stands_for_no_override(ada: Person, claim: Claim) -> None:
    words = {"lease_token": None, "severity_override": None, "fault_ratio_override": None, "fraud_override": None}
    assert decide(ada, claim, **words).json()["overrides"] == {}


def test_a_signed_in_browser_decides_only_with_its_csrf_token(ada: Person, claim: Claim) -> None:
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(ada.user)
    answer = client.post(f"/api/v1/reviews/{claim.id}/decision", {}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (403, "csrf_failed")


def test_the_same_decision_sent_twice_is_one_decision_and_one_answer(ada: Person, claim: Claim) -> None:
    api = ada.api()
    body = {"decision": "APPROVE", "reasoning": "r", "assessment_id": str(claim.assessment_id)}
    address, key = f"/api/v1/reviews/{claim.id}/decision", {"Idempotency-Key": "once"}
    first = api.post(address, body, format="json", headers=key)
    second = api.post(address, body, format="json", headers=key)
    assert (first.status_code, second.status_code) == (201, 201)
    assert (second.headers["Idempotency-Replayed"], second.json()) == ("true", first.json())
    other = api.post(address, {**body, "decision": "REJECT"}, format="json", headers=key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert decisions(ada) == 1


def test_a_decision_on_a_version_that_is_no_more_is_refused(ada: Person, claim: Claim) -> None:
    api = ada.api()
    tag = api.post(lease_of(claim)).headers["ETag"]
    body = {"decision": "APPROVE", "reasoning": "r", "assessment_id": str(claim.assessment_id)}
    address = f"/api/v1/reviews/{claim.id}/decision"
    stale = api.post(address, body, format="json", headers={"If-Match": '"older"'})
    assert (stale.status_code, stale.json()["code"]) == (412, "stale")
    assert decisions(ada) == 0
    assert api.post(address, body, format="json", headers={"If-Match": tag}).status_code == 201
