"""Two hundred planted secrets go through errors of a real web process and a real worker: none leaves or is logged."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.canary.planted import BUNDLES, all_secrets, bundle
from tests.observability.collector import collector
from tests.observability.envelopes import receiver
from tests.processes import own_site, wait_until

_WEB = range(13)
_WORKER = range(13, BUNDLES)
_ENQUEUE = """
from django.db import transaction
from django.utils import timezone
from observability.jobs import enqueue_job
for number in range({first}, {end}):
    with transaction.atomic():
        enqueue_job(kind="canary.fail", tenant_ref="", arguments={{"number": str(number)}}, now=timezone.now())
"""


def _ask(url: str, number: int) -> int:
    """Send a request that is full of the bundle: in the query, in headers, in a cookie, in the body."""
    known = bundle(number)
    query = urllib.parse.urlencode({"q": known.word, "email": known.email, "name": known.name})
    headers = {
        "X-API-Key": known.api_key,
        "X-Note": f"{known.name} {known.phone}",
        "X-Forwarded-For": known.address,
        "Cookie": f"sessionid={known.word}",
        "Content-Type": "application/json",
    }
    body = json.dumps(asdict(known)).encode()
    request = urllib.request.Request(f"{url}/canary/{number}/?{query}", body, headers, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        told = error.read().decode()
        assert not [value for value in asdict(known).values() if value in told]
        return error.code


@pytest.mark.journey
def test_no_planted_secret_leaves_or_is_logged(tmp_path: Path) -> None:
    secrets = all_secrets()
    assert len(secrets) == len(set(secrets)) == 200
    with receiver() as sentry, collector() as traces:
        environment = {
            "DJANGO_SETTINGS_MODULE": "tests.canary.settings",
            "SENTRY_DSN": sentry.dsn,
            "SENTRY_TRACES_SAMPLE_RATE": "1",
            "OTEL_EXPORTER_OTLP_ENDPOINT": traces.endpoint,
        }
        with own_site(tmp_path, environment) as site:
            site.manage("collectstatic", "--noinput", "-v0")
            web, worker = site.start_server(), site.start_worker(concurrency=1)
            assert [_ask(web.url, number) for number in _WEB] == [500] * len(_WEB)
            site.manage("shell", "--no-imports", "-c", _ENQUEUE.format(first=_WORKER.start, end=_WORKER.stop))
            wait_until(
                lambda: sentry.types().count("ValueError") >= BUNDLES,
                "every error arrives",
                seconds=60,
                log=lambda: web.output() + worker.output(),
            )
            web.stop()
            worker.stop()
            logged = web.output() + worker.output()
            dead = site.manage("shell", "--no-imports", "-c", _DETAILS)
    assert set(sentry.types()) == {"ValueError"}
    assert any(event.get("type") == "transaction" for event in sentry.events)
    assert any(span.name == "job canary.fail" for span in traces.spans)
    assert logged.count("ValueError") >= BUNDLES and "[email]" in logged and "[email]" in dead
    sent = b"\n".join([*sentry.bodies, *traces.bodies]).decode(errors="replace")
    for where, text in (("sent", sent), ("logged", logged), ("kept in dead jobs", dead)):
        assert {value for value in secrets if value in text} == set(), where


_DETAILS = """
from observability.models import Job
print(list(Job.objects.values_list("error_detail", flat=True)))
"""
