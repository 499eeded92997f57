"""``manage.py verify_audit``: proves the audit trail of one or every tenant, or names the first bad event."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from tenancy.audit_verification import AuditReport, verify_audit
from tenancy.management.audit_files import checkpoint_in, tenant_named
from tenancy.models import Tenant

_TAMPERED, _USAGE = 1, 2


class Command(BaseCommand):
    help = "Checks every audit event against its hash, the chain, its head and the rows it tells of."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--tenant", metavar="SLUG", help="only this tenant")
        parser.add_argument("--checkpoint", metavar="FILE", type=Path, help="an earlier one that was kept elsewhere")
        parser.add_argument("--public-key", metavar="BASE64", action="append", default=[], help="counts beside our own")
        parser.add_argument("--json", action="store_true", help="one JSON document on standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        tenants = [tenant_named(options["tenant"])] if options["tenant"] else list(Tenant.objects.order_by("slug"))
        checkpoint = None
        if options["checkpoint"]:
            if not options["tenant"]:
                raise CommandError("A checkpoint is one tenant's: say whose by --tenant.", returncode=_USAGE)
            checkpoint = checkpoint_in(options["checkpoint"], tenants[0])
        try:
            reports = [verify_audit(one, checkpoint=checkpoint, public_keys=options["public_key"]) for one in tenants]
        except ValueError as problem:
            raise CommandError("--public-key: 32 bytes in base64 are asked for.", returncode=_USAGE) from problem
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
        signed = f"signed by {report.signed_by}" if report.signed_by else "not signed"
        line += f", ok, head {report.head_hash}, {report.seals} seals, {signed}"
    else:
        place = f" at {report.problem.seq}" if report.problem.seq else ""
        row = f" (event {report.problem.event_id})" if report.problem.event_id else ""
        line += f", {report.problem.kind.upper()}{place}{row}: {report.problem.detail}"
    if report.awaiting_seal:
        line += f", {report.awaiting_seal} await their seal"
    if report.missing_triggers:
        line += f" — the append-only guard is missing: {', '.join(report.missing_triggers)}"
    return line
