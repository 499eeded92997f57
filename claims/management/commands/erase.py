"""``manage.py erase --tenant acme --claim CLM-…``: erases what identifies people in a decided claim, for good."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

import claims.tasks  # noqa: F401  # makes the kind of job known here
from claims.ingesting import member_of
from claims.selectors import claim_named
from claims.services import erase_claim
from observability.choices import JobState
from observability.errors import NotFound, PlatformError
from observability.models import Job
from observability.running import run_job
from tenancy.scope import tenant_scope

_FAILED, _NOT_FOUND = 1, 3


class Command(BaseCommand):
    help = "Erases what identifies people in a decided claim, for good. Exit code: 0 ok, 1 refused, 3 not found."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--tenant", required=True, metavar="SLUG")
        parser.add_argument("--claim", required=True, metavar="CLAIM", help="number or id")
        parser.add_argument("--user", metavar="NAME", help="in the name of this member (else the administrator)")
        parser.add_argument("--reason", default="", metavar="TEXT", help="kept in the history; name no person")
        parser.add_argument("--json", action="store_true", help="one JSON line on standard output")

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            told = self._erase(options)
        except PlatformError as error:
            code = _NOT_FOUND if isinstance(error, NotFound) else _FAILED
            raise CommandError(f"{error.code}: {error.message}", returncode=code) from error
        if options["json"]:
            self.stdout.write(json.dumps(told))
            return
        self.stdout.write(f"{told['claim_number']}: {'was erased before' if told['again'] else 'erased'}")
        if not told["files_removed"]:
            self.stdout.write("Its files are not removed yet; a worker does it.")

    def _erase(self, options: dict[str, Any]) -> dict[str, Any]:
        actor = member_of(tenant_slug=options["tenant"], username=options["user"])
        assert actor.tenant_id is not None
        with tenant_scope(actor.tenant_id):
            claim = claim_named(principal=actor, name=options["claim"])
            done = erase_claim(actor=actor, claim_id=claim.id, now=timezone.now(), reason=options["reason"])
            try:
                run_job(done.erasure.job_id)
            except OSError as problem:  # recorded on the job, which a worker tries again
                self.stderr.write(f"The files could not be removed now: {problem.strerror}.")
        removed = Job.objects.filter(id=done.erasure.job_id, state=JobState.SUCCEEDED).exists()
        return {
            "claim_id": str(claim.id),
            "claim_number": claim.claim_number,
            "erased_at": done.erasure.erased_at.isoformat(),
            "again": done.again,
            "files_removed": removed,
        }
