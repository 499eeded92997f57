"""`manage.py worker`: works on the jobs and runs the periodic work."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from config.checks import refuse_unsafe_start
from observability.broker import create_folders
from observability.health import migrations_problem
from observability.metrics_folder import metrics_folder, prepare_metrics_folder
from observability.worker import Supervisor, WorkerOptions, default_concurrency

TRY_LATER = 75


class Command(BaseCommand):
    requires_system_checks = ()  # they load every page and view; what a worker needs is checked below
    help = "Works on the jobs (through Celery) and runs the periodic work. Ends in order on SIGTERM and SIGINT."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--concurrency", type=int, default=default_concurrency(), help="jobs at the same time")
        parser.add_argument("--pool", choices=("prefork", "solo"), default="prefork")
        parser.add_argument("--exit-with-parent", action="store_true", help="end when the starting process ends")
        parser.add_argument("--json", action="store_true", help="one line of JSON on standard output when ready")

    def handle(self, *_args: Any, **options: Any) -> None:
        refuse_unsafe_start()
        _share_metrics()
        create_folders()
        problem = migrations_problem()
        if problem:
            self.stderr.write(f"claimwright: the database is not ready: {problem}")
            raise SystemExit(TRY_LATER)
        load_job_kinds()
        supervisor = Supervisor(
            WorkerOptions(
                celery_app="config.celery",
                concurrency=max(1, options["concurrency"]),
                pool=options["pool"],
                ends_with_parent=options["exit_with_parent"],
            ),
            tell_ready=lambda: self._tell_ready(supervisor, as_json=options["json"]),
        )
        raise SystemExit(supervisor.run())

    def _tell_ready(self, supervisor: Supervisor, *, as_json: bool) -> None:
        line = json.dumps({"ready": True, "worker": supervisor.name, "pid": os.getpid()}) if as_json else "ready"
        self.stdout.write(line if as_json else f"worker {supervisor.name} is {line}")
        self.stdout.flush()


def load_job_kinds() -> None:
    """Import every app's `tasks` module: before that the sweeper knows no kind and would bury nobody's work."""
    from config.celery import app  # noqa: PLC0415  # importing it makes the application

    app.loader.import_default_modules()
    app.finalize()


def _share_metrics() -> None:
    """Start again with the shared metrics folder in the environment: the client library reads it when imported."""
    if metrics_folder() is not None:
        return
    shared = prepare_metrics_folder(settings.DATA_DIR / "metrics", wipe=False)
    sys.stdout.flush()
    os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], {**os.environ, **shared})  # noqa: S606  # ourselves
