"""Claims that can be erased, and a look for words in every place where something of them could have stayed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone

from claims.choices import ClaimAction, ClaimStatus
from claims.models import Claim
from claims.services import assess_claim
from claims.workflow import move
from observability.models import Job
from observability.running import run_job
from tenancy.scope import tenant_scope
from tests.claims.handing_in import hand_in
from tests.claims.opinions import FakeEngine, take_only_job
from tests.people import Person


def decided_claim(person: Person, number: str = "CLM-1", content: bytes | None = None, **fields: Any) -> Claim:
    """Return a claim of the person with video, opinion and pictures that a reviewer has approved."""
    answer = hand_in(person.api(), number, content, **fields)
    assert answer.status_code == 202, answer.content
    with tenant_scope(person.tenant.id):
        assess_claim(lease=take_only_job(), engine=FakeEngine())
        claim = Claim.objects.get(claim_number=number)
        approve(claim, person)
        Job.objects.all().delete()
        decided: Claim = Claim.objects.get(claim_number=number)
        return decided


def approve(claim: Claim, person: Person) -> None:
    """Close the claim as a decision would; the caller is inside the tenant's scope and its own transaction."""
    with transaction.atomic():
        now = timezone.now()
        move(claim=claim, to=ClaimStatus.APPROVED, action=ClaimAction.ASSESSED, actor=person.principal, now=now)


def erase(number: str = "CLM-1", *options: str) -> None:
    call_command("erase", "--tenant", "acme", "--claim", number, *options)


def run_jobs() -> None:
    """Do what a worker would do with every job that waits."""
    for job_id in Job.objects.order_by("created_at").values_list("id", flat=True):
        run_job(job_id)


def everything_stored(data_folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield every table as text, every file of the test, and on SQLite the raw bytes of the database."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            yield table, repr([_plain(row) for row in cursor.fetchall()]).encode()
    for path in data_folder.rglob("*"):
        if path.is_file():
            yield str(path), path.read_bytes()
    if connection.vendor == "sqlite":
        for suffix in ("", "-wal"):
            path = Path(f"{settings.DATABASES['default']['NAME']}{suffix}")
            if path.is_file():
                yield str(path), path.read_bytes()


def _plain(row: Iterable[object]) -> list[object]:
    return [bytes(value) if isinstance(value, memoryview) else value for value in row]


def hits(canaries: Iterable[str], places: Iterable[tuple[str, bytes]]) -> list[tuple[str, str]]:
    """Return which word was found where."""
    words = list(canaries)
    return [(word, name) for name, content in places for word in words if word.encode() in content]
