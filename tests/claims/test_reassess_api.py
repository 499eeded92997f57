"""Having claims assessed again over HTTP: one, several, by a filter; who may, what is refused, what comes of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from aiassist.types import Severity
from claims.choices import ClaimStatus
from claims.models import Assessment, Claim
from observability.models import Job
from tenancy.scope import tenant_scope
from tests.claims.opinions import FakeEngine, opinion_of
from tests.claims.reassessing import assessed_claim, reassess, work
from tests.files import make_assessed_claim, make_claim
from tests.people import Person, make_key

RUN = "/api/v1/run/claims"


def address(claim: Claim) -> str:
    return f"/api/v1/claims/{claim.id}/reassess"


def run(person: Person, **body: Any) -> Any:
    return person.api().post(RUN, body, format="json")


def items_of(person: Person, task_id: str) -> list[str]:
    """Return the numbers of the claims that the task has, in its order, by doing it."""
    job = Job.objects.get(id=task_id)
    while job.state == "PENDING":
        job = work(person, job.id, FakeEngine())
    assert job.result is not None
    return [item["claim_number"] for item in job.result["items"] if item["state"] == "DONE"]


def test_a_claim_is_assessed_again_and_the_task_tells_what_changed(cleo: Person, ada: Person) -> None:
    claim, api = assessed_claim(cleo), ada.api()
    answer = api.post(address(claim), {"reason": "New model."}, format="json")
    body = answer.json()
    assert (answer.status_code, answer["Location"]) == (202, f"/api/v1/tasks/{body['task_id']}")
    assert body == {"task_id": body["task_id"], "links": {"task": answer["Location"]}}
    waiting = api.get(answer["Location"]).json()
    assert (waiting["kind"], waiting["status"], waiting["result"]) == ("claims.reassess", "PENDING", None)
    work(ada, body["task_id"], FakeEngine(opinion_of(Severity.HIGH)))
    done = api.get(answer["Location"]).json()
    assert (done["status"], done["progress_percent"], done["result"]["counts"]) == ("SUCCEEDED", 100, {"DONE": 1})
    assert [change["field"] for change in done["result"]["items"][0]["changes"]] == [
        "severity",
        "prediction_set",
        "review_priority",
    ]


def test_a_request_needs_no_body(cleo: Person, ada: Person) -> None:
    assert ada.api().post(address(assessed_claim(cleo))).status_code == 202


def test_a_request_sent_twice_with_its_key_is_one_run_with_one_answer(cleo: Person, ada: Person) -> None:
    claim, api = assessed_claim(cleo), ada.api()
    first = api.post(address(claim), headers={"Idempotency-Key": "again-1"})
    again = api.post(address(claim), headers={"Idempotency-Key": "again-1"})
    assert (again.content, again["Idempotency-Replayed"]) == (first.content, "true")
    other = api.post(address(claim), {"reason": "x"}, format="json", headers={"Idempotency-Key": "again-1"})
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert Job.objects.filter(kind="claims.reassess").count() == 1


def test_a_second_request_without_a_key_gets_the_same_task(cleo: Person, ada: Person, sam: Person) -> None:
    claim = assessed_claim(cleo)
    assert ada.api().post(address(claim)).json() == sam.api().post(address(claim)).json()


def test_the_assessment_names_its_version_the_one_before_and_what_changed(cleo: Person, ada: Person) -> None:
    claim = assessed_claim(cleo)
    url, api = f"/api/v1/claims/{claim.id}/assessment", ada.api()
    first = api.get(url).json()
    assert (first["version"], first["previous_version"], first["changes"]) == (1, None, [])
    reassess(ada, claim, Severity.HIGH)
    newer = api.get(url).json()
    assert (newer["version"], newer["previous_version"], newer["severity"]) == (2, 1, "HIGH")
    assert newer["changes"][0] == {"field": "severity", "before": "LOW", "after": "HIGH"}
    assert api.get(f"{url}?version=1").json() == first
    assert api.get(f"{url}?version=3").json()["code"] == "assessment_not_found"
    for wrong in ("0", "-1", "x", "9999999999"):
        assert (api.get(f"{url}?version={wrong}").status_code, wrong) == (400, wrong)


def test_the_claimants_side_sees_no_fraud_and_no_machine_among_the_changes(cleo: Person, ada: Person) -> None:
    claim = assessed_claim(cleo)
    work_again = opinion_of(Severity.HIGH, fraud=0.5, degraded=True, degraded_reasons=("vision_model",))
    work(ada, ada.api().post(address(claim)).json()["task_id"], FakeEngine(work_again))
    body = cleo.api().get(f"/api/v1/claims/{claim.id}/assessment").json()
    fields = [change["field"] for change in body["changes"]]
    assert fields == ["severity", "prediction_set", "review_priority", "service_level"]


def test_the_claimants_side_is_refused(cleo: Person) -> None:
    claim = assessed_claim(cleo)
    for answer in (cleo.api().post(address(claim)), run(cleo, claim_ids=[str(claim.id)])):
        assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")


def test_who_may_only_read_is_refused(cleo: Person, audrey: Person, ada: Person) -> None:
    claim = make_assessed_claim(cleo)
    assert audrey.api().post(address(claim)).status_code == 403
    reader = APIClient()
    reader.credentials(HTTP_X_API_KEY=make_key(ada, scopes=["read"]))
    assert reader.post(address(claim)).status_code == 403
    assert reader.post(RUN, {"filter": {}}, format="json").status_code == 403


def test_another_tenants_claim_is_one_that_does_not_exist(cleo: Person, zoe: Person) -> None:
    claim = make_assessed_claim(cleo)
    foreign, missing = zoe.api().post(address(claim)), zoe.api().post(f"/api/v1/claims/{uuid4()}/reassess")
    bodies = [{k: v for k, v in a.json().items() if k != "request_id"} for a in (foreign, missing)]
    assert (foreign.status_code, bodies[0]) == (404, bodies[1])
    answer = run(zoe, claim_ids=[str(claim.id)])
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (404, "/claim_ids/0")
    assert Job.objects.count() == 0


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (ClaimStatus.APPROVED, "claim_decided"),
        (ClaimStatus.REJECTED, "claim_decided"),
        (ClaimStatus.RECEIVED, "assessment_running"),
        (ClaimStatus.FAILED, "not_reassessable"),
    ],
)
def test_a_claim_that_takes_no_new_opinion_is_refused_with_its_code(
    cleo: Person, ada: Person, status: ClaimStatus, code: str
) -> None:
    claim = make_claim(cleo, status=status)
    answer = ada.api().post(address(claim))
    assert (answer.status_code, answer.json()["code"]) == (409, code)


def test_a_decision_on_the_older_assessment_is_refused_and_the_newer_one_takes_it(cleo: Person, ada: Person) -> None:
    claim, api = assessed_claim(cleo), ada.api()
    url = f"/api/v1/reviews/{claim.id}/decision"
    seen = api.post("/api/v1/reviews/next").json()
    reassess(ada, claim, Severity.HIGH)
    words = {"decision": "APPROVE", "reasoning": "Clear view.", "lease_token": seen["lease_token"]}
    refused = api.post(url, {**words, "assessment_id": seen["assessment_id"]}, format="json")
    assert (refused.status_code, refused.json()["code"]) == (409, "stale_assessment")
    newest = refused.json()["assessment_id"]
    assert newest == str(claim.assessment_id) != seen["assessment_id"]
    assert api.post(url, {**words, "assessment_id": newest}, format="json").status_code == 201
    assert api.post(address(claim)).json()["code"] == "claim_decided"


def test_several_claims_are_one_task_in_the_order_named(cleo: Person, ada: Person) -> None:
    claims = [assessed_claim(cleo, f"CLM-{number}") for number in range(3)]
    named = [str(claims[index].id) for index in (2, 0, 2, 1)]
    answer = run(ada, claim_ids=named)
    assert answer.status_code == 202
    assert items_of(ada, answer.json()["task_id"]) == ["CLM-2", "CLM-0", "CLM-1"]


def test_a_filter_takes_the_first_of_the_queue(cleo: Person, ada: Person) -> None:
    standard, urgent, other = (
        assessed_claim(cleo, "CLM-1"),
        assessed_claim(cleo, "CLM-2", Severity.HIGH),
        assessed_claim(cleo, "CLM-3"),
    )
    assert items_of(ada, run(ada, filter={}, limit=2).json()["task_id"]) == ["CLM-2", "CLM-1"]
    assert items_of(ada, run(ada, filter={"priority": "URGENT"}).json()["task_id"]) == ["CLM-2"]
    with tenant_scope(ada.tenant.id):
        Claim.objects.filter(id=other.id).update(status=ClaimStatus.INFO_REQUESTED)
        Claim.objects.filter(id=urgent.id).update(status=ClaimStatus.APPROVED)
    assert items_of(ada, run(ada, filter={"status": "INFO_REQUESTED"}).json()["task_id"]) == ["CLM-3"]
    assert items_of(ada, run(ada, filter={}).json()["task_id"]) == ["CLM-1", "CLM-3"]
    assert standard.claim_number == "CLM-1"


def test_a_filter_finds_what_was_judged_with_something_missing(cleo: Person, ada: Person) -> None:
    assessed_claim(cleo, "CLM-1")
    assessed_claim(cleo, "CLM-2", Severity.LOW, degraded=True, degraded_reasons=("vision_model",))
    found = run(ada, filter={"degraded": True})
    assert items_of(ada, found.json()["task_id"]) == ["CLM-2"]
    again = run(ada, filter={"degraded": True})
    assert (again.status_code, again.json()["code"]) == (409, "nothing_to_reassess")


def test_a_filter_by_time_and_model_can_be_repeated_until_nothing_is_left(cleo: Person, ada: Person) -> None:
    for number in range(3):
        assessed_claim(cleo, f"CLM-{number}")
    wanted = {"assessed_before": timezone.now().isoformat(), "model_version": "severity-test"}
    for _ in range(2):
        items_of(ada, run(ada, filter=wanted, limit=2).json()["task_id"])
    assert run(ada, filter=wanted).json()["code"] == "nothing_to_reassess"
    with tenant_scope(ada.tenant.id):
        assert Assessment.objects.filter(version=2).count() == 3
    none = run(ada, filter={"received_after": (timezone.now() + timedelta(days=1)).isoformat()})
    assert none.json()["code"] == "nothing_to_reassess"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/"),
        ({"claim_ids": []}, "/claim_ids"),
        ({"claim_ids": ["x"]}, "/claim_ids/0"),
        ({"claim_ids": [str(uuid4())] * 101}, "/claim_ids"),
        ({"claim_ids": [str(uuid4())], "filter": {}}, "/"),
        ({"filter": {"status": "APPROVED"}}, "/filter/status"),
        ({"filter": {"degraded": "yes"}}, "/filter/degraded"),
        ({"filter": {"severity": "LOW"}}, "/filter/severity"),
        ({"filter": {"received_after": "2026-03-01T10:00:00"}}, "/filter/received_after"),
        ({"filter": {}, "limit": 101}, "/limit"),
        ({"filter": {}, "limit": "5"}, "/limit"),
        ({"filter": {}, "all": True}, "/all"),
    ],
)
def test_a_body_that_is_not_understood_is_refused(ada: Person, body: dict[str, Any], pointer: str) -> None:
    answer = run(ada, **body)
    assert answer.status_code == 400
    assert pointer in [problem["pointer"] for problem in answer.json()["errors"]]


def test_unknown_parameters_are_refused(cleo: Person, ada: Person) -> None:
    claim = make_assessed_claim(cleo)
    assert ada.api().post(f"{address(claim)}?force=1").json()["code"] == "unknown_parameter"
    assert ada.api().post(address(claim), {"force": True}, format="json").status_code == 400
