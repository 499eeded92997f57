"""`manage.py fetch_models`: installs third-party weights, verified, and tells what is degraded without."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from aiassist.weights.installing import WeightsReport, WeightsState, install_all
from observability.errors import NotFound, Unavailable

_FAILED, _USAGE, _NOT_FOUND, _TRY_LATER = 1, 2, 3, 75
# Some 30 MB by a slow line; whoever sits before it can stop it.
_TIMEOUT_SECONDS = 300.0
_WORDS = {
    WeightsState.PRESENT: "is there",
    WeightsState.INSTALLED: "installed",
    WeightsState.MISSING: "missing",
}


class Command(BaseCommand):
    help = "Installs third-party weights into MODEL_DIR. Exit: 0 ok, 1 refused, 2 usage, 3 not found, 75 try later."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--from", dest="folder", type=Path, metavar="DIR", help="take them from this folder, not from a registry"
        )
        parser.add_argument("--timeout", type=float, default=_TIMEOUT_SECONDS, metavar="SECONDS", help="longest wait")
        parser.add_argument("--json", action="store_true", help="one JSON line on standard output")

    def handle(self, *_args: Any, **options: Any) -> None:
        folder: Path | None = options["folder"]
        if folder is not None and not folder.is_dir():
            raise CommandError(f"{folder} is no folder.", returncode=_NOT_FOUND)
        if options["timeout"] <= 0:
            raise CommandError("--timeout must be above 0.", returncode=_USAGE)
        model_dir = Path(settings.MODEL_DIR)
        reports = install_all(model_dir=model_dir, folder=folder, timeout_seconds=options["timeout"])
        if options["json"]:
            self.stdout.write(json.dumps({"model_dir": str(model_dir), "items": [_data(r) for r in reports]}))
        else:
            self._tell(reports)
        sys.exit(_exit_code(reports))

    def _tell(self, reports: list[WeightsReport]) -> None:
        for report in reports:
            weights = report.weights
            size = f"{weights.installed.size_bytes / 1e6:.1f} MB, {weights.licence}"
            self.stdout.write(f"{weights.name} {weights.version} ({size}): {_WORDS[report.state]}, {report.path}")
            if report.error is not None:
                self.stderr.write(f"  {report.error.message} ({report.error.code})")
                self.stderr.write(f"  Without it assessments are degraded: {weights.without}.")


def _data(report: WeightsReport) -> dict[str, object]:
    weights, error = report.weights, report.error
    return {
        "name": weights.name,
        "version": weights.version,
        "state": report.state,
        "error": {"code": error.code, "detail": error.message} if error else None,
        "degraded_without": weights.without,
        "purpose": weights.purpose,
        "licence": weights.licence,
        "origin": weights.origin,
        "sha256": weights.installed.sha256,
        "size_bytes": weights.installed.size_bytes,
        "path": str(report.path),
    }


def _exit_code(reports: list[WeightsReport]) -> int:
    errors = [report.error for report in reports if report.error is not None]
    if not errors:
        return 0
    if all(isinstance(error, NotFound) for error in errors):
        return _NOT_FOUND
    return _TRY_LATER if all(isinstance(error, Unavailable) for error in errors) else _FAILED
