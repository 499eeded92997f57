"""``manage.py replay_erasures``: after an older backup was restored, erases again what had been erased since."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from claims.services.replaying import replay_erasures
from tenancy.erasures import noted_erasures

_FAILED, _NOT_FOUND = 1, 3


class Command(BaseCommand):
    help = (
        "Erases again every claim that the erasure journal names, also against a hold or an open decision that the "
        "backup brought back. Run it after each restore, before people are let in. Exit code 1: unreadable lines."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--journal", type=Path, metavar="FILE", help="default: ERASURE_JOURNAL")
        parser.add_argument("--json", action="store_true", help="one JSON document on standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        path = options["journal"] or Path(settings.ERASURE_JOURNAL)
        if not path.is_file():
            raise CommandError(f"There is no journal {path}.", returncode=_NOT_FOUND)
        outcome = replay_erasures(noted_erasures(path), now=timezone.now())
        told = {"erased": outcome.erased, "erased_before": outcome.before, "unknown": outcome.unknown}
        if options["json"]:
            self.stdout.write(json.dumps({**told, "unreadable_lines": outcome.unreadable_lines}))
        else:
            self.stdout.write(
                f"{outcome.erased} erased again, {outcome.before} were erased, {outcome.unknown} not in this database"
            )
        if outcome.unreadable_lines:
            raise CommandError(f"Lines that cannot be read: {outcome.unreadable_lines}", returncode=_FAILED)
