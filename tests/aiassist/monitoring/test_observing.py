"""What monitoring keeps of claims: written with assessment and decision, nothing about who, gone when erased."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.utils import timezone

from aiassist.models import Observation
from aiassist.types import Outcome, Severity
from claims.models import Claim
from claims.services import assess_claim
from claims.services.erasing import erase_claim
from tenancy.models import Tenant
from tenancy.scope import tenant_scope
from tests.claims.handing_in import hand_in
from tests.claims.opinions import FakeEngine, opinion_of, take_only_job
from tests.people import Person

FEATURES = {"impact_jolt_z": 7.25, "usual_ground_flow": 1.5, "mean_luma": 22.0}


def assessed(person: Person, **opinion: Any) -> Claim:
    """Hand a claim in over the API and have the worker assess it."""
    metadata = json.dumps({"channel": "broker-7", "language": "Call me at 555, please", "age": 44})
    hand_in(person.api(), metadata=metadata, description="Jane Doe hit a deer in Hamburg")
    with tenant_scope(person.tenant.id):
        made = opinion_of(Severity.LOW, **({"features": FEATURES} | opinion))
        assess_claim(lease=take_only_job(), engine=FakeEngine(made))
        claim: Claim = Claim.objects.get()
        return claim


def only_observation(person: Person) -> Observation:
    with tenant_scope(person.tenant.id):
        found: Observation = Observation.objects.get()
        return found


def test_an_assessment_leaves_what_it_measured_and_predicted(cleo: Person) -> None:
    Tenant.objects.filter(id=cleo.tenant.id).update(
        settings={"monitored_groups": ["channel", "language"], "jurisdiction": "DE"}
    )
    claim = assessed(cleo, fraud=0.7)
    seen = only_observation(cleo)
    assert seen.assessment_id == claim.assessment_id and not seen.repeated and not seen.backfilled
    assert (seen.severity, seen.fraud_risk_score, seen.fraud_flagged) == ("LOW", 0.7, True)
    assert seen.features == FEATURES and (seen.provider_name, seen.model_version) == ("openai", "severity-test")
    assert seen.groups == {
        "camera": "BELOW_HD",
        "sound": "NO",
        "light": "DARK",
        "policy": "UNKNOWN",
        "jurisdiction": "DE",
        "channel": "BROKER-7",
        "language": "OTHER",
    }
    assert seen.decided_at is None and seen.decision == ""


def test_nothing_about_who_is_kept_and_fields_that_were_not_named_stay_sealed(cleo: Person) -> None:
    assessed(cleo)
    with tenant_scope(cleo.tenant.id):
        row = json.dumps(Observation.objects.values().get(), default=str)
    assert not [secret for secret in ("Jane", "deer", "Hamburg", "broker", "BROKER", "CLM", "age") if secret in row]


def test_what_could_not_be_assessed_is_counted_without_figures(cleo: Person) -> None:
    assessed(cleo, outcome=Outcome.NOT_ASSESSABLE, facts=None)
    seen = only_observation(cleo)
    assert (seen.outcome, seen.severity, seen.features) == ("NOT_ASSESSABLE", "", {})
    assert "camera" not in seen.groups


@pytest.mark.parametrize("kind", ["APPROVE", "REJECT"])
def test_a_decision_stands_beside_what_the_ai_had_said(cleo: Person, ada: Person, kind: str) -> None:
    claim = assessed(cleo)
    body = {
        "decision": kind,
        "reasoning": "The bumper is bent.",
        "assessment_id": str(claim.assessment_id),
        "severity_override": "HIGH",
        "override_reason": "The axle broke.",
    }
    answer = ada.api().post(f"/api/v1/reviews/{claim.id}/decision", body, format="json")
    assert answer.status_code == 201
    seen = only_observation(cleo)
    assert (seen.decision, seen.human_severity, seen.severity) == (kind, "HIGH", "LOW")
    assert seen.decided_at is not None and not seen.fault_overridden and not seen.fraud_overridden


def test_a_question_is_no_decision(cleo: Person, ada: Person) -> None:
    claim = assessed(cleo)
    body = {"decision": "REQUEST_MORE_INFO", "reasoning": "Which side?", "assessment_id": str(claim.assessment_id)}
    assert ada.api().post(f"/api/v1/reviews/{claim.id}/decision", body, format="json").status_code == 201
    assert only_observation(cleo).decided_at is None


def test_groups_that_were_told_go_when_the_claim_is_erased(cleo: Person, ada: Person, adam: Person) -> None:
    Tenant.objects.filter(id=cleo.tenant.id).update(settings={"monitored_groups": ["channel"]})
    claim = assessed(cleo)
    body = {"decision": "APPROVE", "reasoning": "Clear.", "assessment_id": str(claim.assessment_id)}
    assert ada.api().post(f"/api/v1/reviews/{claim.id}/decision", body, format="json").status_code == 201
    assert only_observation(cleo).groups["channel"] == "BROKER-7"
    with tenant_scope(cleo.tenant.id):
        erase_claim(actor=adam.principal, claim_id=claim.id, now=timezone.now())
    assert only_observation(cleo).groups == {}


@pytest.mark.parametrize("names", [["Channel"], ["a"] * 2, [f"g{i}" for i in range(7)], "channel", [1]])
def test_group_names_are_short_codes(adam: Person, names: Any) -> None:
    answer = adam.api().patch("/api/v1/tenant", {"settings": {"monitored_groups": names}}, format="json")
    assert answer.status_code == 400
    good = adam.api().patch("/api/v1/tenant", {"settings": {"monitored_groups": ["channel"]}}, format="json")
    assert good.json()["settings"]["monitored_groups"] == ["channel"]
