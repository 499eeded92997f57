"""`manage.py reassess CLAIM… --tenant SLUG`: has claims assessed again, and tells what changed."""

from __future__ import annotations

import json
import sys
import time
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from claims.ingesting import member_of
from claims.pages.changes import change_rows
from claims.selectors import claim_named
from claims.services import request_reassessment
from observability.choices import JobState
from observability.errors import InvalidInput, NotFound, PlatformError, Unavailable
from observability.models import Job
from tenancy.principals import Principal
from tenancy.scope import tenant_scope
from tenancy.selectors import task_visible_to
from tenancy.serializers import task_data

_FAILED, _USAGE, _NOT_FOUND, _TRY_LATER = 1, 2, 3, 75
_LOOK_EVERY_SECONDS = 0.25
_OVER = frozenset({JobState.SUCCEEDED, JobState.FAILED, JobState.DEAD})


class Command(BaseCommand):
    help = "Assesses claims again, beside their older assessments. Exit code: 0 ok, 1 refused, 3 not found, 75 later."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("claims", nargs="+", metavar="CLAIM", help="number or id")
        parser.add_argument("--tenant", required=True, metavar="SLUG")
        parser.add_argument("--user", metavar="NAME", help="in the name of this member (else the administrator)")
        parser.add_argument("--reason", default="", metavar="TEXT", help="kept in the history")
        parser.add_argument("--wait", action="store_true", help="stay until all of them are assessed")
        parser.add_argument("--timeout", type=float, default=600.0, metavar="SECONDS", help="longest wait (600)")
        parser.add_argument("--json", action="store_true", help="one JSON line on standard output")

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            actor = member_of(tenant_slug=options["tenant"], username=options["user"])
            assert actor.tenant_id is not None
            with tenant_scope(actor.tenant_id):
                claim_ids = [claim_named(principal=actor, name=name).id for name in options["claims"]]
                task_id = request_reassessment(
                    actor=actor, claim_ids=claim_ids, reason=options["reason"], now=timezone.now()
                )
                task = _followed(actor, task_id, options["timeout"] if options["wait"] else 0.0)
        except PlatformError as error:
            raise CommandError(f"{error.code}: {error.message}", returncode=_exit_code(error)) from error
        self._tell(task, as_json=options["json"])
        if options["wait"]:
            sys.exit(_outcome(task))

    def _tell(self, task: Job, *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(task_data(task), default=str))
            return
        self.stdout.write(f"task {task.id}: {task.get_state_display().lower()}")
        for item in (task.result or {}).get("items", []):
            version = f"version {item['version']}" if item["version"] else item["code"]
            self.stdout.write(f"{item['claim_number']} {item['state'].lower()}: {version}")
            for row in change_rows(item["changes"]):
                self.stdout.write(f"  {row.field}: {row.before} → {row.after}")


def _followed(actor: Principal, task_id: UUID, patience_seconds: float) -> Job:
    """Return the task when it is over or the patience is; a patience of 0 does not wait."""
    deadline = time.monotonic() + patience_seconds
    while True:
        task = task_visible_to(principal=actor, task_id=task_id)
        if task.state in _OVER or time.monotonic() >= deadline:
            return task
        time.sleep(_LOOK_EVERY_SECONDS)


def _outcome(task: Job) -> int:
    if task.state == JobState.SUCCEEDED:
        return 0
    return _FAILED if task.state in _OVER else _TRY_LATER


def _exit_code(error: PlatformError) -> int:
    if isinstance(error, NotFound):
        return _NOT_FOUND
    if isinstance(error, InvalidInput):
        return _USAGE
    return _TRY_LATER if isinstance(error, Unavailable) else _FAILED
