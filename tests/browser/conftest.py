"""A real Chromium against a real server. Every window fails its test on a script error or a policy violation."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

from tests.people import Operator, Person

OpenWindow = Callable[..., Page]

_WATCH = """
addEventListener('securitypolicyviolation', (event) => {
  window.tellViolation(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`);
});
"""


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    path = os.environ.get("CHROMIUM", "/usr/bin/chromium")
    if not Path(path).exists():
        pytest.skip(f"NO BROWSER TEST RUNS HERE: there is no Chromium at {path} (set CHROMIUM)")
    # Playwright's event loop lives in this thread; Django would take its own synchronous queries for a mistake.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--mute-audio"])
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def open_window(chromium: Browser, live_server: LiveServer) -> Iterator[OpenWindow]:
    """Return a function that opens a window as a person (None: a stranger); options go to the browser's context."""
    troubles: list[str] = []
    contexts: list[BrowserContext] = []
    # Two processes' worth of patience: the machine that runs this is small.
    expect.set_options(timeout=15_000)

    def open_as(person: Person | Operator | None = None, **options: Any) -> Page:
        context = chromium.new_context(base_url=live_server.url, **options)
        context.expose_binding("tellViolation", lambda _source, words: troubles.append(f"policy: {words}"))
        context.add_init_script(_WATCH)
        if person is not None:
            session = person.browser().cookies[settings.SESSION_COOKIE_NAME].value
            context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}])
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: troubles.append(f"script: {error}"))
        return page

    yield open_as
    for context in contexts:
        context.close()
    assert troubles == []


@pytest.fixture(scope="session")
def axe_script() -> str:
    path = os.environ.get("AXE_PATH", "")
    if not path or not Path(path).is_file():
        pytest.skip("NO ACCESSIBILITY TEST RUNS HERE: set AXE_PATH to axe.min.js of axe-core 4.14")
    return Path(path).read_text(encoding="utf-8")


@pytest.fixture
def axe(axe_script: str) -> Callable[[Page], list[str]]:
    """Return a function that lists what axe finds on a page (injected by the debugger: the policy forbids it else)."""

    def violations(page: Page) -> list[str]:
        session = page.context.new_cdp_session(page)
        session.send("Runtime.evaluate", {"expression": axe_script})
        tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
        found: dict[str, Any] = page.evaluate("(tags) => axe.run(document, {runOnly: tags})", tags)
        nodes = [(rule["id"], node) for rule in found["violations"] for node in rule["nodes"]]
        return [f"{rule}: {node['html'][:160]} {node['failureSummary'][:200]}" for rule, node in nodes]

    return violations
