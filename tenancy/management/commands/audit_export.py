"""``manage.py audit_export``: a tenant's sealed trail as a file that anyone can verify without this product."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from tenancy.management.audit_files import tenant_named, write_private_file
from tenancy.scope import tenant_scope
from tenancy.trail.export import export_lines
from tenancy.trail.sealing import seal_tenant


class Command(BaseCommand):
    help = "Writes a tenant's audit trail as JSON lines; tenancy/trail/offline.py verifies them without a database."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--tenant", metavar="SLUG", required=True)
        parser.add_argument("--out", metavar="FILE", type=Path, required=True, help="made anew, for its owner alone")

    def handle(self, *args: Any, **options: Any) -> None:
        tenant, now = tenant_named(options["tenant"]), timezone.now()
        with tenant_scope(tenant.id):
            seal_tenant(now=now)
            lines = write_private_file(options["out"], export_lines(tenant, now=now))
        self.stdout.write(f"{options['out']}: {lines} lines")
