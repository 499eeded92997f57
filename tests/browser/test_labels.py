"""Blind labels in a browser: a film is watched and labelled without a mouse, and without scripts."""

from __future__ import annotations

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from reviews.actions import DecisionDraft
from reviews.choices import DecisionKind
from reviews.models import BlindLabel
from reviews.services import decide_claim
from tenancy.models import Tenant
from tenancy.scope import tenant_scope
from tests.browser.conftest import OpenWindow
from tests.browser.rows import reviewable_claim
from tests.browser.watching import at, settled, wait_for_video
from tests.people import Person

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def two_drawn_claims(ada: Person, cleo: Person) -> None:
    Tenant.objects.filter(id=cleo.tenant.id).update(settings={"blind_label_share": 1.0})
    for number in ("CLM-1", "CLM-2"):
        claim = reviewable_claim(cleo, number)
        assert claim.assessment_id is not None
        draft = DecisionDraft(decision=DecisionKind.APPROVE, reasoning="Clear.", assessment_id=claim.assessment_id)
        with tenant_scope(ada.tenant.id):
            decide_claim(claim_id=claim.id, actor=ada.principal, draft=draft, now=timezone.now())


def labels_of(person: Person) -> list[str]:
    with tenant_scope(person.tenant.id):
        return list(BlindLabel.objects.order_by("drawn_at").values_list("severity", flat=True))


def test_films_are_labelled_without_a_mouse(open_window: OpenWindow, sam: Person) -> None:
    page = open_window(sam)
    page.goto("/desk/labels/")
    wait_for_video(page)
    page.keyboard.press("e")
    settled(page)
    assert abs(at(page) - 2.1) < 0.1, "a second before the place begins"
    page.keyboard.press("3")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("Your label is recorded.")).to_be_visible()
    page.keyboard.press("1")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("heading", name="Nothing waits for your label")).to_be_visible()
    assert labels_of(sam) == ["MEDIUM", "NONE"]


def test_films_are_labelled_without_scripts(open_window: OpenWindow, sam: Person) -> None:
    page = open_window(sam, java_script_enabled=False)
    page.goto("/desk/labels/")
    place = page.get_by_role("link", name="0:03.1 – 0:04.6").get_attribute("href")
    assert place is not None and place.endswith("/video#t=2.1")
    page.locator(".severity-choice", has_text="Cannot be told").click()
    page.get_by_role("button", name="Save and next").click()
    expect(page.get_by_text("Your label is recorded.")).to_be_visible()
    assert labels_of(sam) == ["", ""]
