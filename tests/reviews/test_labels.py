"""Blind labels: drawn by chance at the decision, given once by someone uninvolved, showing nothing that was thought."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from aiassist.models import CalibrationCase
from aiassist.types import Outcome, Severity
from claims.models import Assessment, Claim, Evidence
from observability.ids import new_id
from reviews.actions import DecisionDraft
from reviews.choices import DecisionKind, LabelState
from reviews.labels import Place, draw_number, joined_places
from reviews.models import BlindLabel
from reviews.services import decide_claim
from tenancy.models import AuditEvent, Tenant
from tenancy.scope import tenant_scope
from tests.files import make_assessed_claim
from tests.people import Person

NOW = timezone.now()
NEXT, PAGE = "/api/v1/reviews/labels/next", "/desk/labels/"


def set_share(tenant: Tenant, share: float) -> None:
    Tenant.objects.filter(id=tenant.id).update(settings={"blind_label_share": share})


@pytest.fixture(autouse=True)
def inside_acme(acme: Tenant) -> Iterator[None]:
    set_share(acme, 1.0)
    with tenant_scope(acme.id):
        yield


def decide(person: Person, claim: Claim, kind: DecisionKind = DecisionKind.APPROVE) -> None:
    assert claim.assessment_id is not None
    draft = DecisionDraft(decision=kind, reasoning="The bumper is bent.", assessment_id=claim.assessment_id)
    decide_claim(claim_id=claim.id, actor=person.principal, draft=draft, now=NOW)


@pytest.fixture
def drawn(ada: Person, cleo: Person) -> BlindLabel:
    """Ada approves a claim, which is drawn."""
    claim = make_assessed_claim(cleo, "CLM-DRAWN", summary="An impact was measured.")
    for position, (stage, start, end) in enumerate([("MOTION", 4.4, 4.9), ("AUDIO", 4.5, 5.2), ("FRAUD", 7.0, 8.0)]):
        Evidence.objects.create(
            assessment_id=claim.assessment_id, position=position, kind="impact", stage=stage, measure="jerk_z",
            value=9.2, threshold=6.0, start_seconds=start, end_seconds=end, at_seconds=start,
        )  # fmt: skip
    decide(ada, claim)
    label: BlindLabel = BlindLabel.objects.get()
    return label


def address(label: BlindLabel) -> str:
    return f"/api/v1/reviews/labels/{label.id}"


def test_a_decided_claim_is_drawn_with_the_share_in_force(drawn: BlindLabel, cleo: Person, sam: Person) -> None:
    assert (drawn.inclusion_probability, drawn.drawn_at, drawn.state) == (1.0, NOW, LabelState.WAITING)
    set_share(cleo.tenant, 0.0)
    decide(sam, make_assessed_claim(cleo, "CLM-2"))
    assert BlindLabel.objects.count() == 1


def test_the_draw_follows_from_the_decisions_id_alone_and_is_even() -> None:
    ids = [new_id() for _ in range(4_000)]
    numbers = [draw_number(made) for made in ids]
    assert numbers == [draw_number(made) for made in ids]
    assert all(0.0 <= number < 1.0 for number in numbers)
    assert 0.03 < sum(number < 0.05 for number in numbers) / len(numbers) < 0.07  # 5 % ± 5 standard errors


@pytest.mark.parametrize(
    ("kind", "opinion"),
    [
        (DecisionKind.REQUEST_MORE_INFO, {}),
        (DecisionKind.APPROVE, {"outcome": Outcome.NOT_ASSESSABLE, "severity": "", "reason_code": "static_black"}),
        (DecisionKind.APPROVE, {"model_probabilities": {}}),
    ],
)
def test_what_says_nothing_about_the_ais_set_is_not_drawn(
    ada: Person, cleo: Person, kind: DecisionKind, opinion: dict[str, Any]
) -> None:
    decide(ada, make_assessed_claim(cleo, **opinion), kind)
    assert not BlindLabel.objects.exists()


def test_the_next_label_shows_the_film_and_nothing_that_was_thought(drawn: BlindLabel, sam: Person) -> None:
    answer = sam.api().get(NEXT)
    assert answer.status_code == 200
    assert answer.json() == {
        "id": str(drawn.id),
        "drawn_at": answer.json()["drawn_at"],
        "video_url": f"/api/v1/claims/{drawn.claim_id}/video",
        "duration_seconds": 10.0,
        "places": [{"start_seconds": 4.4, "end_seconds": 5.2}],
    }


def test_the_page_shows_no_value_of_the_ai_and_no_decision(drawn: BlindLabel, sam: Person) -> None:
    page = sam.browser().get(PAGE)
    text = page.content.decode()
    assert page.status_code == 200 and "0:04.4 – 0:05.2" in text
    assert "#t=3.4" in text, "a place is shown from a second before it, also without JavaScript"
    hidden = (
        "CLM-DRAWN",
        "The bumper is bent.",
        "An impact was measured.",
        "jerk",
        "64 %",
        "Fraud",
        "Impact",
    )
    assert [word for word in hidden if word in text] == []


def test_a_label_becomes_a_calibration_case_beside_what_the_ai_had_said(drawn: BlindLabel, sam: Person) -> None:
    answer = sam.api().post(address(drawn), {"severity": "HIGH"}, format="json")
    assert answer.status_code == 201
    assert {k: answer.json()[k] for k in ("id", "state", "severity")} == {
        "id": str(drawn.id), "state": "LABELLED", "severity": "HIGH",
    }  # fmt: skip
    case = CalibrationCase.objects.get()
    assert (case.assessment_id, case.true_label, case.inclusion_probability) == (drawn.assessment_id, "HIGH", 1.0)
    assert (case.prediction_set, case.calibration_source, case.model_version) == (["LOW", "MEDIUM"], "RENDERED", "test")
    event = AuditEvent.objects.get(event="label.given")
    assert (event.object_type, event.object_id, event.actor_name[:3]) == ("blind_label", str(drawn.id), "Sam")
    assert sam.api().get(NEXT).status_code == 204


def test_a_case_keeps_what_the_pictures_said_also_where_a_sensor_outranks_them(
    ada: Person, sam: Person, cleo: Person
) -> None:
    pictures = {"NONE": 0.1, "LOW": 0.6, "MEDIUM": 0.2, "HIGH": 0.1}
    sensor = {"NONE": 0.0, "LOW": 0.0, "MEDIUM": 0.0, "HIGH": 1.0}
    decide(ada, make_assessed_claim(cleo, probabilities=sensor, model_probabilities=pictures))
    sam.api().post(address(BlindLabel.objects.get()), {"severity": "HIGH"}, format="json")
    assert CalibrationCase.objects.get().probabilities == pictures


def test_a_label_does_not_stand_in_the_claims_history(drawn: BlindLabel, sam: Person) -> None:
    sam.api().post(address(drawn), {"severity": "HIGH"}, format="json")
    items = sam.api().get(f"/api/v1/reviews/{drawn.claim_id}/history").json()["items"]
    assert "label.given" not in {item["event"] for item in items}


def test_what_cannot_be_told_is_counted_and_not_guessed(drawn: BlindLabel, sam: Person) -> None:
    answer = sam.api().post(address(drawn), {"severity": None}, format="json")
    assert (answer.status_code, answer.json()["state"]) == (201, "CANNOT_TELL")
    assert CalibrationCase.objects.get().true_label == ""


def test_who_decided_or_submitted_the_claim_is_not_asked_and_not_heard(
    drawn: BlindLabel, ada: Person, adam: Person
) -> None:
    Claim.objects.filter(id=drawn.claim_id).update(submitted_by=adam.user)
    for involved in (ada, adam):
        assert involved.api().get(NEXT).status_code == 204
        answer = involved.api().post(address(drawn), {"severity": "LOW"}, format="json")
        assert (answer.status_code, answer.json()["code"]) == (403, "not_blind")
    drawn.refresh_from_db()
    assert drawn.state == LabelState.WAITING


def test_a_second_label_is_refused(drawn: BlindLabel, sam: Person, adam: Person) -> None:
    sam.api().post(address(drawn), {"severity": "LOW"}, format="json")
    answer = adam.api().post(address(drawn), {"severity": "HIGH"}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (409, "already_labelled")
    assert CalibrationCase.objects.get().true_label == Severity.LOW


def test_an_assessment_is_drawn_once_however_often_its_claim_is_decided(drawn: BlindLabel, sam: Person) -> None:
    Claim.objects.filter(id=drawn.claim_id).update(status="AWAITING_REVIEW", version=9)
    decide(sam, Claim.objects.get(id=drawn.claim_id), DecisionKind.REJECT)
    assert BlindLabel.objects.count() == 1


def test_labels_refuse_a_stranger_another_tenant_and_the_wrong_roles(
    drawn: BlindLabel, zoe: Person, cleo: Person, audrey: Person
) -> None:
    body = {"severity": "LOW"}
    stranger = APIClient(raise_request_exception=False)
    assert stranger.get(NEXT).status_code == stranger.post(address(drawn), body, format="json").status_code == 401
    assert zoe.api().get(NEXT).status_code == 204
    foreign = zoe.api().post(address(drawn), body, format="json")
    unknown = zoe.api().post(f"/api/v1/reviews/labels/{uuid4()}", body, format="json")
    assert foreign.status_code == unknown.status_code == 404
    for person in (cleo, audrey):
        assert person.api().get(NEXT).status_code == 403
        assert person.api().post(address(drawn), body, format="json").status_code == 403
        assert person.browser().get(PAGE).status_code == 403
    assert Client().get(PAGE).headers["Location"] == f"/sign-in/?next={PAGE}"


@pytest.mark.parametrize("body", [{}, {"severity": "BAD"}, {"severity": "LOW", "why": "x"}, {"severity": ""}])
def test_a_label_that_is_none_is_refused(drawn: BlindLabel, sam: Person, body: dict[str, Any]) -> None:
    assert sam.api().post(address(drawn), body, format="json").status_code == 400


def test_the_page_works_with_forms_alone(drawn: BlindLabel, sam: Person) -> None:
    browser = sam.browser()
    answer = browser.post(f"{PAGE}{drawn.id}/", {}, follow=True)
    assert "Choose one of the five." in answer.content.decode()
    answer = browser.post(f"{PAGE}{drawn.id}/", {"severity": "MEDIUM"}, follow=True)
    text = answer.content.decode()
    assert "Your label is recorded." in text and "Nothing waits for your label" in text
    again = browser.post(f"{PAGE}{drawn.id}/", {"severity": "MEDIUM"}, follow=True)
    assert "Someone else has labelled this video." in again.content.decode()


def test_joined_places_hide_how_many_measurements_there_were() -> None:
    assert joined_places([(1.0, 2.0), (1.5, 1.7), (2.0, 3.0), (5.0, 5.0)]) == [Place(1.0, 3.0), Place(5.0, 5.0)]


def test_an_assessment_without_all_four_probabilities_is_left_alone(ada: Person, cleo: Person) -> None:
    claim = make_assessed_claim(cleo)
    Assessment.objects.filter(id=claim.assessment_id).update(model_probabilities={"NONE": 1.0})
    decide(ada, claim)
    assert not BlindLabel.objects.exists()
