"""A storm of different alerts: the limit holds, what was held back is counted and said, clocks may jump."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from observability.alerts.choices import AlertEvent, AlertSeverity, ChannelName
from observability.alerts.limits import note_said, take_allowance, windows_to_close
from observability.alerts.models import AlertAllowance, AlertEntry, AlertTelling
from observability.alerts.raising import raise_alert, resolve_alert
from observability.alerts.summaries import say_suppressed
from observability.errors import Unavailable
from observability.models import Job
from tenancy.ratelimits.window import Rate
from tests.observability.alerts.conftest import Work
from tests.observability.alerts.receivers import Service
from tests.observability.test_races import THREADS, all_at_once
from tests.observability.work import NOON

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
BACKLOG = AlertEvent.QUEUE_BACKLOG


@pytest.fixture(autouse=True)
def three_an_hour(settings: Any) -> None:
    settings.ALERT_LIMITS = dict.fromkeys(AlertSeverity, Rate(3, 3600))


def take(now: Any = NOON, severity: AlertSeverity = AlertSeverity.ERROR) -> bool:
    return take_allowance(channel=ChannelName.SLACK, severity=severity, now=now).granted


def test_a_storm_is_held_back_counted_and_said(slack: Service, work: Work) -> None:
    for number in range(8):
        raise_alert(BACKLOG, subject=f"q{number}")
    work()
    assert len(slack.got) == 3
    assert AlertTelling.objects.filter(state="SUPPRESSED").count() == 5
    assert AlertEntry.objects.filter(kind="SUPPRESSED", channel="SLACK", code="rate_limit").count() == 5
    AlertAllowance.objects.update(window_started_at=NOON)  # the next hour
    raise_alert(BACKLOG, subject="later")
    work()
    assert "5 more of this severity were not told here before" in slack.texts()[-1]
    assert AlertAllowance.objects.get().suppressed == 0


def test_when_the_hour_is_over_one_line_says_the_number(slack: Service, work: Work) -> None:
    for number in range(8):
        raise_alert(BACKLOG, subject=f"q{number}")
    work()
    assert say_suppressed(now=timezone.now()) == 0, "the window is not over"
    AlertAllowance.objects.update(window_started_at=NOON)
    slack.orders = [(500, {})]
    assert [say_suppressed(now=timezone.now()) for _ in range(2)] == [1, 0]
    with pytest.raises(Unavailable):
        work()
    Job.objects.filter(kind="alerts.summary").update(state="PENDING", token=None, lease_expires_at=None)
    work()
    assert slack.texts()[-1] == ":large_yellow_circle: 5 more warning alerts were not told here: the limit was reached."
    assert len(slack.got) == 4


def test_what_was_held_back_is_not_resolved_on_the_channel(slack: Service, work: Work) -> None:
    for number in range(5):
        raise_alert(BACKLOG, subject=f"q{number}")
    work()
    for number in range(5):
        resolve_alert(BACKLOG, f"q{number}")
    work()
    assert len(slack.got) == 6, "three openings and their three ends"


def test_severities_and_channels_have_limits_of_their_own() -> None:
    assert [take() for _ in range(4)] == [True, True, True, False]
    assert take(severity=AlertSeverity.CRITICAL)
    assert take_allowance(channel=ChannelName.PAGERDUTY, severity=AlertSeverity.ERROR, now=NOON).granted


def test_the_window_ends_and_a_clock_set_back_does_not_close_it() -> None:
    assert [take() for _ in range(4)] == [True, True, True, False]
    assert not take(NOON + HOUR - timedelta(seconds=1))
    assert take(NOON + HOUR)
    assert take(NOON - 10 * HOUR), "the clock was set back: a window of the future binds nobody"


def test_what_is_suppressed_while_it_is_said_is_not_lost() -> None:
    [take() for _ in range(5)]
    take()
    note_said(channel=ChannelName.SLACK, severity=AlertSeverity.ERROR, number=2)
    assert AlertAllowance.objects.get().suppressed == 1


def test_windows_to_close_are_those_that_are_over() -> None:
    [take() for _ in range(5)]
    assert windows_to_close(channel=ChannelName.SLACK, now=NOON + HOUR / 2) == []
    assert [row.suppressed for row in windows_to_close(channel=ChannelName.SLACK, now=NOON + HOUR)] == [2]
    assert windows_to_close(channel=ChannelName.PAGERDUTY, now=NOON + HOUR) == []


@pytest.mark.django_db(transaction=True)
def test_the_limit_holds_when_all_take_at_once() -> None:
    def one() -> bool:
        with transaction.atomic():
            return take()

    assert sum(all_at_once(one)) == 3
    row = AlertAllowance.objects.get()
    assert (row.used, row.suppressed) == (3, THREADS - 3)
