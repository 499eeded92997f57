"""Both services on the loopback, and a way to do the jobs that wait."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

import observability.tasks  # noqa: F401  # registers the kinds of jobs
from observability.choices import JobState
from observability.jobs import kind_named, take_job
from observability.models import Job
from tests.observability.alerts.receivers import HOOK, ROUTING_KEY, Service, serving

Work = Callable[..., int]


@pytest.fixture
def pagerduty(settings: Any) -> Iterator[Service]:
    with serving(pagerduty=True) as service:
        settings.WEBHOOK_ALLOW_LOOPBACK = True
        settings.PAGERDUTY_ROUTING_KEY = ROUTING_KEY
        settings.PAGERDUTY_URL = f"http://127.0.0.1:{service.port}/v2/enqueue"
        yield service


@pytest.fixture
def slack(settings: Any) -> Iterator[Service]:
    with serving(pagerduty=False) as service:
        settings.WEBHOOK_ALLOW_LOOPBACK = True
        settings.SLACK_WEBHOOK_URL = f"http://127.0.0.1:{service.port}{HOOK}"
        yield service


@pytest.fixture
def work() -> Work:
    """Do the alerts' jobs that are due, each once; `later` is seconds from now, for those that wait."""
    real = timezone.now

    def do(*, later: float = 0.0) -> int:
        now: datetime = real() + timedelta(seconds=later)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(timezone, "now", lambda: now)
            due = Job.objects.filter(kind__startswith="alerts.", state=JobState.PENDING, run_after__lte=now)
            ids = list(due.order_by("created_at").values_list("id", flat=True))
            for job_id in ids:
                lease = take_job(job_id=job_id, now=now)
                assert lease is not None
                kind_named(lease.kind).handle(lease)
        return len(ids)

    return do
