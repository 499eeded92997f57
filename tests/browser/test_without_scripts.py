"""The work goes on where scripts do not run."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from reviews.models import Decision
from tenancy.scope import tenant_scope
from tests.browser.conftest import OpenWindow
from tests.browser.rows import reviewable_claim
from tests.people import Person

pytestmark = pytest.mark.browser


def test_a_claim_is_taken_and_decided_without_scripts(open_window: OpenWindow, ada: Person, cleo: Person) -> None:
    reviewable_claim(cleo, "CLM-1")
    page = open_window(ada, java_script_enabled=False)
    page.goto("/desk/")
    page.get_by_role("button", name="Take next").click()
    expect(page.locator("#hold")).to_contain_text("You hold this claim until")
    href = page.get_by_role("link", name="Impact").get_attribute("href")
    assert href is not None and href.endswith("/video#t=4.400")
    page.locator(".segment", has_text="Low").click()
    page.locator(".outcome-choice", has_text="Ask for more").click()
    page.get_by_label("Reasoning").fill("The plate cannot be read.")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("A value differs from the AI's. Say why.")).to_be_visible()
    page.get_by_label("Why you differ from the AI").fill("A light touch.")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("“request more information” is recorded")).to_be_visible()
    with tenant_scope(ada.tenant.id):
        assert Decision.objects.get().severity_override == "LOW"
