"""``manage.py check_isolation``: proves on the live database that no tenant reaches another's rows."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from tenancy.isolation_check import IsolationReport, check_isolation

_BREACHED = 1


class Command(BaseCommand):
    help = "Checks policies, keys, triggers and the role that serves, and tries to reach another tenant's rows."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON document on standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        report = check_isolation()
        if options["json"]:
            self.stdout.write(json.dumps({"ok": report.ok, **asdict(report)}))
        else:
            self.stdout.write("\n".join(_lines(report)))
        if not report.ok:
            sys.exit(_BREACHED)


def _lines(report: IsolationReport) -> list[str]:
    verdict = "ok" if report.ok else f"{len(report.findings)} findings"
    counts = f"{report.tables} tables, {report.keys} foreign keys, {report.tried} attempts"
    findings = [f"FOUND {finding}" for finding in report.findings]
    return [f"{report.engine}: {verdict}; {counts}", *findings, *(f"note: {note}" for note in report.notes)]
