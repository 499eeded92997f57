"""Versions on the claim page: what changed, older ones to read, asking for a newer one, and the news of it."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone

from aiassist.types import Severity
from claims.choices import ClaimStatus
from claims.models import Assessment, Claim
from observability.models import Job
from reviews.choices import DecisionKind
from reviews.leases import take_lease
from reviews.models import ReviewLease
from reviews.services import DecisionDraft, decide_claim
from tenancy.scope import tenant_scope
from tests.claims.reassessing import ask_again, assessed_claim, reassess
from tests.people import Person
from tests.reviews.test_pages_claim import address, filled

HTMX = {"HX-Request": "true"}


@pytest.fixture
def claim(cleo: Person, ada: Person) -> Claim:
    return assessed_claim(cleo, "CLM-7")


def older(claim: Claim, version: int = 1) -> str:
    return f"/desk/claims/{claim.id}/versions/{version}/"


def news(claim: Claim, seen: object, *, writing: str = "1") -> str:
    return f"/desk/claims/{claim.id}/news/?seen={seen}&writing={writing}"


def page(person: Person, url: str) -> str:
    answer = person.browser().get(url)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_claim_with_one_version_shows_no_panel(ada: Person, claim: Claim) -> None:
    assert "What changed since" not in page(ada, address(claim))


def test_the_page_shows_what_changed_and_leads_to_the_older_version(ada: Person, claim: Claim) -> None:
    reassess(ada, claim, Severity.HIGH)
    text = page(ada, address(claim))
    assert "What changed since version 1" in text
    assert "<del>Low</del>" in text and "<ins>High</ins>" in text and "<ins>Urgent</ins>" in text
    assert f'href="{older(claim)}"' in text


def test_a_version_without_changes_says_so(ada: Person, claim: Claim) -> None:
    reassess(ada, claim, Severity.LOW)
    assert "version 2 came to the same result" in page(ada, address(claim))


def test_an_older_version_is_read_and_not_decided_on(ada: Person, audrey: Person, claim: Claim) -> None:
    reassess(ada, claim, Severity.HIGH)
    for person in (ada, audrey):
        text = page(person, older(claim))
        assert "This is version 1, kept as it was. The newest is version 2." in text
        assert "Save and take next" not in text and "Assess again" not in text
        assert "chapters.vtt?version=1" in text
        assert "not decided on this version" in text
    assert ada.browser().get(f"/desk/claims/{claim.id}/chapters.vtt?version=1").status_code == 200


def test_a_decision_stands_beside_the_version_it_was_made_on(ada: Person, claim: Claim) -> None:
    reassess(ada, claim, Severity.HIGH)
    assert claim.assessment_id is not None
    draft = DecisionDraft(DecisionKind.REJECT, "Not this journey.", claim.assessment_id)
    with tenant_scope(ada.tenant.id):
        decide_claim(claim_id=claim.id, actor=ada.principal, draft=draft, now=timezone.now())
    assert "Not this journey." in page(ada, address(claim)).partition("history-title")[0]
    assert "Not this journey." not in page(ada, older(claim)).partition("history-title")[0]


def test_the_newest_version_has_one_address(ada: Person, claim: Claim) -> None:
    answer = ada.browser().get(older(claim, 1))
    assert (answer.status_code, answer["Location"]) == (302, address(claim))
    assert ada.browser().get(older(claim, 2)).status_code == 404


def test_older_versions_and_news_are_for_staff_of_the_tenant(
    cleo: Person, zoe: Person, ada: Person, claim: Claim, client: Client
) -> None:
    reassess(ada, claim, Severity.HIGH)
    for url in (older(claim), news(claim, claim.assessment_id)):
        assert client.get(url).status_code == 302
        assert cleo.browser().get(url).status_code == 403
        assert zoe.browser().get(url).status_code == 404


def test_a_reviewer_asks_for_another_assessment_from_the_page(ada: Person, claim: Claim) -> None:
    assert "Assess again" in page(ada, address(claim))
    answer = ada.browser().post(f"/desk/claims/{claim.id}/reassess/", follow=True)
    text = answer.content.decode()
    assert "CLM-7 is being assessed again." in text and "Being assessed again:" in text
    assert Job.objects.filter(kind="claims.reassess").count() == 1


def test_a_decided_claim_offers_no_new_assessment_and_takes_none(ada: Person, claim: Claim) -> None:
    with tenant_scope(ada.tenant.id):
        Claim.objects.update(status=ClaimStatus.APPROVED)
    assert "Assess again" not in page(ada, address(claim))
    answer = ada.browser().post(f"/desk/claims/{claim.id}/reassess/", follow=True)
    assert "takes no new assessment" in answer.content.decode()
    assert Job.objects.filter(kind="claims.reassess").count() == 0


def test_who_may_not_write_does_not_ask(
    cleo: Person, zoe: Person, audrey: Person, claim: Claim, client: Client
) -> None:
    url = f"/desk/claims/{claim.id}/reassess/"
    assert client.post(url).status_code == 302
    assert cleo.browser().post(url).status_code == 403
    assert audrey.browser().post(url).status_code == 403
    assert zoe.browser().post(url).status_code == 404
    assert "Assess again" not in page(audrey, address(claim))


def test_the_holder_of_a_claim_is_told_that_a_newer_assessment_is_there(ada: Person, sam: Person, claim: Claim) -> None:
    seen = claim.assessment_id
    with tenant_scope(ada.tenant.id):
        held = take_lease(claim_id=claim.id, actor=ada.principal, now=timezone.now())
    reassess(sam, claim, Severity.HIGH)
    text = ada.browser().get(news(claim, seen), headers=HTMX).content.decode()
    assert "A newer assessment is there: version 2." in text and "You are looking at version 1" in text
    assert 'form="decision-form" name="then" value="compare"' in text
    assert "hx-get" not in text  # nothing newer is asked for until the person has looked
    with tenant_scope(ada.tenant.id):
        assert ReviewLease.objects.get().token == held.token


def test_the_comparison_keeps_what_the_person_wrote(ada: Person, claim: Claim) -> None:
    form = filled(claim, then="compare", reasoning="Half a sent", decision="")
    with tenant_scope(ada.tenant.id):
        held = take_lease(claim_id=claim.id, actor=ada.principal, now=timezone.now())
    reassess(ada, claim, Severity.HIGH)
    answer = ada.browser().post(address(claim), form)
    text = answer.content.decode()
    assert answer.status_code == 200
    assert "A newer assessment arrived while you were writing" in text and "Half a sent" in text
    assert "Choose an outcome." not in text
    assert "<del>Low</del>" in text and "<ins>High</ins>" in text
    assert f'name="assessment_id" value="{claim.assessment_id}"' in text and str(held.token) in text


def test_news_are_sent_once(ada: Person, claim: Claim) -> None:
    browser = ada.browser()
    first = browser.get(news(claim, claim.assessment_id), headers=HTMX)
    again = browser.get(news(claim, claim.assessment_id), headers={**HTMX, "If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    ask_again(ada, claim)
    moved = browser.get(news(claim, claim.assessment_id), headers={**HTMX, "If-None-Match": first["ETag"]})
    assert moved.status_code == 200 and "Being assessed again" in moved.content.decode()


def test_news_end_when_no_further_assessment_can_come(ada: Person, claim: Claim) -> None:
    with tenant_scope(ada.tenant.id):
        Claim.objects.update(status=ClaimStatus.APPROVED)
    assert ada.browser().get(news(claim, claim.assessment_id), headers=HTMX).status_code == 286
    assert ada.browser().get(news(claim, "x"), headers=HTMX).status_code == 286


def test_the_history_says_it_in_words(ada: Person, claim: Claim) -> None:
    reassess(ada, claim, Severity.HIGH)
    text = page(ada, address(claim))
    assert "Another assessment asked for" in text and "Assessed again" in text
    assert "severity, prediction set, review priority" in text
    with tenant_scope(ada.tenant.id):
        assert Assessment.objects.count() == 2
