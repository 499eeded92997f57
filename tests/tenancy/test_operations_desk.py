"""The operator's desk over HTTP and as the administration's first page."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from observability.alerts.choices import AlertEvent
from observability.alerts.watchers import troubled_requests
from observability.breakers import force_breaker_open
from observability.choices import JobState
from observability.desk import Panel, PanelState, Tone, in_words, register_panel, shown_panels
from observability.models import RequestMinute, WorkerHeartbeat
from tenancy.models import User
from tests.observability.work import make_job, make_letter
from tests.people import PASSWORD, Person

pytestmark = pytest.mark.django_db


@pytest.fixture
def olga() -> Client:
    browser = Client(raise_request_exception=False)
    browser.force_login(User.objects.create_user("olga", password=PASSWORD, is_operator=True))
    return browser


def panel_named(body: dict[str, object], name: str) -> dict[str, Any]:
    panels = body["panels"]
    assert isinstance(panels, list)
    return next(panel for panel in panels if panel["name"] == name)


def desk_of(olga: Client) -> dict[str, object]:
    answer = olga.get("/api/v1/operations/desk")
    assert answer.status_code == 200
    body = answer.json()
    assert isinstance(body, dict)
    return body


def test_the_desk_is_for_the_operator_alone(olga: Client, ada: Person, adam: Person) -> None:
    assert ada.api().get("/api/v1/operations/desk").status_code == 403
    assert adam.api().get("/api/v1/operations/desk").status_code == 403
    assert olga.get("/api/v1/operations/desk").status_code == 200


def test_without_workers_the_desk_says_that_something_is_broken(olga: Client) -> None:
    body = desk_of(olga)
    assert body["tone"] == "BAD"
    assert panel_named(body, "workers")["headline"] == "None is alive"


def test_what_waits_and_what_is_dead_is_counted(olga: Client) -> None:
    now = timezone.now()
    WorkerHeartbeat.objects.create(name="worker-1", started_at=now - timedelta(hours=3), seen_at=now)
    make_job(state=JobState.PENDING, run_after=now - timedelta(seconds=90))
    make_letter()
    body = desk_of(olga)
    jobs, dead = panel_named(body, "jobs"), panel_named(body, "dead-letters")
    assert (jobs["tone"], jobs["headline"]) == ("WATCH", "1 open")
    assert (dead["tone"], dead["headline"]) == ("WATCH", "1 waits for a person")
    assert panel_named(body, "workers")["rows"] == [{"name": "worker-1", "value": "up 3 h", "tone": "GOOD"}]


def test_a_breaker_that_is_held_open_is_told(olga: Client) -> None:
    force_breaker_open(name="openai", by="olga", now=timezone.now())
    panel = panel_named(desk_of(olga), "breakers")
    assert panel["rows"] == [{"name": "openai", "value": "held open by a person", "tone": "WATCH"}]


def minute(*, ago: int, **columns: int) -> None:
    """Count requests as all processes had done it so many minutes ago."""
    RequestMinute.objects.create(minute=int(timezone.now().timestamp()) // 60 - ago, **columns)


def requests_panel(olga: Client) -> dict[str, Any]:
    panel = panel_named(desk_of(olga), "requests")
    return {**panel, "rows": {row["name"]: (row["value"], row["tone"]) for row in panel["rows"]}}


def test_before_the_first_request_the_panel_of_requests_is_calm(olga: Client) -> None:
    panel = requests_panel(olga)
    assert (panel["title"], panel["tone"], panel["headline"]) == ("Requests", "GOOD", "None in 5 min")
    assert panel["rows"]["5xx in 5 min (alert at 5 %)"] == ("none", "GOOD")
    assert panel["rows"]["p95 in 1 h"] == ("none timed", "GOOD")


@pytest.mark.parametrize(
    ("errors", "tone", "headline"),
    [(2, "GOOD", "Within bounds"), (3, "WATCH", "3.0 % failed"), (5, "BAD", "5.0 % failed")],
)
def test_requests_that_fail_are_told_before_and_when_they_alert(
    olga: Client, errors: int, tone: str, headline: str
) -> None:
    minute(ago=1, requests=100, server_errors=errors, up_to_50_ms=100)
    panel = requests_panel(olga)
    assert (panel["tone"], panel["headline"]) == (tone, headline)
    assert panel["rows"]["5xx in 5 min (alert at 5 %)"] == (f"{errors:.1f} %", tone)
    assert (tone == "BAD") == any(c.event == AlertEvent.HIGH_ERROR_RATE for c in troubled_requests(timezone.now()))


def test_slow_requests_are_told_by_the_bound_that_alerts(olga: Client, settings: Any) -> None:
    minute(ago=1, requests=60, up_to_1000_ms=60)
    assert requests_panel(olga)["tone"] == "GOOD"
    settings.ALERT_LATENCY_SECONDS = 1.5
    panel = requests_panel(olga)
    assert (panel["tone"], panel["headline"]) == ("WATCH", "19 of 20 within 0.97 s")
    settings.ALERT_LATENCY_SECONDS = 0.5
    assert requests_panel(olga)["rows"]["p95 in 5 min (alert at 0.5 s)"] == ("0.97 s", "BAD")


def test_a_bad_hour_is_to_be_watched_though_it_is_over(olga: Client) -> None:
    minute(ago=30, requests=1_000, server_errors=100, longer=1_000)
    minute(ago=1, requests=100, up_to_50_ms=100)
    minute(ago=70, requests=5_000, up_to_50_ms=5_000)
    panel = requests_panel(olga)
    assert (panel["tone"], panel["headline"]) == ("WATCH", "Well again, the last hour was not")
    assert panel["rows"]["Requests in 1 h"] == ("1,100", "GOOD")
    assert panel["rows"]["5xx in 1 h"] == ("9.1 %", "WATCH")
    assert panel["rows"]["p95 in 1 h"] == ("10.00 s", "WATCH")


def test_a_handful_of_requests_is_no_ground_for_alarm(olga: Client) -> None:
    minute(ago=0, requests=19, server_errors=19, longer=19)
    panel = requests_panel(olga)
    assert (panel["tone"], panel["headline"]) == ("GOOD", "Too few to judge")


def test_the_page_shows_how_requests_go(olga: Client) -> None:
    minute(ago=1, requests=200, server_errors=20, up_to_250_ms=200)
    part = olga.get("/admin/desk/").content.decode()
    assert "10.0 % failed" in part and "5xx in 5 min (alert at 5 %)" in part


def test_a_panel_that_cannot_be_read_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreadable(_now: object) -> PanelState:
        raise OperationalError("away")

    monkeypatch.setattr("observability.desk._panels", {})
    register_panel(Panel("broken", "Broken", 1, unreadable))
    register_panel(Panel("whole", "Whole", 2, lambda _now: PanelState(Tone.GOOD, "well")))
    shown = shown_panels(now=timezone.now())
    assert [(one.panel.name, one.state.tone) for one in shown] == [("broken", "UNKNOWN"), ("whole", "GOOD")]


def test_the_administration_opens_with_the_desk_and_refreshes_it(olga: Client) -> None:
    page = olga.get("/admin/").content.decode()
    assert "Something is broken" in page and 'hx-get="/admin/desk/"' in page
    part = olga.get("/admin/desk/")
    assert part.status_code == 200 and "None is alive" in part.content.decode()
    assert olga.get("/admin/desk/", headers={"If-None-Match": part.headers["ETag"]}).status_code == 304


def test_the_page_of_the_desk_sends_who_is_no_operator_away(ada: Person) -> None:
    assert ada.browser().get("/admin/desk/").status_code == 302


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0 s"), (59, "59 s"), (61, "1 min 1 s"), (3_600, "1 h"), (90_000, "1 d 1 h")]
)
def test_in_words_tells_the_two_largest_units(seconds: float, words: str) -> None:
    assert in_words(seconds) == words
