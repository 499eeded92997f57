"""The claim page: AI beside person, the decision with its refusals, the hold, skipping, chapters."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from aiassist.types import Outcome
from claims.models import Claim, Evidence
from observability.ids import new_id
from reviews.choices import DecisionKind
from reviews.leases import take_lease
from reviews.models import Decision, ReviewLease
from reviews.services import DecisionDraft, decide_claim
from tenancy.scope import tenant_scope
from tests.files import make_assessed_claim, make_assessment, make_claim
from tests.people import Person
from tests.sealing import seal_now


def address(claim: Claim) -> str:
    return f"/desk/claims/{claim.id}/review/"


def filled(claim: Claim, **changes: str) -> dict[str, str]:
    """The form as the page fills it, with a decision."""
    fields = {
        "decision": "APPROVE",
        "severity": "MEDIUM",
        "fault_pct": "70",
        "fraud": "not_suspected",
        "reasoning": "The video shows what was reported.",
        "override_reason": "",
        "assessment_id": str(claim.assessment_id),
        "lease_token": "",
        "then": "stay",
    }
    return fields | changes


@pytest.fixture
def claim(cleo: Person) -> Claim:
    signals = [
        {
            "name": "jolt_z",
            "unit": "z",
            "start_seconds": 0.0,
            "step_seconds": 0.1,
            "values": [0.0] * 44 + [8.0] + [0.0] * 55,
            "threshold": 6.0,
        }
    ]
    claim = make_assessed_claim(cleo, "CLM-7", signals=signals)
    with tenant_scope(cleo.tenant.id):
        Evidence.objects.create(
            assessment_id=claim.assessment_id,
            position=0,
            kind="impact",
            stage="MOTION",
            measure="jolt_z",
            value=8.0,
            threshold=6.0,
            start_seconds=4.3,
            end_seconds=4.6,
            at_seconds=4.4,
        )
    return claim


def test_claim_page_shows_evidence_beside_the_opinion(ada: Person, claim: Claim) -> None:
    text = ada.browser().get(address(claim)).content.decode()
    assert f'src="/api/v1/claims/{claim.id}/video"' in text
    assert 'data-seek="4.400"' in text and f'href="/api/v1/claims/{claim.id}/video#t=4.400"' in text
    assert "over 6" in text and "0:04.3 – 0:04.6" in text
    assert "Jolt" in text and 'class="tl-line" d="M' in text
    assert "90 of 100 claims" in text
    assert "Degraded assessment:" in text and "no vision model" in text
    assert "Vienna Convention 1968 Art. 13(3)" in text
    assert 'name="severity" value="MEDIUM" checked' in text and 'value="70"' in text


def test_claim_page_sends_a_stranger_to_the_door(client: Client, claim: Claim) -> None:
    assert client.get(address(claim)).status_code == 302
    assert client.post(address(claim), filled(claim)).status_code == 302


def test_claim_page_refuses_the_client_whose_claim_it_is(cleo: Person, claim: Claim) -> None:
    assert cleo.browser().get(address(claim)).status_code == 403


def test_claim_page_is_for_zoe_like_a_claim_that_does_not_exist(zoe: Person, claim: Claim) -> None:
    browser = zoe.browser()
    foreign, missing = browser.get(address(claim)), browser.get(f"/desk/claims/{new_id()}/review/")
    assert (foreign.status_code, missing.status_code) == (404, 404)
    assert "CLM-7" not in foreign.content.decode()
    assert browser.post(address(claim), filled(claim)).status_code == 404


def test_an_auditor_reads_but_does_not_decide(audrey: Person, claim: Claim) -> None:
    browser = audrey.browser()
    text = browser.get(address(claim)).content.decode()
    assert "CLM-7" in text and "Save and take next" not in text
    assert browser.post(address(claim), filled(claim)).status_code == 403


def test_agreeing_with_the_ai_overrides_nothing(ada: Person, claim: Claim) -> None:
    answer = ada.browser().post(address(claim), filled(claim), follow=True)
    assert "is recorded" in answer.content.decode()
    with tenant_scope(ada.tenant.id):
        decision = Decision.objects.get()
    assert (decision.severity_override, decision.fault_override_pct, decision.fraud_override) == ("", None, None)
    assert decision.decided_by_id == ada.user.id


def test_an_override_needs_its_reason_and_keeps_the_text(ada: Person, claim: Claim) -> None:
    browser = ada.browser()
    refused = browser.post(address(claim), filled(claim, severity="LOW", reasoning="Only a scratch."))
    assert refused.status_code == 400
    text = refused.content.decode()
    assert "Say why" in text and "Only a scratch." in text and 'name="severity" value="LOW" checked' in text
    browser.post(address(claim), filled(claim, severity="LOW", fault_pct="55", override_reason="No dent is visible."))
    with tenant_scope(ada.tenant.id):
        decision = Decision.objects.get()
    assert (decision.severity_override, decision.fault_override_pct) == ("LOW", 55.0)
    assert decision.override_reason == "No dent is visible."


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("decision", ""),
        ("decision", "MAYBE"),
        ("reasoning", "  "),
        ("fault_pct", "101"),
        ("fault_pct", "nan"),
        ("severity", ""),
    ],
)
def test_what_cannot_be_a_decision_is_refused_and_nothing_is_written(
    ada: Person, claim: Claim, field: str, value: str
) -> None:
    answer = ada.browser().post(address(claim), filled(claim, **{field: value}))
    assert answer.status_code == 400
    with tenant_scope(ada.tenant.id):
        assert not Decision.objects.exists()


def test_save_and_next_opens_the_next_claim(ada: Person, cleo: Person, claim: Claim) -> None:
    following = make_assessed_claim(cleo, "CLM-8")
    answer = ada.browser().post(address(claim), filled(claim, then="next"))
    assert answer.headers["Location"] == address(following)


def test_who_decides_second_keeps_text_and_choice_and_learns_who_won(ada: Person, sam: Person, claim: Claim) -> None:
    with tenant_scope(ada.tenant.id):
        assert claim.assessment_id is not None
        draft = DecisionDraft(DecisionKind.APPROVE, "Clear case.", claim.assessment_id)
        decide_claim(claim_id=claim.id, actor=sam.principal, draft=draft, now=timezone.now())
    answer = ada.browser().post(address(claim), filled(claim, decision="REJECT", reasoning="I saw it otherwise."))
    text = answer.content.decode()
    assert answer.status_code == 409
    assert "Someone else decided this claim first" in text and "Sam: approve" in text
    assert "I saw it otherwise." in text and 'value="REJECT" required checked' in text
    with tenant_scope(ada.tenant.id):
        assert Decision.objects.count() == 1


def test_a_newer_assessment_stops_the_decision_and_shows_what_changed(ada: Person, claim: Claim) -> None:
    with tenant_scope(ada.tenant.id):
        newer = make_assessment(claim, version=2, severity="HIGH", prediction_set=["HIGH"])
        Claim.objects.filter(id=claim.id).update(assessment=newer)
    browser = ada.browser()
    answer = browser.post(address(claim), filled(claim, reasoning="A light touch."))
    text = answer.content.decode()
    assert answer.status_code == 409
    assert "<del>Medium</del>" in text and "<ins>High</ins>" in text and "<ins>version 2</ins>" in text
    assert "A light touch." in text
    # Sent again from this page it is bound to what the person has now seen, so it counts as an override.
    assert f'name="assessment_id" value="{newer.id}"' in text
    again = filled(claim, assessment_id=str(newer.id), override_reason="Watched again: light.")
    assert browser.post(address(claim), again).status_code == 302


def test_another_reviewers_hold_is_shown_and_stops_the_decision(ada: Person, sam: Person, claim: Claim) -> None:
    with tenant_scope(ada.tenant.id):
        take_lease(claim_id=claim.id, actor=sam.principal, now=timezone.now())
    browser = ada.browser()
    assert "Sam</strong> holds this claim until" in browser.get(address(claim)).content.decode()
    answer = browser.post(address(claim), filled(claim))
    assert answer.status_code == 409 and "Another reviewer holds this claim" in answer.content.decode()


def test_a_hold_is_taken_renewed_and_given_back_in_place(ada: Person, claim: Claim) -> None:
    browser, hold = ada.browser(), f"/desk/claims/{claim.id}/hold/"
    piece = {"HX-Request": "true"}
    taken = browser.post(hold, {"action": "take"}, headers=piece).content.decode()
    assert "You hold this claim until" in taken and "<html" not in taken
    with tenant_scope(ada.tenant.id):
        lease = ReviewLease.objects.get()
        ReviewLease.objects.update(expires_at=timezone.now())
    renewed = browser.post(hold, {"action": "renew", "lease_token": str(lease.token)}, headers=piece)
    assert "You hold this claim until" in renewed.content.decode()
    browser.post(hold, {"action": "release"})
    with tenant_scope(ada.tenant.id):
        assert not ReviewLease.objects.exists()
    lost = browser.post(hold, {"action": "renew", "lease_token": str(lease.token)}, headers=piece)
    assert "Your hold on this claim has lapsed." in lost.content.decode()


@pytest.mark.parametrize("body", [{"action": "steal"}, {"action": "renew", "lease_token": "x"}, {}])
def test_a_hold_refuses_what_it_does_not_know(ada: Person, claim: Claim, body: dict[str, str]) -> None:
    assert ada.browser().post(f"/desk/claims/{claim.id}/hold/", body).status_code == 400


def test_a_hold_is_nobody_elses_business(cleo: Person, zoe: Person, audrey: Person, claim: Claim) -> None:
    hold = f"/desk/claims/{claim.id}/hold/"
    answers = [person.browser().post(hold, {"action": "take"}).status_code for person in (cleo, zoe, audrey)]
    assert answers == [403, 404, 403]


def test_skipping_takes_the_next_claim_and_gives_this_one_back(ada: Person, cleo: Person, claim: Claim) -> None:
    following = make_assessed_claim(cleo, "CLM-8")
    browser = ada.browser()
    browser.post("/desk/next/")
    answer = browser.post(f"/desk/claims/{claim.id}/skip/")
    assert answer.headers["Location"] == address(following)
    with tenant_scope(ada.tenant.id):
        assert [lease.claim_id for lease in ReviewLease.objects.all()] == [following.id]
    assert browser.post(f"/desk/claims/{following.id}/skip/").headers["Location"] == "/desk/"


def test_a_claim_that_cannot_be_assessed_says_why_and_takes_a_decision(ada: Person, cleo: Person) -> None:
    claim = make_assessed_claim(
        cleo,
        "CLM-BLACK",
        outcome=Outcome.NOT_ASSESSABLE,
        reason_code="static_black",
        severity="",
        confidence=0.0,
        prediction_set=["NONE", "LOW", "MEDIUM", "HIGH"],
    )
    browser = ada.browser()
    text = browser.get(address(claim)).content.decode()
    assert "Not assessable." in text and "The picture is black" in text and "Not judged" in text
    answer = browser.post(address(claim), filled(claim, severity="", decision="REQUEST_MORE_INFO"))
    assert answer.status_code == 302


def test_a_set_that_no_class_fits_is_said_in_words(ada: Person, cleo: Person) -> None:
    claim = make_assessed_claim(cleo, "CLM-STRANGE", prediction_set=[])
    text = ada.browser().get(address(claim)).content.decode()
    assert "None of the four classes fits: each is ruled out at 90 %." in text
    assert 'aria-label="Possible severities: none of the four classes fits"' in text
    assert "chip-in" not in text
    queue = ada.browser().get("/desk/").content.decode()
    assert 'aria-label="Possible severities: none of the four classes fits"' in queue


def test_own_claims_are_for_colleagues(ada: Person) -> None:
    claim = make_assessed_claim(ada, "CLM-OWN")
    text = ada.browser().get(address(claim)).content.decode()
    assert "another person must decide it" in text and "Save and take next" not in text
    assert ada.browser().post(address(claim), filled(claim)).status_code == 403


def test_an_unassessed_claim_leads_to_its_progress(ada: Person, cleo: Person) -> None:
    claim = make_claim(cleo, "CLM-NEW")
    assert ada.browser().get(address(claim)).headers["Location"] == f"/desk/claims/{claim.id}/"


def test_chapters_name_every_hazard(ada: Person, zoe: Person, claim: Claim) -> None:
    answer = ada.browser().get(f"/desk/claims/{claim.id}/chapters.vtt")
    assert answer.headers["Content-Type"] == "text/vtt; charset=utf-8"
    assert answer.content.decode() == "WEBVTT\n\n00:00:04.400 --> 00:00:04.900\nImpact\n"
    assert zoe.browser().get(f"/desk/claims/{claim.id}/chapters.vtt").status_code == 404


def test_history_stands_on_the_page_with_its_seals(ada: Person, claim: Claim) -> None:
    browser = ada.browser()
    browser.post(address(claim), filled(claim, severity="LOW", override_reason="No dent is visible."))
    seal_now(ada.tenant.id)
    text = browser.get(address(claim)).content.decode()
    assert "Every entry verified under its seal" in text
    assert "<del>Awaiting review</del>" in text and "<ins>Approved</ins>" in text
    assert "The video shows what was reported." in text
    assert "No dent is visible." in text


@pytest.mark.usefixtures("uncounted")
def test_claim_page_query_budget(
    ada: Person, claim: Claim, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    browser = ada.browser()
    # session, person, memberships ×2, claim, assessment, policy of the tenant, lease, evidence, decisions, history,
    # resubmissions, parties, versions, open reassessment; for the history its newest seal, the head and the tree's page
    with django_assert_max_num_queries(19):
        assert browser.get(address(claim)).status_code == 200


def test_a_broken_assessment_id_is_an_error_of_the_form(ada: Person, claim: Claim) -> None:
    answer = ada.browser().post(address(claim), filled(claim, assessment_id="x"))
    assert answer.status_code == 400
    assert "The video shows what was reported." in answer.content.decode()


def test_a_share_that_nothing_narrows_is_called_open_and_not_fifty(cleo: Person, ada: Person) -> None:
    claim = make_assessed_claim(
        cleo, "CLM-OPEN", suggested_fault_pct=50.0, fault_low_pct=0.0, fault_high_pct=100.0, scenario="NO_EVENT"
    )
    page = ada.browser().get(address(claim)).content.decode()
    assert "nothing between 0 and 100 % is ruled out" in page and "my own judgement" in page
    assert "Open</span>" in ada.browser().get("/desk/").content.decode()
    narrowed = ada.browser().get(address(make_assessed_claim(cleo, "CLM-8"))).content.decode()
    assert "between 50 and 90 %" in narrowed and "I agree with 70 % fault" in narrowed


def test_a_confidence_that_is_held_down_says_so(cleo: Person, ada: Person) -> None:
    sure = {"NONE": 0.01, "LOW": 0.02, "MEDIUM": 0.95, "HIGH": 0.02}
    capped = make_assessed_claim(cleo, "CLM-CAPPED", confidence=0.7, probabilities=sure)
    assert "sure, capped" in ada.browser().get(address(capped)).content.decode()
    assert "sure, capped" not in ada.browser().get(address(make_assessed_claim(cleo, "CLM-9"))).content.decode()
