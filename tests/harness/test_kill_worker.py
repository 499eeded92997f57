"""A worker is killed while jobs flow over the filesystem broker, which alone loses whatever it has in flight."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.processes import Process, Site, own_site, wait_until

pytestmark = pytest.mark.harness

LEASE_SECONDS = 2


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    own = {"DJANGO_SETTINGS_MODULE": "tests.flow.settings", "JOB_LEASE_SECONDS": str(LEASE_SECONDS)}
    with own_site(tmp_path, own) as made:
        yield made


def enqueue(site: Site, count: int, *, kind: str = "flow.work", seconds: str = "0.2:0.4") -> Any:
    return site.manage_json("flow", "--enqueue", str(count), "--kind", kind, "--seconds", seconds)


def wait_for(site: Site, state: str, count: int, *, seconds: float = 60.0) -> Any:
    stands: dict[str, Any] = {}

    def check() -> bool:
        stands.update(site.manage_json("flow"))
        return bool(stands["states"].get(state, 0) >= count)

    wait_until(check, f"{count} jobs {state}", seconds=seconds, log=lambda: f"{stands}{last_log(site)}")
    return stands


def last_log(site: Site) -> str:
    return site.running[-1].output()[-2500:] if site.running else ""


def test_fifty_jobs_finish_once_though_the_worker_is_killed_five_times(site: Site) -> None:
    enqueue(site, 50)
    for _ in range(5):
        worker = site.start_worker()
        worker.wait_until(partial(is_busy, worker), "some jobs have ended, others are in hand")
        worker.kill()
    site.start_worker()
    stands = wait_for(site, "SUCCEEDED", 50)
    assert stands["states"] == {"SUCCEEDED": 50}
    assert (stands["results"], stands["distinct"]) == (50, 50)
    assert stands["attempts"] > 50, "no kill hit a job in hand: the test proved nothing"


def test_killed_pool_children_are_replaced_and_the_queue_goes_on(site: Site) -> None:
    worker = site.start_worker()
    enqueue(site, 40)
    for _ in range(8):
        time.sleep(0.6)
        for child in worker.pool_children()[:1]:
            os.kill(child, signal.SIGKILL)
    stands = wait_for(site, "SUCCEEDED", 40)
    assert (stands["results"], stands["distinct"]) == (40, 40)


def test_late_write_of_a_stopped_worker_is_refused(site: Site) -> None:
    stopped = site.start_worker(concurrency=1)
    enqueue(site, 1, seconds="5:5")
    wait_until(lambda: '"job_started"' in stopped.output(), "the job is in hand", seconds=20)
    signal_members(stopped, signal.SIGSTOP)
    assert in_hand(stopped) == 1
    time.sleep(LEASE_SECONDS + 0.5)
    site.start_worker(concurrency=1)
    stands = wait_for(site, "SUCCEEDED", 1)
    signal_members(stopped, signal.SIGCONT)
    wait_until(lambda: '"lease_lost"' in stopped.output(), "the late write is refused", seconds=20)
    stands = site.manage_json("flow")
    assert (stands["results"], stands["attempts"]) == (1, 2)


def test_job_that_kills_its_worker_ends_as_a_dead_letter_and_its_neighbours_finish(site: Site) -> None:
    site.environment["FLOW_MAX_ATTEMPTS"] = "3"
    site.start_worker()
    enqueue(site, 1, kind="flow.poison")
    enqueue(site, 10)
    wait_for(site, "SUCCEEDED", 10)
    stands = wait_for(site, "DEAD", 1)
    assert stands["results"] == 11, "ten results and the last outcome of the buried one"


def test_failing_job_is_tried_again_later_and_its_traceback_is_kept_masked(site: Site) -> None:
    site.environment["FLOW_MAX_ATTEMPTS"] = "2"
    worker = site.start_worker()
    enqueue(site, 1, kind="flow.fail")
    stands = wait_for(site, "DEAD", 1)
    detail = stands["details"][0]
    assert "ValueError" in detail
    assert "[email]" in detail
    for text in (detail, worker.output()):
        assert "ada@example.org" not in text
        assert "867-5309" not in text


def test_worker_told_to_stop_hands_its_jobs_back_without_counting_the_attempt(site: Site) -> None:
    worker = site.start_worker()
    enqueue(site, 2, seconds="30:30")
    wait_until(lambda: worker.output().count('"job_started"') == 2, "both jobs are in hand", seconds=20)
    assert worker.stop() == 0
    stands = site.manage_json("flow")
    assert stands["states"] == {"PENDING": 2}
    assert (stands["attempts"], stands["workers"]) == (0, 0)
    assert worker.members() == []


def test_nothing_survives_a_supervisor_that_is_killed_alone(site: Site) -> None:
    worker = site.start_worker()
    os.kill(worker.popen.pid, signal.SIGKILL)
    worker.popen.wait()
    wait_until(lambda: worker.members() == [], "Celery and its children end", seconds=20, log=worker.output)


def test_celery_that_dies_is_started_again(site: Site) -> None:
    worker = site.start_worker()
    (celery,) = (pid for pid in worker.members() if pid in children_of(worker))
    os.kill(celery, signal.SIGKILL)
    worker.wait_until(lambda: worker.output().count('"ready": true') == 2, "it is ready again")
    enqueue(site, 3)
    wait_for(site, "SUCCEEDED", 3)


def in_hand(worker: Process) -> int:
    """Return how many jobs the worker has begun and not ended."""
    return worker.output().count('"job_started"') - ended(worker)


def is_busy(worker: Process) -> bool:
    return in_hand(worker) > 0 and ended(worker) >= 3


def ended(worker: Process) -> int:
    return worker.output().count('"job_ended"')


def children_of(worker: Process) -> list[int]:
    path = Path(f"/proc/{worker.popen.pid}/task/{worker.popen.pid}/children")
    return [int(pid) for pid in path.read_text().split()]


def signal_members(worker: Process, number: signal.Signals) -> None:
    for pid in worker.members():
        os.kill(pid, number)
