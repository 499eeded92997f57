"""Each way in which a job can take its worker with it ends as a dead letter with its own reason, by a real worker."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pytest

from tests.processes import own_site, wait_until

REASONS = {
    "flow.poison": "worker_lost",
    "flow.hang": "timed_out",
    "flow.memory": "out_of_memory",
    "flow.unreadable": "unreadable_arguments",
    "flow.fail": "valueerror",
}
ENVIRONMENT = {
    "DJANGO_SETTINGS_MODULE": "tests.flow.settings",
    "JOB_LEASE_SECONDS": "2",
    "FLOW_MAX_ATTEMPTS": "1",
    "FLOW_LONGEST_SECONDS": "1",
    "CELERY_BROKER_URL": "filesystem://",
}


@pytest.mark.journey
def test_each_fatal_end_has_its_letter_and_the_neighbours_finish(tmp_path: Path) -> None:
    with own_site(tmp_path, ENVIRONMENT) as site:
        for kind in (*REASONS, "flow.work"):
            stands: Any = site.manage_json("flow", "--enqueue", "1", "--kind", kind, "--seconds", "0.1:0.2")
        queue = tmp_path / "broker" / "queue"
        for number, torn in enumerate((b'{"body": "', b"[]", b"\xff\xfe", pickle.dumps({"body": 1}))):
            (queue / f"0_{number}.claimwright.msg").write_bytes(torn)
        worker = site.start_worker()

        def ended() -> bool:
            stands.update(site.manage_json("flow"))
            return bool(stands["letters"] == REASONS and stands["states"] == {"DEAD": 5, "SUCCEEDED": 1})

        wait_until(ended, "five letters", seconds=90, log=lambda: f"{stands}\n{worker.output()[-3000:]}")
        (again,) = json.loads(site.manage("dead_letters", "list", "--kind", "flow.poison", "--json"))["letters"]
        site.manage("dead_letters", "retry", again["job_id"])
        wait_until(
            lambda: len(site.manage_json("dead_letters", "list", "--all", "--json")["letters"]) == 6,
            "the poison comes back as a new letter",
            log=worker.output,
        )
        first, second = site.manage_json("dead_letters", "list", "--all", "--kind", "flow.poison", "--json")["letters"]
    assert (first["resolution"], second["resolution"]) == (None, "RETRIED")
    assert first["job_id"] == second["job_id"] and first["reason_code"] == "worker_lost"
    assert worker.output().count("broker_message_unreadable") == 4
