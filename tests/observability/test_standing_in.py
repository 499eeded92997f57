"""While no worker lives, probes have the web server look for trouble and tell the channels; jobs wait for a worker."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from observability import standing_in
from observability.alerts.models import Alert
from observability.choices import JobState
from observability.heartbeats import record_heartbeat
from observability.incidents.models import Incident
from observability.models import TimerWindow
from tests.observability.alerts.conftest import pagerduty  # noqa: F401  # a fixture
from tests.observability.alerts.receivers import Service
from tests.observability.work import known_kind, make_job

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def standing(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.STAND_IN_FOR_WORKERS = True
    monkeypatch.setattr(standing_in, "_pace", standing_in._Pace())


def lose_a_worker() -> None:
    long_ago = timezone.now() - timedelta(minutes=1)
    record_heartbeat(name="host-1", started_at=long_ago, now=long_ago)


def stand_in() -> bool:
    """Whether a round was begun; it has ended by then."""
    thread = standing_in.stand_in_for_workers(now=timezone.now())
    if thread is not None:
        thread.join()
    return thread is not None


def test_a_probe_finds_the_dead_workers_and_pages(client: Client, pagerduty: Service) -> None:  # noqa: F811
    lose_a_worker()
    with known_kind():
        other = make_job(now=timezone.now())
        assert client.get("/health/ready").status_code == 200
        for thread in [one for one in threading.enumerate() if one.name == "standing-in"]:
            thread.join()
        other.refresh_from_db()
    assert [body["payload"]["severity"] for body in pagerduty.got] == ["critical"]
    incident = Incident.objects.get()
    assert (incident.kind, incident.subject, incident.severity) == ("SERVICE_DOWN", "workers", "P1")
    assert other.state == JobState.PENDING, "it waits for a worker"


def test_nobody_stands_in_for_a_worker_that_lives() -> None:
    record_heartbeat(name="host-1", started_at=timezone.now(), now=timezone.now())
    assert not stand_in()
    assert not TimerWindow.objects.exists()


def test_one_round_per_sweep_over_all_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    lose_a_worker()
    assert stand_in()
    assert not stand_in(), "this process has just looked"
    monkeypatch.setattr(standing_in, "_pace", standing_in._Pace())  # as another process
    assert stand_in()
    assert Alert.objects.get().count == 1, "the sweep was the first one's"


def test_the_alert_ends_when_a_worker_is_back(settings: Any) -> None:
    lose_a_worker()
    standing_in.stand_in_round(now=timezone.now())
    settings.ALERT_QUIET_SECONDS = 15
    later = timezone.now() + timedelta(seconds=20)
    record_heartbeat(name="host-2", started_at=later, now=later)
    standing_in.stand_in_round(now=later)
    assert Alert.objects.get().state == "RESOLVED"
    assert Incident.objects.get().status == "MITIGATED"
