"""Questions to the player, asked from here: waiting inside the page needs eval, which its policy forbids."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page

_TRIES, _PAUSE_MS = 150, 100


def at(page: Page) -> float:
    """Where the video is, in seconds."""
    return float(page.evaluate("document.querySelector('video').currentTime"))


def is_paused(page: Page) -> bool:
    return bool(page.evaluate("document.querySelector('video').paused"))


def wait_for_video(page: Page) -> None:
    until(page, lambda: page.evaluate("document.querySelector('video').readyState") >= 1)


def settled(page: Page) -> None:
    """Wait for a seek to end."""
    until(page, lambda: not page.evaluate("document.querySelector('video').seeking"))


def until(page: Page, is_so: Callable[[], bool]) -> None:
    for _ in range(_TRIES):
        if is_so():
            return
        page.wait_for_timeout(_PAUSE_MS)
    raise AssertionError("it never came to be")
