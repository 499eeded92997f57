"""Handing in and following claims in the browser."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client, override_settings
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from claims.choices import ClaimStatus
from claims.models import Claim, Party
from tenancy.models import Tenant
from tenancy.scope import tenant_scope
from tests.claims.handing_in import files_in, receive, video_file
from tests.files import make_assessed_claim, make_claim
from tests.people import Person

NEW, LIST = "/desk/claims/new/", "/desk/claims/"


def form(number: str = "CLM-1", **fields: Any) -> dict[str, Any]:
    return {"claim_number": number, "video": video_file(), **fields}


def test_handing_in_a_claim_leads_to_its_progress(cleo: Person) -> None:
    answer = cleo.browser().post(
        NEW, form(loss_at="2026-03-01T17:30", loss_location="Linz", claimant_name="Cleo", policy_number="POL-1")
    )
    with tenant_scope(cleo.tenant.id):
        claim = Claim.objects.get()
        told, contact = claim.told, Party.objects.get().contact
    assert answer.headers["Location"] == f"/desk/claims/{claim.id}/"
    assert (claim.claim_number, told.loss_location, contact.name) == ("CLM-1", "Linz", "Cleo")
    assert claim.loss_at is not None and claim.loss_at.isoformat() == "2026-03-01T17:30:00+00:00"
    page = cleo.browser().get(answer.headers["Location"]).content.decode()
    assert "Assessment under way" in page and 'hx-trigger="every 2s"' in page


def test_handing_in_needs_the_forms_own_token(cleo: Person, settings: Any) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(cleo.user)
    assert browser.post(NEW, form()).status_code == 403
    token = browser.get(NEW).context["csrf_token"]
    assert browser.post(NEW, form(csrfmiddlewaretoken=str(token))).status_code == 302
    assert not files_in(settings.QUARANTINE_DIR)


def test_handing_in_is_for_members_who_may_write(client: Client, acme: Tenant, audrey: Person, settings: Any) -> None:
    assert client.post(NEW, form()).headers["Location"] == "/sign-in/?next=/desk/claims/new/"
    assert audrey.browser().post(NEW, form()).status_code == 403
    assert not files_in(settings.QUARANTINE_DIR)


@pytest.mark.parametrize(
    ("fields", "status", "words"),
    [
        ({"video": b""}, 400, "The file is empty."),
        ({"video": b"no video at all, but long enough to be looked at" * 40}, 415, "no video format"),
        ({"video": None}, 400, "Choose the video of the event."),
        ({"claim_number": ""}, 400, "Give the claim its number."),
        ({"claim_number": "a\u200fb"}, 400, "Only visible characters"),
        ({"loss_at": "2199-01-01T00:00"}, 400, "The loss lies in the future."),
        ({"claimant_email": "nobody"}, 400, "Enter a valid email address."),
    ],
)
def test_what_cannot_be_a_claim_is_said_beside_the_form_and_leaves_nothing(
    cleo: Person, settings: Any, fields: dict[str, Any], status: int, words: str
) -> None:
    if isinstance(fields.get("video"), bytes):
        fields = {**fields, "video": video_file(fields["video"])}
    body = {name: value for name, value in form(**fields).items() if value is not None}
    answer = cleo.browser().post(NEW, body)
    assert answer.status_code == status
    assert words in answer.content.decode()
    with tenant_scope(cleo.tenant.id):
        assert not Claim.objects.exists()
    assert not files_in(settings.QUARANTINE_DIR)


@override_settings(MAX_UPLOAD_BYTES=2000)
def test_a_file_over_the_cap_is_refused_in_words(cleo: Person) -> None:
    answer = cleo.browser().post(NEW, form())
    assert answer.status_code == 413 and "larger than" in answer.content.decode()


def test_a_used_number_is_refused_at_its_field(cleo: Person) -> None:
    make_claim(cleo, "CLM-1")
    answer = cleo.browser().post(NEW, form())
    assert answer.status_code == 409 and "already has this number" in answer.content.decode()


def test_the_same_video_again_is_the_same_claim(cleo: Person) -> None:
    first = receive(cleo).claim
    answer = cleo.browser().post(NEW, form("CLM-2"), follow=True)
    assert answer.redirect_chain[0][0] == f"/desk/claims/{first.id}/"
    assert "was handed in before: it belongs to CLM-1" in answer.content.decode()


def test_the_list_shows_clients_their_own_and_staff_the_tenants(cleo: Person, ada: Person, zoe: Person) -> None:
    make_claim(cleo, "CLM-CLEO")
    make_claim(ada, "CLM-ADA")
    seen = [
        [number for number in ("CLM-CLEO", "CLM-ADA") if number in person.browser().get(LIST).content.decode()]
        for person in (cleo, ada, zoe)
    ]
    assert seen == [["CLM-CLEO"], ["CLM-CLEO", "CLM-ADA"], []]


def test_the_list_is_closed_to_strangers_and_to_the_operator(client: Client, ada: Person) -> None:
    assert client.get(LIST).status_code == 302
    ada.user.is_operator = True
    ada.user.save()
    assert ada.browser().get(LIST).status_code == 403


def test_the_list_is_searched_and_filtered_by_its_address(ada: Person, cleo: Person) -> None:
    make_assessed_claim(cleo, "CLM-SEEN")
    make_claim(cleo, "CLM-RAW")
    browser = ada.browser()
    text = browser.get(LIST, {"status": ClaimStatus.AWAITING_REVIEW}).content.decode()
    assert "CLM-SEEN" in text and "CLM-RAW" not in text
    text = browser.get(LIST, {"q": "raw"}).content.decode()
    assert "CLM-RAW" in text and "CLM-SEEN" not in text
    assert "No claim matches" in browser.get(LIST, {"q": "nothing like it"}).content.decode()
    assert "CLM-RAW" in browser.get(LIST, {"status": "NONSENSE"}).content.decode()


def test_the_client_reads_the_result_without_fraud_reasons_and_provider(cleo: Person) -> None:
    claim = make_assessed_claim(
        cleo,
        fraud_risk_score=0.83,
        fraud_indicators=[{"code": "edit_cut", "weight": 0.5, "detail": "a splice"}],
        summary="Signs to look at: edit_cut.",
    )
    text = cleo.browser().get(f"/desk/claims/{claim.id}/").content.decode()
    assert "Severity MEDIUM was measured" in text and "50–90 %" in text
    # The bare digits would also be found in a random id now and then.
    for hidden in ("edit_cut", "splice", "0.83", "83 %", "raud", "rules", "Two severities"):
        assert hidden not in text


def test_a_claim_is_shown_to_its_own_side_and_tenant_alone(cleo: Person, zoe: Person, ada: Person) -> None:
    claim = make_claim(ada, "CLM-ADA")
    address = f"/desk/claims/{claim.id}/"
    assert [person.browser().get(address).status_code for person in (ada, cleo, zoe)] == [200, 404, 404]
    assert [person.browser().get(address + "progress/").status_code for person in (cleo, zoe)] == [404, 404]


def test_progress_is_drawn_until_it_is_over(cleo: Person) -> None:
    claim = make_claim(cleo, status=ClaimStatus.PROCESSING, stage="MINING", progress_percent=38)
    browser, address = cleo.browser(), f"/desk/claims/{claim.id}/progress/"
    text = browser.get(address).content.decode()
    assert "38 %" in text and "Picture, motion and sound are measured." in text and "<html" not in text
    with tenant_scope(cleo.tenant.id):
        Claim.objects.filter(id=claim.id).update(status=ClaimStatus.FAILED, finished_at=timezone.now())
    over = browser.get(address)
    assert over.status_code == 286 and over.headers["HX-Refresh"] == "true"
    assert "could not be processed" in browser.get(f"/desk/claims/{claim.id}/").content.decode()


@pytest.mark.usefixtures("uncounted")
@pytest.mark.parametrize("claims", [2, 20])
def test_the_list_costs_the_same_for_few_and_many(
    ada: Person, cleo: Person, claims: int, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(claims):
        make_assessed_claim(cleo, f"CLM-{number}")
    browser = ada.browser()
    with django_assert_max_num_queries(6):
        assert browser.get(LIST).status_code == 200
