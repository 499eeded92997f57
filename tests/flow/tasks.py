"""The kinds of jobs of the harness; imported by the worker like every app's tasks."""

from __future__ import annotations

import os
import resource
import signal
import time
from collections.abc import Mapping

from django.db import transaction
from django.utils import timezone

from observability import metrics
from observability.jobs import JobKind, Lease, argument_id, finish_job, register_kind
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


def hang(lease: Lease) -> None:
    """Hold on for longer than any job may take."""
    time.sleep(600.0)


def memory(lease: Lease) -> None:
    """Ask for more memory than the process may have."""
    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, resource.RLIM_INFINITY))
    try:
        bytearray(8 << 30)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def unreadable(lease: Lease) -> None:
    argument_id(lease.arguments, "claim_id")


def write_end(arguments: Mapping[str, str], code: str) -> None:
    FlowResult.objects.create(job_ref=f"buried-{arguments['name']}"[:36], attempt=0, written_at=timezone.now())


for _kind in (
    JobKind("flow.work", work),
    JobKind("flow.fail", fail, write_end),
    JobKind("flow.poison", poison, write_end),
    JobKind("flow.hang", hang, write_end),
    JobKind("flow.memory", memory, write_end),
    JobKind("flow.unreadable", unreadable, write_end),
):
    register_kind(_kind)
