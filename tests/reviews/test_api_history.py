"""History and summary over HTTP."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from rest_framework.test import APIClient

from claims.models import Claim
from reviews.choices import DecisionKind
from tests.files import make_assessed_claim
from tests.people import Person
from tests.sealing import seal_now
from tests.tenancy.trails import execute, lift_guard

SUMMARY = "/api/v1/metrics/summary"


def history(person: Person, claim: Claim, **query: Any) -> Any:
    return person.api().get(f"/api/v1/reviews/{claim.id}/history", query)


@pytest.fixture
def decided(ada: Person, cleo: Person) -> Claim:
    """A claim that Ada took and approved, with one override."""
    claim = make_assessed_claim(cleo)
    api = ada.api()
    token = api.post("/api/v1/reviews/next").json()["lease_token"]
    body = {
        "decision": DecisionKind.APPROVE,
        "reasoning": "Clear view.",
        "assessment_id": str(claim.assessment_id),
        "lease_token": token,
        "severity_override": "LOW",
        "override_reason": "Unharmed.",
    }
    address, headers = f"/api/v1/reviews/{claim.id}/decision", {"X-Request-ID": "req-decide"}
    assert api.post(address, body, format="json", headers=headers).status_code == 201
    return claim


def test_history_tells_what_ada_did_and_hangs_together(ada: Person, decided: Claim) -> None:
    seal_now(ada.tenant.id)
    body = history(ada, decided).json()
    taken, made = body["items"]
    assert [taken["event"], made["event"]] == ["review.lease_taken", "review.decided"]
    assert made["actor"]["type"] == "HUMAN"
    assert made["actor"]["name"].startswith("Ada")
    assert made["before"] == {"status": "AWAITING_REVIEW"}
    assert made["after"]["status"] == "APPROVED"
    assert made["after"]["overrides"] == {"severity": {"ai": "MEDIUM", "human": "LOW"}}
    assert (made["reason"], made["request_id"]) == ("Clear view.", "req-decide")
    assert made["seq"] == taken["seq"] + 1
    assert made["previous_hash"] == taken["hash"]
    assert {taken["state"], made["state"]} == {"VERIFIED"} and made["seal"] >= taken["seal"]
    assert body["next_cursor"] is None


def test_history_tells_what_awaits_its_seal_and_what_is_not_what_was_sealed(ada: Person, decided: Claim) -> None:
    if connection.vendor == "postgresql":
        waiting = history(ada, decided).json()["items"][0]
        assert [waiting[name] for name in ("state", "seq", "hash", "seal")] == ["AWAITING_SEAL", None, None, None]
    seal_now(ada.tenant.id)
    lift_guard()
    execute("UPDATE tenancy_auditevent SET reason = 'x' WHERE event = 'review.decided'")
    taken, made = history(ada, decided).json()["items"]
    assert (taken["state"], made["state"]) == ("VERIFIED", "PROBLEM")
    assert "An entry is not what was sealed" in ada.browser().get(f"/desk/claims/{decided.id}/review/").content.decode()


def test_history_comes_in_pages(ada: Person, decided: Claim) -> None:
    first = history(ada, decided, limit=1).json()
    second = history(ada, decided, limit=1, cursor=first["next_cursor"]).json()
    assert [i["event"] for i in first["items"] + second["items"]] == ["review.lease_taken", "review.decided"]
    assert second["next_cursor"] is None


def test_history_refuses_another_claims_cursor(ada: Person, cleo: Person, decided: Claim) -> None:
    cursor = history(ada, decided, limit=1).json()["next_cursor"]
    answer = history(ada, make_assessed_claim(cleo, "CLM-2"), cursor=cursor)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_cursor")


@pytest.mark.parametrize(
    ("who", "status"), [("ada", 200), ("sam", 200), ("adam", 200), ("audrey", 200), ("cleo", 403), ("zoe", 404)]
)
def test_history_is_for_reviewers_and_auditors_of_the_tenant(
    who: str, status: int, decided: Claim, request: pytest.FixtureRequest
) -> None:
    assert history(request.getfixturevalue(who), decided).status_code == status


def test_history_of_nothing_is_not_found(ada: Person, decided: Claim) -> None:
    assert history(ada, Claim(id=uuid4())).status_code == 404
    assert ada.api().get("/api/v1/reviews/١/history").status_code == 404


def test_strangers_see_neither_history_nor_figures(decided: Claim) -> None:
    assert APIClient().get(f"/api/v1/reviews/{decided.id}/history").status_code == 401
    assert APIClient().get(SUMMARY).status_code == 401


def test_summary_tells_how_the_desk_is_doing(ada: Person, cleo: Person, decided: Claim) -> None:
    make_assessed_claim(cleo, "CLM-2", priority="URGENT", confidence=0.36, fraud_risk_score=0.9)
    body = ada.api().get(SUMMARY).json()
    assert body.pop("mean_review_seconds") >= 0
    assert body == {
        "claims_processed_24h": 2,
        "queue_depth": {"URGENT": 1, "STANDARD": 0, "LOW_PRIORITY": 0},
        "approval_rate": 1.0,
        "rejection_rate": 0.0,
        "override_rate": 1.0,
        "mean_ai_confidence": 0.5,
        "fraud_flag_rate": 0.5,
        "service_level": "FULL",
    }


@pytest.mark.parametrize(("who", "status"), [("sam", 200), ("adam", 200), ("cleo", 403), ("audrey", 403)])
def test_summary_is_for_reviewers(who: str, status: int, request: pytest.FixtureRequest) -> None:
    assert request.getfixturevalue(who).api().get(SUMMARY).status_code == status


def test_summary_of_borealis_counts_nothing_of_acme(zoe: Person, decided: Claim) -> None:
    body = zoe.api().get(SUMMARY).json()
    assert body["claims_processed_24h"] == 0
    assert body["approval_rate"] is None
