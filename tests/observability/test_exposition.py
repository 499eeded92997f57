from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import DatabaseError
from django.test import Client
from django.utils import timezone

from observability import gauges, metrics
from observability.choices import JobState
from observability.heartbeats import WORKER_LOST_SECONDS, record_heartbeat
from observability.metrics import ScrapeGauge, register_scrape_source
from observability.metrics_folder import ended_files, fold_ended, prepare_metrics_folder
from tests.observability.work import make_job

pytestmark = [pytest.mark.django_db, pytest.mark.urls("observability.urls")]

OUTSIDE = "203.0.113.9"
TOKEN = "scrape-" + "1" * 30


@pytest.fixture
def sources(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(metrics, "_sources", dict(metrics._sources))
    yield


def figures(client: Client) -> dict[str, float]:
    answer = client.get("/metrics")
    assert answer.status_code == 200
    rows = (line.rpartition(" ") for line in answer.content.decode().splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in rows}


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "::1", "10.1.2.3", "172.20.0.4", "192.168.1.5", "fd00::1", "::ffff:10.0.0.1"]
)
def test_metrics_are_served_to_the_inner_network(client: Client, address: str) -> None:
    answer = client.get("/metrics", REMOTE_ADDR=address)
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain")


@pytest.mark.parametrize("address", [OUTSIDE, "8.8.8.8", "2001:db8::1", "172.32.0.1", "", "unix:"])
def test_metrics_are_refused_to_everybody_else(client: Client, address: str) -> None:
    answer = client.get("/metrics", REMOTE_ADDR=address)
    assert answer.status_code == 403
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "metrics_restricted"


def test_metrics_are_served_from_anywhere_with_the_token_only(client: Client, settings: object) -> None:
    settings.METRICS_TOKEN = TOKEN  # type: ignore[attr-defined]
    statuses = {
        header: client.get("/metrics", REMOTE_ADDR=OUTSIDE, headers={"Authorization": header}).status_code
        for header in (f"Bearer {TOKEN}", f"bearer {TOKEN}", f"Bearer {TOKEN}x", f"Basic {TOKEN}", "Bearer", "Bearer ü")
    }
    assert list(statuses.values()) == [200, 200, 403, 403, 403, 403]


def test_metrics_without_a_token_set_take_no_empty_bearer(client: Client) -> None:
    assert client.get("/metrics", REMOTE_ADDR=OUTSIDE, headers={"Authorization": "Bearer "}).status_code == 403


def test_metrics_stay_closed_behind_a_proxy_on_this_machine_that_nobody_named(client: Client) -> None:
    for header in ("X-Forwarded-For", "Forwarded", "X-Real-IP"):
        assert client.get("/metrics", REMOTE_ADDR="127.0.0.1", headers={header: "10.0.0.1"}).status_code == 403


def test_metrics_behind_a_named_proxy_look_at_the_client(client: Client, settings: object) -> None:
    settings.TRUSTED_PROXIES = ["127.0.0.1"]  # type: ignore[attr-defined]
    outside = client.get("/metrics", REMOTE_ADDR="127.0.0.1", headers={"X-Forwarded-For": f"10.0.0.1, {OUTSIDE}"})
    inside = client.get("/metrics", REMOTE_ADDR="127.0.0.1", headers={"X-Forwarded-For": f"{OUTSIDE}, 10.0.0.1"})
    assert (outside.status_code, inside.status_code) == (403, 200)


def test_metrics_tell_jobs_by_state_and_how_long_the_oldest_waits(client: Client) -> None:
    now = timezone.now()
    make_job(now=now - timedelta(seconds=90))
    make_job(now=now - timedelta(seconds=30))
    make_job(now=now + timedelta(hours=1))  # not due: it does not wait yet
    make_job(now=now, state=JobState.DEAD)
    make_job(now=now, state=JobState.SUCCEEDED)
    seen = figures(client)
    assert seen['claimwright_jobs{kind="test.count",state="PENDING"}'] == 3
    assert seen['claimwright_jobs{kind="test.count",state="DEAD"}'] == 1
    assert seen['claimwright_jobs{kind="test.count",state="RUNNING"}'] == 0
    assert gauges.job_counts() == {("PENDING",): 3, ("RUNNING",): 0, ("DEAD",): 1}
    assert 90 <= seen["claimwright_oldest_waiting_job_seconds"] < 120


def test_metrics_count_workers_with_a_fresh_heartbeat(client: Client) -> None:
    now = timezone.now()
    record_heartbeat(name="here", started_at=now, now=now)
    lost = now - timedelta(seconds=WORKER_LOST_SECONDS + 5)
    record_heartbeat(name="gone", started_at=lost, now=lost)
    assert figures(client)["claimwright_workers_alive"] == 1


def test_metrics_leave_out_a_gauge_that_cannot_be_read_and_say_so(client: Client, sources: None) -> None:
    def away() -> metrics.Readings:
        raise DatabaseError("gone")

    register_scrape_source(ScrapeGauge("claimwright_test_gauge", "For this test."), away)
    seen = figures(client)
    assert "claimwright_test_gauge" not in seen
    assert seen['claimwright_scrape_source_up{source="claimwright_test_gauge"}'] == 0
    assert seen['claimwright_scrape_source_up{source="claimwright_jobs"}'] == 1


def test_register_scrape_source_lets_a_higher_floor_add_a_gauge(client: Client, sources: None) -> None:
    register_scrape_source(metrics.OPEN_REVIEWS, lambda: {("URGENT",): 3.0, ("STANDARD",): 5.0})
    seen = figures(client)
    assert seen['claimwright_open_reviews{priority="URGENT"}'] == 3
    assert seen['claimwright_open_reviews{priority="STANDARD"}'] == 5


COUNT = """
import django; django.setup()
from observability import metrics
metrics.UPLOADS.labels(outcome="accepted").inc(2)
metrics.JOB_SECONDS.labels(kind="test").observe(3.0)
"""
SHOW = """
import django; django.setup()
from observability.exposition import exposition
print(exposition().decode())
"""


@pytest.mark.journey
def test_exposition_adds_up_all_processes_that_share_the_folder(tmp_path: Path) -> None:
    """Real processes: the client library decides at its import whether it shares."""
    import os

    shared = prepare_metrics_folder(tmp_path / "metrics", wipe=True)
    environment = {**os.environ, **shared, "DJANGO_SETTINGS_MODULE": "config.settings", "DATA_DIR": str(tmp_path)}

    def run(source: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", source], env=environment, capture_output=True, text=True, check=True
        )
        return done.stdout

    run(COUNT)
    run(COUNT)
    shown = run(SHOW)
    assert 'claimwright_uploads_total{outcome="accepted"} 4.0' in shown
    assert 'claimwright_job_seconds_count{kind="test"} 2.0' in shown
    assert "pid=" not in shown
    prepare_metrics_folder(tmp_path / "metrics", wipe=False)
    assert 'outcome="accepted"} 4.0' in run(SHOW)
    prepare_metrics_folder(tmp_path / "metrics", wipe=True)
    assert 'outcome="accepted"} 0.0' in run(SHOW)


def test_what_ended_processes_counted_is_added_up_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    shared = prepare_metrics_folder(tmp_path / "metrics", wipe=True)
    environment = {**os.environ, **shared, "DJANGO_SETTINGS_MODULE": "config.settings", "DATA_DIR": str(tmp_path)}
    folder = tmp_path / "metrics"

    def count() -> None:
        subprocess.run([sys.executable, "-c", COUNT], env=environment, check=True, capture_output=True)

    count()
    first = sorted(folder.glob("*.db"))
    assert ended_files(folder) == []  # so fresh that it may be another container's
    monkeypatch.setattr("observability.metrics_folder._UNTOUCHED_SECONDS", -60.0)
    (own := folder / f"counter_{os.getpid()}.db").write_bytes(first[0].read_bytes())
    assert ended_files(folder) == first
    fold_ended(folder)
    folded = [folder / "counter_0.db", folder / "histogram_0.db"]
    assert sorted(folder.glob("*.db")) == sorted([*folded, own])
    own.unlink()
    count()
    fold_ended(folder)
    assert sorted(folder.glob("*.db")) == folded
    show = subprocess.run([sys.executable, "-c", SHOW], env=environment, check=True, capture_output=True, text=True)
    assert 'claimwright_uploads_total{outcome="accepted"} 4.0' in show.stdout
    assert 'claimwright_job_seconds_bucket{kind="test",le="5.0"} 2.0' in show.stdout
    assert 'claimwright_job_seconds_bucket{kind="test",le="2.5"} 0.0' in show.stdout
    assert 'claimwright_job_seconds_sum{kind="test"} 6.0' in show.stdout
