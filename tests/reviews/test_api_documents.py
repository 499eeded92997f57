"""What the review API answers is what its OpenAPI document promises, field by field."""

from __future__ import annotations

from io import StringIO
from typing import Any

import jsonschema
import pytest
import yaml
from django.core.management import call_command

from tests.files import make_assessed_claim
from tests.people import Person


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    out = StringIO()
    call_command("spectacular", stdout=out)
    found: dict[str, Any] = yaml.safe_load(out.getvalue())
    return found


def as_documented(document: dict[str, Any], name: str, answer: Any) -> None:
    jsonschema.Draft202012Validator({**document, "$ref": f"#/components/schemas/{name}"}).validate(answer)
    assert set(answer) == set(document["components"]["schemas"][name]["properties"])


def test_answers_of_the_desk_are_as_documented(document: dict[str, Any], ada: Person, cleo: Person) -> None:
    claim = make_assessed_claim(cleo)
    make_assessed_claim(cleo, "CLM-2", outcome="NOT_ASSESSABLE", severity="", reason_code="static_black")
    api = ada.api()
    lease = api.post("/api/v1/reviews/next").json()
    as_documented(document, "LeaseAnswer", lease)
    queue = api.get("/api/v1/reviews/queue").json()
    as_documented(document, "QueueItemList", queue)
    for item in queue["items"]:
        as_documented(document, "QueueItemAnswer", item)
    body = {
        "decision": "REJECT",
        "reasoning": "r",
        "assessment_id": str(claim.assessment_id),
        "severity_override": "HIGH",
        "fault_ratio_override": 1,
        "fraud_override": True,
        "override_reason": "r",
    }
    decision = api.post(f"/api/v1/reviews/{claim.id}/decision", body, format="json").json()
    as_documented(document, "DecisionAnswer", decision)
    history = api.get(f"/api/v1/reviews/{claim.id}/history").json()
    as_documented(document, "HistoryItemList", history)
    as_documented(document, "HistoryItemAnswer", history["items"][0])
    as_documented(document, "SummaryAnswer", api.get("/api/v1/metrics/summary").json())


@pytest.mark.parametrize(
    ("verb", "path"),
    [
        ("get", "/api/v1/reviews/queue"),
        ("post", "/api/v1/reviews/next"),
        ("post", "/api/v1/reviews/{claim_id}/lease"),
        ("post", "/api/v1/reviews/{claim_id}/decision"),
        ("get", "/api/v1/reviews/{claim_id}/history"),
        ("get", "/api/v1/metrics/summary"),
    ],
)
def test_every_operation_shows_an_example_that_fits_its_schema(document: dict[str, Any], verb: str, path: str) -> None:
    responses = document["paths"][path][verb]["responses"]
    good = next(response for status, response in sorted(responses.items()) if status in {"200", "201"})
    media = good["content"]["application/json"]
    assert media["examples"]
    for example in media["examples"].values():
        jsonschema.Draft202012Validator({**document, **media["schema"]}).validate(example["value"])
