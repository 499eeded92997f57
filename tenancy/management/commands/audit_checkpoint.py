"""``manage.py audit_checkpoint``: the newest seal as a signed file, to be kept out of this machine's reach."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from observability.errors import PlatformError
from tenancy.management.audit_files import checkpoint_in, tenant_named, write_private_file
from tenancy.scope import tenant_scope
from tenancy.trail.proofs import checkpoint_with_proof
from tenancy.trail.sealing import countersign_tenant, seal_tenant
from tenancy.trail.seals import latest_seal
from tenancy.trail.signing import own_public_key

_NOTHING = 3


class Command(BaseCommand):
    help = (
        "Prints or writes a tenant's signed checkpoint; `verify_audit --checkpoint` holds the trail against it later."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--tenant", metavar="SLUG", help="whose trail")
        parser.add_argument("--out", metavar="FILE", type=Path, help="write to this file instead")
        parser.add_argument("--since", metavar="FILE", type=Path, help="prove that nothing before this one changed")
        parser.add_argument("--public-key", action="store_true", help="print the public key that signs, nothing else")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["public_key"]:
            self.stdout.write(own_public_key() or "This platform does not sign: AUDIT_SIGNING_KEY is not set.")
            return
        if not options["tenant"]:
            raise CommandError("Say whose: --tenant SLUG.", returncode=2)
        text = json.dumps(self._checkpoint(options["tenant"], options["since"]), indent=1) + "\n"
        if options["out"]:
            write_private_file(options["out"], [text])
            self.stdout.write(f"{options['out']}")
        else:
            self.stdout.write(text, ending="")

    def _checkpoint(self, slug: str, since: Path | None) -> dict[str, Any]:
        tenant, now = tenant_named(slug), timezone.now()
        kept = checkpoint_in(since, tenant) if since else None
        with tenant_scope(tenant.id):
            seal_tenant(now=now)
            countersign_tenant(now=now)
            last = latest_seal()
            if last is None:
                raise CommandError(f"Nothing has happened at {slug} yet.", returncode=_NOTHING)
            try:
                return checkpoint_with_proof(tenant, last, since=kept.size if kept else 0)
            except PlatformError as problem:
                raise CommandError(problem.message, returncode=1) from problem
