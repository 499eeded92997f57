"""Reviewing without a mouse: at most six keys a claim, and letters that stay letters while a person writes."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from reviews.models import Decision
from tenancy.scope import tenant_scope
from tests.browser.conftest import OpenWindow
from tests.browser.rows import reviewable_claim
from tests.browser.watching import at, is_paused, settled, until, wait_for_video
from tests.people import Person

pytestmark = pytest.mark.browser


def press(page: Page, *keys: str) -> int:
    """Press the keys; a chord counts each of its keys."""
    for key in keys:
        page.keyboard.press(key)
    return sum(len(key.split("+")) for key in keys)


def test_ten_claims_are_decided_with_at_most_six_keys_each(open_window: OpenWindow, ada: Person, cleo: Person) -> None:
    numbers = [f"CLM-{number:02d}" for number in range(10)]
    for number in numbers:
        reviewable_claim(cleo, number)
    page = open_window(ada)
    page.goto("/desk/")
    pressed = press(page, "n")
    for number in numbers:
        expect(page.get_by_role("heading", name=number)).to_be_visible()
        page.wait_for_load_state("load")
        pressed += press(page, "a", "1", "Control+Enter")
    expect(page.get_by_text("That was the last one")).to_be_visible()
    assert pressed <= 6 * len(numbers)
    with tenant_scope(ada.tenant.id):
        decisions = list(Decision.objects.values_list("decision", "reasoning"))
    assert len(decisions) == 10
    assert set(decisions) == {("APPROVE", "The video shows what was reported (hard brake at 0:03.1).")}


def test_keys_move_the_video(open_window: OpenWindow, ada: Person, cleo: Person) -> None:
    claim = reviewable_claim(cleo, "CLM-1")
    page = open_window(ada)
    page.goto(f"/desk/claims/{claim.id}/review/")
    wait_for_video(page)
    for keys, seconds in (("ArrowRight", 1.0), ("Shift+ArrowRight", 6.0), ("ArrowLeft", 5.0), ("e", 3.6), ("e", 4.4)):
        press(page, keys)
        settled(page)
        assert abs(at(page) - seconds) < 0.1, keys
    before = at(page)
    press(page, ".")
    settled(page)
    assert 0.01 < at(page) - before < 0.06
    press(page, "Space")
    until(page, lambda: not is_paused(page))
    press(page, "Space")
    until(page, lambda: is_paused(page))


def test_a_moment_jumped_to_plays_on_space_and_stays_with_its_claim(
    open_window: OpenWindow, ada: Person, cleo: Person
) -> None:
    claim = reviewable_claim(cleo, "CLM-1")
    reviewable_claim(cleo, "CLM-2")
    page = open_window(ada)
    page.goto(f"/desk/claims/{claim.id}/review/")
    wait_for_video(page)
    page.locator("[data-seek]").first.click()
    settled(page)
    assert "#t=" in page.url and is_paused(page)
    press(page, "Space")
    until(page, lambda: not is_paused(page))
    press(page, "a", "1", "Control+Enter")
    expect(page.get_by_role("heading", name="CLM-2")).to_be_visible()
    assert "#" not in page.url
    wait_for_video(page)
    assert at(page) == 0.0


def test_letters_stay_letters_while_writing_and_composing(open_window: OpenWindow, ada: Person, cleo: Person) -> None:
    claim = reviewable_claim(cleo, "CLM-1")
    page = open_window(ada)
    page.goto(f"/desk/claims/{claim.id}/review/")
    page.get_by_label("Reasoning").click()
    page.keyboard.type("airn 123")
    expect(page.get_by_label("Reasoning")).to_have_value("airn 123")
    assert page.locator('input[name="decision"]:checked').count() == 0
    page.evaluate(
        "document.body.dispatchEvent(new KeyboardEvent('keydown', {key: 'a', isComposing: true, bubbles: true}))"
    )
    assert page.locator('input[name="decision"]:checked').count() == 0


def test_keys_can_be_switched_off_and_stay_off(open_window: OpenWindow, ada: Person, cleo: Person) -> None:
    claim = reviewable_claim(cleo, "CLM-1")
    page = open_window(ada)
    page.goto(f"/desk/claims/{claim.id}/review/")
    press(page, "?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.get_by_label("Single-letter keys are on").uncheck()
    press(page, "Escape")
    press(page, "a")
    page.reload()
    press(page, "r")
    assert page.locator('input[name="decision"]:checked').count() == 0


def test_skipping_by_key_gives_the_next_claim(open_window: OpenWindow, ada: Person, cleo: Person) -> None:
    first, second = reviewable_claim(cleo, "CLM-1"), reviewable_claim(cleo, "CLM-2")
    page = open_window(ada)
    page.goto(f"/desk/claims/{first.id}/review/")
    press(page, "n")
    expect(page.get_by_role("heading", name=second.claim_number)).to_be_visible()
