"""What a fraud model sees of a claim: spans, counts and sizes as they stood, and nothing about who."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from aiassist.types import Severity
from claims.circumstances import circumstances_of
from claims.models import Assessment, Claim, Policy
from claims.services import assess_claim
from tenancy.scope import tenant_scope
from tests.claims.handing_in import hand_in
from tests.claims.opinions import FakeEngine, opinion_of, take_only_job
from tests.files import make_claim
from tests.people import Person

NOW = datetime(2026, 3, 11, 12, 0, tzinfo=UTC)


def test_circumstances_of_tell_spans_counts_and_sizes(cleo: Person) -> None:
    with tenant_scope(cleo.tenant.id):
        policy = Policy.objects.create(
            policy_number="P-1", holder_name="Jane Doe", effective_on=date(2026, 3, 1), expires_on=date(2027, 3, 1)
        )
    make_claim(cleo, "CLM-0", policy=policy, now=datetime(2026, 1, 1, tzinfo=UTC))
    make_claim(cleo, "CLM-OLD", policy=policy, now=datetime(2024, 1, 1, tzinfo=UTC))
    loss_at = datetime(2026, 3, 7, 23, 30, tzinfo=UTC)
    claim = make_claim(cleo, "CLM-1", policy=policy, loss_at=loss_at, description="A deer ran out", now=NOW)
    with tenant_scope(cleo.tenant.id):
        found = circumstances_of(claim)
    assert found["report_delay_hours"] == 84.5
    assert (found["loss_hour_utc"], found["loss_on_weekend"]) == (23.0, 1.0)
    assert (found["policy_age_days"], found["policy_left_days"]) == (6.0, 359.0)
    assert found["claims_on_policy_in_a_year"] == 1.0
    assert (found["description_words"], found["claimant_told"]) == (4.0, 0.0)
    assert found["video_seconds"] == 10.0


def test_circumstances_of_a_bare_claim_say_what_is_not_known(cleo: Person) -> None:
    claim = make_claim(cleo)
    with tenant_scope(cleo.tenant.id):
        found = circumstances_of(claim)
    assert found["report_delay_hours"] is None and found["policy_age_days"] is None
    assert found["policy_known"] == 0.0


@pytest.mark.parametrize("secret", ["Jane", "Doe", "jane@example.org", "1234567", "deer", "Hamburg", "B-AB"])
def test_circumstances_of_hold_nothing_about_who_and_where(cleo: Person, secret: str) -> None:
    claimant = json.dumps({"name": "Jane Doe", "email": "jane@example.org", "phone": "0170 1234567"})
    place, plate = "Hamburg", "B-AB 1234"
    hand_in(cleo.api(), claimant=claimant, description="A deer", loss_location=place, vehicle_plate=plate)
    with tenant_scope(cleo.tenant.id):
        claim = Claim.objects.select_related("video").get()
        found = circumstances_of(claim)
    assert all(value is None or isinstance(value, float) for value in found.values())
    assert secret not in " ".join(found)


def test_circumstances_are_kept_with_the_assessment_as_they_stood(cleo: Person) -> None:
    hand_in(cleo.api(), "CLM-1", description="A deer")
    seen = {"description_words": 2.0}
    opinion = opinion_of(Severity.LOW)
    engine = FakeEngine(replace(opinion, fraud=replace(opinion.fraud, circumstances=seen)))
    with tenant_scope(cleo.tenant.id):
        assess_claim(lease=take_only_job(), engine=engine)
        assert engine.dossiers[0].circumstances["description_words"] == 2.0
        assert Assessment.objects.get().fraud_circumstances == seen
