"""Reading the claim file over HTTP: what it says, to whom, and at what cost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from aiassist.types import Severity
from claims.models import Claim, Evidence
from claims.services import assess_claim
from claims.services.linking import index_links
from tenancy.choices import Role
from tenancy.scope import tenant_scope
from tests.claims.handing_in import clip, hand_in, receive
from tests.claims.opinions import JPEG, FakeEngine, opinion_of, take_only_job
from tests.files import make_assessed_claim, make_claim
from tests.people import Person, make_key, make_person

CLAIMS = "/api/v1/claims"


@pytest.fixture
def assessed(cleo: Person) -> Claim:
    claim = receive(cleo).claim
    with tenant_scope(cleo.tenant.id):
        assess_claim(lease=take_only_job(), engine=FakeEngine(opinion_of(Severity.LOW, Severity.MEDIUM)))
        claim.refresh_from_db()
    return claim


def addresses(claim: Claim) -> list[str]:
    with tenant_scope(claim.submitted_by.memberships.get().tenant_id):
        evidence = Evidence.objects.filter(assessment__claim=claim).order_by("position").first()
    assert evidence is not None
    parts = [f"{CLAIMS}/{claim.id}{part}" for part in ("", "/status", "/assessment", "/video")]
    return [*parts, f"/api/v1/evidence/{evidence.id}/image"]


def test_everything_of_a_claim_is_shown_to_its_client_and_to_staff(assessed: Claim, cleo: Person, ada: Person) -> None:
    for person in (cleo, ada):
        for address in addresses(assessed):
            assert person.api().get(address).status_code == 200, address


def test_nothing_of_a_claim_is_shown_to_a_stranger(assessed: Claim) -> None:
    for address in [CLAIMS, *addresses(assessed)]:
        answer = APIClient(raise_request_exception=False).get(address)
        assert (answer.status_code, answer["Content-Type"]) == (401, "application/problem+json"), address


def test_nothing_of_a_claim_is_shown_with_a_key_that_may_not_read(assessed: Claim, ada: Person) -> None:
    client = APIClient(raise_request_exception=False)
    client.credentials(HTTP_X_API_KEY=make_key(ada, scopes=["write"]))
    for address in [CLAIMS, *addresses(assessed)]:
        assert client.get(address).status_code == 403, address


def test_another_tenants_claim_looks_like_one_that_does_not_exist(assessed: Claim, zoe: Person) -> None:
    client = zoe.api()
    for address in addresses(assessed):
        real, invented = client.get(address), client.get(address.replace(address.split("/")[4], str(uuid4())))
        assert real.status_code == invented.status_code == 404
        assert real.json() | {"request_id": ""} == invented.json() | {"request_id": ""}


def test_another_clients_claim_looks_like_one_that_does_not_exist(assessed: Claim, cleo: Person) -> None:
    dan = make_person(cleo.tenant, "dan", Role.CLIENT)
    for address in addresses(assessed):
        assert dan.api().get(address).status_code == 404, address
    assert dan.api().get(CLAIMS).json()["items"] == []


@pytest.mark.parametrize("bad", ["1", "١", "x", "0192", "%00", "01920b6e-6a31-7c02-8f7a-3b1d2f6c9a2"])
def test_an_address_without_a_real_id_is_not_found(ada: Person, bad: str) -> None:
    answer = ada.api().get(f"{CLAIMS}/{bad}/status")
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")


def test_status_says_how_far_a_claim_is(cleo: Person) -> None:
    claim_id = hand_in(cleo.api()).json()["id"]
    body = cleo.api().get(f"{CLAIMS}/{claim_id}/status").json()
    assert body.pop("received_at").endswith("Z")
    assert body == {
        "id": claim_id,
        "status": "RECEIVED",
        "stage": None,
        "progress_percent": 0,
        "attempts": 0,
        "error": None,
        "started_at": None,
        "finished_at": None,
    }


def test_status_is_not_sent_again_to_who_knows_it(cleo: Person) -> None:
    claim = make_claim(cleo)
    client = cleo.api()
    first = client.get(f"{CLAIMS}/{claim.id}/status")
    again = client.get(f"{CLAIMS}/{claim.id}/status", headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    with tenant_scope(cleo.tenant.id):
        Claim.objects.update(progress_percent=10)
    moved = client.get(f"{CLAIMS}/{claim.id}/status", headers={"If-None-Match": first["ETag"]})
    assert moved.json()["progress_percent"] == 10


@pytest.mark.usefixtures("uncounted")
def test_status_costs_one_query_beside_the_credential(
    cleo: Person, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    claim, client = make_claim(cleo), cleo.api()
    client.get(f"{CLAIMS}/{claim.id}/status")
    with django_assert_num_queries(2):  # key with tenant, person and role; claim
        client.get(f"{CLAIMS}/{claim.id}/status")


def test_claim_tells_staff_of_resubmissions_and_its_client_not(assessed: Claim, cleo: Person, ada: Person) -> None:
    assert hand_in(ada.api(), "CLM-AGAIN", clip()).status_code == 200
    seen_by_ada = ada.api().get(f"{CLAIMS}/{assessed.id}").json()
    assert [again["claim_number"] for again in seen_by_ada["resubmissions"]] == ["CLM-AGAIN"]
    assert "resubmissions" not in cleo.api().get(f"{CLAIMS}/{assessed.id}").json()
    assert seen_by_ada["video"]["codec"] == "h264"
    assert seen_by_ada["file_name"] == "drive.mp4"
    assert seen_by_ada["severity"] == "LOW"


def test_assessment_has_the_contracts_shape(assessed: Claim, ada: Person) -> None:
    body = ada.api().get(f"{CLAIMS}/{assessed.id}/assessment").json()
    assert list(body) == [
        "id", "claim_id", "version", "previous_version", "changes", "outcome", "reason_code", "severity",
        "confidence", "prediction_set", "coverage_target", "calibrated", "calibration_source", "review_priority",
        "priority_reasons",
        "fault_assessment", "fraud_risk_score", "fraud_indicators", "fraud_source", "fraud_model", "hazards",
        "evidence", "summary", "provider",
        "degraded", "service_level", "processing_seconds", "created_at",
    ]  # fmt: skip
    assert body["prediction_set"] == ["LOW", "MEDIUM"]
    assert body["priority_reasons"] == [
        {"code": "set_has_two_labels", "points": 15, "detail": "Possible: LOW or MEDIUM."}
    ]
    assert body["fault_assessment"] == {
        "fault_ratio": 70.0,
        "interval": [50.0, 90.0],
        "scenario": "REAR_END",
        "rules": [{"code": "distance", "effect": 20.0, "source": "Vienna 1968"}],
    }
    assert body["fraud_indicators"] == [{"code": "edit_cut", "weight": 0.35, "detail": "at 2.00 s"}]
    assert body["hazards"][0] == {
        "kind": "IMPACT", "start_seconds": 0.1, "end_seconds": 0.2, "peak_seconds": 0.15, "score": 0.8,
        "source": "motion",
    }  # fmt: skip
    assert set(body["evidence"][0]) == {
        "id", "kind", "start_seconds", "end_seconds", "at_seconds", "stage", "measure", "value", "threshold", "url",
    }  # fmt: skip
    assert body["provider"] == {"name": "openai", "model": "gpt-test", "attempts": 1, "prompt_version": "vision-1"}


def test_assessment_tells_its_client_neither_fraud_nor_order_of_work_nor_provider(
    assessed: Claim, cleo: Person
) -> None:
    answer = cleo.api().get(f"{CLAIMS}/{assessed.id}/assessment")
    body = answer.json()
    assert {"fraud_risk_score", "fraud_indicators", "priority_reasons", "provider"} & set(body) == set()
    assert {item["stage"] for item in body["evidence"]} == {"MOTION", "AUDIO"}
    for secret in (b"edit_cut", b"fraud", b"gpt-test", b"risk score"):
        assert secret not in answer.content
    assert (body["severity"], body["prediction_set"]) == ("LOW", ["LOW", "MEDIUM"])


def test_a_picture_of_a_manipulation_check_is_not_shown_to_its_client(
    assessed: Claim, cleo: Person, ada: Person
) -> None:
    with tenant_scope(cleo.tenant.id):
        cut = Evidence.objects.get(measure="cut_score")
    assert ada.api().get(f"/api/v1/evidence/{cut.id}/image").status_code == 200
    assert cleo.api().get(f"/api/v1/evidence/{cut.id}/image").status_code == 404


def test_evidence_image_is_a_jpeg_that_may_be_kept(assessed: Claim, ada: Person) -> None:
    answer = ada.api().get(addresses(assessed)[-1])
    assert b"".join(answer.streaming_content) == JPEG  # type: ignore[attr-defined]
    assert answer["Content-Type"] == "image/jpeg"
    assert answer["Cache-Control"] == "private, max-age=31536000, immutable"
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_evidence_without_a_picture_has_no_address(assessed: Claim, ada: Person) -> None:
    body = ada.api().get(f"{CLAIMS}/{assessed.id}/assessment").json()
    horn = next(item for item in body["evidence"] if item["measure"] == "horn_seconds")
    assert horn["url"] is None
    assert ada.api().get(f"/api/v1/evidence/{horn['id']}/image").status_code == 404


def test_assessment_that_is_not_there_yet_says_so(cleo: Person) -> None:
    answer = cleo.api().get(f"{CLAIMS}/{make_claim(cleo).id}/assessment")
    assert (answer.status_code, answer.json()["code"]) == (404, "assessment_not_ready")


@pytest.mark.usefixtures("uncounted")
def test_assessment_costs_the_same_with_much_evidence(
    assessed: Claim, ada: Person, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = ada.api()
    client.get(f"{CLAIMS}/{assessed.id}/assessment")
    with django_assert_num_queries(4):  # credential, claim, assessment, evidence
        client.get(f"{CLAIMS}/{assessed.id}/assessment")


# --- the list ----------------------------------------------------------------------------------------------------


def numbers(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [item["claim_number"] for item in answer.json()["items"]]


def test_list_walks_every_claim_once_newest_first(ada: Person) -> None:
    now = timezone.now()
    for number in range(7):
        # Three share one moment: ties are where cursors go wrong.
        make_claim(ada, f"CLM-{number}", now=now - timedelta(minutes=number // 3))
    client, seen = ada.api(), list[str]()
    cursor: str | None = ""
    while cursor is not None:
        page = client.get(f"{CLAIMS}?limit=2" + (f"&cursor={cursor}" if cursor else ""))
        seen += numbers(page)
        cursor = page.json()["next_cursor"]
    assert sorted(seen) == [f"CLM-{number}" for number in range(7)]
    assert seen[-1] == "CLM-6"


def test_list_shows_each_tenant_its_own(ada: Person, zoe: Person) -> None:
    make_claim(ada, "A")
    make_claim(zoe, "B")
    assert numbers(ada.api().get(CLAIMS)) == ["A"]
    assert numbers(zoe.api().get(CLAIMS)) == ["B"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("status=RECEIVED", ["FIRST"]),
        ("status=AWAITING_REVIEW", ["SECOND"]),
        ("priority=URGENT", ["SECOND"]),
        ("priority=LOW_PRIORITY", []),
        ("claim_number=FIRST", ["FIRST"]),
        ("claim_number=first", []),
        ("q=fir", ["FIRST"]),
        ("q=ulc1", ["FIRST"]),
        ("q=UL-C+1", ["FIRST"]),
        ("q=fir+ul-c1", ["FIRST"]),
        ("q=sec+ul-c1", []),
        ("q=ulc", []),
        ("q=lorry", []),
        ("q=100%25", []),
        ("q=_IRST", []),
        ("received_after=2026-01-02T00:00:00Z", ["SECOND"]),
        ("received_before=2026-01-02T00:00:00Z", ["FIRST"]),
        ("received_after=2026-01-01T00:00:00Z&received_before=2026-01-01T01:00:01Z", ["FIRST"]),
    ],
)
def test_list_is_filtered(ada: Person, query: str, found: list[str]) -> None:
    from datetime import UTC, datetime

    first = make_claim(
        ada, "FIRST", now=datetime(2026, 1, 1, 1, tzinfo=UTC), vehicle_plate="UL-C 1", description="The lorry braked."
    )
    with tenant_scope(ada.tenant.id):
        index_links(first, None, now=first.received_at)
    make_assessed_claim(ada, "SECOND", priority="URGENT", now=datetime(2026, 1, 3, tzinfo=UTC))
    assert numbers(ada.api().get(f"{CLAIMS}?{query}")) == found


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("status=LOST", "invalid_input"),
        ("priority=low", "invalid_input"),
        ("received_after=yesterday", "invalid_input"),
        ("limit=0", "invalid_input"),
        ("limit=101", "invalid_input"),
        ("limit=x", "invalid_input"),
        ("cursor=abc", "invalid_cursor"),
        ("colour=red", "unknown_parameter"),
        ("q=%00", "invalid_input"),
        ("q=a+b+c+d+e+f+g+h+i", "invalid_input"),
        ("received_after=0001-01-01T00:00:00%2B14:00", "invalid_input"),
        ("received_before=9999-12-31T23:59:59-14:00", "invalid_input"),
        ("status=RECEIVED&status=FAILED", "invalid_input"),
        ("received_after=2026-01-01T00:00:00", "invalid_input"),
        ("received_after=2026-13-41T00:00:00Z", "invalid_input"),
    ],
)
def test_list_refuses_what_it_does_not_understand(ada: Person, query: str, code: str) -> None:
    answer = ada.api().get(f"{CLAIMS}?{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_list_refuses_another_tenants_cursor(ada: Person, zoe: Person) -> None:
    for number in range(3):
        make_claim(ada, f"A{number}")
        make_claim(zoe, f"B{number}")
    cursor = ada.api().get(f"{CLAIMS}?limit=1").json()["next_cursor"]
    assert zoe.api().get(f"{CLAIMS}?limit=1&cursor={cursor}").json()["code"] == "invalid_cursor"


@pytest.mark.usefixtures("uncounted")
def test_list_costs_the_same_for_one_and_for_many(
    ada: Person, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(12):
        make_assessed_claim(ada, f"CLM-{number}")
    client = ada.api()
    client.get(CLAIMS)
    with django_assert_num_queries(2):  # credential, one page
        assert len(numbers(client.get(f"{CLAIMS}?limit=100"))) == 12
