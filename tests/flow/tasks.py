"""The kinds of jobs of the harness; imported by the worker like every app's tasks."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping

from django.db import transaction
from django.utils import timezone

from observability import metrics
from observability.jobs import JobKind, Lease, finish_job, register_kind
from tests.flow.models import FlowResult


def work(lease: Lease) -> None:
    """Take the time that the arguments name, then write the result."""
    time.sleep(float(lease.arguments["seconds"]))
    with transaction.atomic():
        now = timezone.now()
        FlowResult.objects.create(job_ref=str(lease.job_id), attempt=lease.attempt, written_at=now)
        finish_job(lease=lease, result={"attempt": lease.attempt}, now=now)
    metrics.UPLOADS.labels(outcome="flow").inc()


def fail(lease: Lease) -> None:
    raise ValueError("no good: ada@example.org called from 555-867-5309")


def poison(lease: Lease) -> None:
    """Kill the process that works on it, like a decoder that crashes or the system's out-of-memory killer."""
    os.kill(os.getpid(), signal.SIGKILL)


def write_end(arguments: Mapping[str, str], code: str) -> None:
    FlowResult.objects.create(job_ref=f"buried-{arguments['name']}"[:36], attempt=0, written_at=timezone.now())


for _kind in (
    JobKind("flow.work", work),
    JobKind("flow.fail", fail, write_end),
    JobKind("flow.poison", poison, write_end),
):
    register_kind(_kind)
