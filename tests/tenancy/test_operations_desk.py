"""The operator's desk over HTTP and as the administration's first page."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from observability.breakers import force_breaker_open
from observability.choices import JobState
from observability.desk import Panel, PanelState, Tone, in_words, register_panel, shown_panels
from observability.models import WorkerHeartbeat
from tenancy.models import User
from tests.observability.work import make_job, make_letter
from tests.people import PASSWORD, Person

pytestmark = pytest.mark.django_db


@pytest.fixture
def olga() -> Client:
    browser = Client(raise_request_exception=False)
    browser.force_login(User.objects.create_user("olga", password=PASSWORD, is_operator=True))
    return browser


def panel_named(body: dict[str, object], name: str) -> dict[str, object]:
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
