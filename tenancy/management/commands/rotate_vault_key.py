"""``manage.py rotate_vault_key``: every data key goes under the newest master key."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from observability.errors import PlatformError
from tenancy.vault_rotation import rotate_keys

_FAILED = 1


class Command(BaseCommand):
    help = (
        "Wraps every data key anew under the highest version in VAULT_MASTER_KEY. Can be stopped and started again. "
        "Exit code 1: a key could not be opened; keep the older master keys then."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON document on standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            outcome = rotate_keys()
        except PlatformError as error:
            raise CommandError(f"{error.code}: {error.message}", returncode=_FAILED) from error
        told = {"master_version": outcome.version, "rewrapped": outcome.rewrapped, "unreadable": outcome.unreadable}
        if options["json"]:
            self.stdout.write(json.dumps(told))
        else:
            self.stdout.write(f"master key {outcome.version}: {outcome.rewrapped} data keys wrapped anew")
        if outcome.unreadable:
            raise CommandError(f"{len(outcome.unreadable)} data keys cannot be opened.", returncode=_FAILED)
