"""The band that says what still works, on reviewers' and operators' pages, in light, dark and on a phone."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from observability.breakers import force_breaker_open
from tests.browser.conftest import OpenWindow
from tests.browser.rows import reviewable_claim
from tests.people import Person

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("live_level")]

WINDOWS: list[dict[str, Any]] = [
    {"color_scheme": "light"},
    {"color_scheme": "dark"},
    {"viewport": {"width": 390, "height": 844}},
]


@pytest.mark.parametrize("window", WINDOWS, ids=["light", "dark", "phone"])
def test_the_band_says_what_still_works(
    open_window: OpenWindow, axe: Callable[[Page], list[str]], ada: Person, cleo: Person, window: dict[str, Any]
) -> None:
    reviewable_claim(cleo, "CLM-1")
    for number, names in enumerate((("cache",), ("storage", "broker"))):
        for name in names:
            force_breaker_open(name=name, by="test", now=timezone.now())
        page = open_window(ada, **window)
        page.goto("/desk/")
        band = page.get_by_role("status", name="Service level")
        expect(band).to_contain_text("Everything works." if number == 0 else "Decisions are saved.")
        assert axe(page) == []
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
        if "SHOTS" in os.environ:
            page.screenshot(path=str(Path(os.environ["SHOTS"]) / f"standing-{number}-{'-'.join(map(str, window))}.png"))
        page.close()
