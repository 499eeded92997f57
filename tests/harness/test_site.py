"""A whole site: two web processes, a worker, one look from outside."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.processes import ROOT, Site, answers, own_site, read, wait_until

pytestmark = pytest.mark.harness


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with own_site(tmp_path, {"DJANGO_SETTINGS_MODULE": "tests.flow.settings", "JOB_LEASE_SECONDS": "2"}) as made:
        yield made


def figure(url: str, name: str) -> float:
    for line in read(f"{url}/metrics").splitlines():
        if line.startswith(f"{name} "):
            return float(line.rpartition(" ")[2])
    return 0.0


def counted(url: str, least: int) -> bool:
    return figure(url, 'claimwright_uploads_total{outcome="flow"}') >= least


def test_metrics_of_all_processes_meet_in_one_scrape_and_never_fall(site: Site) -> None:
    web = site.start_server(workers=2)
    worker = site.start_worker()
    seen, expected = [], 0
    for _ in range(3):
        expected += 5
        site.manage("flow", "--enqueue", "5", "--seconds", "0.05:0.1")
        wait_until(
            partial(counted, web.url, expected),
            f"{expected} jobs counted",
            log=worker.output,
        )
        seen.append(figure(web.url, 'claimwright_jobs_ended_total{kind="flow.work",outcome="succeeded"}'))
        for child in worker.pool_children():  # their counts must outlive them
            os.kill(child, signal.SIGKILL)
    assert seen == [5.0, 10.0, 15.0]
    assert figure(web.url, "claimwright_workers_alive") == 1
    # Both web processes count into the same sum.
    probed = 'django_http_responses_total_by_status_view_method_total{method="GET",status="200",view="health"}'
    before = figure(web.url, probed)
    for _ in range(20):
        assert answers(f"{web.url}/health")
    assert figure(web.url, probed) == before + 20


def test_worker_that_is_killed_disappears_from_the_metrics(site: Site) -> None:
    web = site.start_server()
    worker = site.start_worker()
    wait_until(lambda: figure(web.url, "claimwright_workers_alive") == 1, "it is seen", log=worker.output)
    worker.kill()
    wait_until(lambda: figure(web.url, "claimwright_workers_alive") == 0, "it is missed", seconds=40)


def test_health_over_http_is_ready_and_says_why_when_it_is_not(site: Site) -> None:
    web = site.start_server()
    assert json.loads(read(f"{web.url}/health/ready"))["status"] == "ready"
    media = site.data_dir / "media"
    media.rename(site.data_dir / "media-away")
    media.write_text("in the way")
    time.sleep(1.1)  # what readiness found is shared for a second
    with pytest.raises(urllib.error.HTTPError) as refusal:
        read(f"{web.url}/health/ready")
    assert refusal.value.code == 503
    assert refusal.value.headers["Retry-After"] == "5"
    assert answers(f"{web.url}/health/live")
    media.unlink()
    wait_until(lambda: answers(f"{web.url}/health/ready"), "it heals by itself", seconds=10)


def test_server_under_gunicorn_ends_with_code_two_without_a_secret_key(site: Site) -> None:
    environment = {name: value for name, value in site.environment.items() if name != "SECRET_KEY"}
    ended = subprocess.run(
        [sys.executable, "-m", "gunicorn", "config.wsgi", "--preload", "--bind", "127.0.0.1:0", "--no-control-socket"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stderr.count("\n")) == (2, 1), ended.stderr
