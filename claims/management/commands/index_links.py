"""``manage.py index_links``: makes all claims comparable again, after an upgrade or a change of the secret key."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from claims.services.linking import rebuild_links
from tenancy.models import Tenant
from tenancy.scope import tenant_scope

_NOT_FOUND = 3


class Command(BaseCommand):
    help = "Rebuilds what links claims by plate, phone, e-mail and account; needed once after SECRET_KEY has changed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--tenant", metavar="SLUG", help="only this tenant")
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
                counts[tenant.slug] = rebuild_links()
        if options["json"]:
            self.stdout.write(json.dumps({"claims": counts}))
        else:
            for slug, count in counts.items():
                self.stdout.write(f"{slug}: {count} claims")
