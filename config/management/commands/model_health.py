"""``manage.py model_health --tenant SLUG``: looks at drift now and makes a health report."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from aiassist.choices import ReportCause
from aiassist.models import HealthReport
from aiassist.monitoring.health import health_document
from aiassist.monitoring.watching import look_at_claims, store_report
from observability.ids import new_id
from tenancy.models import Tenant
from tenancy.scope import tenant_scope

_NOT_FOUND = 3


class Command(BaseCommand):
    help = "Makes the looks at drift that are due and a health report. Exit code: 0 ok, 3 no such tenant."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--tenant", required=True, metavar="SLUG")
        parser.add_argument("--json", action="store_true", help="one JSON line on standard output")

    def handle(self, *_args: Any, **options: Any) -> None:
        tenant = Tenant.objects.filter(slug=options["tenant"]).first()
        if tenant is None:
            raise CommandError(f"There is no tenant {options['tenant']!r}.", returncode=_NOT_FOUND)
        with tenant_scope(tenant.id):
            looks = look_at_claims(now=timezone.now())
            status, document = health_document(now=timezone.now())
            with transaction.atomic():
                report = store_report(
                    f"command:{new_id()}", ReportCause.ON_DEMAND, status, document, now=timezone.now()
                )
        self._tell(report, looks, as_json=options["json"])

    def _tell(self, report: HealthReport, looks: int, *, as_json: bool) -> None:
        advice = report.document["recommendations"]
        if as_json:
            found = {"report_id": str(report.id), "status": report.status, "looks": looks, "recommendations": advice}
            self.stdout.write(json.dumps(found))
            return
        drift, bias = report.document["drift"], report.document["bias"]
        self.stdout.write(f"{report.status}: drift {drift['status']}, bias alarm {'yes' if bias['alarm'] else 'no'}")
        for one in advice:
            self.stdout.write(f"- {one['detail']}")
