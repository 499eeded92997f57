"""``manage.py verify_audit``: proves the audit trail of one or every tenant, or names the first bad event."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from tenancy.audit_verification import AuditReport, verify_audit
from tenancy.models import Tenant

_TAMPERED, _NOT_FOUND = 1, 3


class Command(BaseCommand):
    help = "Checks every audit event against its hash, the chain, its head and the rows it tells of."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--tenant", metavar="SLUG", help="only this tenant")
        parser.add_argument("--json", action="store_true", help="one JSON document on standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        tenants = Tenant.objects.order_by("slug")
        if options["tenant"]:
            tenants = tenants.filter(slug=options["tenant"])
            if not tenants:
                raise CommandError(f"There is no tenant {options['tenant']!r}.", returncode=_NOT_FOUND)
        reports = [verify_audit(tenant) for tenant in tenants]
        if options["json"]:
            document = {"ok": all(report.ok for report in reports), "tenants": [_data(report) for report in reports]}
            self.stdout.write(json.dumps(document))
        else:
            for report in reports:
                self.stdout.write(_line(report))
        if not all(report.ok for report in reports):
            sys.exit(_TAMPERED)


def _data(report: AuditReport) -> dict[str, object]:
    return {"ok": report.ok, **asdict(report)}


def _line(report: AuditReport) -> str:
    line = f"{report.tenant}: {report.events} events"
    if report.problem is None:
        line += f", ok, head {report.head_hash}"
    else:
        place = f" at {report.problem.seq}" if report.problem.seq else ""
        row = f" (event {report.problem.event_id})" if report.problem.event_id else ""
        line += f", {report.problem.kind.upper()}{place}{row}: {report.problem.detail}"
    if report.missing_triggers:
        line += f" — the append-only guard is missing: {', '.join(report.missing_triggers)}"
    return line
