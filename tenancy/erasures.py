"""The erasure journal: ids of what was erased, as rows and, outside the database, as lines of a file.

A restored backup knows nothing of erasures after it was taken; the file does (`manage.py replay_erasures`).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import connection

from tenancy.models import Erasure


@dataclass(frozen=True)
class NotedErasure:
    """One line of the journal's file; `tenant_id` None marks a line that cannot be read."""

    line: int
    tenant_id: UUID | None = None
    subject_id: UUID | None = None


def erasure_of(subject_id: UUID) -> Erasure | None:
    """Return the journal's row of a subject of the tenant in scope."""
    found: Erasure | None = Erasure.objects.filter(subject_id=subject_id).first()
    return found


def record_erasure(*, subject_id: UUID, key_id: UUID | None, job_id: UUID, now: datetime) -> Erasure:
    """Insert the journal's row inside the caller's transaction; one that is there already stays."""
    known = erasure_of(subject_id)
    if known is not None:
        return known
    row: Erasure = Erasure.objects.create(subject_id=subject_id, key_id=key_id, job_id=job_id, erased_at=now)
    return row


def note_erasure(erasure: Erasure) -> None:
    """Append the erasure to the journal's file and wait for the disk; a line written twice does no harm."""
    ids = {"tenant_id": str(erasure.tenant_id), "subject_id": str(erasure.subject_id)}
    line = json.dumps({**ids, "erased_at": erasure.erased_at.isoformat()}) + "\n"
    path = Path(settings.ERASURE_JOURNAL)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, line.encode())  # one short write at the end: lines of two processes do not mix
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def empty_write_ahead_log() -> None:
    """Have SQLite write its log into the database file, where deleted content is overwritten, and empty it.

    A hint: readers that are busy right now put it off to the next one. PostgreSQL's log ages with its backups.
    """
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        return
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def noted_erasures(path: Path) -> Iterator[NotedErasure]:
    """Yield what the file holds, oldest first; a line that a crash tore is yielded without ids."""
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                ids = json.loads(line)
                yield NotedErasure(number, UUID(ids["tenant_id"]), UUID(ids["subject_id"]))
            except (ValueError, KeyError, TypeError):
                yield NotedErasure(number)
