"""Handing a claim in by browser: with a progress bar, with refusals that keep what was typed, and without scripts."""

from __future__ import annotations

import pytest
from playwright.sync_api import FilePayload, Page, expect

from claims.models import Claim
from tenancy.scope import tenant_scope
from tests.browser.conftest import OpenWindow
from tests.claims.handing_in import clip
from tests.people import Person

pytestmark = pytest.mark.browser


def choose(page: Page, content: bytes) -> None:
    page.get_by_label("Dashcam video").set_input_files(
        FilePayload(name="drive.mp4", mimeType="video/mp4", buffer=content)
    )


def test_a_claim_is_handed_in_and_followed_until_it_is_assessed(open_window: OpenWindow, cleo: Person) -> None:
    page = open_window(cleo)
    page.goto("/desk/claims/new/")
    choose(page, clip())
    page.get_by_label("Claim number").fill("CLM-2026-000001")
    page.get_by_role("button", name="Hand in the claim").click()
    expect(page.get_by_role("heading", name="CLM-2026-000001")).to_be_visible()
    expect(page.get_by_text("Waiting for a free worker.")).to_be_visible()
    with tenant_scope(cleo.tenant.id):
        Claim.objects.update(status="PROCESSING", stage="MINING", progress_percent=38)
    expect(page.get_by_text("Picture, motion and sound are measured.")).to_be_visible()
    with tenant_scope(cleo.tenant.id):
        Claim.objects.update(status="FAILED", error_code="unreadable_video")
    expect(page.get_by_role("heading", name="This claim could not be processed")).to_be_visible()


def test_a_refusal_keeps_the_fields_and_the_file(open_window: OpenWindow, cleo: Person) -> None:
    page = open_window(cleo)
    page.goto("/desk/claims/new/")
    choose(page, b"this is no video" * 200)
    page.get_by_label("Claim number").fill("CLM-7")
    page.get_by_role("button", name="Hand in the claim").click()
    expect(page.get_by_role("alert")).to_contain_text("no video format")
    choose(page, clip())
    page.get_by_label("Claim number").fill("CLM-7")
    page.get_by_role("button", name="Hand in the claim").click()
    expect(page.get_by_role("heading", name="CLM-7")).to_be_visible()


def test_the_form_works_without_scripts(open_window: OpenWindow, cleo: Person) -> None:
    page = open_window(cleo, java_script_enabled=False)
    page.goto("/desk/claims/new/")
    choose(page, clip())
    page.get_by_label("Claim number").fill("CLM-8")
    page.get_by_role("button", name="Hand in the claim").click()
    expect(page.get_by_role("heading", name="CLM-8")).to_be_visible()
