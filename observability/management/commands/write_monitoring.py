"""``manage.py write_monitoring``: Prometheus' rules with their tests, its configuration, and Grafana's dashboard."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from observability.monitoring.documents import monitoring_files


class Command(BaseCommand):
    requires_system_checks = ()
    help = "Writes deploy/prometheus and deploy/grafana from the lists of rules and panels."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--to", type=Path, default=settings.BASE_DIR / "deploy", metavar="FOLDER")
        parser.add_argument("--target", default="web:8000", help="host:port of a web process, as Prometheus reaches it")
        parser.add_argument("--check", action="store_true", help="write nothing; fail when a file differs")

    def handle(self, *_args: Any, **options: Any) -> None:
        folder: Path = options["to"]
        stale = []
        for name, content in monitoring_files(target=options["target"]).items():
            path = folder / name
            if path.is_file() and path.read_text(encoding="utf-8") == content:
                continue
            stale.append(name)
            if not options["check"]:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(content, encoding="utf-8")
        if stale and options["check"]:
            raise CommandError(f"Not as the lists say: {', '.join(stale)}. Run manage.py write_monitoring.")
        self.stdout.write(f"{len(stale)} files written to {folder}" if stale else "Nothing to write.")
