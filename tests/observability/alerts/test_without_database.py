"""The one alert that no outbox can carry: the database is away."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from observability.alerts import without_database
from observability.alerts.models import Alert
from observability.alerts.without_database import LOOKS_TO_BELIEVE, DatabaseWatch
from observability.probes import Finding
from tests.observability.alerts.receivers import Service
from tests.observability.work import NOON

pytestmark = pytest.mark.django_db
Set = Callable[[str], None]


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> Set:
    """Say how the database is."""
    found = {"problem": ""}
    monkeypatch.setattr(
        without_database, "look_at", lambda _probers: [Finding("database", found["problem"], 1.0, required=True)]
    )

    def put(problem: str) -> None:
        found["problem"] = problem

    return put


def look(watch: DatabaseWatch, times: int) -> None:
    for _ in range(times):
        watch.look(now=NOON)


def test_several_workers_make_one_incident_and_close_it(pagerduty: Service, slack: Service, database: Set) -> None:
    one, other = DatabaseWatch(), DatabaseWatch()
    database("OperationalError")
    look(one, LOOKS_TO_BELIEVE - 1)
    assert pagerduty.got == [], "a restart of seconds wakes nobody"
    look(one, 5)
    look(other, 5)
    assert len(pagerduty.got) == 2 and list(pagerduty.incidents.values()) == ["triggered"]
    assert "Database failure: database" in slack.texts()[0] and len(slack.got) == 2
    database("")
    look(one, 3)
    look(other, 3)
    assert list(pagerduty.incidents.values()) == ["resolved"]
    alert = Alert.objects.get()
    assert (alert.event, alert.severity, alert.count) == ("DATABASE_FAILURE", "INFO", 2)
    assert "seconds_away" in alert.facts


def test_a_channel_that_fails_is_called_again_at_the_next_look(pagerduty: Service, database: Set) -> None:
    pagerduty.orders = [(500, {}), (429, {})]
    watch = DatabaseWatch()
    database("timeout")
    look(watch, LOOKS_TO_BELIEVE + 1)
    assert pagerduty.got == []
    look(watch, 3)
    assert [event["event_action"] for event in pagerduty.got] == ["trigger"]


def test_a_database_that_answers_is_nobody_s_business(pagerduty: Service, database: Set) -> None:
    watch = DatabaseWatch()
    look(watch, 10)
    database("OperationalError")
    look(watch, 1)
    database("")
    look(watch, 1)
    assert pagerduty.got == [] and not Alert.objects.exists()
