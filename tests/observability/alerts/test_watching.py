"""The sweep raises what watchers see and resolves what is over, whatever clocks do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError

from observability.alerts import watching
from observability.alerts.choices import AlertEvent, AlertSeverity
from observability.alerts.errors import NoChannel
from observability.alerts.models import Alert, AlertEntry
from observability.alerts.raising import raise_alert
from observability.alerts.testing import send_test_alert
from observability.alerts.watching import Condition, register_watcher, sweep_alerts
from tests.observability.alerts.conftest import Work
from tests.observability.alerts.receivers import Service
from tests.observability.work import NOON

pytestmark = pytest.mark.django_db

STEP = timedelta(seconds=15)
NEEDED = 8  # ALERT_QUIET_SECONDS / ALERT_SWEEP_SECONDS
GONE = AlertEvent.SYSTEM_DOWN


class Watcher:
    """Sees what the test puts there."""

    def __init__(self) -> None:
        self.conditions: list[Condition] = []
        self.error: Exception | None = None

    def __call__(self, now: datetime) -> Iterator[Condition]:
        if self.error:
            raise self.error
        yield from self.conditions


@pytest.fixture
def watcher(monkeypatch: pytest.MonkeyPatch) -> Watcher:
    monkeypatch.setattr(watching, "_watchers", {})
    made = Watcher()
    register_watcher("test", made)
    return made


def sweep(times: int, *, step: timedelta = STEP, start: datetime = NOON) -> None:
    for number in range(times):
        sweep_alerts(now=start + number * step)


def test_what_a_watcher_sees_is_raised_once_and_counted(watcher: Watcher) -> None:
    watcher.conditions = [Condition(GONE, subject="broker", severity=AlertSeverity.ERROR, facts={"code": "away"})]
    sweep(20)
    alert = Alert.objects.get()
    assert (alert.count, alert.severity, alert.watcher, alert.facts) == (20, "ERROR", "test", {"code": "away"})


def test_what_is_gone_is_resolved_after_the_quiet_time_and_not_before(watcher: Watcher) -> None:
    watcher.conditions = [Condition(GONE)]
    sweep(1)
    watcher.conditions = []
    sweep(NEEDED - 1)
    assert Alert.objects.get().is_open
    sweep(1)
    alert = Alert.objects.get()
    assert (alert.state, alert.resolved_by) == ("RESOLVED", "")


def test_what_flaps_stays_one_alert(watcher: Watcher) -> None:
    for _ in range(10):
        watcher.conditions = [Condition(GONE)]
        sweep(1)
        watcher.conditions = []
        sweep(NEEDED - 1)
    assert Alert.objects.get().is_open


@pytest.mark.parametrize("jump", [timedelta(hours=-9), timedelta(hours=9), timedelta(days=-400)])
def test_a_clock_that_jumps_neither_ends_an_alert_nor_pages_again(
    watcher: Watcher, pagerduty: Service, work: Work, jump: timedelta
) -> None:
    watcher.conditions = [Condition(GONE, subject="broker")]
    sweep(3)
    work()
    watcher.conditions = []
    sweep(2, start=NOON + jump)
    watcher.conditions = [Condition(GONE, subject="broker")]
    sweep(3, start=NOON + jump)
    work()
    assert Alert.objects.get().is_open
    assert [event["event_action"] for event in pagerduty.got] == ["trigger"]
    watcher.conditions = []
    sweep(NEEDED, start=NOON + 2 * jump)
    work()
    assert [event["event_action"] for event in pagerduty.got] == ["trigger", "resolve"]
    assert list(pagerduty.incidents.values()) == ["resolved"]


@pytest.mark.parametrize("error", [OperationalError("gone"), KeyError("a bug")])
def test_a_watcher_that_cannot_see_resolves_nothing_and_holds_up_no_other(watcher: Watcher, error: Exception) -> None:
    other = Watcher()
    register_watcher("zz-other", other)
    watcher.conditions = [Condition(GONE)]
    sweep(1)
    watcher.error = error
    other.conditions = [Condition(AlertEvent.QUEUE_BACKLOG)]
    sweep(3 * NEEDED)
    assert Alert.objects.get(event=GONE).is_open
    assert Alert.objects.get(event=AlertEvent.QUEUE_BACKLOG).count == 3 * NEEDED


def test_what_nobody_watches_ends_after_its_own_quiet_time(watcher: Watcher) -> None:
    raise_alert(AlertEvent.MODEL_FAILURE, now=NOON)
    sweep(59)
    assert Alert.objects.get().is_open
    sweep(1)
    assert not Alert.objects.get().is_open


def test_some_alerts_end_only_by_a_person(watcher: Watcher) -> None:
    raise_alert(AlertEvent.SECURITY_BREACH, now=NOON)
    raise_alert(AlertEvent.BUDGET_EXCEEDED, now=NOON)
    sweep(400)
    assert Alert.objects.filter(state="OPEN", quiet_sweeps=0).count() == 2


def test_an_alert_of_a_watcher_that_is_no_more_ends_as_if_unwatched(watcher: Watcher) -> None:
    raise_alert(AlertEvent.CIRCUIT_BREAKER_OPEN, subject="old", watcher="removed", now=NOON)
    sweep(120)
    assert not Alert.objects.get().is_open


def test_a_test_is_told_everywhere_and_is_over_by_itself(
    watcher: Watcher, pagerduty: Service, slack: Service, work: Work
) -> None:
    alert = send_test_alert(by="olga", now=NOON)
    assert send_test_alert(by="olga", now=NOON).id == alert.id
    sweep(3)
    assert Alert.objects.get().is_open, "it waits until it was told"
    work()
    sweep(2)
    work()
    assert [event["event_action"] for event in pagerduty.got] == ["trigger", "resolve"]
    assert pagerduty.got[0]["payload"]["severity"] == "info"
    assert len(slack.got) == 2
    kinds = AlertEntry.objects.filter(alert=alert).order_by("id").values_list("kind", "by")
    assert kinds[0] == ("RAISED", "olga") and ("RESOLVED", "") in kinds


def test_a_test_without_a_channel_says_so(settings: Any) -> None:
    with pytest.raises(NoChannel):
        send_test_alert(by="olga", now=NOON)
    assert not Alert.objects.exists()
