"""10,000 identical failures from several processes, a real worker, and PagerDuty and Slack that check what they get."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.observability.alerts.receivers import HOOK, ROUTING_KEY, serving
from tests.processes import ROOT, Site, own_site, wait_until

RAISERS, RAISES = 4, 2_500
_RAISE = """
import sys
from django.db import transaction
from observability.alerts.raising import raise_alert
for number in range({number}):
    with transaction.atomic():
        raise_alert("SYSTEM_DOWN", subject="harness", facts={{"attempt": number}})
"""
_RESOLVE = """
from django.db import transaction
from observability.alerts.raising import resolve_alert
with transaction.atomic():
    print(resolve_alert("SYSTEM_DOWN", "harness"))
"""
_COUNT = """
import json
from observability.alerts.models import Alert
print(json.dumps(list(Alert.objects.filter(subject="harness").values_list("count", "state"))))
"""


def _shell(site: Site, code: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "manage.py", "shell", "--no-imports", "-c", code], cwd=ROOT, env=site.environment, text=True
    )


@pytest.mark.harness
def test_ten_thousand_identical_failures_are_one_page_and_the_end_closes_it(tmp_path: Path) -> None:
    with serving(pagerduty=True) as pagerduty, serving(pagerduty=False) as slack:
        environment = {
            "WEBHOOK_ALLOW_LOOPBACK": "true",
            "PAGERDUTY_ROUTING_KEY": ROUTING_KEY,
            "PAGERDUTY_URL": f"http://127.0.0.1:{pagerduty.port}/v2/enqueue",
            "SLACK_WEBHOOK_URL": f"http://127.0.0.1:{slack.port}{HOOK}",
        }
        with own_site(tmp_path, environment) as site:
            worker = site.start_worker()
            began = time.monotonic()
            raisers = [_shell(site, _RAISE.format(number=RAISES)) for _ in range(RAISERS)]
            assert [raiser.wait(300) for raiser in raisers] == [0] * RAISERS
            seconds = time.monotonic() - began
            wait_until(lambda: bool(pagerduty.got and slack.got), "the channels were told", seconds=30)
            counted = site.manage_json("shell", "--no-imports", "-c", _COUNT)
            site.manage("shell", "--no-imports", "-c", _RESOLVE)
            wait_until(lambda: "resolved" in pagerduty.incidents.values(), "the incident is closed", seconds=30)
            worker.stop()
        actions = [event["event_action"] for event in pagerduty.got]
        keys = {event["dedup_key"] for event in pagerduty.got}
        print(
            json.dumps({"raises": counted, "seconds": round(seconds, 1), "pagerduty": actions, "slack": len(slack.got)})
        )
    assert counted == [[RAISERS * RAISES, "OPEN"]]
    assert actions == ["trigger", "resolve"] and len(keys) == 1
    assert pagerduty.refused == [] and slack.refused == []
    assert seconds < 60
