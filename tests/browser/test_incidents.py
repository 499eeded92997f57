"""An operator follows a runbook by keys alone."""

from __future__ import annotations

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from tests.browser.conftest import OpenWindow
from tests.observability.incidents.troubles import an_incident
from tests.people import make_operator

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_runbook_is_followed_by_keys(open_window: OpenWindow) -> None:
    incident = an_incident(now=timezone.now(), title="openai answers 500")
    page = open_window(make_operator())
    page.goto("/operations/incidents/")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text(str(incident))
    page.keyboard.press("a")
    expect(page.locator(".timeline-status")).to_contain_text("Acknowledged")
    page.keyboard.press("x")  # the first that can be done
    expect(page.locator("#step-1")).to_contain_text("openai: closed")
    expect(page.locator("#step-1")).to_be_focused()
    page.keyboard.press("j")
    page.keyboard.press("s")
    page.keyboard.type("x is only a letter here")
    page.keyboard.press("Enter")
    expect(page.locator("#step-2")).to_contain_text("Skipped, olga")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator("#step-3")).to_contain_text("Done, olga")
    expect(page.locator("#book-title + span")).to_contain_text("2 of 5 to do")


def test_the_timeline_refreshes_itself(open_window: OpenWindow) -> None:
    incident = an_incident(now=timezone.now())
    operator = make_operator()
    page = open_window(operator)
    page.goto(f"/operations/incidents/{incident.number}/")
    expect(page.locator(".timeline-status")).to_contain_text("Open")
    operator.browser().post(f"/operations/incidents/{incident.number}/", {"action": "acknowledge"})
    expect(page.locator(".timeline-status")).to_contain_text("Acknowledged")
