"""One's account, the tenant's keys and the second step at the door, in a browser: wide, narrow, light, dark."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from tenancy.models import TokenFamily
from tenancy.second_factor import code_at
from tests.browser.conftest import OpenWindow
from tests.identity_provider import IdentityProvider
from tests.people import PASSWORD, Person, make_key

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Axe = Callable[[Page], list[str]]
NARROW = {"width": 390, "height": 844}


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


@pytest.mark.parametrize(("scheme", "narrow"), [("light", False), ("dark", True)])
def test_the_pages_are_readable_by_everybody(
    open_window: OpenWindow, axe: Axe, adam: Person, scheme: str, narrow: bool
) -> None:
    make_key(adam)
    now = timezone.now()
    TokenFamily.objects.create(
        user=adam.user, tenant=adam.tenant, refresh_id=adam.user.id, password_mark="x" * 64,
        created_at=now, refreshed_at=now, expires_at=now.replace(year=now.year + 1), client="curl on Linux",
    )  # fmt: skip
    adam.browser()
    size = {"viewport": NARROW} if narrow else {}
    page = open_window(adam, color_scheme=scheme, **size)
    for address in ("/account/", "/account/password/", "/account/second-factor/", "/keys/"):
        page.goto(address)
        assert axe(page) == [], address
        assert fits(page), address


def test_adam_makes_a_key_by_keyboard_alone(open_window: OpenWindow, adam: Person) -> None:
    page = open_window(adam)
    page.goto("/keys/")
    page.get_by_label("Name").focus()
    page.keyboard.type("nightly")
    page.get_by_label("Read claims").focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Make key").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Copy it now")).to_be_visible()
    assert page.locator(".secret").inner_text().startswith("clm_live_")


def test_ada_sets_a_second_factor_up_and_uses_it(open_window: OpenWindow, axe: Axe, ada: Person) -> None:
    page = open_window(ada)
    page.goto("/account/second-factor/")
    secret = page.locator(".secret").inner_text()
    picture = page.locator(".enrol img")
    assert picture.evaluate("image => image.complete && image.naturalWidth > 100")
    step = int(timezone.now().timestamp()) // 30
    page.get_by_label("six digits").fill(code_at(secret, step))
    page.get_by_role("button", name="Turn on").click()
    expect(page.locator(".codes li")).to_have_count(10)
    recovery = page.locator(".codes code").first.inner_text()
    assert axe(page) == [] and fits(page)
    door = open_window(viewport=NARROW)
    door.goto("/sign-in/")
    door.get_by_label("User name").fill("ada")
    door.get_by_label("Password").fill(PASSWORD)
    door.get_by_role("button", name="Sign in").click()
    expect(door.get_by_role("heading", name="One more step")).to_be_visible()
    assert axe(door) == [] and fits(door)
    door.keyboard.type(recovery)
    door.keyboard.press("Enter")
    expect(door.get_by_role("heading", name="Review queue")).to_be_visible()


def test_the_policy_lets_the_sign_on_button_leave_for_the_provider(
    open_window: OpenWindow, axe: Axe, acme: Any, settings: Any
) -> None:
    provider = IdentityProvider()
    try:
        settings.OIDC_PROVIDERS = [provider.settings(tenant="acme")]
        policy = copy.deepcopy(settings.CONTENT_SECURITY_POLICY)
        policy["DIRECTIVES"]["form-action"] = ["'self'", provider.issuer]
        settings.CONTENT_SECURITY_POLICY = policy
        page = open_window()
        page.goto("/sign-in/")
        assert axe(page) == []
        page.get_by_role("button", name="Sign in with Acme ID").click()
        page.wait_for_url(f"{provider.issuer}/authorize*")
    finally:
        provider.close()
