"""Jobs of a kind made for a test, without a claim in sight."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction

from observability import jobs
from observability.dead_letters import kill_job
from observability.jobs import JobKind, Lease
from observability.models import DeadLetter, Job

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@contextmanager
def known_kind(
    handle: Callable[[Lease], None] | None = None,
    bury: Callable[[Mapping[str, str], str], None] | None = None,
    *,
    name: str = "test.count",
) -> Iterator[str]:
    """Make a kind known for the block."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(jobs._kinds, name, JobKind(name, handle or (lambda _lease: None), bury))
        yield name


def make_job(*, kind: str = "test.count", tenant_ref: str = "", now: datetime = NOON, **columns: Any) -> Job:
    with transaction.atomic():
        job = jobs.enqueue_job(kind=kind, tenant_ref=tenant_ref, arguments={"name": "one"}, now=now)
    if columns:
        Job.objects.filter(id=job.id).update(**columns)
        job.refresh_from_db()
    return job


def taken(job_id: UUID, now: datetime = NOON) -> Lease:
    lease = jobs.take_job(job_id=job_id, now=now)
    assert lease is not None
    return lease


def finish(lease: Lease, now: datetime = NOON) -> None:
    with transaction.atomic():
        jobs.finish_job(lease=lease, result={"answer": 42}, now=now)


def make_letter(*, tenant_ref: str = "", now: datetime = NOON, **columns: Any) -> DeadLetter:
    """Return the letter of a job that died at that moment."""
    columns = {"attempts": 5, "error_code": "valueerror", "error_detail": "ValueError: no good", **columns}
    job = make_job(now=now, tenant_ref=tenant_ref, **columns)
    assert kill_job(job, code=job.error_code, now=now)
    return DeadLetter.objects.get(job=job, resolution="")
