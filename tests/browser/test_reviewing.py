"""A reviewer's day with the mouse: sign in, take next, watch, jump to evidence, override, decide, look back."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from claims.models import Claim
from reviews.models import Decision
from tenancy.scope import tenant_scope
from tests.browser.conftest import OpenWindow
from tests.browser.rows import IMPACT_SECONDS, reviewable_claim
from tests.browser.watching import at, settled, wait_for_video
from tests.files import make_assessment
from tests.people import PASSWORD, Person

pytestmark = pytest.mark.browser


def test_from_the_door_to_the_decision(open_window: OpenWindow, ada: Person, cleo: Person) -> None:
    reviewable_claim(cleo, "CLM-2026-000100")
    urgent = reviewable_claim(cleo, "CLM-2026-000200", priority="URGENT")
    page = open_window()
    page.goto("/desk/")
    page.get_by_label("User name").fill("ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Review queue")).to_be_visible()
    page.get_by_role("button", name="Take next").click()
    expect(page.get_by_role("heading", name="CLM-2026-000200")).to_be_visible()
    expect(page.locator("#hold")).to_contain_text("You hold this claim until")

    wait_for_video(page)
    page.get_by_role("link", name="Impact").click()
    settled(page)
    assert abs(at(page) - IMPACT_SECONDS) < 0.1
    expect(page.locator(".evidence-item[aria-current]")).to_contain_text("Impact")

    expect(page.get_by_label("Why you differ from the AI")).to_be_hidden()
    page.locator(".segment", has_text="High").click()
    expect(page.get_by_text("differs from the AI’s medium")).to_be_visible()
    page.get_by_label("Why you differ from the AI").fill("The frame is bent.")
    page.locator(".outcome-choice", has_text="Approve").click()
    page.get_by_role("button", name="The video shows what was reported").click()
    page.get_by_role("button", name="Save", exact=True).click()

    expect(page.get_by_text("CLM-2026-000200: “approve” is recorded.")).to_be_visible()
    expect(page.locator(".history")).to_contain_text("Every entry verified under its seal")
    expect(page.locator(".history")).to_contain_text("The frame is bent.")
    with tenant_scope(ada.tenant.id):
        decision = Decision.objects.get()
        assert (decision.claim_id, decision.severity_override) == (urgent.id, "HIGH")
        assert Claim.objects.get(id=urgent.id).status == "APPROVED"


def test_the_timeline_seeks_by_press_and_by_key(open_window: OpenWindow, ada: Person, cleo: Person) -> None:
    claim = reviewable_claim(cleo, "CLM-1")
    page = open_window(ada)
    page.goto(f"/desk/claims/{claim.id}/review/")
    wait_for_video(page)
    timeline = page.get_by_role("slider", name="Position in the video")
    box = timeline.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    settled(page)
    assert abs(at(page) - 4.0) < 0.1
    timeline.press("ArrowRight")
    settled(page)
    assert abs(at(page) - 5.0) < 0.1
    assert timeline.get_attribute("aria-valuenow") == "5.0"


def test_a_hold_begins_with_the_first_touch_of_the_form(open_window: OpenWindow, ada: Person, cleo: Person) -> None:
    claim = reviewable_claim(cleo, "CLM-1")
    page = open_window(ada)
    page.goto(f"/desk/claims/{claim.id}/review/")
    expect(page.locator("#hold")).to_contain_text("Nobody holds this claim")
    page.get_by_label("Reasoning").fill("So")
    expect(page.locator("#hold")).to_contain_text("You hold this claim until")
    with tenant_scope(ada.tenant.id):
        assert Claim.objects.get(id=claim.id).lease.holder_id == ada.user.id
    page.locator(".outcome-choice", has_text="Reject").click()
    page.get_by_label("Reasoning").fill("No collision is visible.")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("“reject” is recorded")).to_be_visible()


def test_the_second_window_loses_but_keeps_its_text(
    open_window: OpenWindow, ada: Person, adam: Person, cleo: Person
) -> None:
    claim = reviewable_claim(cleo, "CLM-1")
    first, second = open_window(adam), open_window(ada)
    for page in (first, second):
        page.goto(f"/desk/claims/{claim.id}/review/")
    first.locator(".outcome-choice", has_text="Approve").click()
    first.get_by_label("Reasoning").fill("Clear case.")
    first.get_by_role("button", name="Save", exact=True).click()
    expect(first.get_by_text("“approve” is recorded")).to_be_visible()

    second.locator(".outcome-choice", has_text="Reject").click()
    second.get_by_label("Reasoning").fill("I read the lane marking otherwise.")
    second.get_by_role("button", name="Save", exact=True).click()
    expect(second.get_by_role("alert")).to_contain_text("Someone else decided this claim first")
    expect(second.get_by_role("alert")).to_contain_text("Adam: approve")
    expect(second.get_by_label("Reasoning")).to_have_value("I read the lane marking otherwise.")
    assert second.locator('input[name="decision"][value="REJECT"]').is_checked()


def test_filters_stand_in_the_address_and_survive_going_back(
    open_window: OpenWindow, ada: Person, cleo: Person
) -> None:
    reviewable_claim(cleo, "CLM-URGENT", priority="URGENT")
    reviewable_claim(cleo, "CLM-STANDARD")
    page = open_window(ada)
    page.goto("/desk/")
    page.get_by_role("navigation", name="Priority").get_by_role("link", name="Urgent").click()
    expect(page.get_by_role("link", name="CLM-STANDARD")).to_have_count(0)
    page.get_by_role("link", name="CLM-URGENT").click()
    expect(page.get_by_role("heading", name="CLM-URGENT")).to_be_visible()
    page.go_back()
    assert page.url.endswith("/desk/?priority=URGENT")
    expect(page.get_by_role("link", name="CLM-STANDARD")).to_have_count(0)


def test_the_queue_shows_new_claims_by_itself_and_keeps_the_chosen_row(
    open_window: OpenWindow, ada: Person, cleo: Person
) -> None:
    reviewable_claim(cleo, "CLM-1")
    page = open_window(ada)
    page.goto("/desk/")
    page.keyboard.press("j")
    expect(page.get_by_role("link", name="CLM-1")).to_be_focused()
    reviewable_claim(cleo, "CLM-2")
    expect(page.get_by_role("link", name="CLM-2")).to_be_visible()
    expect(page.get_by_role("link", name="CLM-1")).to_be_focused()


def test_who_writes_is_told_of_a_newer_assessment_and_keeps_the_text(
    open_window: OpenWindow, ada: Person, cleo: Person
) -> None:
    claim = reviewable_claim(cleo, "CLM-1")
    page = open_window(ada)
    page.clock.install()
    page.goto(f"/desk/claims/{claim.id}/review/")
    page.get_by_label("Reasoning").fill("Half a sentence")
    with tenant_scope(ada.tenant.id):
        newer = make_assessment(claim, version=2, severity="HIGH", prediction_set=["HIGH"])
        Claim.objects.filter(id=claim.id).update(assessment=newer)
    page.clock.fast_forward(20_000)
    expect(page.get_by_text("A newer assessment is there: version 2.")).to_be_in_viewport()
    page.get_by_role("button", name="Show what changed").click()
    expect(page.get_by_role("alert")).to_contain_text("A newer assessment arrived while you were writing")
    expect(page.get_by_label("Reasoning")).to_have_value("Half a sentence")
