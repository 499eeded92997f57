"""``manage.py index_links``: makes all claims comparable again, also after a tenant's index key was lost."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from claims.services.linking import rebuild_links
from observability.errors import PlatformError
from tenancy.models import Tenant
from tenancy.scope import tenant_scope

_FAILED, _NOT_FOUND = 1, 3


class Command(BaseCommand):
    help = "Rebuilds what links claims by plate, phone, e-mail and account; what cannot be read links nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--tenant", metavar="SLUG", help="only this tenant")
        parser.add_argument(
            "--new-key", action="store_true", help="under a fresh key of the tenant, after the old one was lost"
        )
        parser.add_argument("--json", action="store_true", help="one JSON document on standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        tenants = Tenant.objects.order_by("slug")
        if options["tenant"]:
            tenants = tenants.filter(slug=options["tenant"])
            if not tenants:
                raise CommandError(f"There is no tenant {options['tenant']!r}.", returncode=_NOT_FOUND)
        counts = {}
        for tenant in tenants:
            with tenant_scope(tenant.id):
                counts[tenant.slug] = self._rebuilt(fresh_key=options["new_key"])
        if options["json"]:
            self.stdout.write(json.dumps({"claims": counts}))
        else:
            for slug, count in counts.items():
                self.stdout.write(f"{slug}: {count} claims")

    def _rebuilt(self, *, fresh_key: bool) -> int:
        try:
            return rebuild_links(now=timezone.now(), fresh_key=fresh_key)
        except PlatformError as error:
            raise CommandError(f"{error.code}: {error.message}", returncode=_FAILED) from error
